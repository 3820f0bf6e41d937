"""Where unsafe code is, and how much: `unsafe.tsv` has it by file, so that none comes without being seen.

    UPDATE_UNSAFE=1 make project     writes the file anew
"""

from __future__ import annotations

import os
import re
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INVENTORY = Path(__file__).with_name("unsafe.tsv")

#: The C interface, which cannot do without, and what calls it as C does.
ALLOWED = ("ffi/", "fuzz/ffi/", "fuzz/bodies/src/capi.rs", "core/no-std-check/")

#: A block, a function, an implementation. An attribute such as `#[unsafe(no_mangle)]` is none of these.
UNSAFE = re.compile(r"\bunsafe\s+(?:\{|fn\b|impl\b|extern\b|trait\b)")

#: Comments, and texts: what is said of unsafe code is none.
WORDS = re.compile(r'//[^\n]*|/\*.*?\*/|r#*".*?"#*|"(?:[^"\\]|\\.)*"', re.S)


def counted() -> dict[str, int]:
    """How much of it is in which file."""
    files = subprocess.run(["git", "ls-files", "*.rs"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    counts = {name: len(UNSAFE.findall(WORDS.sub("", (ROOT / name).read_text(encoding="utf-8")))) for name in files}
    return {name: count for name, count in sorted(counts.items()) if count}


class Unsafe(unittest.TestCase):
    def test_it_is_where_it_may_be(self) -> None:
        elsewhere = [name for name in counted() if not name.startswith(ALLOWED)]
        self.assertEqual(elsewhere, [])

    def test_there_is_as_much_as_the_inventory_says(self) -> None:
        counts = counted()
        self.assertGreater(sum(counts.values()), 50, "it is not found any more")
        text = "".join(f"{name}\t{count}\n" for name, count in counts.items())
        if os.environ.get("UPDATE_UNSAFE"):
            INVENTORY.write_text(text, encoding="utf-8")
        self.assertEqual(INVENTORY.read_text(encoding="utf-8"), text, "UPDATE_UNSAFE=1 make project, once it is meant")


if __name__ == "__main__":
    unittest.main()
