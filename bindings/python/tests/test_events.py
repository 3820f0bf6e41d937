"""The events: every kind, and every field of each."""

from __future__ import annotations

import copy
import enum
import gc
import json
import pickle
import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from memory import START, Link, Server

import pychatnio
from pychatnio import (
    Answer,
    Closed,
    CloseReason,
    Config,
    Connection,
    Conversation,
    ConversationKind,
    Delta,
    End,
    Event,
    Interruption,
    KeepAlive,
    Malformed,
    Open,
    Opened,
    Outcome,
    Request,
    RequestType,
    Session,
    State,
    Status,
    StepKind,
    StopRepeated,
    Stray,
    Transcript,
)
from pychatnio import events, names
from pychatnio._native import ffi, lib
from pychatnio.events import event_of


def asking() -> Session:
    session = Session(now=START)
    session.request(Request.chat("hi"), now=START)
    return session


def receive(session: Session, message: str) -> Event:
    return session.receive(message, now=START)


def test_opened() -> None:
    event = receive(asking(), '{"conversation":29,"quota":0.25}')
    assert isinstance(event, Opened)
    assert event.turn == 1
    assert event.conversation == Conversation(ConversationKind.NEW, 29, 0)
    assert (event.quota_text, event.quota, event.quota_decimal) == ("0.25", 0.25, Decimal("0.25"))
    assert event.raw == '{"conversation":29,"quota":0.25}'
    assert repr(event).startswith("Opened(turn=1, conversation=Conversation(kind=")


def test_delta() -> None:
    raw = ' {"quota": 0.10, "message":"a\\u00e9\\ud83d\\ude00","end":false} \n'
    event = receive(asking(), raw)
    assert isinstance(event, Delta)
    assert event.turn == 1
    assert event.text == "aé😀"
    # As the server wrote it, and as the number that it is.
    assert (event.quota_text, event.quota) == ("0.10", 0.1)
    assert str(event.quota_decimal) == "0.10"
    assert event.raw == raw
    assert event.field("message") == "aé😀"
    assert repr(event) == "Delta(turn=1, text='aé😀', quota=0.1)"


@pytest.mark.parametrize("quota", ["0", "0.0034000003", "1e-7", "1E+2", "-0", "123456789012345678901234567890.5"])
def test_quotas(quota: str) -> None:
    event = receive(asking(), f'{{"message":"x","quota":{quota}}}')
    assert isinstance(event, Delta)
    assert event.quota_text == quota
    assert event.quota == float(quota)
    assert event.quota_decimal == Decimal(quota)
    assert isinstance(event.quota_decimal, Decimal)


def test_end() -> None:
    session = asking()
    receive(session, '{"conversation":3,"quota":0}')
    receive(session, '{"message":"Hello","quota":0.1,"plan":true}')
    receive(session, "no JSON")
    event = receive(session, '{"message":"!","quota":0.2,"end":true,"plan":true,"more":[1]}')
    assert isinstance(event, End)
    assert (event.turn, event.text, event.quota_text, event.outcome) == (1, "!", "0.2", Outcome.COMPLETE)
    assert event.field("more") == [1]
    answer = event.answer
    assert isinstance(answer, Answer)
    assert answer.turn == 1
    assert answer.request is RequestType.CHAT
    assert answer.outcome is Outcome.COMPLETE
    assert answer.interruption is Interruption.NONE
    assert answer.reason is None
    assert answer.text == "Hello!"
    assert answer.notice is None
    assert answer.keyword == ""
    assert (answer.quota_text, answer.quota, answer.quota_decimal) == ("0.2", 0.2, Decimal("0.2"))
    assert answer.conversation == 3
    assert answer.plan is True
    assert answer.chunks == 2
    assert answer.malformed == 1
    assert repr(answer) == "Answer(turn=1, outcome=complete, text='Hello!', notice=None, quota=0.2)"
    assert repr(event).startswith("End(turn=1, answer=Answer(")


def test_end_of_a_notice() -> None:
    event = receive(asking(), '{"message":"out of quota","quota":0,"end":true}')
    assert isinstance(event, End)
    assert event.outcome is Outcome.NOTICE
    assert event.answer.notice == "out of quota"
    assert event.answer.text == event.text == ""
    assert event.answer.conversation is None


def test_end_without_a_frame() -> None:
    event = asking().closed(CloseReason.LOST)
    assert isinstance(event, End)
    assert event.outcome is Outcome.INTERRUPTED
    assert event.answer.interruption is Interruption.CONNECTION_LOST
    assert event.answer.reason
    assert event.raw is None
    assert event.field("message") is None
    assert event.field("message", "none") == "none"


def test_equality() -> None:
    text = '> SEND {"message":"hi"}\n< RECV {"message":"a","quota":0.1}\n< RECV {"message":"b","quota":0.2,"end":true}\n'
    events = list(Transcript(text).events())
    assert events == list(Transcript(text).events())
    assert events != list(Transcript(text.replace('"a"', '"c"')).events())
    # The same, except what only the frame says.
    assert events != list(Transcript(text.replace('"quota":0.1', '"quota":0.1,"more":1')).events())
    other: object = "a"
    assert events[0] != events[1] and events[0] != other
    delta, end = events
    assert isinstance(end, End) and isinstance(delta, Delta)
    assert end.answer == pickle.loads(pickle.dumps(end)).answer
    assert pickle.loads(pickle.dumps(delta)) == delta
    assert end.answer != other


def test_keyword() -> None:
    session = asking()
    receive(session, '{"keyword":"weather","message":"","quota":0}')
    event = receive(session, '{"message":"sun","quota":1,"end":true,"keyword":"weather"}')
    assert isinstance(event, End)
    assert event.answer.keyword == "weather"


def test_stray() -> None:
    session = Session(now=START)
    event = receive(session, '{"message":"late","quota":0.5,"end":true}')
    assert isinstance(event, Stray)
    assert (event.turn, event.text, event.quota_text, event.is_end) == (0, "late", "0.5", True)
    event = receive(session, '{"message":"late"}')
    assert isinstance(event, Stray)
    assert (event.quota_text, event.quota, event.is_end) == ("0", 0.0, False)
    assert repr(event) == "Stray(turn=0, text='late', is_end=False, quota=0.0)"
    assert session.counters.strays == 2


@pytest.mark.parametrize("message", ["", "no JSON", "[]", '{"message":5}', '{"quota":"free"}'])
def test_malformed(message: str) -> None:
    session = asking()
    event = receive(session, message)
    assert isinstance(event, Malformed)
    assert event.status is Status.MALFORMED
    assert event.message
    assert event.raw == message
    # What has no fields has none.
    assert event.field("missing", 3) == 3
    assert session.counters.malformed == 1
    assert "MALFORMED" in repr(event)


def test_malformed_binary() -> None:
    session = asking()
    event = session.receive_binary(now=START)
    assert isinstance(event, Malformed)
    assert event.status is Status.MALFORMED
    assert event.message
    assert session.counters.malformed == 1


def test_stop_repeated_and_keep_alive() -> None:
    session = asking()
    session.stop(now=START)
    event = session.handle_timeout(now=START + 0.5)
    assert type(event) is StopRepeated
    assert event.turn == 1
    assert event.raw is None
    assert repr(event) == "StopRepeated(turn=1)"
    session = Session(now=START)
    event = session.handle_timeout(now=START + 25)
    assert type(event) is KeepAlive
    assert repr(event) == "KeepAlive(turn=0)"


def test_open_and_closed() -> None:
    link = Link(Connection("ws://localhost", now=START), Server())
    (event,) = link.exchange()
    assert type(event) is Open
    link.server.close(4001, "enough")
    (event,) = link.exchange()
    assert isinstance(event, Closed)
    assert event.status is Status.CLOSED_BY_SERVER
    assert event.code == 4001
    assert "enough" in event.message
    link.connection.reconnect(now=START)
    link.connection.eof(now=START)
    (event,) = link.connection.events()
    assert isinstance(event, Closed)
    assert event.status is Status.END_OF_STREAM
    assert event.code is None


def test_unknown_fields() -> None:
    event = receive(
        asking(), '{"message":"x","title":"T","tool_call":{"id":[1,2.5,null]},"n":1e400,"twice":1,"twice":2}'
    )
    assert event.field("title") == "T"
    assert event.field("tool_call") == {"id": [1, 2.5, None]}
    assert event.field("twice") == 2
    assert event.field("absent") is None
    assert event.field("absent", "default") == "default"
    assert event.raw is not None
    assert json.loads(event.raw)["title"] == "T"


def test_a_kind_of_a_later_library() -> None:
    # Only what is in every event is known of it.
    native = ffi.new("chatnio_event *", {"kind": 4711, "turn": 3})
    event = event_of(native)
    assert type(event) is Event
    assert event.turn == 3
    assert event.raw is None
    assert repr(event) == "Event(turn=3)"


HEADER = (Path(__file__).resolve().parents[3] / "ffi" / "include" / "chatnio.h").read_text(encoding="utf-8")


def declared(enumeration: str) -> dict[str, int]:
    """The constants of an enumeration of the header, without its prefix."""
    (body,) = re.findall(rf"typedef enum {enumeration} \{{(.*?)\}} {enumeration};", HEADER, re.S)
    prefix = enumeration.removesuffix("_kind").removesuffix("_type").removesuffix("_reason").upper()
    prefix = {"CHATNIO_CONVERSATION_KIND": "CHATNIO_CONVERSATION"}.get(prefix, prefix)
    return {name: int(number) for name, number in re.findall(rf"^\s*{prefix}_(\w+) = (\d+),$", body, re.M)}


@pytest.mark.parametrize(
    ("enumeration", "by_number", "name"),
    [
        ("chatnio_outcome", names.OUTCOMES, lib.chatnio_outcome_name),
        ("chatnio_interruption", names.INTERRUPTIONS, lib.chatnio_interruption_name),
        ("chatnio_state", names.STATES, lib.chatnio_state_name),
        ("chatnio_conversation_kind", names.CONVERSATION_KINDS, lib.chatnio_conversation_kind_name),
        ("chatnio_request_type", names.REQUEST_TYPES, lib.chatnio_request_type_name),
    ],
)
def test_the_named_ones_are_the_headers(
    enumeration: str, by_number: dict[int, names.Named], name: Callable[[int], Any]
) -> None:
    assert {member.name: number for number, member in by_number.items()} == declared(enumeration)
    for number, member in by_number.items():
        assert member.value == str(member) == ffi.string(name(number)).decode()


@pytest.mark.parametrize(("enumeration", "values"), [("chatnio_step_kind", StepKind), ("chatnio_close_reason", CloseReason)])
def test_the_numbered_ones_are_the_headers(enumeration: str, values: type[enum.IntEnum]) -> None:
    known = declared(enumeration) or declared(enumeration.removesuffix("_reason"))
    assert {value.name: value.value for value in values} == known


def test_every_kind_of_the_library_has_a_class() -> None:
    made = [value for value in declared("chatnio_event_kind").values() if value != lib.CHATNIO_EVENT_NONE]
    assert len(made) >= 9
    assert set(made) == set(events.MAKERS)
    answer = ffi.new("chatnio_answer *", {"request_type": 1})
    for kind in made:
        native = ffi.new("chatnio_event *", {"kind": kind, "status": Status.CLOSED, "answer": answer})
        assert type(event_of(native)) is not Event
        name = ffi.string(lib.chatnio_event_kind_name(kind)).decode()
        assert type(event_of(native)).__name__.lower() == name.replace(" ", "").replace("_", "").lower()


def test_names() -> None:
    assert str(Outcome.COMPLETE) == "complete"
    assert str(Interruption.FIRST_FRAME_DEADLINE) == "first frame deadline"
    assert str(State.ANSWERING) == "answering"
    assert str(ConversationKind.RESUMED) == "resumed"
    assert str(RequestType.CHAT) == "chat"
    assert f"{Outcome.STOPPED}|{Outcome.STOPPED:>10}" == "stopped|   stopped"
    assert f"{Status.BUSY}|{Status.BUSY:>6}" == "BUSY|  BUSY"
    name: str = Outcome.COMPLETE
    assert name == "complete" and json.dumps([Outcome.COMPLETE]) == '["complete"]'
    assert Outcome("complete") is Outcome.COMPLETE
    assert not Outcome.NONE and not Interruption.NONE and Outcome.COMPLETE and State.IDLE


def test_a_repr_is_short() -> None:
    session = asking()
    text = "é" * 100_000
    delta = receive(session, json.dumps({"message": text, "quota": 1}))
    assert len(repr(delta)) < 200
    end = receive(session, '{"message":"","quota":1,"end":true}')
    assert isinstance(end, End)
    assert end.answer.text == text
    assert len(repr(end)) < 500
    assert len(repr(end.answer)) < 300


def test_they_are_light() -> None:
    for event in (receive(asking(), '{"message":"x"}'), receive(Session(now=START), "{}")):
        assert not hasattr(event, "__dict__")
        # Some versions of Python say it by a TypeError.
        with pytest.raises((AttributeError, TypeError)):
            event.something = 1  # type: ignore[attr-defined]


def everything(event: Event) -> dict[str, object]:
    """All that an event shows."""
    names = [name for name in dir(event) if not name.startswith("_") and name != "field"]
    found = {name: getattr(event, name) for name in names}
    if isinstance(event, End):
        found["answer"] = asdict(event.answer)
    return found


MESSAGES = (
    '{"conversation":29,"quota":0.05}',
    '{"message":"Hello","quota":0.1,"title":"T"}',
    "no JSON",
    '{"message":"!","quota":0.2,"end":true}',
    '{"message":"late","quota":0.3,"end":true}',
)


def test_a_sessions_events_outlive_everything() -> None:
    session = asking()
    events: list[Event] = []
    seen: list[dict[str, object]] = []
    for message in MESSAGES:
        events.append(receive(session, message))
        seen.append(everything(events[-1]))
    running = asking()
    receive(running, MESSAGES[1])
    answer = running.answer
    for _ in range(10):
        receive(session, '{"message":"' + "!" * 5000 + '"}')
        receive(running, '{"message":"' + "!" * 5000 + '"}')
    session.free()
    running.free()
    del session, running
    gc.collect()
    assert [everything(event) for event in events] == seen
    assert [type(event).__name__ for event in events] == ["Opened", "Delta", "Malformed", "End", "Stray"]
    assert answer is not None
    assert (answer.text, answer.quota_text, answer.outcome) == ("Hello", "0.1", Outcome.NONE)


def test_a_connections_events_outlive_everything() -> None:
    link = Link(Connection("ws://localhost", config=Config(record=True), now=START), Server())
    link.exchange()
    link.connection.request(Request.chat("hi"), now=START)
    link.exchange()
    events = link.say(*MESSAGES)
    seen = [everything(event) for event in events]
    transcript = link.connection.transcript()
    text = str(transcript)
    for _ in range(10):
        link.say('{"message":"' + "!" * 5000 + '"}')
    link.connection.free()
    del link
    gc.collect()
    assert [everything(event) for event in events] == seen
    assert [type(event).__name__ for event in events] == ["Opened", "Delta", "Malformed", "End", "Stray"]
    assert str(transcript) == text
    assert MESSAGES[1] in text


def test_one_of_a_batch_outlives_the_others() -> None:
    link = Link(Connection("ws://localhost", now=START), Server())
    link.exchange()
    link.connection.request(Request.chat("hi"), now=START)
    link.exchange()
    events = link.say(*(f'{{"message":"piece {at}","quota":{at}}}' for at in range(100)))
    kept = events[50]
    del events
    gc.collect()
    assert isinstance(kept, Delta)
    assert (kept.text, kept.quota_text, kept.raw) == ("piece 50", "50", '{"message":"piece 50","quota":50}')


def test_a_delta_is_pickled_and_copied() -> None:
    message = '{"message":"Hé","quota":0.10,"title":"T"}'
    session = asking()
    receive(session, '{"conversation":29,"quota":0.05}')
    alone = receive(session, message)
    link = Link(Connection("ws://localhost", now=START), Server())
    link.exchange()
    link.connection.request(Request.chat("hi"), now=START)
    link.exchange()
    batch = link.say(*['{"message":"' + "!" * 5000 + '"}'] * 50, message, '{"message":"?"}')
    for delta in (alone, batch[50]):
        assert isinstance(delta, Delta)
        pickled = [pickle.dumps(delta, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
        # Without the others.
        assert max(map(len, pickled)) < 1000
        for again in (*map(pickle.loads, pickled), copy.copy(delta), copy.deepcopy(delta)):
            assert type(again) is Delta
            assert everything(again) == everything(delta)
            assert (again.turn, again.text, again.quota_text, again.quota) == (1, "Hé", "0.10", 0.1)
            assert again.raw == message
            assert again.field("title") == "T"


def test_all_events_are_public() -> None:
    made = {type(event_of(ffi.new("chatnio_event *", {"kind": kind, "status": 4901, "answer": ANSWER}))) for kind in events.MAKERS}
    assert {kind.__name__ for kind in made} == {kind.__name__ for kind in KINDS} - {"Event", "Priced"}
    for kind in KINDS:
        assert kind.__doc__


ANSWER = ffi.new("chatnio_answer *", {"request_type": 1})
PUBLIC = [getattr(pychatnio, name) for name in pychatnio.__all__]
KINDS = [kind for kind in PUBLIC if isinstance(kind, type) and issubclass(kind, Event)]


@pytest.mark.parametrize("kind", [Answer, *KINDS])
def test_they_are_frozen_dataclasses(kind: Any) -> None:
    assert hasattr(kind, "__dataclass_fields__")
    made: Any = kind()
    assert made == kind() and hash(made) == hash(kind())
    for field in fields(made):
        with pytest.raises(FrozenInstanceError):
            setattr(made, field.name, None)
        with pytest.raises(FrozenInstanceError):
            delattr(made, field.name)
    json.dumps(asdict(made))
    assert replace(made, turn=7).turn == 7
    assert replace(made, turn=7) != made
    assert pickle.loads(pickle.dumps(made)) == copy.deepcopy(made) == made


def test_one_that_was_received_is_as_one_made_by_hand() -> None:
    session = asking()
    received = receive(session, '{"message":"a","quota":0.10}')
    by_hand = Delta(turn=1, raw='{"message":"a","quota":0.10}', quota=0.1, quota_text="0.10", text="a")
    assert received == by_hand and by_hand == received
    assert hash(received) == hash(by_hand)
    assert repr(received) == repr(by_hand)
    assert asdict(received) == asdict(by_hand)
    assert replace(by_hand, text="b") != received
    for name in ("turn", "raw", "quota", "quota_text", "text"):
        with pytest.raises(AttributeError):
            setattr(received, name, "x")
        with pytest.raises(AttributeError):
            delattr(received, name)
    end = receive(session, '{"message":"","quota":0.2,"end":true}')
    assert isinstance(end, End)
    logged = json.loads(json.dumps(asdict(end)))
    assert (logged["answer"]["outcome"], logged["answer"]["text"]) == ("complete", "a")


def test_they_are_matched() -> None:
    def told(event: Event) -> str:
        match event:
            case Delta(text=text):
                return text
            case End(answer=Answer(outcome=Outcome.COMPLETE, text=text)):
                return f"all of {text}"
            case End(answer=answer):
                return f"{answer.outcome}"
            case Malformed(message=message):
                return message
            case _:
                return "more"

    session = asking()
    assert told(receive(session, '{"message":"a"}')) == "a"
    assert told(receive(session, '{"end":true}')) == "all of a"
    assert told(End(answer=Answer(outcome=Outcome.STOPPED))) == "stopped"
    assert told(Malformed(message="no JSON")) == "no JSON"
    assert told(KeepAlive()) == "more"


def test_an_answer_made_by_hand_is_complete() -> None:
    answer = Answer(text="Hello")
    assert (answer.outcome, answer.text, answer.quota_decimal) == (Outcome.COMPLETE, "Hello", Decimal(0))
    assert not answer.interruption
