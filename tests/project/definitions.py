"""Whether a file defines what a page names: a test that is run, or a function that one uses; a comment that has the word is
neither."""

from __future__ import annotations

import re
from pathlib import Path

#: Comments, and texts, which are kept where the rest of a file could be taken for one of theirs.
_SLASHES = re.compile(r"""('(?:[^'\\\n]|\\.)'|"(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/""", re.S)
_HASHES = re.compile(r"(\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*')|(?<!\S)#[^\n]*")

#: What defines a function of that name, by the ends of files; a shell's script has none.
_FUNCTIONS = {
    ".rs": r"\bfn {name}\s*[(<]",
    ".py": r"^[ \t]*(?:async )?def {name}\(",
    ".c": r"^[a-z][\w \t*]*[ *]{name}\([^;{{}}]*\)\s*\{{",
    ".cpp": r"^[ \t]*[a-z][\w \t*&:<>,]*[ *&]{name}\([^;{{}}]*\)\s*(?:const\s*)?(?:->\s*[\w:<>]+\s*)?\{{",
    ".swift": r"\bfunc {name}\s*[(<]",
    ".ts": r"\bfunction {name}\s*[(<]",
    "": r"^{name}\(\) \{{|^[^#\n]*(?<![\w-]){name}(?![\w-])",
}

#: What is above a test of that file that is not run. A condition that is written to be false is none.
_NEVER = r"cfg\((?:any\(\)|false|FALSE|not\(all\(\)\)|not\(test\))\)"
_IGNORED = re.compile(
    rf"#\[ignore|#\[cfg_attr\([^\]]*\bignore|#\[{_NEVER}|pytest\.mark\.(?:skip\b|skipif\(\s*(?:True|1)\b|xfail\b)|unittest\.skip|\.disabled\("
)
#: What leaves out a whole file.
_LEFT_OUT = {
    ".rs": rf"^#!\[{_NEVER}",
    ".py": r"^(?:pytestmark = .*(?:skip|xfail)|__test__ = False|pytest\.skip\(|collect_ignore)",
    ".c": r"^#if (?:0|false)\b",
    ".cpp": r"^#if (?:0|false)\b",
    ".swift": r"^#if (?:false|0)\b",
}
#: What ends a test before it begins: a skip without a condition, in the first line of its body that is not a text.
_SKIPS = re.compile(r'[^\n]*:\n(?:\s*"""(?:.|\n)*?"""\n)?\s*(?:pytest\.(?:skip|xfail)|self\.skipTest)\(|[^\n{]*\{\s*(?:throw XCTSkip|return\b\s*[;\n])')
_RUST_TEST = re.compile(r"#\[(?:\w+::)*test\b")


def code(path: Path) -> str:
    """The text of a file without its comments."""
    pattern = _HASHES if path.suffix in ("", ".py", ".toml") else _SLASHES
    return pattern.sub(lambda found: found[1] or "", path.read_text(encoding="utf-8"))


def _attributes(text: str, at: int) -> str:
    """The lines above a definition that are of it: attributes and decorators."""
    above = text[: text.rfind("\n", 0, at) + 1].splitlines()
    own = []
    for line in reversed(above):
        if line.strip() and not line.lstrip().startswith(("#[", "@")):
            break
        own.append(line)
    return "\n".join(own)


def missing(path: Path, name: str) -> str | None:
    """Why a file does not hold what is promised by that name; `None` when it does."""
    if not path.is_file():
        return "there is no such file"
    text = code(path)
    pattern = _FUNCTIONS.get(path.suffix)
    if pattern is None:
        return "nobody knows how a function of it looks"
    found = list(re.finditer(pattern.format(name=re.escape(name)), text, flags=re.M))
    if not found:
        return "it has no such function"
    out = _LEFT_OUT.get(path.suffix)
    if out and re.search(out, text, flags=re.M):
        return "the file is left out, or a part of it"
    if all(_IGNORED.search(_attributes(text, one.start())) or _SKIPS.match(text, one.start()) for one in found):
        return "it is not run"
    if path.suffix == "" or name == "main" or any(_is_test(path, text, one.start(), name) for one in found):
        return None
    uses = len(re.findall(rf"\b{re.escape(name)}\b", text)) - len(found)
    if path.suffix == ".rs" and not uses:
        others = (code(other) for other in path.parent.rglob("*.rs") if other != path)
        uses = sum(len(re.findall(rf"\b{re.escape(name)}\(", other)) for other in others)
    return None if uses else "it is no test, and nothing uses it"


def is_test_of_rust(path: Path, name: str) -> bool:
    """Whether a file in Rust has a test of that name, and not only a function."""
    text = code(path)
    pattern = _FUNCTIONS[".rs"].format(name=re.escape(name))
    return any(_is_test(path, text, one.start(), name) for one in re.finditer(pattern, text))


def _is_test(path: Path, text: str, at: int, name: str) -> bool:
    if path.suffix == ".rs":
        return bool(_RUST_TEST.search(_attributes(text, at)))
    return path.suffix in (".py", ".swift") and name.startswith("test")
