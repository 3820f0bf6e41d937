"""Texts from outside without the key, and without what is secret in the query of a URL: some servers repeat them."""

from __future__ import annotations

from urllib.parse import parse_qsl

__all__ = ["redacted"]

#: What is shorter is no secret, and would tear words apart.
_MIN_SECRET = 4

#: How signs are written in pages, and in JSON as Go writes it.
_ESCAPES: tuple[dict[str, str | int | None], ...] = ({"&": "&amp;", "<": "&lt;", ">": "&gt;"}, {"&": "\\u0026", "<": "\\u003c", ">": "\\u003e"})


def redacted(text: str, query: str, token: str) -> str:
    """The text, with `sk-...` for the token, and `...` for each secret of the query."""
    if len(token) >= _MIN_SECRET:
        text = text.replace(token, "sk-...")
    decoded = [part for pair in parse_qsl(query, keep_blank_values=True) for part in pair]
    raw = [pair.partition("=")[2] for pair in query.split("&")]
    secrets = {secret for secret in (query, *raw, *decoded) if len(secret) >= _MIN_SECRET}
    escaped = {secret.translate(str.maketrans(signs)) for signs in _ESCAPES for secret in secrets}
    # What is a part of another one last.
    longest_first = sorted(secrets | escaped, key=len, reverse=True)
    for secret in longest_first:
        text = text.replace(secret, "...")
    # Long words are cut, and a secret with them.
    for secret in (token, *longest_first):
        for length in range(len(secret) - 1, _MIN_SECRET - 1, -1):
            if text.endswith(secret[:length]):
                return f"{text[:-length]}..."
    return text
