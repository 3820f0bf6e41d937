"""What stands between a client and its server: gateways that refuse, proxies, addresses that do not answer."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
import uvloop
from aio_support import handshake, listening, until
from pychatnio import (
    AsyncClient,
    Client,
    Config,
    ConnectError,
    ConnectionClosedError,
    InvalidArgumentError,
    Loopback,
    RefusedError,
    Status,
    UnavailableError,
)
from pychatnio._dial import connected
from pychatnio.aio.link import Link
from support import ONCE, Run

MOVED = b"HTTP/1.1 301 x\r\nLocation: https://elsewhere.example/api\r\nContent-Length: 0\r\n\r\n"
AWAY = b"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n"
LATER = b"HTTP/1.1 503 x\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n"
SOON = b"HTTP/1.1 503 x\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"
GONE = b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n"
BUSY = b"HTTP/1.1 429 x\r\nRetry-After: 700\r\nWWW-Authenticate: Basic realm=a\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def answering(*answers: bytes) -> Generator[str, None, None]:
    """A server that gives each connection one of these, and its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for answer in answers:
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
        error = refused(f"ws://{address}", ONCE, is_asyncio)
        assert isinstance(error, RefusedError)
        assert (error.status, error.retry_after, error.www_authenticate) == (Status.THROTTLED, 700.0, "Basic realm=a")


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


@pytest.mark.parametrize("kind", [asyncio.SelectorEventLoop, uvloop.Loop], ids=["asyncio", "uvloop"])
def test_an_address_that_does_not_answer_does_not_hold_up_the_next(kind: type[asyncio.AbstractEventLoop]) -> None:
    # Its queue is full, so that what comes is dropped.
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen(0)
    filling = [socket.socket() for _ in range(8)]
    for sock in filling:
        sock.setblocking(False)
        sock.connect_ex(silent.getsockname())
    good = socket.create_server(("127.0.0.1", 0))

    async def look_up(_: object, host: str, port: int, **__: Any) -> list[Any]:
        # uvloop looks addresses up, too.
        found = [at.getsockname() for at in (silent, good)] if host == "two.example" else [(host, port)]
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", at) for at in found]

    async def race() -> socket.socket:
        return await asyncio.wait_for(connected("two.example", 1), 60)

    # Nothing can be set in a loop of uvloop's.
    loop: asyncio.AbstractEventLoop = type("Loop", (kind,), {"getaddrinfo": look_up})()
    with loop.run_until_complete(race()) as sock:
        assert sock.getpeername() == good.getsockname()
    loop.close()
    for each in (silent, good, *filling):
        each.close()


@pytest.mark.parametrize("is_asyncio", [False, True])
@pytest.mark.parametrize(
    ("answers", "retries"),
    [
        ([AWAY, b"", GONE], None),
        ([AWAY, b"", AWAY], None),
        ([AWAY, AWAY], 1),
        ([AWAY], 0),
        ([LATER], 5),
        ([GONE], 5),
    ],
)
def test_connecting_is_tried_again_where_that_may_help(
    answers: list[bytes], retries: int | None, is_asyncio: bool
) -> None:
    with answering(*answers) as address:
        error = refused(f"ws://{address}", Config(connect_retries=retries), is_asyncio)
        assert isinstance(error, RefusedError)
        assert error.code == (404 if answers[-1] is GONE else 503)


def test_a_later_try_connects(run: Run[None]) -> None:
    times: list[float] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        times.append(time.monotonic())
        if len(times) == 1:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(BUSY.replace(b"Retry-After: 700\r\n", b""))
        elif len(times) > 2:
            await handshake(reader, writer)
            await reader.read()

    async def main() -> None:
        async with listening(serve) as url, AsyncClient(url) as client:
            assert client.is_connected
            assert len(times) == 3
            # It counts what it refuses, too: never sooner.
            assert times[1] - times[0] >= 1.1

    run(main())


@pytest.mark.parametrize("is_asyncio", [False, True])
def test_without_a_deadline_nobody_waits_an_hour(is_asyncio: bool) -> None:
    with answering(LATER) as address:
        error = refused(f"ws://{address}", Config(connect=0, handshake=0), is_asyncio)
        assert (error.status, error.retry_after) == (Status.UNAVAILABLE, 3600.0)


@pytest.mark.parametrize("is_asyncio", [False, True])
@pytest.mark.parametrize(("answer", "status"), [(BUSY, Status.THROTTLED), (LATER, Status.UNAVAILABLE)])
def test_a_proxy_says_when_to_come_back(answer: bytes, status: Status, is_asyncio: bool) -> None:
    with answering(answer) as address:
        error = refused("ws://chat.example", Config(proxy=f"http://{address}"), is_asyncio)
        assert (error.status, error.retry_after) == (status, 3600.0 if answer is LATER else 700.0)
        assert f"the proxy http://{address} answered HTTP" in str(error)


@pytest.mark.parametrize("is_asyncio", [False, True])
def test_all_tries_have_one_deadline(is_asyncio: bool) -> None:
    # The second has no answer, and less time than its own handshake. It is made also where the machine stands still for a while.
    config = Config(connect=1, handshake=8, connect_retries=9)
    listener = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def serve() -> None:
        for answer in (SOON, b""):
            sock, _ = listener.accept()
            kept.append(sock)
            sock.recv(4096)
            sock.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    error = refused("ws://{}:{}".format(*listener.getsockname()), config, is_asyncio)
    thread.join(60)
    for each in (listener, *kept):
        each.close()
    # What it has been told says more than that the time was over.
    assert isinstance(error, UnavailableError)
    assert (error.code, error.retry_after) == (503, 2.0)
    assert len(kept) == 2


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_the_wait_for_the_next_try_is_left_at_once(run: Run[None], is_cancelled: bool) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(LATER.replace(b"3600", b"60"))

    async def main() -> None:
        async with listening(serve) as url:
            client = AsyncClient(url, config=Config(connect=500))
            task = asyncio.create_task(client.connect())
            await until(lambda: client._driver._link is not None)
            first = client._driver._link
            await until(lambda: client._driver._link is not first)
            with pytest.raises(InvalidArgumentError, match="connecting already"):
                await client.connect()
            if is_cancelled:
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asyncio.wait_for(task, 60)
            else:
                await client.close()
                with pytest.raises(ConnectionClosedError, match="was closed"):
                    await asyncio.wait_for(task, 60)

    run(main())


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_client_that_is_used_when_a_try_has_just_failed_makes_no_other(
    run: Run[None], monkeypatch: pytest.MonkeyPatch, is_closed: bool
) -> None:
    asked: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(writer)
        if len(asked) == 1:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(AWAY)
        else:
            await handshake(reader, writer)
            await reader.read()

    async def main() -> None:
        async with listening(serve) as url:
            client = AsyncClient(url)
            uses: list[asyncio.Task[object]] = []

            def end(link: Link, error: Exception, retry_cause: int | None = None) -> None:
                # Before the task that connects hears of it.
                if not uses:
                    uses.append(asyncio.create_task(client.close() if is_closed else client.connect()))
                plain(link, error, retry_cause)

            plain = Link.end
            monkeypatch.setattr(Link, "end", end)
            try:
                with pytest.raises(UnavailableError):
                    await asyncio.wait_for(client.connect(), 60)
                await asyncio.wait_for(uses[0], 60)
                assert client.is_connected is not is_closed
                assert len(asked) == (1 if is_closed else 2)
            finally:
                await client.close()

    run(main())


def test_clients_of_one_configuration_share_their_places(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        config = Config(connects_per_second=1)
        began = time.monotonic()
        clients = [AsyncClient(loopback.url, config=config) for _ in range(3)]
        await asyncio.gather(*(client.connect() for client in clients))
        assert time.monotonic() - began >= 2
        await asyncio.gather(*(client.close() for client in clients))

    run(main())


def test_a_given_socket_is_used_once(run: Run[None]) -> None:
    async def main(address: str) -> None:
        host, _, port = address.partition(":")
        sock = socket.create_connection((host, int(port)))
        with pytest.raises(RefusedError):
            await AsyncClient(f"ws://{address}").connect(sock=sock)

    with answering(AWAY) as address:
        run(main(address))
