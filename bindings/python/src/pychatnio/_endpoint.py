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

    __slots__ = ("_text", "_wrong")

    def __init__(self, text: str, wrong: InvalidArgumentError | None = None) -> None:
        self._text = text
        #: What is known to be wrong with it; raised where no variable holds it.
        self._wrong = wrong

    def native(self) -> tuple[CData, int]:
        """As the library takes it.

        Raises:
            InvalidArgumentError, TypeError: for one that is no text. Not before, since whoever makes this has it in a
                variable.
        """
        if self._wrong is not None:
            raise self._wrong
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
    token = os.environ.get("CHATNIO_TOKEN") or None if auth is None else None
    given = authentication(token if auth is None else auth)
    if token is not None and _is_no_utf8(token):
        given._wrong = _not_utf8("CHATNIO_TOKEN")
    url = os.environ.get("CHATNIO_URL")
    if not url:
        if auth is None and token is None:
            why = f"give a URL, or set CHATNIO_URL, or CHATNIO_TOKEN for {_DEFAULT}"
            raise InvalidArgumentError(Status.INVALID, why)
        url = _DEFAULT
    return Url(url, _not_utf8("CHATNIO_URL") if _is_no_utf8(url) else None), given


def _is_no_utf8(variable: str) -> bool:
    """Whether a variable of the environment has other bytes, which Python shows as lone surrogates."""
    return any("\ud800" <= character <= "\udfff" for character in variable)


def _not_utf8(name: str) -> InvalidArgumentError:
    return InvalidArgumentError(Status.NOT_UTF8, f"the environment's {name} is not UTF-8")
