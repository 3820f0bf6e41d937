"""Builds the Rust workspace first, and then the extension module over it."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

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

    def build_extensions(self) -> None:
        # Some Pythons have every module look for libraries in the folder that they are in themselves: this one needs none.
        self.compiler.linker_so = [flag for flag in self.compiler.linker_so if not flag.startswith(("-Wl,-rpath", "-Wl,-R"))]
        super().build_extensions()


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

    def make_archive(self, base_name: str, format: str, root_dir: Any = None, base_dir: str = "", **_: Any) -> str:
        """As setuptools makes the one format that there is, gztar, but the same of the same files: nobody's, and none younger
        than SOURCE_DATE_EPOCH, if that is set."""
        latest = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())

        def of_nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
            # Their times tell cargo what it need not build again.
            member.mtime = min(int(member.mtime), latest)
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            return member

        path = f"{base_name}.tar.gz"
        with gzip.GzipFile(path, "wb", mtime=latest) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(base_dir, filter=of_nobody)
        return path


setup(
    version=of_workspace("version"),
    cffi_modules=["native/extension.py:ffibuilder"],
    cmdclass={"build_ext": BuildExtension, "sdist": SourceDistribution},
    # One wheel for every CPython from 3.10.
    options={"bdist_wheel": {"py_limited_api": "cp310"}},
)
