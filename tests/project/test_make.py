"""The two commands: what `make test` runs, and what a Rust that is too old is told."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from pages import ROOT
from test_pages import targets


def old_cargo(folder: str) -> str:
    """A cargo of an old Rust."""
    cargo = Path(folder, "cargo")
    cargo.write_text("#!/bin/sh\necho 'cargo 1.65.0 (4bc8f24d3 2022-10-20)'\n", encoding="utf-8")
    cargo.chmod(0o755)
    return str(cargo)


def ended(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What came of a command. What the make that runs this was told is not handed on."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
    return subprocess.run(
        command, cwd=ROOT, env={**environment, **variables}, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60
    )


class Rust(unittest.TestCase):
    def test_too_old_a_rust_is_named_by_everything_that_builds(self) -> None:
        wanted = re.search(r'^rust-version = "(.*)"', (ROOT / "Cargo.toml").read_text(encoding="utf-8"), flags=re.M)
        assert wanted is not None
        with tempfile.TemporaryDirectory() as folder:
            for target in ["library", "cli", "unit", "lint", "testing-lib", "c-tests", "deps", "test", "python-wheel", "wasm"]:
                with self.subTest(target=target):
                    done = ended("make", target, f"CARGO={old_cargo(folder)}")
                    self.assertIn(f"Rust {wanted[1]} or later is needed, this is 1.65\n", done.stderr)
                    self.assertNotEqual(done.returncode, 0)
                    self.assertNotIn("cargo build", done.stdout)

    def test_a_rust_that_is_new_enough_is_taken(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            cargo = old_cargo(folder)
            Path(cargo).write_text("#!/bin/sh\necho 'cargo 1.100.2-nightly (4bc8f24d3 2027-10-20)'\n", encoding="utf-8")
            self.assertEqual(ended(".ci/rust", CARGO=cargo).returncode, 0)

    def test_no_rust_is_said(self) -> None:
        self.assertIn("/nowhere/cargo is not found", ended(".ci/rust", CARGO="/nowhere/cargo").stderr)


class Others(unittest.TestCase):
    """Another Python, another Node."""

    def with_programs(self, programs: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
        """What comes of a command where programs say that they are of these versions."""
        with tempfile.TemporaryDirectory() as folder:
            for name, version in programs.items():
                program = Path(folder, name)
                program.write_text(f"#!/bin/sh\necho '{version}'\n", encoding="utf-8")
                program.chmod(0o755)
            return ended(*command, PATH=os.pathsep.join([folder, os.environ["PATH"]]), PYTHON="python3")

    def test_too_old_a_python_is_named(self) -> None:
        done = self.with_programs({"python3": "Python 3.9.2"}, ".ci/deps")
        self.assertEqual((done.returncode, done.stderr), (1, "Python 3.10 or later is needed, this is 3.9\n"))
        self.assertEqual(self.with_programs({"python3": "Python 3.10.0rc1"}, ".ci/python").returncode, 0)
        self.assertEqual(ended(".ci/python", PYTHON="/nowhere/python").returncode, 0, "it is installed then")

    def test_too_old_a_node_is_named(self) -> None:
        done = self.with_programs({"node": "v18.19.0", "npm": "9.2.0"}, "make", "js-package", "NODE_TOOLCHAIN=/dev/null/nowhere")
        self.assertIn("Node 20 or later is needed, this is 18\n", done.stderr)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.with_programs({"node": "v20.0.0", "npm": "9.2.0"}, "bindings/js/check-node").returncode, 0)

    def test_a_node_without_npm_is_named(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name in ["sh", "bash", "sed", "dirname"]:
                os.symlink(shutil.which(name) or name, Path(folder, name))
            Path(folder, "node").write_text("#!/bin/sh\necho v20.0.0\n", encoding="utf-8")
            Path(folder, "node").chmod(0o755)
            done = ended("bash", "bindings/js/check-node", PATH=folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Node 20 or later with npm is needed, and npm is not found", done.stderr)


#: Stands in for make, in a run of three parts: one is skipped in part, one is slow to begin, one is the last.
FAKE_MAKE = """#!/bin/bash
case ${!#} in
format) echo 'format is fine' ;;
unit) echo 'Swift: SKIPPED, as no Swift can be had here'; echo 'test x ... ignored, too slow' ;;
broken) echo 'this is why'; exit 3 ;;
interrupted) kill -INT $$; sleep 60 ;;
python-tests) echo 'SKIPPED [1] test_x.py:3: no network'; echo '=== 812 passed, 1 skipped in 50.00s ===' ;;
esac
"""


class Runner(unittest.TestCase):
    """`.ci/test`, with another make, and in a checkout of its own, since it leaves its logs there."""

    def run_parts(self, *parts: str, under: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryDirectory() as folder:
            runner = Path(folder, ".ci/test")
            runner.parent.mkdir()
            runner.write_bytes((ROOT / ".ci/test").read_bytes())
            runner.chmod(0o755)
            make = Path(folder, "make")
            make.write_text(FAKE_MAKE, encoding="utf-8")
            make.chmod(0o755)
            return ended(*under, str(runner), *parts, MAKE=str(make))

    def test_every_part_is_a_target(self) -> None:
        runner = (ROOT / ".ci/test").read_text(encoding="utf-8")
        listed = re.search(r"^parts=\((.*?)^\)", runner, flags=re.M | re.S)
        assert listed is not None
        lines = [line.split() for line in re.findall(r'"(.*)"', listed[1])]
        names = [part for part, *_ in lines]
        self.assertGreater(len(names), 15)
        last = re.search(r"^last=(.*)$", runner, flags=re.M)
        assert last is not None
        self.assertIn(last[1], names)
        for number, (part, *needs) in enumerate(lines):
            self.assertIn(part, targets())
            for need in needs:
                self.assertIn(need, names[:number])

    def test_skips_are_repeated_and_the_tests_own_line_is_last(self) -> None:
        done = self.run_parts("format", "unit", "python-tests")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("== 1/3 format\n", done.stdout)
        self.assertRegex(done.stdout, r"== 2/3 unit: passed, \d+ s\n")
        *_, summary = done.stdout.partition("== skipped:\n")
        self.assertRegex(
            summary,
            r"^python-tests:SKIPPED \[1\] test_x.py:3: no network\n"
            r"unit:Swift: SKIPPED, as no Swift can be had here\n"
            r"unit:test x ... ignored, too slow\n"
            r"== all 3 parts passed, \d+ s\n"
            r"=== 812 passed, 1 skipped in 50.00s ===\n$",
        )

    def test_a_part_that_fails_ends_it(self) -> None:
        done = self.run_parts("broken", "python-tests")
        self.assertEqual(done.returncode, 1)
        self.assertIn("this is why\n", done.stdout)
        self.assertRegex(done.stderr, r"== 1/2 broken: FAILED after \d+ s; its output is above, and in target/test/broken\n")
        self.assertNotIn("all 2 parts", done.stdout)

    def test_parts_get_ctrl_c_also_where_the_shell_ignores_it(self) -> None:
        ignoring = ("bash", "-c", "trap '' INT HUP; \"$@\"", "bash")
        done = self.run_parts("interrupted", under=ignoring)
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAILED", done.stderr)


if __name__ == "__main__":
    unittest.main()
