"""Servers that refuse a blocking client, and certificates."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Generator

import pytest
from client_support import connected
from support import ENDLESS, HELLO, ONCE, PATIENCE, closed_port

from pychatnio import (
    Client,
    Config,
    ConnectError,
    ConnectTimeoutError,
    InvalidArgumentError,
    Loopback,
    RefusedError,
    Status,
    TLSError,
    ThrottledError,
)


def test_throttled() -> None:
    with Loopback(throttle=0) as server:
        with pytest.raises(ThrottledError, match="too many requests") as caught:
            Client(server.url, config=ONCE)
        assert (caught.value.status, caught.value.code) == (Status.THROTTLED, 200)
    with Loopback(throttle=1, pace=0) as server:
        clients: list[Client] = []
        with pytest.raises(ThrottledError):
            for _ in range(100):
                clients.append(Client(server.url, config=ONCE))
        # Who is in stays in.
        assert clients[0].ask("hi", model="anon").text() == "".join(HELLO)
        for client in clients:
            client.close()


@pytest.mark.parametrize(
    ("certificate", "status"),
    [("expired", Status.TLS_EXPIRED), ("wrong-name", Status.TLS_WRONG_NAME)],
)
def test_certificates_that_are_refused(certificate: str, status: Status) -> None:
    with Loopback(tls=True, certificate=certificate) as server:  # type: ignore[arg-type]
        with pytest.raises(TLSError) as caught:
            Client(server.url, "sk-any", config=server.config)
        assert caught.value.status is status


def test_tls() -> None:
    with Loopback(tls=True, pace=0) as server:
        for _ in range(2):
            with Client(server.url, "sk-any", config=server.config) as client:
                assert client.ask("hi", model="hello").text() == "".join(HELLO)
                stream = client.ask("hi", model=ENDLESS)
                for _ in stream:
                    break
        with pytest.raises(TLSError) as caught:
            Client(server.url, "sk-any")
        assert caught.value.status is Status.TLS_UNKNOWN_ISSUER
        with Client(server.url, config=Config(dangerous_accept_any_certificate=True)) as client:
            assert client.ask("hi", model="anon").text() == "".join(HELLO)


@contextlib.contextmanager
def answering(answer: bytes) -> Generator[str, None, None]:
    """A server that answers to whatever comes in, as often as it is asked; gives where it is."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(10_000)
                        connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield "{}:{}".format(*server.getsockname())
        server.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)


def test_a_server_that_speaks_no_tls() -> None:
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as where:
        with pytest.raises(TLSError) as caught:
            Client(f"wss://{where}")
        assert caught.value.status is Status.TLS_NOT_TLS


@pytest.mark.parametrize(
    ("answer", "status", "code", "body"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone", Status.HTTP, 404, "none"),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", Status.HTTP, 302, None),
        (
            b'HTTP/1.1 200 OK\r\nContent-Length: 43\r\n\r\n{"error":"x","reason":"No.","status":false}',
            Status.REFUSED,
            200,
            '{"error":"x","reason":"No.","status":false}',
        ),
        (b"SSH-2.0-OpenSSH\r\n\r\n", Status.BAD_HTTP, None, None),
        (b"HTTP/1.1 429 x\r\nContent-Length: 4\r\n\r\nslow", Status.THROTTLED, 429, "slow"),
        (b"HTTP/1.1 502 x\r\nContent-Length: 4\r\n\r\naway", Status.UNAVAILABLE, 502, "away"),
    ],
)
def test_refused(answer: bytes, status: Status, code: int | None, body: str | None) -> None:
    with answering(answer) as where:
        with pytest.raises(RefusedError) as caught:
            Client(f"ws://{where}", config=ONCE)
        assert caught.value.status is status
        assert (caught.value.code, caught.value.body or None) == (code, body)


def test_a_reconnect_that_is_refused(loopback: Loopback) -> None:
    # A proxy on the way that lets nobody through any more.
    with connected(loopback) as sock, Client(loopback.url, "sk-any", sock=sock) as client:
        with answering(b"HTTP/1.1 503 Gone\r\nContent-Length: 4\r\n\r\nlate") as where:
            host, _, port = where.partition(":")
            with socket.create_connection((host, int(port))) as other, pytest.raises(RefusedError) as caught:
                client.reconnect(other)
        assert (caught.value.status, caught.value.code, caught.value.body) == (Status.UNAVAILABLE, 503, "late")
        # What is asked now is told the same.
        with pytest.raises(RefusedError) as again:
            client.ask("hi")
        assert (again.value.code, again.value.body) == (503, "late")
        with connected(loopback) as sock_again:
            client.reconnect(sock_again)
        assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_nobody_listens() -> None:
    with closed_port() as port, pytest.raises(ConnectError) as caught:
        Client(f"ws://127.0.0.1:{port}", config=ONCE)
    assert caught.value.status is Status.CONNECT
    assert isinstance(caught.value, ConnectionError)


def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"ws://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(ConnectTimeoutError) as caught:
            Client(url, config=Config(handshake=0.05))
        assert caught.value.status is Status.HANDSHAKE_TIMEOUT
        assert isinstance(caught.value, TimeoutError)


def test_a_server_that_takes_nobody() -> None:
    with contextlib.ExitStack() as sockets:
        server = sockets.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        # Its queue is full then, and further attempts are not answered.
        for _ in range(8):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        with pytest.raises(ConnectTimeoutError) as caught:
            Client(f"ws://127.0.0.1:{server.getsockname()[1]}", config=Config(connect=0.1))
        assert caught.value.status is Status.CONNECT_TIMEOUT


def test_a_host_that_is_not_there() -> None:
    # No name server is asked about a label that is too long.
    with pytest.raises(ConnectError) as caught:
        Client(f"ws://{'x' * 64}.invalid")
    assert caught.value.status is Status.RESOLVE


@pytest.mark.parametrize("url", ["", "ftp://x", "ws://a b", "ws://\ud800"])
def test_urls_that_cannot_be(url: str) -> None:
    with pytest.raises(InvalidArgumentError):
        Client(url)
