"""A blocking client in several threads."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from client_support import opened
from support import HELLO, PATIENCE

from pychatnio import (
    AnswerInterruptedError,
    AnswerStream,
    Client,
    ConnectionClosedError,
    End,
    Interruption,
    InvalidArgumentError,
    Loopback,
    Outcome,
    Request,
    Status,
)


def test_stop_from_other_threads(client: Client) -> None:
    stream = opened(client.ask("hi", model="silent"))
    together = threading.Barrier(8)
    results: list[bool] = []

    def stop(way: Callable[[], bool]) -> None:
        together.wait(PATIENCE)
        results.append(way())

    threads = [threading.Thread(target=stop, args=[way]) for way in [stream.stop, client.stop] * 4]
    for thread in threads:
        thread.start()
    # Nothing comes but the end.
    assert list(stream) == []
    for thread in threads:
        thread.join(PATIENCE)
    assert stream.answer is not None
    assert stream.answer.outcome is Outcome.STOPPED
    assert sorted(results) == [False] * 7 + [True]


def test_close_from_another_thread(client: Client) -> None:
    stream = opened(client.ask("hi", model="silent"))
    waiting = threading.Event()

    def close() -> None:
        waiting.wait(PATIENCE)
        client.close()

    thread = threading.Thread(target=close)
    thread.start()
    with pytest.raises((AnswerInterruptedError, ConnectionClosedError)):
        waiting.set()
        while True:
            # Until it is there, it may be closed between two waits, in an orderly way.
            for _ in stream:
                pass
    thread.join(PATIENCE)
    assert stream.answer is not None
    assert stream.answer.interruption is Interruption.CLOSED_BY_HOST
    with pytest.raises(ConnectionClosedError) as caught:
        client.next()
    assert caught.value.status is Status.CLOSED
    client.reconnect()
    assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_a_second_thread_is_refused(client: Client) -> None:
    stream = opened(client.ask("hi", model="silent"))
    refused: list[Exception] = []
    started = threading.Event()

    def wait() -> None:
        started.set()
        # One wait, in which nobody else gets in.
        client._next(PATIENCE)

    thread = threading.Thread(target=wait)
    thread.start()
    started.wait(PATIENCE)
    calls: list[Callable[[], object]] = [
        lambda: client.ask("hi"),
        lambda: client.request(Request.share("x")),
        lambda: client.next(0),
        client.reconnect,
        client.transcript,
        lambda: client.state,
        lambda: client.answer,
        lambda: client.memory,
    ]
    # It may not be inside yet.
    while not client._guard.busy:
        pass
    for call in calls:
        with pytest.raises(InvalidArgumentError, match="another thread") as caught:
            call()
        refused.append(caught.value)
    assert stream.stop() is True
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert len(refused) == len(calls)
    assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_other_threads_run_while_it_waits(client: Client) -> None:
    stream = opened(client.ask("hi", model="silent"))
    counted = 0

    def count() -> None:
        nonlocal counted
        for _ in range(1000):
            counted += 1
        stream.stop()

    thread = threading.Thread(target=count)
    thread.start()
    # A single call of the library. If no thread could run in it, nobody would stop the answer.
    event = client._next(PATIENCE)
    assert isinstance(event, End)
    assert event.outcome is Outcome.STOPPED
    assert counted == 1000
    thread.join(PATIENCE)


def test_one_client_after_the_other_thread(client: Client) -> None:
    texts: list[str] = []
    for _ in range(3):
        thread = threading.Thread(target=lambda: texts.append(client.ask("hi", model="hello").text()))
        thread.start()
        thread.join(PATIENCE)
    assert texts == ["".join(HELLO)] * 3


def test_a_with_block_ends_while_another_thread_waits(loopback: Loopback) -> None:
    ends: list[Exception] = []
    waiting = threading.Event()

    def wait(stream: AnswerStream) -> None:
        try:
            waiting.set()
            stream.text()
        except (AnswerInterruptedError, ConnectionClosedError) as error:
            ends.append(error)

    with Client(loopback.url, "sk-any") as client:
        thread = threading.Thread(target=wait, args=[opened(client.ask("hi", model="silent"))])
        thread.start()
        waiting.wait(PATIENCE)
    thread.join(PATIENCE)
    assert len(ends) == 1


def test_what_another_thread_is_told_that_comes_between_a_close(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    settle = Client._settle

    def between(of: Client) -> object:
        with pytest.raises(ConnectionClosedError, match="the client was closed"):
            of.request(Request.chat("hi"))
        return settle(of)

    monkeypatch.setattr(Client, "_settle", between)
    client.close()
    monkeypatch.undo()
    client.reconnect()
    assert client.ask("hi", model="hello").text() == "".join(HELLO)
