"""Fixtures for tests of programs that use this package; pytest finds them by itself where it is installed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest

from .loopback import Loopback

__all__ = ["Transcripts", "chatnio_loopback", "chatnio_transcript"]


class Transcripts(Protocol):
    """What the fixture `chatnio_transcript` is."""

    def __call__(self, path: str | os.PathLike[str], *, strict: bool = False) -> Loopback:
        """A server that plays the transcript in a file."""
        ...


@pytest.fixture
def chatnio_loopback() -> Iterator[Loopback]:
    """A server on 127.0.0.1 that answers at once: see `Loopback`.

    `chatnio_loopback.url` is where it is; any token will do.
    """
    with Loopback(pace=0) as server:
        yield server


@pytest.fixture
def chatnio_transcript(request: pytest.FixtureRequest) -> Iterator[Transcripts]:
    """Plays transcripts back: `chatnio_transcript("hello.txt")` is a server on 127.0.0.1 that says what the file says,
    which lies where the test's own file lies. It ends with the test. By `strict=True` the test fails when something else was
    asked than in the file.
    """

    def play(path: str | os.PathLike[str], *, strict: bool = False) -> Loopback:
        return servers.enter_context(Loopback(script=request.path.parent / path, pace=0, strict=strict))

    with ExitStack() as servers:
        yield play
