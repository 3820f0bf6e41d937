"""Where the answer to a companion call ends, and what is none, of both clients."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest
from rest_support import Caller, SEVEN, answering, held, serving, until

from pychatnio import (
    CallError,
    Config,
    ConnectionClosedError,
    RefusedError,
    Status,
    rest,
)
from pychatnio.rest.answer import Answering

BODY = b'{"quota":7,"status":true}'
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def staying(answer: bytes, released: threading.Event, at_once: bool = True) -> Callable[[socket.socket], None]:
    """Answers, and does not end the connection."""

    def serve(connection: socket.socket) -> None:
        until(connection, b"\r\n\r\n")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in [answer] if at_once else [answer[i : i + 1] for i in range(len(answer))]:
            connection.sendall(piece)
        held(connection, released)

    return serve


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(
    "answer",
    [
        SEVEN,
        SEVEN.replace(b"\r\n", b"\n"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + SEVEN,
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 2 + SEVEN,
        OK + b"Content-Length: 25\r\ncontent-length: 25\r\n\r\n" + BODY,
        CHUNKED + b"5;a=b\r\n" + BODY[:5] + b"\r\n0014\r\n" + BODY[5:] + b"\r\n000;x\r\nX: y\r\nZ: 0\r\n\r\n",
        CHUNKED + b"25\r\n" + BODY + b"\r\n0\r\n\r\n     " + b"\r\n0\r\n\r\n",
        CHUNKED.replace(b"chunked", b"gzip, Chunked") + b"19\r\n" + BODY + b"\r\n0\r\n\r\n",
        OK + b"X: \xff\r\nContent-Length: 50\r\n\r\n" + BODY + BODY,
    ],
    ids=["length", "line feeds", "100", "103", "same lengths", "trailers", "an end inside", "codings", "two objects"],
)
def test_an_answer_is_whole_without_the_streams_end(made: Caller, answer: bytes, at_once: bool) -> None:
    released = threading.Event()
    with serving(staying(answer, released, at_once)) as port:
        try:
            assert made(f"ws://127.0.0.1:{port}", rest.quota()) == 7.0
        finally:
            released.set()


def test_answers_until_the_streams_end(made: Caller) -> None:
    for answer in (OK + b"\r\n" + BODY, b"HTTP/1.0 200 OK\r\ncontent-length: 25\r\n\r\n" + BODY):
        with serving(answering(answer)) as port:
            assert made(f"ws://127.0.0.1:{port}", rest.quota()) == 7.0


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-x\r\n",
        b"HTTQ",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        OK + b"X: y\r\n" * 11_000,
        OK + b"\xff: x\r\n\r\n",
        OK + b"no name\r\n\r\n",
        OK + b"X: y\r\n more\r\n\r\n",
        OK + b"Content-Length: -5\r\n\r\n",
        OK + b"Content-Length: x\r\n\r\n",
        OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        CHUNKED + b"xyz\r\n",
        CHUNKED + b"-5\r\n",
        CHUNKED + b"\r\n",
        CHUNKED + b"f" * 22 + b"\r\n",
        CHUNKED + b"1" * 5000,
        CHUNKED + b"5\r\n" + BODY,
    ],
)
def test_what_is_no_http_is_named_at_once(made: Caller, answer: bytes) -> None:
    released = threading.Event()
    with serving(staying(answer, released)) as port:
        try:
            with pytest.raises(RefusedError) as raised:
                made(f"ws://127.0.0.1:{port}", rest.quota())
            assert raised.value.status == Status.BAD_HTTP
        finally:
            released.set()


@pytest.mark.parametrize("answer", [OK + b"Content-Length: 99999999999\r\n\r\n", CHUNKED + b"fffffffff\r\n"])
def test_what_is_too_long_is_not_read(made: Caller, answer: bytes) -> None:
    released = threading.Event()
    with serving(staying(answer, released)) as port:
        try:
            with pytest.raises(ConnectionClosedError, match="over 67108864 bytes"):
                made(f"ws://127.0.0.1:{port}", rest.quota())
        finally:
            released.set()


def test_an_answer_that_is_cut_anywhere_is_lost() -> None:
    for answer in (SEVEN, CHUNKED + b"19\r\n" + BODY + b"\r\n0\r\n\r\n"):
        for length in range(len(answer)):
            answering = Answering()
            answering.receive(answer[:length])
            assert answering.answer is None
            with pytest.raises(ConnectionClosedError) as raised:
                answering.eof()
            assert raised.value.is_retryable


def test_nothing_is_left_to_a_finalizer() -> None:
    # That of a head which was not closed raises where its file has gone before, as in a cycle.
    answering = Answering()
    answering.receive(SEVEN[:-5])
    assert answering._head is not None
    assert answering._head.isclosed()


def test_an_answer_that_has_no_body_or_is_no_http_is_not_waited_for(made: Caller) -> None:
    for answer in (b"HTTP/1.1 204 No Content\r\n\r\n", b"SSH-2.0-x\r\n"):
        released = threading.Event()

        def serve(connection: socket.socket, answer: bytes = answer, released: threading.Event = released) -> None:
            answering(answer)(connection)
            held(connection, released)

        with serving(serve) as port:
            try:
                with pytest.raises((CallError, RefusedError)):
                    made(f"ws://127.0.0.1:{port}", rest.quota())
            finally:
                released.set()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"code":401,"message":"Incorrect key: sk-\\u006ff-the-test."}', "Incorrect key: sk-...."),
        (b'{"code":401,"message":"%ssk-of-the-test"}' % (b"x" * 4088), "x" * 4088 + "sk-..."),
    ],
    ids=["escaped", "cut"],
)
def test_a_server_that_repeats_the_key_is_not_quoted(made: Caller, body: bytes, words: str) -> None:
    head = b"HTTP/1.1 401 x\r\nContent-Length: %d\r\n\r\n" % len(body)
    with serving(answering(head + body)) as port, pytest.raises(CallError) as raised:
        made(f"ws://127.0.0.1:{port}", rest.quota())
    assert raised.value.words == words
    assert "of-the" not in f"{raised.value!r} {raised.value}"


def test_a_server_that_repeats_what_it_was_sent_is_not_quoted(made: Caller) -> None:
    told = b'{"message":"no: Basic in-a-header, in-a-header, in-the-query, dXNlcjpwYXNzd29yZA==, password","status":false}'
    head = b"HTTP/1.1 401 x\r\nContent-Length: %d\r\n\r\n" % len(told)

    def tunnel(connection: socket.socket) -> None:
        until(connection, b"\r\n\r\n")
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        answering(head + told)(connection)

    with serving(tunnel) as port, pytest.raises(CallError) as raised:
        config = Config(headers={"X-Gate": "Basic in-a-header"}, proxy=f"http://user:password@127.0.0.1:{port}")
        made("ws://localhost?key=in-the-query", rest.quota(), config=config)
    assert raised.value.words == "no: ..., ..., ..., ..., ..."
    assert "in-a" not in f"{raised.value!r} {raised.value}"
