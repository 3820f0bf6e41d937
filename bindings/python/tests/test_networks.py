"""What stands between a client and its server: gateways that refuse, proxies, addresses that do not answer."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from pychatnio import AsyncClient, Client, Config, ConnectError, InvalidArgumentError, RefusedError, Status
from pychatnio._dial import connected

MOVED = b"HTTP/1.1 301 x\r\nLocation: https://elsewhere.example/api\r\nContent-Length: 0\r\n\r\n"
BUSY = b"HTTP/1.1 429 x\r\nRetry-After: 7\r\nWWW-Authenticate: Basic realm=a\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def answering(answer: bytes, times: int = 1) -> Generator[str, None, None]:
    """A server that answers every request so, and its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(times):
            sock, _ = listener.accept()
            with sock:
                request = b""
                while not request.endswith(b"\r\n\r\n"):
                    request += sock.recv(4096)
                sock.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield "{}:{}".format(*listener.getsockname())
    finally:
        thread.join(60)
        listener.close()
    assert not thread.is_alive()


def refused(url: str, config: Config, is_asyncio: bool) -> ConnectError:
    async def connect() -> None:
        async with AsyncClient(url, config=config):
            pass

    with pytest.raises(ConnectError) as caught:
        asyncio.run(connect()) if is_asyncio else Client(url, config=config)
    return caught.value


@pytest.mark.parametrize("is_asyncio", [False, True])
def test_a_refusal_says_where_to_and_when(is_asyncio: bool) -> None:
    with answering(MOVED) as address:
        error = refused(f"ws://{address}/chat?key=s3cret", Config(), is_asyncio)
        assert isinstance(error, RefusedError)
        assert (error.code, error.location) == (301, "https://elsewhere.example/api")
        assert "https://elsewhere.example/api" in str(error)
        assert "s3cret" not in str(error)
    with answering(BUSY) as address:
        error = refused(f"ws://{address}", Config(), is_asyncio)
        assert isinstance(error, RefusedError)
        assert (error.status, error.retry_after, error.www_authenticate) == (Status.THROTTLED, 7.0, "Basic realm=a")


@pytest.mark.parametrize("is_asyncio", [False, True])
def test_a_proxy_that_wants_a_password(is_asyncio: bool) -> None:
    with answering(b"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic\r\n\r\n") as address:
        config = Config(proxy=f"http://me:s3cret@{address}")
        error = refused("wss://chat.example", config, is_asyncio)
        assert error.status is Status.PROXY_AUTH
        assert "s3cret" not in f"{error} {config!r}"


def test_a_proxy_that_is_none() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        Config(proxy="gopher://s3cret@x")
    assert caught.value.status is Status.BAD_PROXY
    assert "s3cret" not in str(caught.value)


def test_an_address_that_does_not_answer_does_not_hold_up_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    # Its queue is full, so that what comes is dropped.
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen(0)
    filling = [socket.socket() for _ in range(8)]
    for sock in filling:
        sock.setblocking(False)
        sock.connect_ex(silent.getsockname())
    good = socket.create_server(("127.0.0.1", 0))

    async def look_up(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", at.getsockname()) for at in (silent, good)]

    async def race() -> socket.socket:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
        return await asyncio.wait_for(connected("two.example", 1), 60)

    with asyncio.run(race()) as sock:
        assert sock.getpeername() == good.getsockname()
    for each in (silent, good, *filling):
        each.close()
