"""What several tests of the asynchronous client need."""

from __future__ import annotations

import asyncio
import contextlib
import time
import types
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

import pytest
from memory import Server
from support import RECORD
from websockets.frames import Frame, Opcode

from pychatnio import AsyncAnswerStream, AsyncClient, Config, Event, Loopback, Opened, _boundary
from pychatnio.aio import clock as aio_clock
from pychatnio.aio.link import Link


@contextlib.asynccontextmanager
async def connected(server: Loopback, config: Config = RECORD) -> AsyncGenerator[AsyncClient, None]:
    async with AsyncClient(server.url, "sk-any", config=config) as client:
        yield client


async def until(condition: Callable[[], object]) -> None:
    """Lets the loop go on until something has happened."""
    while not condition():
        await asyncio.sleep(0)


async def opened(stream: AsyncAnswerStream) -> AsyncIterator[Event]:
    """The events of an answer, once the server has read the question."""
    events = stream.events()
    assert isinstance(await events.__anext__(), Opened)
    return events


async def leave_by_break(stream: AsyncAnswerStream) -> None:
    async for _ in stream:
        break


class Clock:
    """The monotonic clock, for the package alone, which may be put forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ahead = 0.0
        module = types.SimpleNamespace(monotonic=lambda: time.monotonic() + self._ahead)
        for user in (aio_clock, _boundary):
            monkeypatch.setattr(user, "time", module)

    def put_forward(self, seconds: float) -> None:
        self._ahead += seconds


async def talk(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, messages: int = 0) -> None:
    """Lets a server in memory hear and answer a client, until that has sent so many messages; 0: until it has gone."""
    while not messages or len(server.messages) < messages:
        data = await reader.read(65536)
        if not data:
            return
        server.receive(data)
        writer.write(server.data_to_send())


@contextlib.asynccontextmanager
async def listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncGenerator[str, None]:
    """A server that does as it is told; gives its URL."""
    tasks: list[asyncio.Task[None]] = []

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.gather(*tasks, return_exceptions=True)


async def handshake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Opens the WebSocket."""
    from websockets.utils import accept_key

    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    (key,) = (line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n".encode()
    )
    await writer.drain()


async def until_it_goes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, frame: bytes) -> None:
    """Opens the WebSocket, hears the authentication and the question, and sends a message again and again."""
    await handshake(reader, writer)
    for _ in range(2):
        # Of less than 126 bytes, behind a mask of four.
        head = await reader.readexactly(2)
        await reader.readexactly(4 + (head[1] & 0x7F))
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(frame)
            await writer.drain()


def text_frame(text: str) -> bytes:
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


def link_of(client: AsyncClient) -> Link:
    """Its connection."""
    link = client._driver._link
    assert link is not None
    return link


def is_paused(client: AsyncClient) -> bool:
    """Whether nothing is read, because its reader is slow."""
    return client._driver.clock.is_stopped
