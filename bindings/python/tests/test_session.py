"""Message level: every method, on a clock of ours."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from memory import START
from support import state_of

from pychatnio import (
    Auth,
    BusyError,
    CloseReason,
    Config,
    ConnectionClosedError,
    Conversation,
    ConversationKind,
    Counters,
    Delta,
    End,
    Interruption,
    InvalidArgumentError,
    KeepAlive,
    Malformed,
    Opened,
    Outcome,
    Request,
    RequestType,
    Session,
    State,
    Status,
    StopRepeated,
    Stray,
)

HI = Request.chat("hi")
END = '{"message":"","quota":0.2,"end":true}'


def sent(session: Session) -> list[str]:
    """All that is to be sent."""
    messages: list[str] = []
    while (message := session.next_message()) is not None:
        messages.append(message)
    return messages


def asking(config: Config | None = None, auth: Auth | str | None = None) -> Session:
    session = Session(auth, config=config, now=START)
    session.request(HI, now=START)
    sent(session)
    return session


def ended(event: object) -> End:
    assert isinstance(event, End)
    return event


def test_a_turn() -> None:
    session = Session("sk-x", now=START)
    assert state_of(session) is State.IDLE
    assert session.answer is None
    session.request(HI, now=START)
    assert state_of(session) is State.ASKING
    assert sent(session) == ['{"token":"sk-x","id":-1}', '{"type":"chat","message":"hi"}']
    assert isinstance(session.receive('{"conversation":7}', now=START), Opened)
    delta = session.receive('{"message":"Hello","quota":0.1}\n', now=START)
    assert isinstance(delta, Delta)
    assert state_of(session) is State.ANSWERING
    running = session.answer
    assert running is not None
    assert (running.text, running.outcome, running.turn) == ("Hello", Outcome.NONE, 1)
    end = ended(session.receive(END, now=START))
    assert (end.answer.text, end.outcome, end.answer.quota) == ("Hello", Outcome.COMPLETE, 0.2)
    assert state_of(session) is State.IDLE
    assert session.answer is None
    # The copy of then is of then.
    assert (running.text, running.outcome) == ("Hello", Outcome.NONE)


def test_bytes_are_a_text_message() -> None:
    session = asking()
    delta = session.receive('{"message":"é☺"}'.encode(), now=START)
    assert isinstance(delta, Delta)
    assert (delta.text, delta.raw) == ("é☺", '{"message":"é☺"}')
    for wrong in (b"\xff", b"\xed\xa0\x80", '{"message":"\ud800"}'):
        with pytest.raises(InvalidArgumentError) as caught:
            session.receive(wrong, now=START)
        assert caught.value.status is Status.NOT_UTF8
    assert session.counters == Counters(0, 0, 0)
    assert isinstance(session.receive_binary(now=START), Malformed)


def test_a_long_piece() -> None:
    # Longer than what is flattened.
    session = asking()
    for length in (4000, 4063, 4064, 4065, 5000, 500_000):
        delta = session.receive('{"message":"' + "é" * length + '","quota":0.5}', now=START)
        assert isinstance(delta, Delta)
        assert delta.text == "é" * length
        assert delta.quota_text == "0.5"


def test_busy() -> None:
    session = asking()
    for request in (HI, Request.restart(), Request.share("x"), Request.edit(1, "x")):
        with pytest.raises(BusyError) as caught:
            session.request(request, now=START)
        assert caught.value.status is Status.BUSY
    assert sent(session) == []
    session.receive(END, now=START)
    session.request(HI, now=START)


def test_stop() -> None:
    session = Session(now=START)
    assert session.stop(now=START) is False
    session.request(HI, now=START)
    sent(session)
    session.receive('{"message":"Hello","quota":0.1}', now=START)
    assert session.stop(now=START) is True
    assert state_of(session) is State.STOPPING
    assert session.stop(now=START) is False
    assert sent(session) == ['{"type":"stop"}']
    # Pieces go on coming until the end.
    assert isinstance(session.receive('{"message":"!","quota":0.15}', now=START), Delta)
    end = ended(session.receive(END, now=START))
    assert (end.outcome, end.answer.text, end.answer.quota) == (Outcome.STOPPED, "Hello!", 0.2)


def test_a_stop_is_repeated() -> None:
    session = asking()
    session.stop(now=START + 1)
    assert sent(session) == ['{"type":"stop"}']
    for after in (0.15, 1, 2, 4):
        assert session.deadline == START + 1 + after
        assert session.handle_timeout(now=START + 1 + after - 0.001) is None
        assert isinstance(session.handle_timeout(now=START + 1 + after), StopRepeated)
        assert session.handle_timeout(now=START + 1 + after) is None
        assert sent(session) == ['{"type":"stop"}']
    assert session.counters == Counters(strays=0, malformed=0, repeated_stops=4)
    end = ended(session.handle_timeout(now=START + 11))
    assert end.answer.interruption is Interruption.AFTER_STOP_DEADLINE
    assert end.outcome is Outcome.INTERRUPTED
    assert state_of(session) is State.DRAINING


def test_a_drained_session_goes_on() -> None:
    session = asking(Config(keep_alive=0, first_frame=5))
    assert session.deadline == START + 5
    end = ended(session.handle_timeout(now=START + 5))
    assert end.answer.interruption is Interruption.FIRST_FRAME_DEADLINE
    with pytest.raises(BusyError):
        session.request(HI, now=START + 5)
    assert isinstance(session.receive('{"message":"late","end":true}', now=START + 6), Stray)
    session.request(HI, now=START + 6)
    assert state_of(session) is State.ASKING


def test_a_second_end_strays() -> None:
    session = asking()
    session.receive('{"conversation":1}', now=START)
    session.stop(now=START)
    session.receive(END, now=START)
    session.request(HI, now=START)
    # It came before the new turn's opener, and is the old one's.
    stray = session.receive('{"message":"empty response","quota":0,"end":true}', now=START)
    assert isinstance(stray, Stray)
    assert stray.is_end
    assert state_of(session) is State.ASKING
    session.receive('{"conversation":1}', now=START)
    session.receive('{"message":"new","quota":1}', now=START)
    end = ended(session.receive(END, now=START))
    assert (end.turn, end.outcome, end.answer.text) == (2, Outcome.COMPLETE, "new")


def test_restart() -> None:
    session = asking()
    session.receive(END, now=START)
    session.request(Request.restart(model="other"), now=START)
    assert sent(session) == ['{"type":"restart","model":"other"}']
    end = ended(session.receive('{"message":"x","quota":1,"end":true}', now=START))
    assert (end.answer.request, end.turn) == (RequestType.RESTART, 2)


def test_requests_that_are_not_answered() -> None:
    session = Session(now=START)
    for request in (Request.share("x"), Request.mask([("user", "x")]), Request.edit(1, "x"), Request.remove(1)):
        session.request(request, now=START)
        assert state_of(session) is State.IDLE
    assert len(sent(session)) == 5


def test_keep_alive() -> None:
    session = Session(now=START)
    assert session.deadline == START + 25
    assert session.handle_timeout(now=START + 24.999) is None
    assert isinstance(session.handle_timeout(now=START + 25), KeepAlive)
    assert sent(session) == ['{"type":"ping"}']
    # Any message puts it off, and a clock that goes back stands still.
    session.receive("{}", now=START + 30)
    assert session.deadline == START + 55
    session.receive("{}", now=START)
    assert session.deadline == START + 55


def test_deadlines_come_back_as_they_were_given() -> None:
    # No rounding may make a deadline early, at whatever times, or a host would look at it again and again.
    session = Session(config=Config(keep_alive=0.001), now=0)
    for _ in range(5000):
        deadline = session.deadline
        assert deadline is not None
        assert isinstance(session.handle_timeout(now=deadline), KeepAlive)
    assert session.deadline == 5.001
    for start in (0.1, 1e-4, 12345.6789, 2**31 / 1000, 9e12 / 1000):
        session = Session(config=Config(keep_alive=0.1), now=start)
        deadline = session.deadline
        assert deadline is not None
        assert abs(deadline - start - 0.1) < 0.0015
        assert isinstance(session.handle_timeout(now=deadline), KeepAlive)


@pytest.mark.parametrize("reason", CloseReason)
def test_closed(reason: CloseReason) -> None:
    session = asking()
    session.receive('{"message":"Hel","quota":0.1}', now=START)
    end = ended(session.closed(reason))
    expected = {
        CloseReason.HOST: Interruption.CLOSED_BY_HOST,
        CloseReason.SERVER: Interruption.CLOSED_BY_SERVER,
        CloseReason.LOST: Interruption.CONNECTION_LOST,
    }
    assert end.answer.interruption is expected[reason]
    assert end.answer.text == "Hel"
    assert state_of(session) is State.CLOSED
    assert session.deadline is None
    assert session.closed(reason) is None
    assert session.handle_timeout(now=START + 1e6) is None
    assert session.next_message() is None
    calls: list[Callable[[], object]] = [
        lambda: session.request(HI, now=START),
        lambda: session.stop(now=START),
        lambda: session.receive("{}", now=START),
        lambda: session.receive_binary(now=START),
    ]
    for call in calls:
        with pytest.raises(ConnectionClosedError) as caught:
            call()
        assert caught.value.status is Status.CLOSED
        assert caught.value.status.is_fatal


def test_closed_takes_the_connection_for_lost() -> None:
    assert ended(asking().closed()).answer.interruption is Interruption.CONNECTION_LOST
    assert Session(now=START).closed() is None


def test_reconnect() -> None:
    session = asking(auth="sk-x")
    session.receive('{"conversation":7}', now=START)
    session.receive('{"message":"Hel"}', now=START)
    assert session.conversation == Conversation(ConversationKind.NEW, 7, 0)
    end = ended(session.reconnect(now=START))
    assert end.answer.interruption is Interruption.RECONNECTED
    assert state_of(session) is State.IDLE
    session.request(HI, now=START)
    # It continues the conversation, and the turns go on counting.
    assert sent(session) == ['{"token":"sk-x","id":7}', '{"type":"chat","message":"hi"}']
    opened = session.receive('{"conversation":7}', now=START)
    assert isinstance(opened, Opened)
    assert (opened.turn, opened.conversation) == (2, Conversation(ConversationKind.RESUMED, 7, 7))
    # Another conversation than that asked for.
    session.closed()
    assert session.reconnect(now=START) is None
    session.request(HI, now=START)
    opened = session.receive('{"conversation":8}', now=START)
    assert isinstance(opened, Opened)
    assert opened.conversation == session.conversation == Conversation(ConversationKind.REPLACED, 8, 7)


def test_a_conversation_is_continued() -> None:
    session = Session(Auth("sk-x", conversation=29), now=START)
    assert session.conversation == Conversation(ConversationKind.UNKNOWN, 0, 29)
    session.request(Request.restart(), now=START)
    assert sent(session) == ['{"token":"sk-x","id":29}', '{"type":"restart"}']


def test_memory() -> None:
    session = asking()
    before = session.memory
    session.receive('{"message":"' + "x" * 100_000 + '"}', now=START)
    assert session.memory >= before + 100_000


def test_transcript() -> None:
    session = asking(Config(record=True), "sk-secret")
    session.receive('{"message":"Hello","quota":1,"end":true}', now=START)
    transcript = session.transcript()
    assert transcript is not None
    assert str(transcript).splitlines() == [
        '> SEND {"token":"sk-...","id":-1}',
        '> SEND {"type":"chat","message":"hi"}',
        '< RECV {"message":"Hello","quota":1,"end":true}',
    ]
    (end,) = transcript.events()
    assert ended(end).answer.text == "Hello"


def test_free() -> None:
    session = asking()
    session.free()
    session.free()
    calls: list[Callable[[], object]] = [
        lambda: session.request(HI),
        session.stop,
        lambda: session.receive("{}"),
        session.receive_binary,
        session.next_message,
        session.handle_timeout,
        session.closed,
        session.reconnect,
        session.transcript,
        lambda: session.deadline,
        lambda: session.state,
        lambda: session.answer,
        lambda: session.counters,
        lambda: session.memory,
    ]
    for call in calls:
        with pytest.raises(InvalidArgumentError, match="freed"):
            call()
    assert "Session" in repr(session)


def test_with() -> None:
    with Session(now=START) as session:
        session.request(HI, now=START)
    with pytest.raises(InvalidArgumentError, match="freed"):
        session.next_message()
    with pytest.raises(LookupError), Session(now=START) as session:
        raise LookupError
    session.free()


@pytest.mark.parametrize("now", [-0.001, -1e9, 2.0**64, float("inf"), float("nan")])
def test_times_that_cannot_be(now: float) -> None:
    session = asking()
    calls: list[Callable[[], object]] = [
        lambda: Session(now=now),
        lambda: session.request(HI, now=now),
        lambda: session.stop(now=now),
        lambda: session.receive("{}", now=now),
        lambda: session.receive_binary(now=now),
        lambda: session.handle_timeout(now=now),
        lambda: session.reconnect(now=now),
    ]
    for call in calls:
        with pytest.raises(InvalidArgumentError, match="number of seconds"):
            call()
    assert state_of(session) is State.ASKING


def test_without_a_clock_of_ours_it_is_the_monotonic_one() -> None:
    before = time.monotonic()
    session = Session(config=Config(keep_alive=25, first_frame=50))
    deadline = session.deadline
    assert deadline is not None
    assert before + 25 - 0.001 <= deadline <= time.monotonic() + 25 + 0.001
    session.request(HI)
    assert session.stop()
    assert isinstance(session.receive('{"message":"x"}'), Delta)
    assert session.handle_timeout() is None
    assert isinstance(session.receive_binary(), Malformed)
    ended(session.reconnect())
    deadline = session.deadline
    assert deadline is not None
    assert before + 25 - 0.001 <= deadline <= time.monotonic() + 25 + 0.001
