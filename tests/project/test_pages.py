"""What the pages say is there: links, headings, files, targets of make, code that they include."""

from __future__ import annotations

import re
import unittest
from urllib.parse import unquote

from pages import ROOT, anchors, blocks, files, includes, links, pages, spans

#: The pages whose every path and target must be there. Others name files of the reader's.
GUIDES = ["CONTRIBUTING.md", "README.md", "examples/README.md", "tests/README.md", "benches/README.md", "fuzz/README.md"]

#: The folders of this tree, one of which a path of its own begins with.
FOLDERS = sorted(path.name for path in ROOT.iterdir() if path.is_dir() and path.name not in (".git", "target"))


def targets() -> set[str]:
    """The targets of the Makefile."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return {name for names in re.findall(r"^([a-z][a-z \-]*):(?!=)", text, flags=re.M) for name in names.split()}


class Links(unittest.TestCase):
    def test_every_link_leads_somewhere(self) -> None:
        seen = 0
        for page in pages():
            text = page.read_text(encoding="utf-8")
            for link in links(text):
                if re.match(r"[a-z]+:", link):
                    continue
                seen += 1
                path, _, anchor = unquote(link).partition("#")
                with self.subTest(page=str(page.relative_to(ROOT)), link=link):
                    target = (page.parent / path).resolve() if path else page
                    self.assertTrue(target.exists())
                    if anchor and target.suffix == ".md":
                        self.assertIn(anchor, anchors(target.read_text(encoding="utf-8")))
        self.assertGreater(seen, 100)

    def test_every_page_but_templates_is_linked_to(self) -> None:
        linked = {ROOT / "README.md", ROOT / "docs/SUMMARY.md"}
        for page in pages():
            for link in links(page.read_text(encoding="utf-8")):
                linked.add((page.parent / unquote(link).partition("#")[0]).resolve())
        for page in pages():
            # states.md is a part of the core's documentation.
            if ".github" not in page.parts and page != ROOT / "core/src/states.md":
                folders = {page.parent} if page.name == "README.md" else set()
                with self.subTest(page=str(page.relative_to(ROOT))):
                    self.assertTrue(linked & ({page} | folders), "no page leads to it")


class Names(unittest.TestCase):
    def test_every_target_of_make_is_there(self) -> None:
        seen = 0
        for page in pages():
            for span in spans(page.read_text(encoding="utf-8")):
                for name in re.findall(r"(?:^|[;&(] ?)make ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)*)(?=$|[\s`;)])", span):
                    for target in name.split():
                        seen += 1
                        with self.subTest(page=str(page.relative_to(ROOT)), span=span):
                            self.assertIn(target, targets())
                        # What follows another command's name is not make's.
                        break
        self.assertGreater(seen, 30)

    def test_every_path_of_a_guide_is_there(self) -> None:
        seen = 0
        pattern = re.compile(rf"(?<![\w./$*-])((?:{'|'.join(map(re.escape, FOLDERS))})/[\w./*-]*\w/?)")
        for name in GUIDES:
            page = ROOT / name
            for span in spans(page.read_text(encoding="utf-8")) if page.exists() else []:
                for path in pattern.findall(span):
                    # In capitals it stands for another word.
                    if re.search(r"/[A-Z]{3,}\b(?!\.)", path):
                        continue
                    seen += 1
                    with self.subTest(page=name, path=path):
                        found = list(ROOT.glob(path)) if "*" in path else [ROOT / path]
                        self.assertTrue(found and all(one.exists() for one in found))
        self.assertGreater(seen, 30)


class HeaderNames(unittest.TestCase):
    """The functions and values of C that pages name."""

    def test_every_name_of_c_is_there(self) -> None:
        headers = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "ffi/include").iterdir())
        sources = headers + (ROOT / "ffi/src/wasm.rs").read_text(encoding="utf-8") + (ROOT / "cli/src/args/help.rs").read_text(encoding="utf-8")
        # Of the build and of the examples: no names of the library's.
        sources += " CHATNIO_CA_FILE chatnio_loopback chatnio_transcript "
        words = set(re.findall(r"\w+", sources))
        seen = 0
        for page in pages():
            for span in re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8")):
                for name in re.findall(r"\b(?:CHATNIO|chatnio)_\w*[A-Za-z0-9]\b(?!_|\*|\.\.\.|…|::)", span):
                    seen += 1
                    with self.subTest(page=str(page.relative_to(ROOT)), name=name):
                        self.assertTrue(name in words or any(word.startswith(name + "_") for word in words))
        self.assertGreater(seen, 60)


class Includes(unittest.TestCase):
    def test_every_included_part_is_there(self) -> None:
        for page in pages():
            for path, part in includes(page.read_text(encoding="utf-8")):
                with self.subTest(page=str(page.relative_to(ROOT)), path=path, part=part):
                    text = (page.parent / path).read_text(encoding="utf-8")
                    if part is not None:
                        self.assertRegex(text, rf"ANCHOR: {part}(?: \*/)?\n")
                        self.assertRegex(text, rf"ANCHOR_END: {part}(?: \*/)?\n")


class Snippets(unittest.TestCase):
    def test_what_the_page_of_c_shows_is_tested(self) -> None:
        tested = (ROOT / "ffi/tests/c/readme.c").read_text(encoding="utf-8")
        shown = blocks((ROOT / "ffi/README.md").read_text(encoding="utf-8"), "c")
        self.assertGreater(len(shown), 1)
        for block in shown:
            self.assertIn(block, tested)


class Book(unittest.TestCase):
    def test_every_page_of_the_book_is_in_its_summary(self) -> None:
        summary = ROOT / "docs/SUMMARY.md"
        listed = {(summary.parent / link).resolve() for link in links(summary.read_text(encoding="utf-8"))}
        for page in (ROOT / "docs").glob("*.md"):
            if page != summary:
                self.assertIn(page, listed)


class Readme(unittest.TestCase):
    """The table of names on the main page: each is in the sources of its column."""

    SOURCES = {
        "command line": ("cli/src", (".rs",)),
        "Rust": ("core/src", (".rs",)),
        "C": ("ffi/include", (".h",)),
        "Swift": ("bindings/swift/Sources", (".swift",)),
        "JavaScript": ("bindings/js/src", (".ts",)),
    }

    def test_every_name_is_there(self) -> None:
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        table = re.search(r"^\| \| command line \| Rust .*\n\|.*\n((?:\|.*\n)+)", text, flags=re.M)
        assert table is not None
        words = {}
        for column, (folder, ends) in self.SOURCES.items():
            found = [path.read_text(encoding="utf-8") for path in (ROOT / folder).rglob("*") if path.suffix in ends]
            # The command line's options are the names of fields.
            words[column] = set(re.findall(r"\w+", "\n".join(found).replace("-", "_")))
        seen = 0
        for row in table[1].splitlines():
            for column, cell in zip(self.SOURCES, row.split("|")[2:]):
                for name in re.findall(r"`([^`]+)`", cell):
                    for word in re.findall(r"[A-Za-z_]{4,}", name.replace("-", "_").lstrip("_")):
                        seen += 1
                        with self.subTest(column=column, name=name):
                            self.assertIn(word, words[column])
        self.assertGreater(seen, 40)


class Form(unittest.TestCase):
    """What `.editorconfig` says."""

    def test_lines_end_as_they_should(self) -> None:
        for path in files():
            # What was received, or is written by a program.
            if "transcripts" in path.parts or "corpus" in path.parts or path.suffix in {".tsv", ".svg", ".xml"} or path.name in {"answers.txt", "_native.c"}:
                continue
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            with self.subTest(path=str(path.relative_to(ROOT))):
                self.assertFalse("\r" in text, "a carriage return")
                self.assertTrue(text == "" or text.endswith("\n"), "no newline at its end")
                spaces = [number for number, line in enumerate(text.splitlines(), 1) if line != line.rstrip(" \t")]
                self.assertEqual(spaces, [], "lines that end in spaces")


class Examples(unittest.TestCase):
    def test_every_example_is_on_the_page_of_examples(self) -> None:
        page = ROOT / "examples/README.md"
        listed = {(page.parent / link).resolve() for link in links(page.read_text(encoding="utf-8"))}
        kinds = {"rust": "*.rs", "c": "*.c", "cpp": "*.cpp", "python": "*.py", "js": "*.mjs", "swift": "Sources/*"}
        for folder, kind in kinds.items():
            for example in (ROOT / "examples" / folder).glob(kind):
                self.assertIn(example.resolve(), listed)


if __name__ == "__main__":
    unittest.main()
