"""The companion calls on the way: proxies, certificates, tries and deadlines, of both clients."""

from __future__ import annotations

import asyncio
import base64
import errno
import gc
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rest_support import AWAY, Caller, KEY, SEVEN, answering, blocking, exactly, held, on_asyncio, serving, until
from support import closed_port

from pychatnio import (
    Auth,
    CallError,
    CallRefusedError,
    Config,
    Connection,
    ConnectError,
    ConnectionClosedError,
    ConnectTimeoutError,
    InvalidArgumentError,
    KeyRejectedError,
    Loopback,
    ProxyError,
    Status,
    TLSError,
    rest,
)
from pychatnio._endpoint import Url
from pychatnio.rest.server import Server, Tries

def relay(inside: socket.socket, host: str, port: int) -> None:
    def copy(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    with socket.create_connection((host, port)) as outside:
        thread = threading.Thread(target=copy, args=(outside, inside))
        thread.start()
        copy(inside, outside)
        thread.join(60)


def http_proxy(inside: socket.socket) -> None:
    head = until(inside, b"\r\n\r\n").decode()
    given = base64.b64encode(b"m\xc3\xa9:s:ecret").decode()
    assert f"\r\nProxy-Authorization: Basic {given}\r\n" in head
    assert KEY not in head
    method, target, _ = head.split(" ", 2)
    assert method == "CONNECT"
    host, _, port = target.rpartition(":")
    inside.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    relay(inside, host, int(port))


def socks_proxy(kind: int, credentials: bytes) -> Callable[[socket.socket], None]:
    def serve(inside: socket.socket) -> None:
        methods = exactly(inside, exactly(inside, 2)[1])
        if credentials:
            assert 2 in methods
            inside.sendall(b"\x05\x02")
            assert exactly(inside, len(credentials)) == credentials
            inside.sendall(b"\x01\x00")
        else:
            inside.sendall(b"\x05\x00")
        assert exactly(inside, 4) == bytes([5, 1, 0, kind])
        host = exactly(inside, exactly(inside, 1)[0]).decode() if kind == 3 else socket.inet_ntoa(exactly(inside, 4))
        port = int.from_bytes(exactly(inside, 2), "big")
        inside.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x01")
        relay(inside, host, port)

    return serve


def roots(server: Loopback) -> Path:
    return server._folder / "roots.pem"


@pytest.mark.parametrize(
    ("scheme", "credentials", "serve"),
    [
        ("http", "m%C3%A9:s%3Aecret@", http_proxy),
        ("socks5h", "", socks_proxy(3, b"")),
        ("socks5h", "me:hush@", socks_proxy(3, b"\x01\x02me\x04hush")),
        ("socks5", "", socks_proxy(1, b"")),
    ],
    ids=["http", "socks5h", "socks5h with a password", "socks5"],
)
def test_a_proxy_is_gone_through(
    made: Caller, scheme: str, credentials: str, serve: Callable[[socket.socket], None]
) -> None:
    with Loopback(tls=True) as server, serving(serve) as port:
        config = Config(
            proxy=f"{scheme}://{credentials}127.0.0.1:{port}", trust="added", root_files=[roots(server)]
        )
        assert made(server.url, rest.quota(), config=config) == 500.0


@pytest.mark.parametrize(
    ("scheme", "answer", "status"),
    [
        ("http", b"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic\r\n\r\n", Status.PROXY_AUTH),
        ("http", b"HTTP/1.1 401 x\r\n\r\n", Status.PROXY_AUTH),
        ("http", b"HTTP/1.1 407 x\r\nContent-Length: 4\r\n\r\npage", Status.PROXY_AUTH),
        ("http", b"HTTP/1.1 403 x\r\n\r\n", Status.PROXY_REFUSED),
        ("http", b"HTTP/1.1 403 x\r\n\r\n<html>\n\n</html>", Status.PROXY_REFUSED),
        ("http", b"HTTP/1.0 403 x\n\n", Status.PROXY_REFUSED),
        ("http", b"SSH-2.0-x\r\n", Status.NOT_A_PROXY),
        ("http", b"HTTP/1.1 " + b"9" * 5000 + b" x\r\n\r\n", Status.NOT_A_PROXY),
        ("socks5h", b"\x05\xff", Status.PROXY_AUTH),
        ("socks5h", b"\x05\x00\x05\x05\x00\x01", Status.PROXY_REFUSED),
        ("socks5h", b"HTTP/1.1 400 x\r\n\r\n", Status.NOT_A_PROXY),
    ],
)
def test_a_proxy_that_refuses_is_named(made: Caller, scheme: str, answer: bytes, status: Status) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(3)
        connection.sendall(answer)
        # Until the client goes: what it sent and was not read would take the answer back.
        while connection.recv(65536):
            pass

    with serving(serve) as port:
        config = Config(proxy=f"{scheme}://127.0.0.1:{port}")
        with pytest.raises(ProxyError) as raised:
            made("ws://localhost:1", rest.quota(), config=config)
    assert raised.value.status == status
    assert f"{scheme}://127.0.0.1:{port}" in str(raised.value)


@pytest.mark.parametrize("early", [b"it speaks early", b"!", b"\r\n"])
def test_what_speaks_before_it_is_asked_is_no_server(made: Caller, early: bytes) -> None:
    with serving(answering(b"HTTP/1.1 200 x\r\n\r\n" + early)) as port, pytest.raises(ConnectError) as raised:
        made("ws://localhost:1", rest.quota(), config=Config(proxy=f"http://127.0.0.1:{port}"))
    assert raised.value.status == Status.BAD_HTTP


@pytest.mark.parametrize("host", ["a..b", "a" * 256])
def test_a_name_is_the_proxys_to_look_up(made: Caller, host: str) -> None:
    def serve(connection: socket.socket) -> None:
        exactly(connection, 3)
        connection.sendall(b"\x05\x00\x05\x04\x00\x01")
        while connection.recv(65536):
            pass

    with serving(serve) as port, pytest.raises(ProxyError) as raised:
        config = Config(proxy=f"socks5h://127.0.0.1:{port}", connect_retries=0)
        made(f"ws://{host}", rest.quota(), config=config, allow_token_over_plain_ws=True)
    assert raised.value.status == Status.PROXY_REFUSED


def test_a_name_that_is_looked_up_for_a_proxy_is_named(made: Caller) -> None:
    with pytest.raises(ConnectError, match=r"cannot look up a\.\.b:"):
        config = Config(proxy="socks5://127.0.0.1:1", connect_retries=0)
        made("ws://a..b", rest.quota(), config=config, allow_token_over_plain_ws=True)


def test_certificates_are_those_of_the_settings(made: Caller) -> None:
    with Loopback(tls=True) as server:
        pem = roots(server).read_bytes()
        for trusting in (
            Config(trust="added", root_files=[roots(server)]),
            Config(roots=[pem]),
            Config(roots=[ssl.PEM_cert_to_DER_cert(pem.decode())]),
            Config(dangerous_accept_any_certificate=True),
        ):
            assert made(server.url, rest.quota(), config=trusting) == 500.0
        for distrusting in (None, Config(), Config(trust="added")):
            with pytest.raises(TLSError) as raised:
                made(server.url, rest.quota(), config=distrusting)
            assert raised.value.status == Status.TLS_CERTIFICATE
        with pytest.raises(InvalidArgumentError, match="wall_clock"):
            made(server.url, rest.quota(), config=Config(wall_clock=0))
    with serving(lambda connection: connection.sendall(b"HTTP/1.1 400 x\r\n\r\n" + connection.recv(1)[:0])) as port:
        with pytest.raises(TLSError) as raised:
            made(f"wss://127.0.0.1:{port}", rest.quota())
        assert raised.value.status in (Status.TLS_NOT_TLS, Status.TLS)


@pytest.mark.parametrize("first", [b"HTTP/1.1 502 x\r\n\r\n", b"HTTP/1.1 429 x\r\n\r\n", b"HTTP/1.1 2", b""])
def test_what_a_proxy_could_do_better_is_tried_again(made: Caller, first: bytes) -> None:
    way = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"

    def opens(connection: socket.socket) -> None:
        until(connection, b"\r\n\r\n")
        connection.sendall(way)
        answering(SEVEN)(connection)

    with serving(answering(first), opens) as port:
        config = Config(proxy=f"http://127.0.0.1:{port}", connect_retries=1)
        assert made("ws://localhost:1", rest.quota(), config=config) == 7.0


def test_a_proxy_says_when_to_come_back(made: Caller) -> None:
    with serving(answering(b"HTTP/1.1 503 x\r\nRetry-After: 50\r\n\r\n")) as port, pytest.raises(ConnectError) as raised:
        made("ws://localhost:1", rest.quota(), config=Config(proxy=f"http://127.0.0.1:{port}"))
    assert raised.value.retry_after == 50
    assert raised.value.is_retryable


@pytest.mark.parametrize("first", [b"HTTP/1.1 403 x\r\n\r\n", b"HTTP/1.1 407 x\r\n\r\n", b"SSH-2.0\r\n"])
def test_what_a_proxy_says_for_good_is_not(made: Caller, first: bytes) -> None:
    with serving(answering(first)) as port, pytest.raises(ProxyError):
        config = Config(proxy=f"http://127.0.0.1:{port}", connect_retries=1)
        made("ws://localhost:1", rest.quota(), config=config)


def test_a_try_that_runs_out_of_time_does_not_hide_what_the_one_before_failed_by(made: Caller) -> None:
    released = threading.Event()
    with serving(answering(AWAY), lambda connection: held(connection, released)) as port:
        try:
            with pytest.raises(CallError) as raised:
                # Long enough for the first answer, should the machine stand still meanwhile.
                made(f"ws://127.0.0.1:{port}", rest.quota(), timeout=6)
        finally:
            released.set()
    assert raised.value.code == 503


@pytest.mark.parametrize("module", ["client.connected_blocking", "aio.connected"])
def test_a_network_that_is_silent_is_not_a_limit_of_the_clients(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = blocking if module.startswith("client") else on_asyncio

    def refuse(*_: object) -> None:
        raise OSError(errno.ETIMEDOUT, "the system's words")

    monkeypatch.setattr(f"pychatnio.rest.{module}", refuse)
    with pytest.raises(ConnectError, match="the system's words") as raised:
        made("ws://localhost:1", rest.quota(), config=Config(connect_retries=0))
    assert raised.value.status is Status.CONNECT


def test_what_only_reads_is_tried_again_and_nothing_else_is(made: Caller) -> None:
    config = Config(connect_retries=2)
    with serving(answering(AWAY), answering(b""), answering(SEVEN)) as port:
        assert made(f"ws://127.0.0.1:{port}", rest.quota(), config=config) == 7.0
    with serving(answering(AWAY), answering(AWAY)) as port:
        with pytest.raises(CallError):
            made(f"ws://127.0.0.1:{port}", rest.quota(), config=Config(connect_retries=1))
    for call in (rest.delete_conversation(1), rest.buy(1)):
        with serving(answering(AWAY)) as port, pytest.raises(CallError):
            made(f"ws://127.0.0.1:{port}", call, config=config)


def test_a_try_that_cannot_be_in_time_is_not_made(made: Caller) -> None:
    # It is to come later than the whole call may last.
    busy = AWAY.replace(b"Content", b"Retry-After: 90\r\nContent")
    with serving(answering(busy)) as port, pytest.raises(CallError):
        made(f"ws://127.0.0.1:{port}", rest.quota(), config=Config(connect_retries=5), timeout=60)


@pytest.mark.parametrize(("status", "first"), [(429, 1.1), (503, 0.5)])
def test_a_gateways_throttling_is_waited_for_as_the_servers(made: Caller, status: int, first: float) -> None:
    refusal = b"HTTP/1.1 %d x\r\nContent-Length: 0\r\n\r\n" % status
    with serving(answering(refusal)) as port, pytest.raises(CallError) as caught:
        made(f"ws://127.0.0.1:{port}", rest.quota(), config=Config(connect_retries=0))
    assert caught.value.code == status
    tries = Tries(Server(Url(f"ws://127.0.0.1:{port}"), Auth(), Config(connect_retries=1), 30.0, None, False), rest.quota())
    wait = tries.failed(caught.value)
    assert wait is not None
    assert first <= wait <= 1.5 * first


def test_without_a_limit_it_takes_as_long_as_it_takes(made: Caller) -> None:
    with serving(answering(SEVEN)) as port:
        assert made(f"ws://127.0.0.1:{port}", rest.quota(), timeout=0) == 7.0
    for impossible in (-1, float("nan"), float("inf")):
        with pytest.raises(InvalidArgumentError, match="timeout"):
            made(f"ws://127.0.0.1:{port}", rest.quota(), timeout=impossible)


def test_it_is_tried_again_when_the_gateway_wants_it(made: Caller) -> None:
    busy = b"HTTP/1.1 503 x\r\n%s\r\nContent-Length: 0\r\n\r\n"
    date = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:%d:37 GMT"
    oldest = date.replace(b"Sun, 06 Nov 1994 08:%d:37 GMT", b"Sun Nov  6 08:59:37 1994")
    endless = date.replace(b"GMT", b"+9999999999999999") % 59
    long = b"Retry-After: " + b"9" * 5000
    for headers, after in (
        (b"Retry-After: 600", 600),
        (date % 59, 600),
        (date % 40, 0),
        (oldest, 600),
        (endless, None),
        (b"Retry-After: \xb2", None),
        (long, 999_999_999),
    ):
        with serving(answering(busy % headers)) as port, pytest.raises(CallError) as caught:
            made(f"ws://127.0.0.1:{port}", rest.quota(), config=Config(connect_retries=5), timeout=1)
        assert caught.value.retry_after == after


def test_the_urls_query_goes_along_and_shows_in_no_error(made: Caller) -> None:
    asked: list[str] = []
    said = b'{"status":false,"message":"no: /quota?key=open%20sesame&amp;x open sesame"}'
    refusal = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said)
    with serving(answering(refusal, asked), answering(SEVEN, asked), answering(SEVEN, asked)) as port:
        url = f"ws://127.0.0.1:{port}/api?key=open%20sesame&x"
        with pytest.raises(CallError) as caught:
            made(url, rest.quota())
        assert "no: /quota?... ..." in str(caught.value)
        assert made(url, rest.quota()) == 7.0
        with pytest.raises(CallError):
            made(url, rest.conversation(7))
    lines = [head.split("\r\n")[0] for head in asked]
    assert lines[:2] == ["GET /api/quota?key=open%20sesame&x HTTP/1.1"] * 2
    assert lines[2].endswith("?id=7&key=open%20sesame&x HTTP/1.1")


@pytest.mark.parametrize(
    "url",
    [
        "ws://127.evil.example",
        "ws://chat.example",
        "wss://h:0",
        "wss://me:sk-secret@h",
        "wss://h#f",
        "ftp://h",
        "sk-secret",
        "ws://127.0.0.1/a b",
        "ws://127.0.0.1/a\tb",
        "ws://127.0.0.1?key=open sesame",
        "",
    ],
)
def test_a_url_is_refused_as_by_the_chat(url: str) -> None:
    with pytest.raises(InvalidArgumentError) as expected:
        Connection(url, KEY)
    for client in (rest.Client, rest.AsyncClient):
        with pytest.raises(InvalidArgumentError) as raised:
            client(url, KEY)
        assert (raised.value.status, str(raised.value)) == (expected.value.status, str(expected.value))


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("WSS://H/API/", "h:443/API"),
        ("h", "h:443"),
        ("https://h:80/api?key=1", "h:80/api"),
        ("ws://[::1]/chat", "::1:80"),
        ("http://localhost.:8094/\u00e9", "localhost.:8094/%C3%A9"),
        ("wss://m\u00fcnchen.example", "xn--mnchen-3ya.example:443"),
    ],
)
def test_a_url_is_read_as_by_the_chat(url: str, place: str) -> None:
    assert repr(rest.Client(url, KEY)) == f"<Client {place}>"


def test_a_name_that_only_looks_like_loopback_goes_by_the_proxy(
    made: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(answering(b"HTTP/1.1 403 x\r\n\r\n")) as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        url = "ws://127.chat.example"
        with pytest.raises(ProxyError):
            made(url, rest.quota(), config=Config(proxy_from_env=url), allow_token_over_plain_ws=True)


@pytest.mark.parametrize(
    ("query", "said", "error", "shown"),
    [
        ("user=me", '"user not found"', KeyRejectedError, "... not found"),
        ("status=false&key=open-sesame", '"no open-sesame"', CallRefusedError, "no ..."),
        ("key=open/sesame", r'"no open\/s\u0065same"', CallRefusedError, "no ..."),
        ("key=open-sesame", f'"{"x" * 4088}open-sesame"', CallRefusedError, f"{'x' * 4088}..."),
    ],
    ids=["a field's words", "fields' names", "written in JSON", "cut"],
)
def test_a_query_changes_no_answer_and_shows_in_none(
    made: Caller, query: str, said: str, error: type[CallError], shown: str
) -> None:
    answer = f'HTTP/1.1 200 OK\r\n\r\n{{"status":false,"message":{said}}}'.encode()
    with serving(answering(answer)) as port, pytest.raises(error) as caught:
        made(f"ws://127.0.0.1:{port}?{query}", rest.conversations())
    assert caught.value.words == shown
    assert str(caught.value).endswith(shown)


def test_a_key_goes_openly_to_this_machine_alone() -> None:
    for host in ("127.0.0.1", "localhost", "localhost.", "a.LOCALHOST", "[::1]", "[::ffff:127.0.0.1]"):
        rest.Client(f"ws://{host}", KEY)
    for host in ("127.example", "127.0.0.1.example", "128.0.0.1", "notlocalhost", "[::2]", "0.0.0.0"):
        for client in (rest.Client, rest.AsyncClient):
            with pytest.raises(InvalidArgumentError) as raised:
                client(f"ws://{host}", KEY)
            assert raised.value.status == Status.PLAIN_TOKEN
    for client in (rest.Client, rest.AsyncClient):
        client("ws://localhost", KEY, config=Config(proxy="http://127.0.0.1:3128"))
        client("wss://localhost", KEY, config=Config(proxy="http://proxy.example:3128"))
        client("ws://localhost", config=Config(proxy="http://proxy.example:3128"))
        with pytest.raises(InvalidArgumentError, match=r"proxy\.example") as raised:
            client("ws://localhost", KEY, config=Config(proxy="http://proxy.example:3128"))
        assert raised.value.status == Status.PLAIN_TOKEN


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.example"])
def test_what_is_no_name_is_not_found(made: Caller, host: str) -> None:
    with pytest.raises(ConnectError) as raised:
        made(f"ws://{host}", rest.quota(), allow_token_over_plain_ws=True)
    assert raised.value.status == Status.RESOLVE


def test_a_look_up_that_hangs_is_left(made: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hangs(*_arguments: object, **_named: object) -> list[object]:
        released.wait(60)
        return []

    async def on_its_loop(url: str, call: rest.Call[float], **settings: Any) -> float:
        try:
            return await rest.AsyncClient(url, KEY, **settings).call(call)
        finally:
            # The end of `asyncio.run` waits for the thread that looks names up.
            released.set()

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    config = Config(connect=0.05, connect_retries=0)
    try:
        with pytest.raises(ConnectTimeoutError):
            if made is on_asyncio:
                asyncio.run(on_its_loop("wss://h.example", rest.quota(), config=config))
            else:
                made("wss://h.example", rest.quota(), config=config)
    finally:
        released.set()


def test_the_settings_headers_go_along(made: Caller) -> None:
    asked: list[str] = []
    with serving(answering(SEVEN, asked)) as port:
        made(f"ws://127.0.0.1:{port}", rest.quota(), config=Config(headers={"X-Gate": "open"}))
        (head,) = asked
        lines = head.split("\r\n")
    assert lines[0] == "GET /quota HTTP/1.1"
    for line in (f"Host: 127.0.0.1:{port}", "X-Gate: open", f"Authorization: Bearer {KEY}", "Accept: application/json"):
        assert lines.count(line) == 1
    assert any(line.startswith("User-Agent: chatnio/") for line in lines)


def test_a_server_that_goes_during_the_tls_handshake_is_lost(made: Caller) -> None:
    def goes(connection: socket.socket) -> None:
        connection.recv(65536)

    with serving(goes, goes) as port:
        with pytest.raises(ConnectionClosedError, match="during the TLS handshake") as raised:
            made(f"wss://127.0.0.1:{port}", rest.quota(), config=Config(connect_retries=1))
    assert raised.value.status == Status.END_OF_STREAM
    assert raised.value.is_retryable


def test_who_is_cancelled_twice_leaves_no_socket() -> None:
    async def main(url: str) -> None:
        client = rest.AsyncClient(url, KEY)
        for steps in range(400):
            call = asyncio.ensure_future(client.call(rest.quota()))
            # Each of these is a moment of its own.
            for _ in range(steps % 40):
                await asyncio.sleep(0)
            for _ in range(2):
                call.cancel()
                await asyncio.sleep(0)
            with pytest.raises(asyncio.CancelledError):
                await call

    # The system accepts for it.
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        asyncio.run(main(f"ws://127.0.0.1:{listener.getsockname()[1]}"))
        # What was left would warn now.
        gc.collect()


def test_the_handshakes_are_bounded(made: Caller) -> None:
    released = threading.Event()
    with serving(lambda connection: held(connection, released)) as port:
        try:
            with pytest.raises(ConnectTimeoutError) as raised:
                made(f"wss://127.0.0.1:{port}", rest.quota(), config=Config(handshake=0.05))
            assert raised.value.status == Status.HANDSHAKE_TIMEOUT
        finally:
            released.set()


def test_nobody_there(made: Caller) -> None:
    with closed_port() as port, pytest.raises(ConnectError) as raised:
        made(f"ws://127.0.0.1:{port}", rest.quota())
    assert raised.value.status == Status.CONNECT
    assert raised.value.is_retryable


def test_an_address_that_does_not_answer_holds_nothing_up(made: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    # Its queue is full, and what comes is dropped.
    silent = socket.create_server(("127.0.0.1", 0), backlog=0)
    filling: list[socket.socket] = []
    for _ in range(8):
        filling.append(socket.socket())
        filling[-1].setblocking(False)
        filling[-1].connect_ex(silent.getsockname())
    with serving(answering(SEVEN)) as port:
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", address)
            for address in (silent.getsockname(), ("127.0.0.1", port))
        ]

        def both(*_arguments: object, **_named: object) -> list[object]:
            return list(found)

        monkeypatch.setattr(socket, "getaddrinfo", both)
        assert made(f"ws://127.0.0.1:{port}", rest.quota()) == 7.0

    def one(*_arguments: object, **_named: object) -> list[object]:
        return [found[0]]

    monkeypatch.setattr(socket, "getaddrinfo", one)
    with pytest.raises(ConnectTimeoutError):
        made(f"ws://127.0.0.1:{port}", rest.quota(), config=Config(connect=0.1))
    for sock in (silent, *filling):
        sock.close()


def test_an_address_that_the_system_refuses_at_once_is_passed_over(
    made: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(answering(SEVEN)) as port:
        # As those of IPv6 are where there is none: no TCP goes to the first, and there are no sockets of the second kind.
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("255.255.255.255", port)),
            (255, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)),
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)),
        ]

        def all_of_them(*_arguments: object, **_named: object) -> list[object]:
            return list(found)

        monkeypatch.setattr(socket, "getaddrinfo", all_of_them)
        assert made(f"ws://127.0.0.1:{port}", rest.quota()) == 7.0

    del found[2]
    with pytest.raises(ConnectError) as raised:
        made(f"ws://127.0.0.1:{port}", rest.quota(), config=Config(connect_retries=0))
    assert raised.value.status == Status.CONNECT


def test_the_proxy_of_the_environment(made: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answering(b"HTTP/1.1 403 x\r\n\r\n")) as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        url = "wss://chat.example"
        with pytest.raises(ProxyError):
            made(url, rest.quota(), config=Config(proxy_from_env=url))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    with Loopback() as server:
        assert made(server.url, rest.quota(), config=Config(proxy_from_env=server.url)) == 500.0


def test_a_call_whose_task_is_cancelled_is_broken_off() -> None:
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        until(connection, b"\r\n\r\n")
        begun.set()
        assert connection.recv(1) == b""
        ended.set()

    begun = threading.Event()

    async def main(port: int) -> None:
        client = rest.AsyncClient(f"ws://127.0.0.1:{port}", KEY)
        task = asyncio.create_task(client.call(rest.quota()))
        await asyncio.to_thread(begun.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(ended.wait, 60)

    with serving(serve) as port:
        asyncio.run(main(port))
