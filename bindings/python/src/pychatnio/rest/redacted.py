"""Texts from outside without what is secret in what was sent: some servers and gateways repeat it. As in the library's errors,
by the rule of its `Secrets`."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, unquote, unquote_plus, urlsplit

__all__ = ["of_headers", "of_proxy", "redacted"]

#: What is shorter is no secret, and would tear words apart.
_MIN_SECRET = 4

#: How many ways of writing a sign may stand one within another: `\u0026amp;` is a page's `&` in JSON.
_NESTED = 2

#: How JSON writes signs behind a backslash, PHP its `/`; all others by their numbers.
_JSON = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

#: How pages write signs by names; all others by their numbers.
_PAGE = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}

#: What stands between `&` and `;` at most, zeros before a number among it.
_MAX_NAME = 12

#: Where a sign begins that is written in another way, perhaps.
_MARKS = frozenset("%+\\&")

#: What may be left of a sign where a text was cut.
_CUT = re.compile(r"[%\\&][%\\&#;0-9A-Za-z]{0,11}")


def of_headers(headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Their values, of each what is behind the scheme of an `Authorization`, the user name and the password of a `Basic` one,
    and the value of each cookie."""
    for name, value in headers:
        yield value
        if name.lower() == "cookie":
            for cookie in value.split(";"):
                yield from _values(cookie.strip())
        scheme, _, credentials = value.partition(" ")
        yield credentials
        if scheme.lower() == "basic":
            yield from _basic(credentials)


def of_proxy(url: str | None) -> tuple[str, ...]:
    """The user name and the password of a proxy's URL, and how it is told them; nothing where it has none."""
    _, found, rest = (url or "").strip().partition("://")
    parts = urlsplit(f"//{rest if found else url or ''}")
    if parts.username is None:
        return ()
    user, password = unquote(parts.username), unquote(parts.password or "")
    return (user, password, b64encode(f"{user}:{password}".encode()).decode())


def _values(pair: str) -> tuple[str, ...]:
    """The value of a pair, as it is and as whoever takes the pairs apart has it."""
    value = pair.partition("=")[2]
    return (value, value.strip('"'), unquote_plus(value))


def _basic(credentials: str) -> tuple[str, ...]:
    """The user name and the password (RFC 7617)."""
    bare = credentials.strip().rstrip("=")
    try:
        plain = b64decode(bare + "=" * (-len(bare) % 4), validate=True).decode()
    except ValueError:
        return ()
    user, _, password = plain.partition(":")
    return (plain, user, password)


def redacted(text: str, query: str, token: str, others: Iterable[str] = ()) -> str:
    """The text, with `sk-...` for the token, and `...` for each secret of the query and each of the others."""
    names = [name for name, _ in parse_qsl(query, keep_blank_values=True)]
    values = [value for pair in query.split("&") for value in _values(pair)]
    secrets = {secret: "..." for secret in (query, *names, *values, *others)}
    # One that is both keeps the token's sign.
    secrets[token] = "sk-..."
    signs = _Signs(text)
    found = sorted(
        ((at, end, shown) for secret, shown in secrets.items() for at, end in _find(secret, signs)),
        key=lambda span: (span[0], -span[1]),
    )
    out: list[str] = []
    done = longest = 0
    for at, end, shown in found:
        if at >= done:
            out += [text[done:at], shown]
            longest, done = end - at, end
            continue
        # Nothing stays of one that lies across another.
        if end - at > longest:
            longest, out[-1] = end - at, shown
        done = max(done, end)
    return "".join([*out, text[done:]])


def _find(secret: str, signs: _Signs) -> Iterator[tuple[int, int]]:
    """Where in a text a secret begins and ends, each time."""
    if len(secret) < _MIN_SECRET:
        return
    for begin in re.finditer(rf"[{re.escape(secret[0])}%+\\&]", signs.text):
        end = _end(secret, signs, begin.start())
        if end is not None:
            yield begin.start(), end


def _end(secret: str, signs: _Signs, at: int) -> int | None:
    """Where a secret ends that begins there; at the latest, if there are several places."""
    ends = {at}
    for place, sign in enumerate(secret):
        after = {end for at in ends for one, end in signs.all_at(at) if one == sign}
        if not after:
            # Long words are cut, and a secret with them.
            length = len(signs.text)
            is_cut = any(at == length or _CUT.fullmatch(signs.text, at) for at in ends)
            return length if place >= _MIN_SECRET and is_cut else None
        ends = after
    return max(ends)


class _Signs:
    """The signs of a text, read through so many ways of writing, one within another."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._known: dict[int, set[tuple[str, int]]] = {}

    def all_at(self, at: int) -> set[tuple[str, int]]:
        """What may stand there, and where that ends."""
        if self.text[at : at + 1] not in _MARKS:
            return {self.read(at, 0)}
        if at not in self._known:
            self._known[at] = {self.read(at, depth) for depth in range(_NESTED + 1)}
        return self._known[at]

    def read(self, at: int, depth: int) -> tuple[str, int]:
        """The sign that is written there, and where it ends; what is written in no such way is as it is. Nothing at the end."""
        sign = self.text[at : at + 1]
        if not depth or sign not in _MARKS:
            return sign, at + len(sign)
        mark, end = self.read(at, depth - 1)
        form = _Form(self, end, depth - 1)
        try:
            if mark == "%":
                return form.percent(), form.at
            if mark == "\\":
                return form.json(), form.at
            if mark == "&":
                return form.page(), form.at
        except (ValueError, OverflowError, KeyError):
            pass
        return " " if mark == "+" else mark, end


class _Form:
    """What follows a mark. Whatever cannot follow it raises."""

    def __init__(self, signs: _Signs, at: int, depth: int) -> None:
        self._signs = signs
        self.at = at
        self._depth = depth

    def _next(self) -> str:
        sign, self.at = self._signs.read(self.at, self._depth)
        return sign

    def _expect(self, sign: str) -> None:
        if self._next() != sign:
            raise ValueError

    def _hex(self, digits: int) -> bytes:
        # White space would be left out.
        return bytes.fromhex("".join([self._next() for _ in range(digits)]).replace(" ", "-"))

    def percent(self) -> str:
        """The bytes of UTF-8, each behind a `%`, which is read."""
        utf8 = self._hex(2)
        if utf8 >= b"\x80":
            for _ in range(1 if utf8 < b"\xe0" else 2 if utf8 < b"\xf0" else 3):
                self._expect("%")
                utf8 += self._hex(2)
        return utf8.decode()

    def json(self) -> str:
        """What follows a backslash."""
        letter = self._next()
        if letter != "u":
            return _JSON[letter]
        utf16 = self._hex(4)
        if b"\xd8" <= utf16 < b"\xdc":
            self._expect("\\")
            self._expect("u")
            utf16 += self._hex(4)
        return utf16.decode("utf-16-be")

    def page(self) -> str:
        """What follows a `&`, up to its `;`."""
        name = ""
        while (sign := self._next()) != ";":
            if not sign.isascii() or not sign or len(name) == _MAX_NAME:
                raise ValueError
            name += sign.lower()
        if not name.startswith("#"):
            return _PAGE[name]
        digits, radix = (name[2:], 16) if name.startswith("#x") else (name[1:], 10)
        if not digits.isalnum():
            raise ValueError
        return chr(int(digits, radix))
