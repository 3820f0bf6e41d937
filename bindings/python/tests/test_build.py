"""What a machine that cannot build the package is told at once; and programs that are frozen with it."""

from __future__ import annotations

import faulthandler
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import PATIENCE

import pychatnio
from pychatnio import Loopback

NATIVE = Path(__file__).resolve().parents[1] / "native"

HOOK = "import backend; backend.get_requires_for_build_wheel()"


def asked_to_build(**variables: str) -> str:
    """What pip is told first of all."""
    done = subprocess.run(
        [sys.executable, "-c", HOOK],
        cwd=NATIVE,
        env={**os.environ, "PYTHONPATH": str(NATIVE), "PYTHONDONTWRITEBYTECODE": "1", **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 1, done
    return done.stderr


@pytest.fixture
def old_cargo(tmp_path: Path) -> str:
    """A cargo of an old Rust."""
    cargo = tmp_path / "cargo"
    cargo.write_text("#!/bin/sh\necho 'cargo 1.65.0 (4bc8f24d3 2022-10-20)'\n")
    cargo.chmod(0o755)
    return str(cargo)


def test_too_old_a_rust(old_cargo: str) -> None:
    assert "Rust 1.95 or later is needed, this is 1.65" in asked_to_build(CARGO=old_cargo)


def test_no_rust_and_no_compiler_and_no_headers(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sysconfig\nreal = sysconfig.get_path\n"
        "sysconfig.get_path = lambda name, *more: '/nowhere' if name == 'include' else real(name, *more)\n"
        "real_var = sysconfig.get_config_var\n"
        "sysconfig.get_config_var = lambda name: 1 if name == 'Py_GIL_DISABLED' else real_var(name)\n"
    )
    path = os.pathsep.join([str(tmp_path), str(NATIVE)])
    said = asked_to_build(CARGO="/nowhere/cargo", CC="/nowhere/cc -O2", PYTHONPATH=path)
    assert "a CPython with its global lock is needed, and this one is free-threaded" in said
    assert "Rust 1.95 or later is needed, and /nowhere/cargo is not found: see https://rustup.rs" in said
    assert "a C compiler is needed, and /nowhere/cc is not found" in said
    assert "Python's headers are needed, and /nowhere/Python.h is not there: on Debian `apt install python3-dev`" in said
    assert "Traceback" not in said


def test_what_is_built_shows_on_the_terminal() -> None:
    # pip catches what a build prints. A new session has the terminal that it opens first.
    own, other = os.openpty()
    announce = "import os, tools; os.close(os.open(os.ttyname(0), os.O_RDWR)); tools.announce('it builds')"
    subprocess.run(
        [sys.executable, "-c", announce],
        cwd=NATIVE,
        env={**os.environ, "PYTHONPATH": str(NATIVE), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=other,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=True,
        timeout=PATIENCE,
    )
    assert b"pychatnio: it builds" in os.read(own, 1024)
    os.close(other)
    os.close(own)


def test_what_is_built_is_said_without_a_terminal_too() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import tools; tools.announce('it builds')"],
        env={**os.environ, "PYTHONPATH": str(NATIVE), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, "pychatnio: it builds\n"), done


def test_the_command_is_installed(loopback: Loopback) -> None:
    scripts = importlib.metadata.entry_points(group="console_scripts", name="chatnio")
    if not scripts:
        pytest.skip("the package is not installed here, and so neither is its command")
    command = Path(sys.executable).with_name("chatnio")
    done = subprocess.run(
        [command, "ask", "--url", loopback.url, "--token", "sk-any", "--model", "hello", "hi"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout) == (0, "Hello! How can I help?\n"), done


FROZEN = """\
from pychatnio import Client, Loopback
with Loopback(pace=0) as server, Client(server.url, "sk-any") as client: print(client.ask("hi", model="hello").text())
"""


def test_a_program_that_pyinstaller_freezes(tmp_path: Path) -> None:
    if importlib.util.find_spec("PyInstaller") is None or shutil.which("objdump") is None:
        print("PyInstaller, or the objdump that it needs, is missing: nothing is frozen")
        pytest.skip("PyInstaller or objdump is missing")
    # It takes its time on a busy machine, more than other tests have.
    faulthandler.dump_traceback_later(900, exit=True)
    program = tmp_path / "frozen.py"
    program.write_text(FROZEN)
    source = str(Path(pychatnio.__file__).parents[1])
    hooks = str(Path(pychatnio.__file__).parent / "_pyinstaller")
    hooked = importlib.metadata.entry_points(group="pyinstaller40", name="hook-dirs")
    known = any(entry.value.startswith("pychatnio.") for entry in hooked)
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR", "--onedir", str(program)]
    # As an entry point says where the package is installed.
    command += [] if known else ["--additional-hooks-dir", hooks]
    subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": source}, check=True, timeout=600)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [tmp_path / "dist" / "frozen" / "frozen"], env=clean, capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stdout) == (0, "Hello! How can I help?\n"), done
