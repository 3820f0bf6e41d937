"""Texts, numbers and times, into the C library and out of it."""

from __future__ import annotations

from typing import Any

from ._native import ffi

#: A C handle or view: cffi's objects have no types of their own.
CData = Any

NEVER: int = 2**64 - 1


def checked(value: object, kinds: type | tuple[type, ...], what: str) -> None:
    """
    Raises:
        TypeError: for a value of another type, which is called `what`. A number must not be a `bool`, which Python takes
            for one.
    """
    all_of = kinds if isinstance(kinds, tuple) else (kinds,)
    if not isinstance(value, all_of) or (isinstance(value, bool) and bool not in all_of):
        wanted = " or ".join(kind.__name__ for kind in all_of)
        raise TypeError(f"{what} is of type {wanted}, not {type(value).__name__}")


def encoded(text: str, what: str) -> bytes:
    """UTF-8. A lone surrogate becomes something that the library refuses: an error of Python's would show the text.

    Raises:
        TypeError: for anything else than a text, which is called `what`.
    """
    checked(text, str, what)
    return str.encode(text, "utf-8", "surrogatepass")


def text_of(view: CData) -> str | None:
    """A copy of a view's text; `None` if it is absent."""
    if view.data == ffi.NULL:
        return None
    copy: bytes = ffi.unpack(view.data, view.len)
    return copy.decode()


def present(view: CData) -> str:
    """A copy of a view's text; absent counts as empty."""
    return text_of(view) or ""


def seconds(deadline: int) -> float | None:
    """A deadline of the library's as seconds; `None` for never."""
    return None if deadline == NEVER else deadline / 1000


def sized(struct: str) -> CData:
    """A struct that says how large it is, to be filled by the library."""
    made = ffi.new(f"{struct} *")
    made.size = ffi.sizeof(struct)
    return made
