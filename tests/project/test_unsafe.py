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

#: Comments, characters and texts: what is said of unsafe code is none, and a quotation mark as a character begins no text.
WORDS = re.compile(
    r"""//[^\n]*|/\*.*?\*/|\bb?r(#*)".*?"\1|'(?:[^'\\\n]|\\(?:x[0-9a-fA-F]{2}|u\{[^}\n]*\}|.))'|"(?:[^"\\]|\\.)*\"""",
    re.S,
)

#: Code that lies in another file, perhaps in none of git's.
INCLUDED = re.compile(r"\binclude!")


def count(text: str) -> int:
    """How much of it is in a text."""
    return len(UNSAFE.findall(WORDS.sub(" ", text)))


def sources() -> dict[str, str]:
    """The Rust in git; of the C interface all files, however they end."""
    command = ["git", "ls-files", "-z", "*.rs", "ffi/src"]
    names = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.split("\0")
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in sorted(set(names) - {""})}


def counted() -> dict[str, int]:
    """How much of it is in which file."""
    counts = {name: count(text) for name, text in sources().items()}
    return {name: count for name, count in counts.items() if count}


class Unsafe(unittest.TestCase):
    def test_it_is_found_between_texts_and_characters(self) -> None:
        for text, wanted in [
            ("unsafe { a() }", 1),
            ("x == '\"'; unsafe { a() }; y == '\"'", 1),
            ("x == b'\"'; unsafe { a() }; y == '\\''; unsafe { b() }; '\\u{22}'; '\"'", 2),
            ("fn f<'a>(a: &'a str) { unsafe { g('\"', a) } } // '\"'", 1),
            ('"unsafe {"; unsafe fn a() {}', 1),
            ('r#"unsafe { " unsafe {"#; unsafe impl A for B {}', 1),
            ('"\\"; unsafe {"; \'"\'', 0),
            ("// unsafe {\n/* unsafe {\n*/", 0),
        ]:
            with self.subTest(text=text):
                self.assertEqual(count(text), wanted)

    def test_no_code_lies_elsewhere(self) -> None:
        including = [name for name, text in sources().items() if INCLUDED.search(WORDS.sub(" ", text))]
        self.assertEqual(including, [], "what it includes would not be counted")

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
