"""Builds the Rust workspace first, and then the extension module over it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist

sys.path.insert(0, str(Path(__file__).resolve().parent / "native"))
import extension  # noqa: E402  (needs the path)
from tools import WORKSPACE, announce, of_workspace  # noqa: E402

# What of the workspace a source distribution carries: all that cargo reads.
CARRIED = ["Cargo.toml", "Cargo.lock", "README.md", "LICENSE-APACHE", "LICENSE-MIT"]
CARRIED_FOLDERS = ["core", "transport", "tokio", "loopback", "cli", "ffi", "benches", "fuzz/bodies", "fuzz/ffi", "examples/rust"]


class BuildExtension(build_ext):
    """Also puts the program `chatnio` into the package."""

    def run(self) -> None:
        libraries = extension.build_library()
        for module in self.extensions:
            module.extra_link_args += libraries
        announce("the C compiler builds the extension module (2 of 3): seconds")
        super().run()
        package = Path(self.build_lib) / "pychatnio"
        if self.inplace:
            package = Path(__file__).resolve().parent / "src" / "pychatnio"
        program = package / "bin" / "chatnio"
        program.parent.mkdir(parents=True, exist_ok=True)
        built = extension.build_program()
        # One that runs cannot be written to.
        program.unlink(missing_ok=True)
        shutil.copy2(built, program)


class SourceDistribution(sdist):
    """Carries the Rust workspace along, in `rust`."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        super().make_release_tree(base_dir, files)
        rust = Path(base_dir) / "rust"
        for name in CARRIED:
            (rust / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(WORKSPACE / name, rust / name)
        for name in CARRIED_FOLDERS:
            ignored = shutil.ignore_patterns("target", ".*")
            shutil.copytree(WORKSPACE / name, rust / name, ignore=ignored, dirs_exist_ok=True)


setup(
    version=of_workspace("version"),
    cffi_modules=["native/extension.py:ffibuilder"],
    cmdclass={"build_ext": BuildExtension, "sdist": SourceDistribution},
    # One wheel for every CPython from 3.10.
    options={"bdist_wheel": {"py_limited_api": "cp310"}},
)
