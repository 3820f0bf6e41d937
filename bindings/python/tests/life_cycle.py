"""Random lives of an asynchronous client: connect, ask, leave, stop, close and reconnect by several tasks at once, each of
which may be cancelled at any step of the loop. Nothing hangs, every turn ends, and the client is good for another question
afterwards.

    python tests/life_cycle.py ROUNDS [SEED [asyncio|uvloop]]
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop

from pychatnio import AsyncAnswerStream, AsyncClient, ChatNioError, Config, Loopback, Outcome, RequestType

#: A round takes some milliseconds. Never reached, unless something hangs.
WATCHDOG = 60.0

#: A turn that ends by no other means than its stop, one of many pieces, one that ends by itself, a notice, a lost connection.
MODELS = ["silent", "long-3000", "hello", "notice", "drop", "slow"]


class Life:
    """One client, and what is done with it."""

    def __init__(self, chance: random.Random, url: str) -> None:
        self._chance = chance
        self._client = AsyncClient(url, "sk-life", config=Config(close=1, after_stop=5, stop_repeats=[0.05, 0.2, 0.5]))
        self._streams: list[AsyncAnswerStream] = []
        self.done: list[str] = []

    async def live(self) -> None:
        tasks: list[asyncio.Task[None]] = []
        for _ in range(self._chance.randrange(2, 9)):
            tasks.append(asyncio.create_task(self._act()))
            await self._some_steps()
            if self._chance.random() < 0.4:
                self.done.append("cancel")
                self._chance.choice(tasks).cancel()
                await self._some_steps()
        if self._chance.random() < 0.5:
            for task in tasks:
                await self._some_steps()
                task.cancel()
        # Not one of them hangs.
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            assert outcome is None or isinstance(outcome, (asyncio.CancelledError, ChatNioError)), repr(outcome)
        await self._end()

    async def _end(self) -> None:
        """Whatever has become of it, it may be closed, connected, asked and closed."""
        await self._client.close()
        for stream in self._streams:
            if stream._turn is not None:
                # Every question that went out has its end.
                await stream._driver.ended(stream._turn)
                assert stream.answer is not None
                assert stream.answer.outcome is not Outcome.NONE
                assert stream.answer.request is RequestType.CHAT
        async with self._client as client:
            assert await client.ask("hi", model="hello").text() == "Hello! How can I help?"
        assert client._driver.connection._guard.is_shut

    async def _act(self) -> None:
        actions: list[Callable[[], Awaitable[None]]] = [
            self._connect,
            self._connect,
            self._ask,
            self._ask,
            self._leave,
            self._stop,
            self._close,
            self._meet,
            self._iterate,
        ]
        for action in self._chance.choices(actions, k=self._chance.randrange(1, 4)):
            self.done.append(action.__name__)
            with contextlib.suppress(ChatNioError):
                await action()

    async def _connect(self) -> None:
        await self._client.connect()

    async def _close(self) -> None:
        await self._client.close()

    async def _meet(self) -> None:
        """A close that meets a connect. The loop is held up before, so that what the server has said by then lies in the
        socket: the 101, as a rule."""
        connecting = asyncio.create_task(self._client.connect())
        # However it ends is right.
        connecting.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            await asyncio.wait([connecting], timeout=self._chance.choice([0.0, 0.002, 0.004, 0.008]))
            time.sleep(self._chance.choice([0.001, 0.005, 0.02]))
            await self._client.close()
        finally:
            await asyncio.wait([connecting])

    async def _stop(self) -> None:
        self._client.stop()

    def _stream(self) -> AsyncAnswerStream:
        stream = self._client.ask("hi", model=self._chance.choice(MODELS))
        self._streams.append(stream)
        return stream

    async def _ask(self) -> None:
        stream = self._stream()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stream.text(), self._chance.choice([0.0, 0.001, 0.01, 0.05]))

    async def _leave(self) -> None:
        stream = self._stream()
        async for _ in stream.pieces(idle=0.01):
            if self._chance.random() < 0.5:
                break
        if self._chance.random() < 0.5:
            await stream.close()

    async def _iterate(self) -> None:
        """One of another task's."""
        if self._streams:
            async for _ in self._chance.choice(self._streams).events(idle=0.005):
                if self._chance.random() < 0.3:
                    return

    async def _some_steps(self) -> None:
        for _ in range(self._chance.choice([0, 0, 1, 1, 2, 3, 5, 8, 13, 40])):
            await asyncio.sleep(0)
        if self._chance.random() < 0.2:
            await asyncio.sleep(self._chance.choice([0.001, 0.005]))


async def rounds(url: str, count: int, seed: int) -> None:
    # What a task or a callback has raised, and nobody has heard.
    unheard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: unheard.append(context))
    for at in range(count):
        life = Life(random.Random(f"{seed} {at}"), url)
        try:
            await asyncio.wait_for(life.live(), WATCHDOG)
            if at % 50 == 49 or at == count - 1:
                gc.collect()
                await asyncio.sleep(0)
            assert not unheard, unheard
        except BaseException:
            print(f"life {at} of seed {seed}: {', '.join(life.done)}", file=sys.stderr)
            raise


def main() -> None:
    count = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with Loopback(pace=0.1) as server:
        for kind in sys.argv[3:] or ["asyncio", "uvloop"]:
            run = asyncio.run if kind == "asyncio" else uvloop.run
            run(rounds(server.url, count, seed))
            print(f"{count} lives on {kind}, seed {seed}: nothing hung")


if __name__ == "__main__":
    main()
