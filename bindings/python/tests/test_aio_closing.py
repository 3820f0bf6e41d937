"""Closing an asynchronous client, and forgetting one."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import warnings
from typing import Any

import pytest
from aio_support import connected, handshake, link_of, listening, opened, talk, until
from memory import Server
from support import HELLO, RECORD, Run, sent

from pychatnio import (
    AnswerInterruptedError,
    AsyncClient,
    Config,
    ConnectionClosedError,
    Delta,
    End,
    Interruption,
    Loopback,
    Request,
    State,
    Status,
)
from pychatnio.aio.driver import MOST_EVENTS
from pychatnio.aio.link import Phase


def test_close(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            stream = client.ask("hi", model="silent")
            task = asyncio.create_task(stream.text())
            await until(lambda: client.state is State.ANSWERING)
            await asyncio.gather(client.close(), client.close())
            assert client.state is State.CLOSED
            with pytest.raises(AnswerInterruptedError) as caught:
                await task
            assert caught.value.answer.interruption is Interruption.CLOSED_BY_HOST
            with pytest.raises(ConnectionClosedError) as closed:
                await client.ask("hi").text()
            assert closed.value.status is Status.CLOSED

    run(main())


def test_close_sends_what_is_held(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with AsyncClient(loopback.url, "sk-any", config=RECORD) as client:
            await client.ask("hi", model="hello").text()
            await client.request(Request.remove(0))
            await client.close()
            assert sent(client)[-1] == '> SEND {"type":"remove","message":"0"}'

    run(main())


def test_close_is_bounded_and_may_be_cancelled(run: Run[None]) -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await handshake(reader, writer)
            # It never answers a goodbye.
            with contextlib.suppress(ConnectionError):
                while await reader.read(1000):
                    pass
            writer.close()

        async with listening(serve) as url:
            async with AsyncClient(url, config=Config(close=0.05)):
                pass
            client = AsyncClient(url, config=Config(close=3600))
            await client.connect()
            reading = asyncio.create_task(client.ask("hi").text())
            await until(lambda: client.state is State.ASKING)
            task = asyncio.create_task(client.close())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            # The socket is gone all the same: nothing warns of it, and nobody waits for it.
            with pytest.raises(AnswerInterruptedError) as caught:
                await reading
            assert caught.value.answer.interruption is Interruption.CLOSED_BY_HOST
            with pytest.raises(ConnectionClosedError):
                await client.ask("hi").text()

    run(main())


def test_what_comes_while_it_closes(run: Run[None]) -> None:
    async def main() -> None:
        closing = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            server = Server()
            await talk(server, reader, writer, 2)
            server.send('{"message":"first"}')
            writer.write(server.data_to_send())
            await closing.wait()
            # More than a reader may be behind, and only then it hears the goodbye.
            for _ in range(2 * MOST_EVENTS):
                server.send('{"message":"late"}')
            writer.write(server.data_to_send())
            await talk(server, reader, writer)

        async with listening(serve) as url, AsyncClient(url, config=Config(close=0)) as client:
            events = client.ask("hi").events()
            first = await events.__anext__()
            assert isinstance(first, Delta)
            task = asyncio.create_task(client.close())
            await until(lambda: link_of(client).phase is Phase.CLOSING)
            closing.set()
            await task
            assert [type(event) async for event in events] == [End]
            assert client.counters.malformed == 0

    run(main())


@pytest.mark.parametrize("steps", range(12))
def test_a_close_ends_a_connect_at_every_point(run: Run[None], loopback: Loopback, steps: int) -> None:
    async def main() -> None:
        client = AsyncClient(loopback.url, "sk-any")
        task = asyncio.create_task(client.connect())
        for _ in range(steps):
            await asyncio.sleep(0)
        await client.close()
        await asyncio.gather(task, return_exceptions=True)
        await client.close()
        # Neither is the next attempt in the way of the first.
        task = asyncio.create_task(client.connect())
        for _ in range(steps):
            await asyncio.sleep(0)
        await client.close()
        await asyncio.gather(task, return_exceptions=True) if steps == 0 else None
        await client.connect()
        assert await client.ask("hi", model="hello").text() == "".join(HELLO)
        await client.close()
        await asyncio.gather(task, return_exceptions=True)

    run(main())


def test_a_close_ends_a_connect_that_hangs(run: Run[None]) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
            # No more are taken, and the system lets them wait.
            full = [socket.socket() for _ in range(4)]
            for one in full:
                one.setblocking(False)
                one.connect_ex(listener.getsockname())
            client = AsyncClient(f"ws://127.0.0.1:{listener.getsockname()[1]}", config=Config(connect=0))
            task = asyncio.create_task(client.connect())
            for _ in range(100):
                await asyncio.sleep(0)
            assert not task.done()
            await client.close()
            with pytest.raises(ConnectionClosedError, match="the client was closed"):
                await task
            for one in full:
                one.close()

    run(main())


def test_closed_while_it_connects(run: Run[None]) -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # Whoever is closed at once says nothing.
            if await reader.read(1):
                asked.set()
            await reader.read()

        asked = asyncio.Event()
        async with listening(serve) as url:
            client = AsyncClient(url)
            # At once, and in the handshake.
            for wait in (lambda: asyncio.sleep(0), asked.wait):
                task = asyncio.create_task(client.connect())
                await wait()
                await client.close()
                with pytest.raises(ConnectionClosedError, match="closed"):
                    await task
                with pytest.raises(ConnectionClosedError):
                    await client.ask("hi").text()

    run(main())


def test_dropped_without_a_goodbye(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        client = AsyncClient(loopback.url, "sk-any")
        await client.connect()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del client
            gc.collect()
        assert [str(warning.message) for warning in caught] == ["unclosed <AsyncClient open>"]
        assert caught[0].category is ResourceWarning
        # Its socket goes with the loop's next turn.
        await asyncio.sleep(0)

    run(main())


def test_dropped_in_the_middle_of_an_answer(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        client = AsyncClient(loopback.url, "sk-any")
        await client.connect()
        await opened(client.ask("hi", model="silent"))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del client
            gc.collect()
        assert [warning.category for warning in caught] == [ResourceWarning]
        await asyncio.sleep(0)

    run(main())


def test_an_iterator_that_outlives_its_loop(run: Run[Any], loopback: Loopback) -> None:
    kept: list[object] = []

    async def main() -> None:
        async with connected(loopback) as client:
            kept.append(await opened(client.ask("hi", model="silent")))

    run(main())
    kept.clear()
    gc.collect()


def test_a_client_that_outlives_its_loop(run: Run[Any], loopback: Loopback) -> None:
    kept: list[object] = []

    async def main() -> None:
        client = AsyncClient(loopback.url, "sk-any")
        await client.connect()
        kept.append(client)
        kept.append(await opened(client.ask("hi", model="silent")))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(main())
        kept.clear()
        gc.collect()
    assert "unclosed <AsyncClient open>" in [str(warning.message) for warning in caught]


def test_in_one_loop_after_the_other(run: Run[Any], loopback: Loopback) -> None:
    client = AsyncClient(loopback.url, "sk-any")

    async def main() -> str:
        await client.connect()
        try:
            return await client.ask("hi", model="hello").text()
        finally:
            await client.close()

    assert [run(main()) for _ in range(3)] == ["".join(HELLO)] * 3
