"""The events of a `Connection`: how they are taken, one by one and in batches."""

from __future__ import annotations

import itertools
import tracemalloc

import pytest
from memory import START, Link
from test_connection import END, asking, end_and_closed

from pychatnio import (
    Closed,
    Delta,
    End,
    Event,
    InvalidArgumentError,
    Malformed,
    Opened,
    Outcome,
    Stray,
)

#: More than the library hands out at once.
MANY = 2000


def said(link: Link, *messages: str) -> bytes:
    """The bytes of what the server says."""
    for message in messages:
        link.server.send(message)
    return link.server.data_to_send()


def test_very_many_events_of_one_message_come_as_they_are_taken() -> None:
    link = asking()
    count = 100_000
    frame = said(link, "{}" * count)
    tracemalloc.start()
    try:
        link.connection.receive(frame, now=START)
        assert sum(isinstance(event, Delta) for event in link.connection.events()) == count
        # As a list they would be some hundred times that.
        assert tracemalloc.get_traced_memory()[1] < 500_000
    finally:
        tracemalloc.stop()


def test_a_loop_that_is_left_leaves_the_rest() -> None:
    link = asking()
    link.connection.receive(said(link, *(f'{{"message":"{at} "}}' for at in range(MANY)), END), now=START)
    link.connection.eof(now=START)
    taken = list(itertools.islice(link.connection.events(), 1))
    # There is something to do before anything is waited for, whoever has it.
    assert not link.connection.wants.read
    taken += itertools.islice(link.connection.events(), MANY - 1)
    texts = [event.text for event in taken if isinstance(event, Delta)]
    assert "".join(texts) == "".join(f"{at} " for at in range(MANY))
    events = link.connection.events()
    assert isinstance(next(events), End)
    assert not link.connection.wants.finished
    assert isinstance(next(events), Closed)
    assert link.connection.wants.finished
    assert list(events) == list(link.connection.events()) == []


def test_what_is_brought_while_events_are_taken_comes_with_them() -> None:
    link = asking()
    link.connection.receive(said(link, '{"message":"x"}'), now=START)
    seen: list[Event] = []
    for event in link.connection.events():
        seen.append(event)
        if isinstance(event, Delta):
            link.connection.eof(now=START)
    delta, *rest = seen
    assert isinstance(delta, Delta)
    end_and_closed(rest)


def test_what_is_not_taken_is_of_no_later_connection() -> None:
    for is_ended in (True, False):
        link = asking()
        link.connection.receive(said(link, *['{"message":"x"}'] * 5, *[END] * is_ended), now=START)
        assert isinstance(next(link.connection.events()), Delta)
        end = link.connection.reconnect(now=START)
        assert isinstance(end, End)
        assert end.answer.text == "xxxxx"
        assert end.answer.outcome is (Outcome.COMPLETE if is_ended else Outcome.INTERRUPTED)
        assert list(link.connection.events()) == []


def test_no_event_is_there_after_it_was_freed() -> None:
    link = asking()
    link.connection.receive(said(link, '{"message":"x"}', '{"message":"y"}'), now=START)
    events = link.connection.events()
    assert isinstance(next(events), Delta)
    link.connection.free()
    with pytest.raises(InvalidArgumentError, match="freed"):
        next(events)


@pytest.mark.parametrize("count", [1, 127, 128, 129, 255, 256, 257, 1000])
def test_batches(count: int) -> None:
    link = asking()
    link.server.send('{"conversation":3}')
    for at in range(count):
        # Texts of all lengths in UTF-8, and none at all.
        link.server.send(f'{{"message":"{"aé☺😀"[at % 4] * (at % 5)}{at if at % 7 != 5 else ""}","quota":{at}.5,"n":{at}}}')
    link.server.send("no JSON")
    link.server.send(END)
    link.server.send('{"message":"late"}')
    opener, *deltas, malformed, end, stray = link.exchange()
    assert isinstance(opener, Opened)
    assert len(deltas) == count
    for at, delta in enumerate(deltas):
        assert isinstance(delta, Delta)
        assert delta.turn == 1
        assert delta.text == "aé☺😀"[at % 4] * (at % 5) + (str(at) if at % 7 != 5 else "")
        assert delta.quota_text == f"{at}.5"
        assert delta.quota == at + 0.5
        assert delta.field("n") == at
    assert isinstance(malformed, Malformed)
    assert isinstance(end, End)
    assert isinstance(stray, Stray)
    assert end.answer.text == "".join(delta.text for delta in deltas if isinstance(delta, Delta))


def test_events_between_deltas() -> None:
    link = asking()
    kinds: list[type[Event]] = []
    for at in range(600):
        if at % 100 == 99:
            link.server.send("no JSON")
            kinds.append(Malformed)
        else:
            link.server.send(f'{{"message":"{at}","quota":1}}')
            kinds.append(Delta)
    events = link.exchange()
    assert all(isinstance(event, kind) for event, kind in zip(events, kinds, strict=True))
    assert [event.text for event in events if isinstance(event, Delta)] == [
        str(at) for at in range(600) if at % 100 != 99
    ]


def test_a_batch_with_nothing_in_it() -> None:
    link = asking()
    deltas = link.say(*['{"message":"","quota":0}'] * 5)
    assert [delta.text for delta in deltas if isinstance(delta, Delta)] == [""] * 5
