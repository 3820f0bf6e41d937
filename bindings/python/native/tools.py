"""What the package is built by, and whether it is there: said at once, and not after minutes."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

NATIVE = Path(__file__).resolve().parent
PROJECT = NATIVE.parent
# A source distribution carries the workspace with it.
WORKSPACE = PROJECT / "rust" if (PROJECT / "rust").is_dir() else PROJECT.parent.parent

# Names, not numbers, in the error of a compiler that is missing.
CC = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
CARGO = os.environ.get("CARGO", "cargo")


def of_workspace(name: str) -> str:
    """The value of a line of the workspace's Cargo.toml."""
    for line in (WORKSPACE / "Cargo.toml").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name} = "):
            return line.split('"')[1]
    raise SystemExit(f"pychatnio: the workspace says no {name}")


def missing() -> list[str]:
    """What is missing, in words."""
    found: list[str] = []
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        found.append("a CPython with its global lock is needed, and this one is free-threaded")
    wanted = of_workspace("rust-version")
    try:
        # By cargo: that of rustup takes the compiler that this folder wants.
        said = subprocess.run([CARGO, "--version"], capture_output=True, text=True, cwd=WORKSPACE).stdout
    except OSError:
        found.append(f"Rust {wanted} or later is needed, and {CARGO} is not found: see https://rustup.rs")
    else:
        version = re.search(r"(\d+)\.(\d+)", said)
        if version is None or (int(version[1]), int(version[2])) < tuple(map(int, wanted.split(".")[:2])):
            found.append(f"Rust {wanted} or later is needed, this is {version[0] if version else said.strip() or 'none that runs'}")
    if shutil.which(CC[0]) is None:
        found.append(f"a C compiler is needed, and {CC[0]} is not found: on Debian `apt install gcc libc6-dev`")
    headers = Path(sysconfig.get_path("include")) / "Python.h"
    if not headers.is_file():
        found.append(f"Python's headers are needed, and {headers} is not there: on Debian `apt install python3-dev`")
    return found


def check() -> None:
    """
    Raises:
        SystemExit: when something is missing; it says all of it.
    """
    found = missing()
    if found:
        sys.exit("\n".join(["pychatnio is built here, and cannot be:", *(f"  - {one}" for one in found)]))


def announce(step: str) -> None:
    """Says what is being done, to whoever waits: pip shows nothing of what a build says, so it goes to the terminal."""
    line = f"pychatnio: {step}"
    try:
        with open("/dev/tty", "w", encoding="utf-8") as terminal:
            # Its spinner stands on a line that is not ended.
            print(f"\n{line}", file=terminal)
    except OSError:
        print(line, file=sys.stderr)
