"""A blocking client's connection: closed, made anew, given, and left idle."""

from __future__ import annotations

import gc
import socket

import pytest
from client_support import connected, opened, over_unix
from support import ENDLESS, HELLO, PATIENCE, RECORD, sent, state_of

from pychatnio import (
    Answer,
    AnswerInterruptedError,
    Auth,
    Client,
    Config,
    ConnectError,
    ConnectionClosedError,
    ConversationKind,
    Interruption,
    InvalidArgumentError,
    KeepAlive,
    Loopback,
    Outcome,
    Request,
    State,
    Status,
)


def test_close(client: Client) -> None:
    stream = opened(client.ask("hi", model="silent"))
    client.close()
    assert stream.answer is not None
    assert stream.answer.interruption is Interruption.CLOSED_BY_HOST
    with pytest.raises(AnswerInterruptedError):
        stream.text()
    client.close()
    assert state_of(client) is State.CLOSED
    assert client.stop() is False
    for call in (lambda: client.ask("hi"), client.next):
        with pytest.raises(ConnectionClosedError) as caught:
            call()
        assert caught.value.status is Status.CLOSED
    assert client.reconnect() is None
    assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_close_sends_what_is_held(client: Client) -> None:
    client.ask("hi", model="hello").text()
    client.request(Request.remove(0))
    client.close()
    assert sent(client)[-1] == '> SEND {"type":"remove","message":"0"}'


def test_reconnect_continues_the_conversation(loopback: Loopback) -> None:
    with Client(loopback.url, "sk-reconnect", config=RECORD) as client:
        client.ask("hi", model="hello").text()
        kind, conversation, _ = client.conversation
        assert (kind, conversation > 0) == (ConversationKind.NEW, True)
        stream = client.ask("hi", model=ENDLESS)
        for _ in stream:
            break
        answer = client.reconnect()
        # It may have ended before.
        assert stream.answer is not None
        if answer is not None:
            assert answer is stream.answer
            assert answer.interruption is Interruption.RECONNECTED
        assert client.ask("hi", model="hello").text() == "".join(HELLO)
        assert client.conversation == (ConversationKind.RESUMED, conversation, conversation)
        # A recording starts afresh.
        assert sent(client)[0] == f'> SEND {{"token":"sk-...","id":{conversation}}}'
    with Client(loopback.url, Auth("sk-reconnect", conversation=conversation)) as client:
        client.ask("hi", model="hello").text()
        assert client.conversation == (ConversationKind.RESUMED, conversation, conversation)


def test_a_failed_reconnect() -> None:
    with Loopback(pace=0) as server:
        client = Client(server.url, "sk-any")
        stream = opened(client.ask("hi", model="silent"))
    with client:
        with pytest.raises(ConnectError) as caught:
            client.reconnect()
        assert caught.value.status is Status.CONNECT
        with pytest.raises((AnswerInterruptedError, ConnectError, ConnectionClosedError)):
            stream.text()


def test_idle(loopback: Loopback) -> None:
    with Client(loopback.url, config=Config(keep_alive=0.02, record=True)) as client:
        assert isinstance(client.next(), KeepAlive)
        assert isinstance(client.next(PATIENCE), KeepAlive)
        assert sent(client)[-1] == '> SEND {"type":"ping"}'


def test_timeouts(client: Client) -> None:
    for timeout in (0, 0.001, 0.02, 0.15):
        assert client.next(timeout) is None


def test_what_may_be_looked_at(client: Client) -> None:
    assert state_of(client) is State.IDLE
    assert client.answer is None
    assert client.counters == (0, 0, 0)
    memory = client.memory
    stream = client.ask("hi", model=ENDLESS)
    for at, _ in enumerate(stream):
        if at == 100:
            running = client.answer
            assert isinstance(running, Answer)
            assert running.outcome is Outcome.NONE
            assert running.chunks >= 100
            assert state_of(client) is State.ANSWERING
            assert client.memory > memory
            break
    assert state_of(client) is State.STOPPING
    assert repr(client) == "<Client stopping>"
    client.close()
    assert repr(client) == "<Client closed>"


def test_a_given_socket(loopback: Loopback) -> None:
    with connected(loopback) as sock:
        client = Client(loopback.url, "sk-any", sock=sock)
    with client:
        assert client.ask("hi", model="hello").text() == "".join(HELLO)
        with pytest.raises(InvalidArgumentError) as caught:
            client.reconnect()
        assert caught.value.status is Status.GIVEN_SOCKET
        with connected(loopback) as sock:
            client.reconnect(sock)
        assert client.ask("hi", model="hello").text() == "".join(HELLO)
        assert client.conversation.kind is ConversationKind.RESUMED


def test_a_given_socket_of_unix(loopback: Loopback) -> None:
    with over_unix(loopback) as sock, Client("ws://localhost", "sk-any", sock=sock) as client:
        assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_sockets_that_cannot_be(loopback: Loopback) -> None:
    sock = connected(loopback)
    sock.close()
    with pytest.raises(InvalidArgumentError):
        Client(loopback.url, sock=sock)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as unconnected, pytest.raises((OSError, ValueError)):
        Client(loopback.url, sock=unconnected)


def test_what_is_left_without_a_goodbye(loopback: Loopback) -> None:
    client = Client(loopback.url, "sk-any")
    stream = client.ask("hi", model=ENDLESS)
    next(iter(stream))
    # The stream keeps its client.
    del client
    gc.collect()
    stream.close()
    assert stream.answer is not None
    assert stream.answer.outcome is Outcome.STOPPED
