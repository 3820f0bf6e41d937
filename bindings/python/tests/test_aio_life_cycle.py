"""Random lives of an asynchronous client: see `life_cycle.py`, which runs as many as one likes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvloop
from life_cycle import rounds

from pychatnio import Loopback


@pytest.mark.parametrize("in_loop", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_lives(in_loop: Any, seed: int = 1) -> None:
    with Loopback(pace=0.1) as server:
        in_loop(rounds(server.url, 150, seed))
