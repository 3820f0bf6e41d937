"""Fixtures for tests of programs that use this package; pytest finds them by itself where it is installed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from .loopback import Loopback

__all__ = ["chatnio_loopback", "chatnio_transcript"]


@pytest.fixture
def chatnio_loopback() -> Iterator[Loopback]:
    """A server on 127.0.0.1 that answers at once: see `Loopback`.

    `chatnio_loopback.url` is where it is; any token will do.
    """
    with Loopback(pace=0) as server:
        yield server


@pytest.fixture
def chatnio_transcript(request: pytest.FixtureRequest) -> Iterator[Callable[[str | os.PathLike[str]], Loopback]]:
    """Plays transcripts back: `chatnio_transcript("hello.txt")` is a server on 127.0.0.1 that says what the file says,
    which lies where the test's own file lies. It ends with the test.
    """
    with ExitStack() as servers:
        yield lambda path: servers.enter_context(Loopback(script=request.path.parent / path, pace=0))
