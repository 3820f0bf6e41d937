"""The pages of this project: what they link to, include and name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Folders of what is built or installed.
BUILT = {"target", "node_modules", "dist", "build", "__pycache__"}


def files() -> Iterator[Path]:
    """Every file of the tree, without what is built, and without following links."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name not in BUILT and not name.endswith(".egg-info") and (name[0] != "." or name == ".github"))
        for name in sorted(names):
            path = Path(folder, name)
            if not path.is_symlink():
                yield path


def pages() -> list[Path]:
    """Every page."""
    return [path for path in files() if path.suffix == ".md"]


def prose(text: str) -> str:
    """A page without its blocks of code, line by line as it was."""
    lines, inside = [], False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            inside = not inside
            line = ""
        lines.append("" if inside else line)
    return "\n".join(lines)


def blocks(text: str, language: str) -> list[str]:
    """The blocks of code of a page that are in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.M | re.S)


def links(text: str) -> list[str]:
    """Where a page's links and images lead to."""
    without_code = re.sub(r"`[^`]*`", lambda code: "`" + "x" * (len(code[0]) - 2) + "`", prose(text))
    found = re.findall(r"\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)", without_code)
    return found + re.findall(r"<(?:img|source)[^>]*\b(?:src|srcset)=\"([^\"]+)\"", without_code)


def anchors(text: str) -> set[str]:
    """What a link may name behind # on a page: its headings, as GitHub and mdBook write them."""
    found = set()
    for heading in re.findall(r"^#+ +(.*)$", prose(text), flags=re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        found.add(re.sub(r"[^\w\- ]", "", plain.lower()).strip().replace(" ", "-"))
    return found


def spans(text: str) -> list[str]:
    """What stands in backquotes, and the lines of blocks of shell."""
    shell = [line for block in blocks(text, "sh") for line in block.splitlines()]
    return re.findall(r"`([^`\n]+)`", prose(text)) + shell


def includes(text: str) -> list[tuple[str, str | None]]:
    """The files that a page of the book includes, and of each the part."""
    return [(path, part or None) for path, part in re.findall(r"\{\{#include ([^:}\s]+)(?::([\w-]+))?\}\}", text)]
