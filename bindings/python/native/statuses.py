"""Writes `_status.py` anew, from `chatnio.h`: run it after the header's statuses have changed. A test compares the two."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
HEADER = PROJECT.parent.parent / "ffi" / "include" / "chatnio.h"
WRITTEN = PROJECT / "src" / "pychatnio" / "_status.py"

HEAD = '''\
"""The statuses of the C library. Written by `native/statuses.py`, from `chatnio.h`: change that, and run it."""

from __future__ import annotations

import enum

from ._native import ffi, lib


class Status(enum.IntEnum):
    """What the library answers; in words by `message`. Those that are a part of the usual course never reach you as an
    exception."""

'''

TAIL = '''\

    @property
    def message(self) -> str:
        """What it means, in a few words."""
        message: bytes = ffi.string(lib.chatnio_status_message(self))
        return message.decode()

    @property
    def is_fatal(self) -> bool:
        """Whether the connection is over, or could not be made."""
        return bool(lib.chatnio_status_is_fatal(self))

    def __str__(self) -> str:
        return self.name

    def __format__(self, form: str) -> str:
        return format(self.name, form)
'''

#: What the header says in the words of C.
IN_PYTHON = [
    (r"chatnio_config_set_(\w+)\(\)", r"Config.\1"),
    (r"`CHATNIO_(\w+)`", r"`\1`"),
    (r"NULL where it must not be, NULL with a length, a size of no version, an unknown constant", "a number out of range"),
    (r"`_free` and `_error`, whose text says what and where", "to be freed"),
]


def members(header: str, enumeration: str) -> list[tuple[str, int, str]]:
    """Name, number and documentation of each member of an enumeration of the header."""
    (body,) = re.findall(rf"typedef enum {enumeration} \{{(.*?)\}} {enumeration};", header, re.S)
    found = re.findall(r"/\*\*(.*?)\*/\s*(CHATNIO_\w+) = (\d+),", body, re.S)
    return [(name, int(number), " ".join(re.sub(r"^\s*\*", "", text, flags=re.M).split())) for text, name, number in found]


def written(header: str) -> str:
    """The text of `_status.py`."""
    lines: list[str] = []
    for name, number, text in members(header, "chatnio_status"):
        for pattern, word in IN_PYTHON:
            text = re.sub(pattern, word, text)
        lines.append(f"    {name.removeprefix('CHATNIO_')} = {number}")
        # What is told in other words of C is left to `message`.
        if not re.search(r"chatnio_|CHATNIO_|NULL", text):
            lines += textwrap.wrap(f'"""{text}"""', 115, initial_indent="    ", subsequent_indent="    ")
    return HEAD + "\n".join(lines) + "\n" + TAIL


if __name__ == "__main__":
    WRITTEN.write_text(written(HEADER.read_text(encoding="utf-8")), encoding="utf-8")
