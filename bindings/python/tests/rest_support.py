"""What the tests of the companion calls' clients need: both clients, and servers that say what they are told to."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from pychatnio import rest

KEY = "sk-of-the-test"
T = TypeVar("T")
#: Makes a call with a client of either kind.
Caller = Callable[..., Any]


def blocking(url: str, call: rest.Call[T], **settings: Any) -> T:
    return rest.Client(url, KEY, **settings).call(call)


def on_asyncio(url: str, call: rest.Call[T], **settings: Any) -> T:
    async def main() -> T:
        return await asyncio.wait_for(rest.AsyncClient(url, KEY, **settings).call(call), 60)

    return asyncio.run(main())


def exactly(connection: socket.socket, count: int) -> bytes:
    came = b""
    while len(came) < count:
        came += connection.recv(count - len(came)) or pytest.fail("the client has gone")
    return came


def until(connection: socket.socket, end: bytes) -> bytes:
    came = b""
    while not came.endswith(end):
        came += exactly(connection, 1)
    return came


@contextmanager
def serving(*serve: Callable[[socket.socket], object]) -> Generator[int]:
    """A server that gives one connection to each of these; its port."""
    failures: list[BaseException] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            try:
                for each in serve:
                    with listener.accept()[0] as connection:
                        each(connection)
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(60)
    assert not thread.is_alive()
    assert not failures


SEVEN = b'HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n{"quota":7,"status":true}'
AWAY = b"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n"


def answering(answer: bytes, asked: list[str] | None = None) -> Callable[[socket.socket], None]:
    def serve(connection: socket.socket) -> None:
        head = until(connection, b"\r\n\r\n").decode()
        if asked is not None:
            asked.append(head)
        connection.sendall(answer)

    return serve


def held(connection: socket.socket, release: threading.Event) -> None:
    release.wait(60)
