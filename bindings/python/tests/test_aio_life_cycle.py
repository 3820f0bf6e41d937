"""Random lives of an asynchronous client: see `life_cycle.py`, which runs as many as one likes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import uvloop
from life_cycle import rounds

from pychatnio import Loopback


@pytest.fixture(scope="module")
def slower() -> Iterator[Loopback]:
    """A server whose models take their time, so that there is something to come between."""
    with Loopback(pace=0.1) as server:
        yield server


# In small portions: each has the time of a test, on a busy machine too.
@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("in_loop", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_lives(slower: Loopback, in_loop: Any, seed: int) -> None:
    # The loop's debug mode takes most of the time.
    in_loop(rounds(slower.url, 10, seed), debug=False)
