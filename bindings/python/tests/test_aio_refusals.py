"""Servers that refuse an asynchronous client."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

import pytest
from aio_support import leave_by_break, listening
from support import ENDLESS, HELLO, ONCE, Run, closed_port

import pychatnio
from pychatnio import (
    AsyncClient,
    Config,
    ConnectError,
    ConnectTimeoutError,
    Loopback,
    RefusedError,
    Status,
    TLSError,
    ThrottledError,
)


def test_a_server_that_refuses_before_it_is_asked(run: Run[None]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy")
        await writer.drain()
        await reader.read()

    async def main() -> None:
        async with listening(serve) as url:
            for _ in range(20):
                with pytest.raises(RefusedError) as caught:
                    await AsyncClient(url, config=ONCE).connect()
                assert (caught.value.code, caught.value.body) == (503, "busy")

    run(main())


def test_throttled(run: Run[None]) -> None:
    async def main(url: str) -> None:
        client = AsyncClient(url, config=ONCE)
        for _ in range(2):
            with pytest.raises(ThrottledError, match="too many requests") as caught:
                await client.connect()
            assert (caught.value.status, caught.value.code) == (Status.THROTTLED, 200)
        with pytest.raises(ThrottledError):
            async with AsyncClient(url, config=ONCE):
                pass

    with Loopback(throttle=0) as server:
        run(main(server.url))


def test_refused(run: Run[None]) -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone")

        async with listening(serve) as url:
            with pytest.raises(pychatnio.RefusedError) as caught:
                await AsyncClient(url).connect()
            assert (caught.value.status, caught.value.code, caught.value.body) == (Status.HTTP, 404, "none")

    run(main())


@pytest.mark.parametrize(
    ("certificate", "trusted", "status"),
    [
        ("valid", True, None),
        ("valid", False, Status.TLS_UNKNOWN_ISSUER),
        ("expired", True, Status.TLS_EXPIRED),
        ("wrong-name", True, Status.TLS_WRONG_NAME),
    ],
)
def test_tls(run: Run[None], certificate: Any, trusted: bool, status: Status | None) -> None:
    async def main(server: Loopback) -> None:
        client = AsyncClient(server.url, "sk-any", config=server.config if trusted else None)
        if status is None:
            async with client:
                assert await client.ask("hi", model="hello").text() == "".join(HELLO)
                await leave_by_break(client.ask("hi", model=ENDLESS))
                assert await client.ask("hi", model="hello").text() == "".join(HELLO)
        else:
            with pytest.raises(TLSError) as caught:
                await client.connect()
            assert caught.value.status is status

    with Loopback(tls=True, certificate=certificate, pace=0) as server:
        run(main(server))


def test_nobody_listens(run: Run[None]) -> None:
    async def main() -> None:
        with closed_port() as port, pytest.raises(ConnectError) as caught:
            await AsyncClient(f"ws://127.0.0.1:{port}", config=ONCE).connect()
        assert caught.value.status is Status.CONNECT
        assert isinstance(caught.value.__cause__, OSError)

    run(main())


@pytest.mark.parametrize("host", [f"{'x' * 64}.invalid", "a..b"])
def test_a_host_that_is_not_there(run: Run[None], host: str) -> None:
    # No name server is asked about these.
    async def main() -> None:
        with pytest.raises(ConnectError) as caught:
            await AsyncClient(f"ws://{host}").connect()
        assert caught.value.status is Status.RESOLVE

    run(main())


def test_a_server_that_says_nothing(run: Run[None]) -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with listening(serve) as url:
            with pytest.raises(ConnectTimeoutError) as caught:
                await AsyncClient(url, config=Config(handshake=0.05)).connect()
            assert caught.value.status is Status.HANDSHAKE_TIMEOUT

    run(main())


def test_a_server_that_takes_nobody(run: Run[None]) -> None:
    async def main(url: str) -> None:
        with pytest.raises(ConnectTimeoutError) as caught:
            await AsyncClient(url, config=Config(connect=0.1)).connect()
        assert caught.value.status is Status.CONNECT_TIMEOUT

    with contextlib.ExitStack() as sockets:
        server = sockets.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        # Its queue is full then, and further attempts are not answered.
        for _ in range(8):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        run(main(f"ws://127.0.0.1:{server.getsockname()[1]}"))
