"""Makes the extension module `pychatnio._native`: the C library, linked in whole, as cffi shows it to Python.

What cffi is told is the library's own header, preprocessed: nothing is declared twice.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import cffi

sys.path.insert(0, str(Path(__file__).resolve().parent))
from tools import CARGO, CC, NATIVE, PROJECT, WORKSPACE, announce, check  # noqa: E402  (needs the path)

# Not for users: with what the library has for tests, built quickly.
TESTING = os.environ.get("PYCHATNIO_TESTING", "") not in ("", "0")
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or WORKSPACE / "target").absolute()
BUILT = TARGET / ("testing" if TESTING else "library")
INCLUDE = WORKSPACE / "ffi" / "include"


def cargo(*arguments: str) -> None:
    """Runs cargo on the workspace; for what is installed, by what keeps this machine's paths out of it."""
    command = [CARGO] if TESTING else ["sh", str(WORKSPACE / "ffi/packaging/cargo")]
    command += arguments
    # It would put what it builds elsewhere; Python builds for this machine.
    environment = {name: value for name, value in os.environ.items() if name != "CARGO_BUILD_TARGET"}
    try:
        subprocess.run(command, cwd=WORKSPACE, env=environment, check=True)
    except subprocess.CalledProcessError as error:
        sys.exit(f"pychatnio: {shlex.join(command)} failed with status {error.returncode}")


def build_library() -> list[str]:
    """Builds the static library; returns what it must be linked with, which only rustc knows."""
    check()
    announce("Rust builds the library (1 of 3): some minutes")
    libraries = BUILT / "native-static-libs"
    features = ["--features", "testing"] if TESTING else []
    cargo(
        *("rustc", "--locked", "-p", "chatnio-ffi", "--target-dir", str(TARGET), "--profile", BUILT.name, *features),
        *("--", "--print", f"native-static-libs={libraries}"),
    )
    return libraries.read_text().split()


def build_program() -> Path:
    """Builds the command line `chatnio`, which the wheel carries."""
    announce("Rust builds the command line (3 of 3): a minute or two")
    # That of the tests there is already.
    profile, folder = ("dev", "debug") if TESTING else (BUILT.name, BUILT.name)
    cargo("build", "--locked", "-p", "chatnio-cli", "--target-dir", str(TARGET), "--profile", profile)
    return TARGET / folder / "chatnio"


def declarations() -> str:
    """The headers as cffi wants them: without includes, comments and conditionals."""
    headers = [INCLUDE / "chatnio.h", NATIVE / "batch.h"]
    if TESTING:
        headers.insert(1, INCLUDE / "chatnio_testing.h")
    text = "".join(re.sub(r"^#include.*$", "", header.read_text(), flags=re.M) for header in headers)
    # What the compiler may warn of is nothing that cffi reads.
    command = [*CC, "-E", "-P", "-DCHATNIO_MUST_USE=", "-x", "c", "-"]
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        sys.exit(f"pychatnio needs a C compiler ({command[0]} is not found)")
    except subprocess.CalledProcessError as error:
        sys.exit(f"pychatnio: {shlex.join(command)} failed:\n{error.stderr}")
    # The one function of Python's that C calls.
    return done.stdout + 'extern "Python" uint64_t pychatnio_wall_clock(void *user_data);\n'


def ffibuilder() -> cffi.FFI:
    """What setuptools builds; the library is linked by `setup.py`, once it is there."""
    builder = cffi.FFI()
    builder.cdef(declarations())
    source = '#include "batch.h"\n' + ('#include "chatnio_testing.h"\n' if TESTING else "")
    # By -Xlinker, because -Wl would take a path apart at its commas.
    link = ["-Xlinker", f"--version-script={NATIVE / 'exports.map'}", "-Wl,--gc-sections", "-s"]
    if sys.platform == "darwin":
        link = ["-Wl,-exported_symbol,_PyInit__native", "-Wl,-dead_strip"]
    builder.set_source(
        "pychatnio._native",
        source,
        sources=[os.path.relpath(NATIVE / "batch.c", PROJECT)],
        include_dirs=[str(INCLUDE), str(NATIVE)],
        extra_objects=[str(BUILT / "libchatnio.a")],
        extra_compile_args=["-O2"],
        extra_link_args=link,
        depends=[str(INCLUDE / "chatnio.h"), str(NATIVE / "batch.h"), str(BUILT / "libchatnio.a")],
        py_limited_api=True,
    )
    return builder
