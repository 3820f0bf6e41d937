"""Texts from outside without what is secret in what was sent: some servers and gateways repeat it. As in the library's errors."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = ["of_headers", "of_proxy", "redacted"]

#: What is shorter is no secret, and would tear words apart.
_MIN_SECRET = 4

#: How signs are written in pages, by most and by Go, and in JSON, by Go and by others.
_ESCAPES: tuple[dict[str, str | int | None], ...] = (
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"},
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"},
    {"\\": "\\\\", '"': '\\"', "&": "\\u0026", "<": "\\u003c", ">": "\\u003e"},
    {"\\": "\\\\", '"': '\\"'},
)


def of_headers(headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Their values, and of each what is behind the scheme of an `Authorization`."""
    for _, value in headers:
        yield value
        yield value.partition(" ")[2]


def of_proxy(url: str | None) -> tuple[str, ...]:
    """The user name and the password of a proxy's URL, and how it is told them; nothing where it has none."""
    _, found, rest = (url or "").strip().partition("://")
    parts = urlsplit(f"//{rest if found else url or ''}")
    if parts.username is None:
        return ()
    user, password = unquote(parts.username), unquote(parts.password or "")
    return (user, password, b64encode(f"{user}:{password}".encode()).decode())


def redacted(text: str, query: str, token: str, others: Iterable[str] = ()) -> str:
    """The text, with `sk-...` for the token, and `...` for each secret of the query and each of the others."""
    decoded = [part for pair in parse_qsl(query, keep_blank_values=True) for part in pair]
    raw = [pair.partition("=")[2] for pair in query.split("&")]
    secrets = {secret for secret in (query, *raw, *decoded, *others) if len(secret) >= _MIN_SECRET}
    escaped = {secret.translate(str.maketrans(signs)) for signs in _ESCAPES for secret in secrets}
    # What is a part of another one last.
    longest_first = sorted(secrets | escaped, key=len, reverse=True)
    for secret in longest_first:
        text = text.replace(secret, "...")
    if len(token) >= _MIN_SECRET:
        text = text.replace(token, "sk-...")
    # Long words are cut, and a secret with them.
    for secret in (token, *longest_first):
        for length in range(len(secret) - 1, _MIN_SECRET - 1, -1):
            if text.endswith(secret[:length]):
                return f"{text[:-length]}..."
    return text
