"""Whether the tests in Rust that SECURITY.md and docs/invariants.md name are among those that Cargo runs.

    cargo test ... -- --list 2>&1 | listed.py     reads what Cargo has
    cargo test ... -- --list --ignored 2>&1 | listed.py --ignored     of which none may be named

That a file has the words of a test says not that it is compiled: a feature, a `cfg` or a module that nobody has can be above
it. Cargo knows.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from definitions import is_test_of_rust
from pages import ROOT
from test_promises import ROWS, holders, rows

#: A folder of two crates, whose tests are functions of one name; and what another part of `make test` runs.
ELSEWHERE = ("fuzz/", "transport/src/client/interleavings.rs")


def tests_of(told: str) -> set[tuple[str, str]]:
    """The tests that Cargo has listed, each with the file that its program begins with."""
    found, program = set(), ""
    for line in told.splitlines():
        if heading := re.match(r"\s*Running (?:unittests )?(\S+) \(", line):
            program = heading[1]
        elif test := re.fullmatch(r"(\S+): test", line):
            found.add((program, test[1]))
    return found


def is_among(listed: set[tuple[str, str]], path: str, name: str) -> bool:
    """Whether a test of a file, by its path in the tree, is one of these."""
    inside = Path(*Path(path).parts[1:])
    modules = [part for part in inside.with_suffix("").parts[1:] if part not in ("main", "lib", "mod")]
    for program, test in listed:
        begins = Path(program)
        if begins.parts[0] != inside.parts[0]:
            continue
        # tests/NAME.rs and tests/NAME/main.rs are programs, whose modules are in the same folder.
        if begins == inside:
            own = []
        elif begins.name in ("main.rs", "lib.rs") and begins.parent in inside.parents:
            own = modules[len(begins.parent.parts) - 1 :]
        else:
            continue
        # A module `tests` inside of a file has no file.
        if test.split("::")[: len(own)] == own and test.split("::")[-1] == name:
            return True
    return False


def named() -> list[tuple[str, str]]:
    """The tests in Rust that the pages name."""
    found = []
    for page in ROWS:
        for _, cell in rows((ROOT / page).read_text(encoding="utf-8")):
            for path, name in holders(cell):
                if path.endswith(".rs") and not path.startswith(ELSEWHERE) and is_test_of_rust(ROOT / path, name):
                    found.append((path, name))
    return found


def main() -> None:
    listed, ignored = tests_of(sys.stdin.read()), "--ignored" in sys.argv[1:]
    if not listed and not ignored:
        sys.exit("no tests are listed")
    bad = [f"{path} {name}" for path, name in named() if is_among(listed, path, name) == ignored]
    if bad:
        sys.exit(f"what a page names is {'ignored' if ignored else 'not run'}: {'; '.join(bad)}")
    print(f"{len(named())} named tests are {'not ignored' if ignored else 'run'}")


if __name__ == "__main__":
    main()
