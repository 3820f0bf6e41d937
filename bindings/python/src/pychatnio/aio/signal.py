"""Waking tasks."""

from __future__ import annotations

import asyncio
import math


class Signal:
    """Wakes all who wait, each time that it is set."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    def set(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            # Nobody waits in a loop that is closed.
            if not future.done() and not future.get_loop().is_closed():
                future.set_result(None)

    async def wait(self, seconds: float = math.inf) -> None:
        """Waits until it is set, or until so many seconds are over."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._waiting.append(future)
        timer = None if seconds == math.inf else loop.call_later(max(0.0, seconds), _wake, future)
        try:
            await future
        finally:
            if timer is not None:
                timer.cancel()
            if future in self._waiting:
                self._waiting.remove(future)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
