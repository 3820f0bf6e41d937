"""Byte level: every method, against a server in memory."""

from __future__ import annotations

import errno
import http
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from support import Certificates, state_of
from memory import START, Link, Server
from websockets.http11 import Request as Handshake
from websockets.http11 import Response
from websockets.server import ServerProtocol

from pychatnio import (
    Auth,
    BusyError,
    Closed,
    Config,
    Connection,
    ConnectionClosedError,
    Conversation,
    ConversationKind,
    Counters,
    Delta,
    End,
    Event,
    Interruption,
    InvalidArgumentError,
    Malformed,
    Open,
    Opened,
    Outcome,
    Request,
    State,
    Status,
    UndrainedError,
    UnsentError,
    Wants,
)

URL = "ws://localhost"
HI = Request.chat("hi")
END = '{"message":"","quota":0.2,"end":true}'


def opened(config: Config | None = None, auth: Auth | str | None = None) -> Link:
    link = Link(Connection(URL, auth, config=config, now=START), Server())
    assert [type(event) for event in link.exchange()] == [Open]
    return link


def asking(config: Config | None = None, auth: Auth | str | None = None) -> Link:
    link = opened(config, auth)
    link.connection.request(HI, now=START)
    assert link.exchange() == []
    return link


def closed(events: Iterable[Event]) -> Closed:
    """The one event that must be there."""
    (event,) = events
    assert isinstance(event, Closed)
    assert event.message
    return event


def end_and_closed(events: Iterable[Event]) -> tuple[End, Closed]:
    end, last = events
    assert isinstance(end, End)
    assert isinstance(last, Closed)
    return end, last


def test_a_turn() -> None:
    link = Link(Connection(URL, "sk-x", now=START), Server())
    # What is asked before the WebSocket is open waits for it.
    link.connection.request(HI, now=START)
    assert state_of(link.connection) is State.ASKING
    assert [type(event) for event in link.exchange()] == [Open]
    assert link.server.messages == ['{"token":"sk-x","id":-1}', '{"type":"chat","message":"hi"}']
    opener, delta = link.say('{"conversation":7}\n', '{"message":"Hello","quota":0.1}\n')
    assert isinstance(opener, Opened)
    assert isinstance(delta, Delta)
    assert link.connection.conversation == Conversation(ConversationKind.NEW, 7, 0)
    running = link.connection.answer
    assert running is not None
    assert (running.text, running.outcome) == ("Hello", Outcome.NONE)
    with pytest.raises(BusyError):
        link.connection.request(HI, now=START)
    (end,) = link.say(END)
    assert isinstance(end, End)
    assert (end.outcome, end.answer.text) == (Outcome.COMPLETE, "Hello")
    assert state_of(link.connection) is State.IDLE
    assert link.connection.answer is None


def test_where_to_connect_to() -> None:
    for url, host, port, path in (
        ("ws://localhost", "localhost", 80, "/chat"),
        ("ws://localhost/", "localhost", 80, "/chat"),
        ("ws://[::1]:8080/api", "::1", 8080, "/api/chat"),
        ("http://127.0.0.1:9/x/y", "127.0.0.1", 9, "/x/y"),
    ):
        connection = Connection(url, now=START)
        assert (connection.host, connection.port) == (host, port)
        assert connection.data_to_send().startswith(f"GET {path} HTTP/1.1\r\n".encode())
    connection = Connection("example.com", config=Config(dangerous_accept_any_certificate=True), now=START)
    assert (connection.host, connection.port) == ("example.com", 443)


@pytest.mark.parametrize("url", ["", "ftp://x", "ws://", "ws://x:99999", "ws://a b", "ws://\ud800", "://"])
def test_urls_that_cannot_be(url: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        Connection(url, now=START)
    assert caught.value.status in (Status.BAD_URL, Status.NOT_UTF8)


def test_a_host_that_no_certificate_can_be_for(certificates: Certificates) -> None:
    with pytest.raises((InvalidArgumentError, OSError)):
        Connection("wss://a..b", config=certificates.config(), now=START)


# Before it is open.


def test_throttled() -> None:
    body = '{"error":"request_throttled","reason":"You have sent too many requests.","status":false}'

    def throttle(protocol: ServerProtocol, request: Handshake) -> Response:
        response = protocol.reject(http.HTTPStatus.OK, body)
        response.headers["Content-Type"] = "application/json"
        return response

    for cuts in ((), (30,), (150, 151), None):
        link = Link(Connection(URL, now=START), Server(respond=throttle), cuts)
        event = closed(link.exchange())
        assert (event.status, event.code) == (Status.THROTTLED, 200)
        assert "too many requests" in event.message
        assert "too many requests" in (link.connection.refusal_body or "")
        assert link.connection.wants.finished


@pytest.mark.parametrize(
    ("code", "body", "status"),
    [
        (http.HTTPStatus.NOT_FOUND, "no such page\n", Status.HTTP),
        (http.HTTPStatus.FOUND, "elsewhere", Status.HTTP),
        (http.HTTPStatus.INTERNAL_SERVER_ERROR, "☹" * 100_000, Status.HTTP),
        (http.HTTPStatus.OK, '{"error":"banned","reason":"Go away.","status":false}', Status.REFUSED),
    ],
)
def test_refused(code: http.HTTPStatus, body: str, status: Status) -> None:
    link = Link(Connection(URL, now=START), Server(respond=lambda protocol, request: protocol.reject(code, body)))
    event = closed(link.exchange())
    assert (event.status, event.code) == (status, code)
    shown = link.connection.refusal_body
    assert shown is not None
    assert shown
    assert body.startswith(shown.rstrip("\ufffd"))
    assert len(shown.encode()) <= 64 * 1024 + 8
    # What is asked now says what has happened.
    with pytest.raises(ConnectionClosedError):
        link.connection.request(HI, now=START)


def test_no_refusal_has_no_body() -> None:
    assert opened().connection.refusal_body is None


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"SSH-2.0-OpenSSH\r\n", Status.BAD_HTTP),
        (b"HTTP/1.1 OK\r\n\r\n", Status.BAD_HTTP),
        (b"\0" * 100, Status.BAD_HTTP),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", Status.UPGRADE),
    ],
)
def test_no_websocket(answer: bytes, status: Status) -> None:
    connection = Connection(URL, now=START)
    connection.data_to_send()
    connection.receive(answer, now=START)
    assert closed(connection.events()).status is status


def test_no_tls(certificates: Certificates) -> None:
    connection = Connection("wss://localhost", config=certificates.config(), now=START)
    connection.receive(b"HTTP/1.1 400 Bad Request\r\n\r\n", now=START)
    assert closed(connection.events()).status is Status.TLS_NOT_TLS


def test_the_end_before_it_is_open() -> None:
    connection = Connection(URL, now=START)
    connection.eof(now=START)
    assert closed(connection.events()).status is Status.END_OF_STREAM
    connection = Connection(URL, now=START)
    connection.close(now=START)
    assert closed(connection.events()).status is Status.CLOSED


# What it wants.


def test_wants() -> None:
    link = Link(Connection(URL, now=START), Server())
    connection = link.connection
    assert connection.wants == Wants(deadline=START + 10, read=True, write=True, finished=False)
    link.server.receive(connection.data_to_send())
    assert connection.wants == Wants(deadline=START + 10, read=True, write=False, finished=False)
    connection.receive(link.server.data_to_send(), now=START)
    # Its events are to be taken first.
    assert not connection.wants.read
    assert [type(event) for event in connection.events()] == [Open]
    assert connection.wants == Wants(deadline=START + 25, read=True, write=False, finished=False)
    connection.close(now=START)
    assert list(connection.events()) == []
    assert connection.wants == Wants(deadline=START + 3, read=True, write=True, finished=False)
    assert closed(link.exchange()).status is Status.CLOSED
    assert connection.wants == Wants(deadline=None, read=False, write=False, finished=True)


def test_transmit_and_transmitted() -> None:
    connection = Connection(URL, now=START)
    first = connection.transmit()
    assert first.startswith(b"GET /chat")
    assert connection.transmit() == first
    for wrong in (len(first) + 1, 2**64 - 1):
        with pytest.raises(InvalidArgumentError) as caught:
            connection.transmitted(wrong)
        assert caught.value.status is Status.INVALID
    connection.transmitted(0)
    assert connection.transmit() == first
    connection.transmitted(10)
    assert connection.transmit() == first[10:]
    connection.transmitted(len(first) - 10)
    assert connection.transmit() == b""
    assert connection.data_to_send() == b""
    with pytest.raises(InvalidArgumentError):
        connection.transmitted(1)
    for wrong in (-1, 2**64):
        with pytest.raises((OverflowError, InvalidArgumentError)):
            connection.transmitted(wrong)


def test_data_to_send_is_all_of_it() -> None:
    link = opened(Config(max_request=0))
    link.connection.request(Request.chat("x" * 1_000_000), now=START)
    assert len(link.connection.transmit()) > 0
    data = link.connection.data_to_send()
    assert len(data) > 1_000_000
    link.server.receive(data)
    assert link.server.messages[-1] == '{"type":"chat","message":"' + "x" * 1_000_000 + '"}'
    assert not link.connection.wants.write


def view(data: bytes) -> memoryview:
    return memoryview(bytearray(data))


@pytest.mark.parametrize("kind", [bytes, bytearray, view])
def test_what_receive_takes(kind: Callable[[bytes], Any]) -> None:
    link = Link(Connection(URL, now=START), Server())
    link.server.receive(link.connection.data_to_send())
    data = kind(link.server.data_to_send())
    link.connection.receive(data, now=START)
    link.connection.receive(kind(b""), now=START)
    if not isinstance(data, bytes):
        # It was copied.
        data[:] = b"!" * len(data)
    assert [type(event) for event in link.connection.events()] == [Open]


def test_what_receive_does_not_take() -> None:
    connection = Connection(URL, now=START)
    wrong: Any
    for wrong in ("text", None, 5, [1, 2]):
        with pytest.raises(TypeError):
            connection.receive(wrong, now=START)
    assert list(connection.events()) == []


def test_undrained() -> None:
    link = asking(Config(max_answer=0, max_message=2**20))
    link.server.send('{"message":"' + "x" * 600_000 + '"}')
    frame = link.server.data_to_send()
    link.connection.receive(frame, now=START)
    with pytest.raises(UndrainedError) as caught:
        link.connection.receive(frame, now=START)
    assert caught.value.status is Status.UNDRAINED
    # Nothing of it was taken, and afterwards it is.
    assert len(list(link.connection.events())) == 1
    link.connection.receive(frame, now=START)
    (delta,) = link.connection.events()
    assert isinstance(delta, Delta)
    assert len(delta.text) == 600_000


def test_unsent() -> None:
    link = opened(Config(max_request=1000))
    request = Request.share("x" * 900)
    taken = 0
    with pytest.raises(UnsentError) as caught:
        for _ in range(100):
            link.connection.request(request, now=START)
            taken += 1
    assert caught.value.status is Status.UNSENT
    assert 3 <= taken <= 5
    # Once that went out, there is room.
    link.exchange()
    link.connection.request(request, now=START)
    link.exchange()
    # The authentication was the first.
    assert len(link.server.messages) == taken + 2


# Its events, many at a time.


def test_a_binary_message() -> None:
    link = asking()
    (event,) = link.say(b"\x00\x01")
    assert isinstance(event, Malformed)
    assert link.connection.counters == Counters(0, 1, 0)


# How it ends.


def test_closed_by_the_server() -> None:
    link = asking()
    link.say('{"message":"Hel","quota":1}')
    link.server.close(1001, "going away")
    end, last = end_and_closed(link.exchange())
    assert end.answer.interruption is Interruption.CLOSED_BY_SERVER
    assert end.answer.text == "Hel"
    assert (last.status, last.code) == (Status.CLOSED_BY_SERVER, 1001)
    # Its goodbye was answered.
    assert link.server.closed == 1001


def test_eof() -> None:
    link = asking()
    link.say('{"message":"Hel","quota":1}')
    link.connection.eof(now=START)
    end, last = end_and_closed(link.connection.events())
    assert end.answer.interruption is Interruption.CONNECTION_LOST
    assert last.status is Status.END_OF_STREAM
    link.connection.eof(now=START)
    assert list(link.connection.events()) == []


def test_a_tls_stream_that_was_cut(certificates: Certificates) -> None:
    connection = Connection("wss://localhost", config=certificates.config(), now=START)
    link = Link(connection, Server(certificates.server()))
    assert [type(event) for event in link.exchange()] == [Open]
    connection.eof(now=START)
    assert closed(connection.events()).status is Status.TRUNCATED


@pytest.mark.parametrize("error", [ConnectionResetError(errno.ECONNRESET, "reset"), errno.ECONNRESET, OSError("?"), 0])
def test_failed(error: OSError | int) -> None:
    link = asking()
    link.connection.failed(error, now=START)
    end, last = end_and_closed(link.connection.events())
    assert end.answer.interruption is Interruption.CONNECTION_LOST
    assert last.status is Status.IO
    if error and not (isinstance(error, OSError) and error.errno is None):
        assert "reset" in last.message.lower()
    link.connection.failed(error, now=START)
    assert list(link.connection.events()) == []


def test_the_server_breaks_the_protocol() -> None:
    link = opened()
    # Reserved bits.
    link.connection.receive(b"\xf1\x01x", now=START)
    assert closed(link.exchange()).status is Status.PROTOCOL
    link = opened()
    # A text message that is no text.
    link.connection.receive(b"\x81\x01\xff", now=START)
    assert closed(link.exchange()).status is Status.SERVER_NOT_UTF8
    link = opened(Config(max_message=1000))
    link.connection.receive(b"\x81\x7e\xff\xff", now=START)
    assert closed(link.exchange()).status is Status.OVERSIZED


def test_close() -> None:
    link = asking()
    link.connection.close(now=START)
    link.connection.close(now=START)
    with pytest.raises(ConnectionClosedError):
        link.connection.stop(now=START)
    with pytest.raises(ConnectionClosedError):
        link.connection.request(HI, now=START)
    end, last = end_and_closed(link.exchange())
    assert end.answer.interruption is Interruption.CLOSED_BY_HOST
    assert last.status is Status.CLOSED
    assert link.server.closed is not None


def test_after_the_end() -> None:
    link = opened()
    link.connection.eof(now=START)
    list(link.connection.events())
    for _ in range(2):
        assert list(link.connection.events()) == []
        for call in (
            lambda: link.connection.request(HI, now=START),
            lambda: link.connection.stop(now=START),
        ):
            with pytest.raises(ConnectionClosedError):
                call()
        link.connection.receive(b"x", now=START)
        link.connection.eof(now=START)
        link.connection.failed(104, now=START)
        link.connection.handle_timeout(now=START + 1e6)
        link.connection.close(now=START)
    assert state_of(link.connection) is State.CLOSED


# Again.


def test_reconnect() -> None:
    link = asking(auth="sk-x")
    link.say('{"conversation":7}', '{"message":"Hel"}')
    end = link.connection.reconnect(now=START)
    assert isinstance(end, End)
    assert end.answer.interruption is Interruption.RECONNECTED
    assert end.answer.text == "Hel"
    again = Link(link.connection, Server())
    assert [type(event) for event in again.exchange()] == [Open]
    again.connection.request(HI, now=START)
    again.exchange()
    assert again.server.messages == ['{"token":"sk-x","id":7}', '{"type":"chat","message":"hi"}']
    (opener,) = again.say('{"conversation":7}')
    assert isinstance(opener, Opened)
    assert (opener.turn, opener.conversation.kind) == (2, ConversationKind.RESUMED)
    # After the end, too, when no turn runs any more.
    again.connection.eof(now=START)
    list(again.connection.events())
    assert again.connection.reconnect(now=START) is None
    assert state_of(again.connection) is State.IDLE
    assert [type(event) for event in Link(again.connection, Server()).exchange()] == [Open]


def test_deadlines() -> None:
    link = asking(Config(keep_alive=0, ping_after=0, first_frame=5))
    assert link.connection.wants.deadline == START + 5
    link.connection.handle_timeout(now=START + 4.999)
    assert list(link.connection.events()) == []
    link.connection.handle_timeout(now=START + 5)
    (end,) = link.connection.events()
    assert isinstance(end, End)
    assert end.answer.interruption is Interruption.FIRST_FRAME_DEADLINE
    # Nobody wants the rest: a stop goes out, and goes out again.
    assert link.connection.wants.deadline == START + 5.15
    link.exchange()
    assert link.server.messages[-1] == '{"type":"stop"}'


def test_stop() -> None:
    link = opened()
    assert link.connection.stop(now=START) is False
    link = asking()
    assert link.connection.stop(now=START) is True
    assert link.connection.stop(now=START) is False
    link.exchange()
    assert link.server.messages[-1] == '{"type":"stop"}'
    (end,) = link.say(END)
    assert isinstance(end, End)
    assert end.outcome is Outcome.STOPPED


def test_memory_and_transcript() -> None:
    link = asking(Config(record=True), "sk-secret")
    before = link.connection.memory
    link.say('{"message":"' + "x" * 100_000 + '"}')
    assert link.connection.memory >= before + 100_000
    transcript = link.connection.transcript()
    assert transcript is not None
    assert str(transcript).startswith("WEBSOCKET ws://localhost/chat\n")
    assert "sk-secret" not in str(transcript)
    assert asking().connection.transcript() is None


def test_free() -> None:
    with opened().connection as connection:
        assert state_of(connection) is State.IDLE
    connection.free()
    calls: list[Callable[[], object]] = [
        lambda: connection.request(HI),
        connection.stop,
        connection.close,
        lambda: connection.receive(b"x"),
        connection.eof,
        connection.failed,
        connection.handle_timeout,
        lambda: next(connection.events()),
        connection.data_to_send,
        connection.transmit,
        lambda: connection.transmitted(0),
        connection.reconnect,
        connection.transcript,
        lambda: connection.wants,
        lambda: connection.host,
        lambda: connection.port,
        lambda: connection.state,
        lambda: connection.answer,
        lambda: connection.counters,
        lambda: connection.memory,
        lambda: connection.refusal_body,
    ]
    for call in calls:
        with pytest.raises(InvalidArgumentError, match="freed"):
            call()


def test_without_a_clock_of_ours_it_is_the_monotonic_one() -> None:
    before = time.monotonic()
    connection = Connection(URL)
    deadline = connection.wants.deadline
    assert deadline is not None
    assert before + 10 - 0.001 <= deadline <= time.monotonic() + 10 + 0.001
    connection.request(HI)
    connection.stop()
    connection.handle_timeout()
    connection.receive(b"")
    connection.failed()
    connection.eof()
    connection.close()
    connection.reconnect()
    deadline = connection.wants.deadline
    assert deadline is not None
    assert before + 10 - 0.001 <= deadline <= time.monotonic() + 10 + 0.001
