"""Where a client connects to, and as whom."""

from __future__ import annotations

import os
import re

from ._native import ffi
from ._status import Status
from ._text import CData, encoded
from .auth import Auth, authentication
from .errors import InvalidArgumentError

_DEFAULT = "wss://api.chatnio.net"


class Url:
    """A URL, whose query may hold a key: no text shows it, nor a traceback with variables."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def native(self) -> tuple[CData, int]:
        """As the library takes it.

        Raises:
            TypeError: for one that is no text. Not before, since whoever makes this has it in a variable.
        """
        if not isinstance(self._text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"url is of type str, not {type(self._text).__name__}")
        return _hidden(encoded(self._text, "url"))

    def without_tls(self) -> tuple[bool, Url]:
        """Whether it asks for TLS, and what it is without."""
        scheme, found, rest = self._text.strip().partition("://")
        is_tls = not found or scheme.lower() in ("wss", "https")
        return is_tls, Url(f"ws://{rest if found else scheme}") if is_tls else self

    def server(self) -> str:
        """Its part between the scheme and the path."""
        scheme, found, rest = self._text.strip().partition("://")
        return re.split("[/?#]", rest if found else scheme, maxsplit=1)[0]


def _hidden(data: bytes) -> tuple[CData, int]:
    """Bytes and their length; cffi shows of its own objects where they are."""
    return ffi.new("char[]", data), len(data)


def endpoint(url: str | None, auth: Auth | str | None) -> tuple[Url, Auth]:
    """What a client was given; without a URL, what the environment says: `CHATNIO_URL`, and `CHATNIO_TOKEN`, which goes to
    no other place than that.

    Raises:
        InvalidArgumentError: when neither says where.
    """
    if url is not None:
        return Url(url), authentication(auth)
    given = authentication(auth if auth is not None else os.environ.get("CHATNIO_TOKEN") or None)
    url = os.environ.get("CHATNIO_URL")
    if not url:
        if auth is None and not os.environ.get("CHATNIO_TOKEN"):
            why = f"give a URL, or set CHATNIO_URL, or CHATNIO_TOKEN for {_DEFAULT}"
            raise InvalidArgumentError(Status.INVALID, why)
        url = _DEFAULT
    return Url(url), given
