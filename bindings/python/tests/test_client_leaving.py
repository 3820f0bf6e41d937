"""Leaving an answer of a blocking client stops it at the server."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable

import pytest
from support import ENDLESS, HELLO, sent, state_of

from pychatnio import AnswerStream, Client, Delta, InvalidArgumentError, Loopback, Outcome, State


def leave_by_break(stream: AnswerStream) -> None:
    for _ in stream:
        break


def leave_by_an_exception(stream: AnswerStream) -> None:
    with contextlib.suppress(LookupError):
        for _ in stream:
            raise LookupError


def leave_by_dropping_the_iterator(stream: AnswerStream) -> None:
    pieces = iter(stream)
    next(pieces)
    del pieces
    gc.collect()


def leave_the_events(stream: AnswerStream) -> None:
    for event in stream.events():
        if isinstance(event, Delta):
            break


def leave_a_with_block(stream: AnswerStream) -> None:
    with stream:
        next(iter(stream))


def leave_a_with_block_by_an_exception(stream: AnswerStream) -> None:
    with contextlib.suppress(LookupError), stream:
        raise LookupError


def leave_by_close(stream: AnswerStream) -> None:
    stream.close()


def leave_by_stop(stream: AnswerStream) -> None:
    for at, _ in enumerate(stream):
        if at == 3:
            assert stream.stop() is True
            assert stream.stop() is False


def leave_by_the_clients_stop(stream: AnswerStream) -> None:
    for at, _ in enumerate(stream):
        if at == 3:
            assert stream._client.stop() is True
            assert stream._client.stop() is False


@pytest.mark.parametrize(
    "leave",
    [
        leave_by_break,
        leave_by_an_exception,
        leave_by_dropping_the_iterator,
        leave_the_events,
        leave_a_with_block,
        leave_a_with_block_by_an_exception,
        leave_by_close,
        leave_by_stop,
        leave_by_the_clients_stop,
    ],
)
def test_leaving_an_answer_stops_it(client: Client, leave: Callable[[AnswerStream], None]) -> None:
    stream = client.ask("hi", model=ENDLESS)
    leave(stream)
    stream.close()
    # The server has seen it: otherwise the answer would be interrupted, by `after_stop`.
    answer = stream.answer
    assert answer is not None
    assert answer.outcome is Outcome.STOPPED
    assert sent(client).count('> SEND {"type":"stop"}') >= 1
    assert state_of(client) is State.IDLE
    assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_dropping_the_stream_stops_it(client: Client) -> None:
    client.ask("hi", model=ENDLESS)
    gc.collect()
    assert sent(client)[-1] == '> SEND {"type":"stop"}'
    # It is waited for, and its end is not taken for the next one's.
    assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_what_a_left_answer_has_cost(client: Client) -> None:
    stream = client.ask("hi", model=ENDLESS)
    for at, _ in enumerate(stream):
        if at == 10:
            break
    assert client.ask("hi", model="hello").text() == "".join(HELLO)
    assert stream.answer is not None
    assert stream.answer.quota > 0
    assert stream.answer.chunks > 10
    assert stream.answer.text.startswith("piece " * 10)
    assert stream.answer.turn == 1


def test_a_left_answer_may_be_taken_up_again(client: Client) -> None:
    stream = client.ask("hi", model=ENDLESS)
    for _ in stream:
        break
    assert "".join(stream) != ""
    assert stream.answer is not None
    assert stream.answer.outcome is Outcome.STOPPED


@pytest.mark.parametrize("of_the_client", [True, False])
def test_a_stop_before_anything_is_taken(client: Client, of_the_client: bool) -> None:
    def stopped(turn: int) -> None:
        stream = client.ask("hi", model=ENDLESS)
        stop = client.stop if of_the_client else stream.stop
        assert stop() is True
        assert stop() is False
        answer = stream.wait()
        assert (answer.outcome, answer.turn) == (Outcome.STOPPED, turn)

    stopped(1)
    # Behind one that was left, too, which has its end first.
    for _ in client.ask("hi", model=ENDLESS):
        break
    stopped(3)


def test_an_answer_that_has_ended_is_not_stopped(client: Client) -> None:
    stream = client.ask("hi", model="hello")
    for _ in stream:
        pass
    stream.close()
    assert stream.stop() is False
    assert client.stop() is False
    stream = client.ask("hi", model="hello")
    stream.text()
    del stream
    gc.collect()
    assert not any("stop" in line for line in sent(client))


def test_an_old_stream_does_not_stop_a_new_answer(client: Client) -> None:
    old = client.ask("hi", model=ENDLESS)
    for _ in old:
        break
    new = client.ask("hi", model="hello")
    old.close()
    assert old.stop() is False
    del old
    gc.collect()
    assert list(new) == HELLO
    assert new.answer is not None
    assert new.answer.outcome is Outcome.COMPLETE


def test_the_end_of_the_with_block_of_a_client(loopback: Loopback) -> None:
    with Client(loopback.url, "sk-any") as client:
        stream = client.ask("hi", model=ENDLESS)
        for _ in stream:
            break
    # Nobody waits for its end any more.
    assert stream.answer is None or stream.answer.outcome in (Outcome.STOPPED, Outcome.INTERRUPTED)
    with pytest.raises(InvalidArgumentError, match="freed"):
        client.ask("hi")
    assert client.stop() is False
    client.close()
