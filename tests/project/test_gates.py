"""The gates themselves: that none is taken out, and that no floor falls."""

from __future__ import annotations

import re
import subprocess
import unittest

from pages import ROOT

FLOOR = "tests/coverage/floor.tsv"

#: The last commit at which a floor was allowed to fall, and a reason was given. Whoever lowers one names its commit here.
ALLOWED = "564bcdb"

#: What `make test` runs, and a word that the recipe of each has. What is added needs no entry, what goes is seen.
PARTS = {
    "format": "$(CARGO) fmt",
    "lint": "clippy",
    "project": "tests/project",
    "deny": "tests/supply/deny",
    "packaging": "tests/supply/library_sbom.py check",
    "docs": "-D warnings",
    "no-std": "core/no-std-check",
    "unit": "tests/project/listed.py",
    "python-types": "mypy",
    "python-tests": "-m pytest",
    "python-testing": "tests/testing_build",
    "python-versions": "bindings/python/test-versions",
    "c-tests": "ffi/tests/c/run",
    "cpp-tests": "ffi/tests/cpp/run",
    "c-examples": "examples/c/test",
    "test-swift": "bindings/swift/test",
    "example-swift": "examples/swift/test",
    "test-js": "bindings/js/test",
    "package": "tests/supply/package",
    "interleavings": "interleavings",
    "abi": "ffi/abi/check",
    "bench-smoke": "--smoke",
    "test-networks": "tests/networks/run",
}

#: What CI runs besides, each a line of .ci/run.
CI = ["export CI=true", "make deps", "make coverage", "exec make test"]


def git(*command: str) -> str | None:
    """What git says; `None` where it has nothing to say."""
    try:
        done = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def floors(text: str) -> dict[tuple[str, str], float]:
    """The floors by crate and by what is counted."""
    (_, *kinds), *rows = (line.split("\t") for line in text.splitlines())
    return {(crate, kind): float(floor) for crate, *cells in rows for kind, floor in zip(kinds, cells)}


def fallen(before: str, now: str) -> list[tuple[str, str]]:
    """The floors that are lower than they were, or gone."""
    present = floors(now)
    return [which for which, was in floors(before).items() if present.get(which, -1.0) < was]


def recipe(makefile: str, target: str) -> str:
    """The lines that make a target."""
    found = re.search(rf"^{re.escape(target)}:(?!=).*\n((?:\t.*\n)*)", makefile, flags=re.M)
    return found[1] if found else ""


class Gates(unittest.TestCase):
    def test_every_part_is_run_and_does_what_it_is_for(self) -> None:
        runner = (ROOT / ".ci/test").read_text(encoding="utf-8")
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        listed = re.search(r"^parts=\((.*?)^\)", runner, flags=re.M | re.S)
        assert listed is not None
        names = {line.split()[0] for line in re.findall(r'^ *"(.*)"', listed[1], flags=re.M)}
        for part, word in PARTS.items():
            with self.subTest(part=part):
                self.assertIn(part, names)
                self.assertIn(word, recipe(makefile, part))
        self.assertIn(".ci/test\n", recipe(makefile, "test"))
        self.assertIn("tests/coverage/run\n", recipe(makefile, "coverage"))

    def test_ci_runs_all_of_them_and_what_the_tests_reach(self) -> None:
        lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
        self.assertEqual([line for line in lines if line in CI], CI)
        self.assertEqual(lines[-1], CI[-1])

    def test_no_floor_of_what_the_tests_reach_falls(self) -> None:
        now = (ROOT / FLOOR).read_text(encoding="utf-8")
        commits = (git("log", "--format=%H", f"{ALLOWED}..HEAD", "--", FLOOR) or "").split()
        versions = {commit: git("show", f"{commit}:{FLOOR}") for commit in [*commits, ALLOWED]}
        if versions[ALLOWED] is None:
            print("the floor of coverage: SKIPPED, as there is no history to compare it with")
            return
        for commit, before in versions.items():
            with self.subTest(commit=commit):
                self.assertEqual(fallen(before or "crate", now), [], "a floor may only rise")


class Floors(unittest.TestCase):
    def test_a_floor_that_falls_or_goes_is_seen(self) -> None:
        table = "crate\tlines\tregions\ncore\t99.2\t98.4\ncli\t90.0\t80.0\n"
        self.assertEqual(fallen(table, table), [])
        self.assertEqual(fallen(table, table.replace("99.2", "99.3")), [])
        self.assertEqual(fallen(table, table.replace("98.4", "98.3")), [("core", "regions")])
        self.assertEqual(fallen(table, table.replace("cli\t90.0\t80.0\n", "")), [("cli", "lines"), ("cli", "regions")])
        more = "crate\tbranches\tlines\tregions\ncore\t70.0\t99.2\t98.4\ncli\t60.0\t90.0\t80.0\n"
        self.assertEqual(fallen(table, more), [])
        self.assertEqual(fallen(more, table), [("core", "branches"), ("cli", "branches")])

    def test_a_recipe_ends_where_the_next_target_begins(self) -> None:
        self.assertEqual(recipe("a: b ## x\n\tone\n\ttwo\n\nc:\n\tthree\n", "a"), "\tone\n\ttwo\n")
        self.assertEqual(recipe("a: b\n\nc:\n\tthree\n", "a"), "")


if __name__ == "__main__":
    unittest.main()
