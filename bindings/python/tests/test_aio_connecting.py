"""Connecting on asyncio, and all that may come between."""

from __future__ import annotations

import asyncio
import socket
import time
from urllib.parse import urlsplit

import pytest
from aio_support import listening, until
from client_support import over_unix
from support import HELLO, ONCE, RECORD, Run, sent

from pychatnio import (
    Answer,
    AnswerInterruptedError,
    AsyncClient,
    Auth,
    ConnectError,
    ConnectionClosedError,
    ConversationKind,
    Interruption,
    InvalidArgumentError,
    Loopback,
    Request,
    State,
)


def test_not_connected(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        client = AsyncClient(loopback.url, "sk-any")
        assert "closed" in repr(client)
        for call in (client.ask("hi").text, lambda: client.request(Request.share("x"))):
            with pytest.raises(ConnectionClosedError, match="not connected"):
                await call()
        assert client.stop() is False
        await client.close()
        await client.connect()
        assert await client.ask("hi", model="hello").text() == "".join(HELLO)
        assert "open" in repr(client)
        await client.close()
        with pytest.raises(ConnectionClosedError):
            await client.ask("hi").text()
        await client.close()
        # And again.
        await client.connect()
        assert await client.ask("hi", model="hello").text() == "".join(HELLO)
        await client.close()

    run(main())


def test_a_server_that_goes_at_once(run: Run[None]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def main() -> None:
        async with listening(serve) as url:
            client = AsyncClient(url, config=ONCE)
            # Before or after the loop has seen that it is connected.
            for _ in range(100):
                with pytest.raises((ConnectionClosedError, ConnectError)):
                    await client.connect()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ours = socket.create_connection(listener.getsockname())
            listener.accept()[0].close()
        with pytest.raises((ConnectionClosedError, ConnectError)):
            await client.connect(sock=ours)

    run(main())


def test_reconnect_continues_the_conversation(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        token = f"sk-reconnect-{time.monotonic_ns()}"
        async with AsyncClient(loopback.url, token, config=RECORD) as client:
            await client.ask("hi", model="hello").text()
            kind, conversation, _ = client.conversation
            assert (kind, conversation > 0) == (ConversationKind.NEW, True)
            stream = client.ask("hi", model="silent")
            task = asyncio.create_task(stream.text())
            await until(lambda: client.state is State.ANSWERING)
            answer = await client.connect()
            assert isinstance(answer, Answer)
            assert answer.interruption is Interruption.RECONNECTED
            with pytest.raises(AnswerInterruptedError):
                await task
            assert stream.answer is answer
            assert await client.ask("hi", model="hello").text() == "".join(HELLO)
            assert client.conversation == (ConversationKind.RESUMED, conversation, conversation)
            assert sent(client)[0] == f'> SEND {{"token":"sk-...","id":{conversation}}}'
        async with AsyncClient(loopback.url, Auth(token, conversation=conversation)) as client:
            await client.ask("hi", model="hello").text()
            assert client.conversation == (ConversationKind.RESUMED, conversation, conversation)

    run(main())


def test_a_failed_reconnect(run: Run[None]) -> None:
    async def main(server: Loopback) -> None:
        client = AsyncClient(server.url, "sk-any", config=ONCE)
        await client.connect()
        stream = client.ask("hi", model="silent")
        task = asyncio.create_task(stream.text())
        await until(lambda: client.state is State.ANSWERING)
        # It does not listen any more.
        server.close()
        with pytest.raises(ConnectError):
            await client.connect()
        # Nothing hangs.
        with pytest.raises(AnswerInterruptedError):
            await task
        with pytest.raises((ConnectionClosedError, ConnectError)):
            await client.ask("hi").text()
        await client.close()

    with Loopback(pace=0) as server:
        run(main(server))


def test_a_cancelled_connect(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.set()
            await reader.read()

        asked = asyncio.Event()
        async with listening(serve) as url:
            client = AsyncClient(url)
            for _ in range(2):
                asked.clear()
                task = asyncio.create_task(client.connect())
                await asked.wait()
                with pytest.raises(InvalidArgumentError, match="connecting already"):
                    await client.connect()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                # Nothing hangs.
                with pytest.raises(ConnectionClosedError):
                    await client.ask("hi").text()
            await client.close()

    run(main())


def test_asked_while_it_connects(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        client = AsyncClient(loopback.url, "sk-any")
        task = asyncio.create_task(client.connect())
        await asyncio.sleep(0)
        with pytest.raises(ConnectionClosedError, match="not connected"):
            await client.ask("hi", model="hello").text()
        await task
        assert await client.ask("hi", model="hello").text() == "".join(HELLO)
        await client.close()

    run(main())


def test_a_given_socket(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        server = urlsplit(loopback.url)
        client = AsyncClient(loopback.url, "sk-any")
        for _ in range(2):
            await client.connect(sock=socket.create_connection((server.hostname, server.port)))
            assert await client.ask("hi", model="hello").text() == "".join(HELLO)
        await client.close()

    run(main())


def test_a_given_socket_of_unix(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        with over_unix(loopback) as sock:
            client = AsyncClient("ws://localhost", "sk-any")
            await client.connect(sock=sock.dup())
            assert await client.ask("hi", model="hello").text() == "".join(HELLO)
            await client.close()

    run(main())
