"""Whether every link of the book leads somewhere: `book.py FOLDER`."""

from __future__ import annotations

import re
import sys
from pathlib import Path


def broken(folder: Path) -> list[str]:
    """The links that do not, with the pages that they are on."""
    found: set[str] = set()
    for page in folder.rglob("*.html"):
        # mdBook's own, whose links start elsewhere.
        if page.name in ("print.html", "404.html"):
            continue
        for link in re.findall(r'(?:href|src)="([^"#]+)(?:#[^"]*)?"', page.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:|//", link) and not (page.parent / link).exists():
                found.add(f"{page.relative_to(folder)}: {link}")
    return sorted(found)


if __name__ == "__main__":
    links = broken(Path(sys.argv[1]))
    sys.exit("\n".join(["links that lead nowhere:", *links]) if links else 0)
