"""Transcripts, and their replay."""

from __future__ import annotations

import copy
import gc
from pathlib import Path
from typing import Any

import pytest
from memory import START

from pychatnio import (
    BusyError,
    Client,
    CloseReason,
    Config,
    Delta,
    End,
    InvalidArgumentError,
    InvalidRequestError,
    Interruption,
    Loopback,
    Replay,
    Request,
    RequestType,
    Session,
    State,
    Status,
    Step,
    StepKind,
    Stray,
    Transcript,
    TranscriptError,
)

TEXT = """WEBSOCKET wss://api.chatnio.net/chat // where

> SEND {"token":"sk-...","id":-1}
> SEND {"type":"chat","message":"hi"}  // a question
< RECV {"message":"Hello","quota":0.1,"end":false}
< RECV {"message":"","quota":0.1,"end":true}
> SEND {"type":"restart"}
< RECV {"message":"Again","quota":0.2}
! CLOSED
"""


def test_what_it_is() -> None:
    transcript = Transcript(TEXT)
    written = str(transcript)
    assert str(Transcript(written)) == written
    assert written.splitlines()[0] == "WEBSOCKET wss://api.chatnio.net/chat"
    assert '> SEND {"type":"chat","message":"hi"}' in written
    assert repr(transcript) == f"<Transcript of {len(written.splitlines())} lines>"
    assert str(Transcript("")) == ""


def test_load(tmp_path: Path) -> None:
    path = tmp_path / "é.txt"
    path.write_text('> SEND {"message":"é☺"}\n', encoding="utf-8")
    assert "é☺" in str(Transcript.load(path))
    assert "é☺" in str(Transcript.load(str(path)))
    with pytest.raises(FileNotFoundError):
        Transcript.load(tmp_path / "missing.txt")
    path.write_text("> SEND {}\nnonsense\n")
    with pytest.raises(TranscriptError, match="2"):
        Transcript.load(path)
    path.write_bytes(b"\xff")
    with pytest.raises(ValueError):
        Transcript.load(path)


@pytest.mark.parametrize(
    "text", ["nonsense", "> RECV {}", "WEBSOCKET", "! CLOSED\n< RECV {}\n", "> SEND {}\nWEBSOCKET ws://x"]
)
def test_what_it_is_not(text: str) -> None:
    with pytest.raises(TranscriptError) as caught:
        Transcript(text)
    assert caught.value.status is Status.BAD_TRANSCRIPT
    assert "line" in str(caught.value)


def test_a_text_that_is_no_unicode() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        Transcript("> SEND {} // \ud800")
    assert caught.value.status is Status.NOT_UTF8
    wrong: Any = b"> SEND {}"
    with pytest.raises(TypeError):
        Transcript(wrong)


def test_events() -> None:
    transcript = Transcript(TEXT)
    for _ in range(2):
        delta, first, again, second = transcript.events()
        assert isinstance(delta, Delta)
        assert isinstance(first, End)
        assert first.answer.text == "Hello"
        assert isinstance(again, Delta)
        assert isinstance(second, End)
        assert second.answer.interruption is Interruption.CLOSED_BY_SERVER
        assert (second.answer.text, second.turn) == ("Again", 2)
    assert list(Transcript("").events()) == []


def test_events_of_a_turn_that_does_not_end() -> None:
    (end,) = Transcript('> SEND {"message":"hi"}\n').events()
    assert isinstance(end, End)
    assert end.answer.interruption is Interruption.CLOSED_BY_HOST


def test_events_of_what_a_session_refuses() -> None:
    # The question is left out, and what was answered to it is stray.
    events = list(Transcript('> SEND {"message":" "}\n< RECV {"message":"x","quota":1,"end":true}\n').events())
    assert [type(event) for event in events] == [Stray]


def test_events_outlive_the_transcript() -> None:
    events = Transcript(TEXT).events()
    gc.collect()
    assert len(list(events)) == 4


def test_steps() -> None:
    replay = Replay(Transcript(TEXT))
    session = Session(replay.auth(), now=START)
    steps: list[tuple[StepKind, int, str | None]] = []
    while (step := replay.next_step(session.state)) is not None:
        steps.append((step.kind, step.line, step.text))
        if step.kind is StepKind.REQUEST:
            assert step.request is not None
            session.request(step.request, now=START)
        else:
            assert step.request is None
            if step.kind is StepKind.RECEIVE:
                assert step.text is not None
                session.receive(step.text, now=START)
            else:
                session.closed(CloseReason.SERVER)
    assert steps == [
        (StepKind.REQUEST, 4, None),
        (StepKind.RECEIVE, 5, '{"message":"Hello","quota":0.1,"end":false}'),
        (StepKind.RECEIVE, 6, '{"message":"","quota":0.1,"end":true}'),
        (StepKind.REQUEST, 7, None),
        (StepKind.RECEIVE, 8, '{"message":"Again","quota":0.2}'),
        (StepKind.CLOSED, 9, None),
    ]
    assert replay.next_step(State.CLOSED) is None
    assert replay.next_step(State.CLOSED) is None


def test_the_types_of_requests(loopback: Loopback) -> None:
    written = """> SEND {"type":"share","message":"hash"}
> SEND {"type":"mask","message":"[{\\"role\\":\\"system\\",\\"content\\":\\"Be brief.\\"}]"}
> SEND {"type":"edit","message":"0:text"}
> SEND {"type":"remove","message":"0"}
> SEND {"type":"chat","message":"hi"}
> SEND {"type":"stop"}
> SEND {"type":"restart"}
"""
    replay = Replay(Transcript(written))
    with Client(loopback.url, "sk-any", config=Config(record=True)) as client:
        types: list[RequestType] = []
        while (step := replay.next_step(State.IDLE)) is not None:
            if step.request is None:
                continue
            types.append(step.request.type)
            if step.request.type not in (RequestType.CHAT, RequestType.RESTART):
                with pytest.raises(InvalidRequestError, match=f"nothing answers to {step.request.type}"):
                    client.ask(step.request)
        assert "SEND" not in str(client.transcript())
    assert types == [
        *(RequestType.SHARE, RequestType.MASK, RequestType.EDIT, RequestType.REMOVE),
        *(RequestType.CHAT, RequestType.STOP, RequestType.RESTART),
    ]


def test_auth() -> None:
    for line, sent in (
        ('{"token":"sk-...","id":29,"ref":"ab12"}', '{"token":"sk-...","id":29,"ref":"ab12"}'),
        ('{"type":"chat","message":"hi"}', '{"token":"anonymous","id":-1}'),
    ):
        replay = Replay(Transcript(f"> SEND {line}\n"))
        session = Session(replay.auth(), now=START)
        session.request(Request.chat("hi"), now=START)
        assert session.next_message() == sent


def test_a_request_that_has_to_wait() -> None:
    replay = Replay(
        Transcript(TOKEN + '> SEND {"message":"a"}\n> SEND {"message":"b"}\n< RECV {"message":"x","end":true}\n')
    )
    first = replay.next_step(State.IDLE)
    assert first is not None
    assert first.kind is StepKind.REQUEST
    warning = replay.next_step(State.ASKING)
    assert warning is not None
    assert warning.kind is StepKind.WARNING
    assert warning.line == 3
    assert warning.text
    received = replay.next_step(State.ASKING)
    assert received is not None
    assert received.kind is StepKind.RECEIVE
    held_back = replay.next_step(State.IDLE)
    assert held_back is not None
    assert (held_back.kind, held_back.line) == (StepKind.REQUEST, 3)


TOKEN = '> SEND {"token":"sk-...","id":-1}\n'


def requests(text: str = TEXT) -> tuple[Replay, Step]:
    """A replay, and its first request."""
    replay = Replay(Transcript(text))
    step = replay.next_step(State.IDLE)
    assert step is not None
    assert step.request is not None
    return replay, step


def test_a_request_of_a_past_step_is_refused() -> None:
    replay, step = requests()
    request, twin = step.request, copy.copy(step.request)
    assert request is not None
    assert twin is not None
    session = Session(now=START)
    session.request(request, now=START)
    replay.next_step(State.ASKING)
    for past in (request, twin):
        with pytest.raises((InvalidArgumentError, BusyError)) as caught:
            Session(now=START).request(past, now=START)
        assert caught.value.status is Status.INVALID
    # What was sent was sent.
    session.next_message()
    assert session.next_message() == '{"type":"chat","message":"hi"}'


def test_the_last_request_is_refused_after_the_end() -> None:
    replay, step = requests(TOKEN + '> SEND {"message":"hi"}\n')
    assert step.request is not None
    assert replay.next_step(State.ASKING) is None
    with pytest.raises(InvalidArgumentError):
        Session(now=START).request(step.request, now=START)


def test_a_request_outlives_its_replay() -> None:
    replay, step = requests(TOKEN + '> SEND {"message":"' + "hi" * 1000 + '"}\n')
    assert step.request is not None
    del replay
    gc.collect()
    # Its memory would be somebody else's by now.
    others = [Request.chat("other" * 500) for _ in range(100)]
    session = Session(now=START)
    session.request(step.request, now=START)
    session.next_message()
    assert session.next_message() == '{"type":"chat","message":"' + "hi" * 1000 + '"}'
    assert len(others) == 100


@pytest.mark.parametrize("state", [-1, 0, 99, "idle", None])
def test_states_that_cannot_be(state: Any) -> None:
    with pytest.raises(TypeError, match="state is of type State"):
        Replay(Transcript(TEXT)).next_step(state)


def test_replays_are_independent() -> None:
    transcript = Transcript(TEXT)
    first, second = Replay(transcript), Replay(transcript)
    del transcript
    gc.collect()
    for replay in (first, second):
        step = replay.next_step(State.IDLE)
        assert step is not None
        assert step.line == 4
