"""What SECURITY.md and docs/invariants.md promise: that every row names a test, and that it is there and is run."""

from __future__ import annotations

import re
import tempfile
import unittest
from pathlib import Path

from definitions import missing
from pages import ROOT

#: How many promises each page has: a row that goes is seen.
ROWS = {"SECURITY.md": 19, "docs/invariants.md": 54}

#: The crates that have lints of their own, and what those say of unsafe code: only the first two may have any at will.
OWN_LINTS = {"ffi": None, "fuzz/ffi": None, "fuzz/bodies": "deny"}


def rows(text: str) -> list[tuple[str, str]]:
    """The rows of the tables whose last column is `test`; `ValueError` for one that is none."""
    found = []
    inside = False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
        elif re.fullmatch(r"\| [\w ]+ \| test \|", line):
            inside = True
        elif inside and not re.fullmatch(r"\| --- \| --- \|", line):
            row = re.fullmatch(r"\| (\S[^|]*\S) \| (`[^|]*`) \|", line)
            if row is None:
                raise ValueError(f"not a promise and its test: {line}")
            found.append((row[1], row[2]))
    return found


def holders(tests: str) -> list[tuple[str, str]]:
    """The files and names of a row's last cell: each file has one at least."""
    found = []
    path, is_used = "", True
    for name in re.findall(r"`([^`]+)`", tests):
        if "/" in name or name.endswith(".toml"):
            if not is_used:
                raise ValueError(f"what of {path}?")
            path, is_used = name, False
        elif not path:
            raise ValueError(f"no file is named before {name}")
        else:
            found.append((path, name))
            is_used = True
    if not is_used:
        raise ValueError(f"what of {path}?")
    return found


def lint(manifest: str, section: str, key: str) -> str | None:
    """What a manifest says for a key of a section."""
    part = re.search(rf"^\[{re.escape(section)}\]\n(.*?)(?=^\[|\Z)", manifest, flags=re.M | re.S)
    value = part and re.search(rf'^{re.escape(key)} = "?(\w+)"?$', part[1], flags=re.M)
    return value[1] if value else None


class Promises(unittest.TestCase):
    def test_each_is_held_by_what_is_there(self) -> None:
        for page, count in ROWS.items():
            promises = rows((ROOT / page).read_text(encoding="utf-8"))
            self.assertEqual(len(promises), count, f"{page}: rows came or went: ROWS has how many there are")
            for promise, tests in promises:
                named = holders(tests)
                with self.subTest(page=page, promise=promise):
                    self.assertGreater(len(named), 0, "nothing holds it")
                for path, name in named:
                    with self.subTest(page=page, path=path, name=name):
                        # What the compiler is told is another test's.
                        if (path, name) != ("Cargo.toml", "unsafe_code"):
                            self.assertIsNone(missing(ROOT / path, name))

    def test_the_compiler_forbids_unsafe_code(self) -> None:
        root = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
        self.assertEqual(lint(root, "workspace.lints.rust", "unsafe_code"), "forbid")
        listed = re.search(r"^members = \[(.*?)\]", root, flags=re.M | re.S)
        assert listed is not None
        members = re.findall(r'"(.*?)"', listed[1])
        self.assertLessEqual(set(OWN_LINTS), set(members))
        self.assertGreater(len(members), len(OWN_LINTS))
        for member in members:
            manifest = (ROOT / member / "Cargo.toml").read_text(encoding="utf-8")
            with self.subTest(member=member):
                if member in OWN_LINTS:
                    self.assertEqual(lint(manifest, "lints.rust", "unsafe_code"), OWN_LINTS[member])
                else:
                    self.assertEqual(lint(manifest, "lints", "workspace"), "true")


class Pages(unittest.TestCase):
    """That what is read is read as it is meant."""

    def test_a_row_that_is_none_is_an_error(self) -> None:
        head = "| promise | test |\n| --- | --- |\n"
        self.assertEqual(rows(head + "| it holds | `a/b.rs` `c` |\n"), [("it holds", "`a/b.rs` `c`")])
        for bad in ["| it holds |", "| it holds | |", "| it holds | `a/b.rs` `c`", "| it holds | nothing |", "|it holds|`a/b.rs` `c`|", "| a | b | `c` |"]:
            with self.subTest(row=bad), self.assertRaises(ValueError):
                rows(head + bad + "\n")
        for bad in ["`a/b.rs`", "`c`", "`a/b.rs` and `d/e.rs` `c`"]:
            with self.subTest(cell=bad), self.assertRaises(ValueError):
                holders(bad)
        self.assertEqual(rows("| a | b |\n| --- | --- |\n| c |\n"), [], "another table")

    def found(self, suffix: str, text: str) -> str | None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"file{suffix}")
            path.write_text(text, encoding="utf-8")
            return missing(path, "it_holds")

    def test_a_test_is_a_definition_that_is_run(self) -> None:
        for suffix, text in [
            (".rs", "#[test]\nfn it_holds() {}"),
            (".rs", "#[tokio::test(flavor = \"current_thread\")]\n#[cfg(unix)]\nasync fn it_holds() {}"),
            (".rs", "fn it_holds() {}\n#[test]\nfn all() { it_holds() }"),
            (".py", "def test_it(): it_holds()\nasync def it_holds(): pass"),
            (".c", "static void it_holds(const char *what) {\n}\nint main(void) { it_holds(0); }"),
            (".cpp", "void it_holds(const std::string &url) {\n}\nint main() { it_holds({}); }"),
            (".swift", "func it_holds() {}\nit_holds()"),
            ("", "it_holds() {\n}\n"),
            ("", "cargo deny check it_holds\n"),
        ]:
            with self.subTest(text=text):
                self.assertIsNone(self.found(suffix, text))

    def test_what_cargo_lists_is_found_by_its_file(self) -> None:
        # Which reads the pages by this file.
        from listed import is_among, tests_of

        told = """
             Running unittests src/lib.rs (target/debug/deps/chatnio-1)
        client::tests::one: test
        buffer::tests::two: test
             Running tests/client.rs (target/debug/deps/client-1)
        three: test
             Running tests/session/main.rs (target/debug/deps/session-1)
        malformed::four: test
        """
        listed = tests_of("\n".join(line.strip() for line in told.splitlines()))
        for path, name in [
            ("transport/src/client/tests.rs", "one"),
            ("transport/src/buffer.rs", "two"),
            ("transport/tests/client.rs", "three"),
            ("core/tests/session/malformed.rs", "four"),
        ]:
            self.assertTrue(is_among(listed, path, name), (path, name))
        for path, name in [("transport/src/buffer.rs", "one"), ("core/tests/session/main.rs", "three"), ("core/tests/session/other.rs", "four"), ("core/tests/session.rs", "four")]:
            self.assertFalse(is_among(listed, path, name), (path, name))

    def test_a_word_is_none(self) -> None:
        for suffix, text in [
            (".rs", "// fn it_holds()"),
            (".rs", "/* #[test]\nfn it_holds() {} */"),
            (".rs", "#[test]\n#[ignore]\nfn it_holds() {}"),
            (".rs", "#[ignore = \"slow\"]\n#[test]\nfn it_holds() {}"),
            (".rs", "#[test]\n#[cfg(any())]\nfn it_holds() {}"),
            (".rs", "#[cfg(not(test))]\n#[test]\nfn it_holds() {}"),
            (".rs", "#![cfg(any())]\n#[test]\nfn it_holds() {}"),
            (".rs", "#[test]\nfn it_holds() {\n    return;\n}"),
            (".rs", "fn it_holds() {}"),
            (".rs", "#[test]\nfn it_holds_not() {}"),
            (".py", "# def it_holds(): pass"),
            (".py", "@pytest.mark.skip(reason='slow')\ndef it_holds(): pass\nit_holds"),
            (".py", "@pytest.mark.skipif(True, reason='slow')\ndef test_x():\n    it_holds()\n@pytest.mark.skipif(True, reason='slow')\ndef it_holds(): pass"),
            (".py", "@unittest.skip('slow')\ndef it_holds(): pass\nit_holds"),
            (".py", "pytestmark = pytest.mark.skip\ndef it_holds(): pass\nit_holds"),
            (".py", "pytest.skip('no', allow_module_level=True)\ndef it_holds(): pass\nit_holds"),
            (".py", "def it_holds() -> None:\n    \"\"\"Does.\"\"\"\n    pytest.skip('slow')\nit_holds"),
            (".c", "#if 0\nvoid it_holds(void) {\n}\nint main(void) { it_holds(); }\n#endif"),
            (".swift", "#if false\nfunc it_holds() {}\nit_holds()\n#endif"),
            (".c", "/* it_holds */"),
            (".c", "void it_holds(void);\n"),
            (".c", "int main(void) { it_holds(); }"),
            (".cpp", "void it_holds() {\n}\n"),
            (".swift", "// func it_holds()"),
            ("", "# it_holds\n"),
            (".txt", "it_holds"),
        ]:
            with self.subTest(text=text):
                self.assertIsNotNone(self.found(suffix, text))


if __name__ == "__main__":
    unittest.main()
