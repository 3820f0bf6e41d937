"""Every request and parameter, by the frame that is sent, as docs/protocol.md has it."""

from __future__ import annotations

import gc
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from memory import START

from pychatnio import (
    BusyError,
    Config,
    End,
    Interruption,
    InvalidArgumentError,
    InvalidRequestError,
    Parameters,
    Request,
    RequestType,
    Session,
    Status,
)

AT_ONCE = Config(auth_at_once=True)


def authenticated() -> Session:
    session = Session(config=AT_ONCE, now=START)
    assert session.next_message() == '{"token":"anonymous","id":-1}'
    return session


def sent(request: Request) -> str | None:
    """What goes out for a request, as often as it is sent."""
    session = authenticated()
    session.request(request, now=START)
    first = session.next_message()
    assert session.next_message() is None
    session.receive('{"message":"x","quota":1,"end":true}', now=START)
    session.request(request, now=START)
    assert session.next_message() == first
    return first


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request.chat("hi"), '{"type":"chat","message":"hi"}'),
        (Request.chat('"\\\n\x01 é☺😀'), '{"type":"chat","message":"\\"\\\\\\n\\u0001 é☺😀"}'),
        (Request.chat("a\0b"), '{"type":"chat","message":"a\\u0000b"}'),
        (Request.share("ab12"), '{"type":"share","message":"ab12"}'),
        (
            Request.mask([("system", 'Be "brief"'), ("user", "hi"), ("assistant", "")]),
            '{"type":"mask","message":"'
            '[{\\"role\\":\\"system\\",\\"content\\":\\"Be \\\\\\"brief\\\\\\"\\"},'
            '{\\"role\\":\\"user\\",\\"content\\":\\"hi\\"},{\\"role\\":\\"assistant\\",\\"content\\":\\"\\"}]"}',
        ),
        (Request.edit(3, "a:b"), '{"type":"edit","message":"3:a:b"}'),
        (Request.edit(0, "x"), '{"type":"edit","message":"0:x"}'),
        (Request.remove(2**32 - 1), '{"type":"remove","message":"4294967295"}'),
    ],
    ids=lambda value: value[:50] if isinstance(value, str) else "",
)
def test_types(request_: Request, expected: str) -> None:
    assert sent(request_) == expected


#: Of each parameter a value, and others that are as good.
PARAMETERS: dict[str, list[Any]] = {
    "model": ["gpt-4", "", "é"],
    "web": [True, False],
    "ignore_context": [True, False],
    "context": [3, 0, -1, 2**63 - 1, -(2**63)],
    "max_tokens": [10, 0, -1, 2**63 - 1],
    "temperature": [0.5, 0.0, 1, -1.25],
    "top_p": [0.9, 1],
    "top_k": [40, 0],
    "presence_penalty": [0.1, -2.0],
    "frequency_penalty": [-0.2, 2],
    "repetition_penalty": [1.1, 1],
}


def test_all_parameters_are_tested() -> None:
    # The rest is no parameter with a value of one type, and has tests of its own below.
    others = {"extra", "first_frame", "next_frame", "answer_within"}
    assert set(PARAMETERS) == set(Parameters.__annotations__) - others


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in PARAMETERS.items() for value in values])
def test_each_parameter(name: str, value: Any) -> None:
    parameters: Any = {name: value}
    message = sent(Request.chat("hi", **parameters))
    assert message is not None
    # Single precision is what servers take, and the shortest form of it is what is sent.
    assert json.loads(message) == {"type": "chat", "message": "hi", name: value}
    assert type(json.loads(message)[name]) is bool or not isinstance(value, bool)


def test_all_parameters_together() -> None:
    everything: Any = {name: values[0] for name, values in PARAMETERS.items()}
    expected = (
        '"model":"gpt-4","web":true,"ignore_context":true,"context":3,"max_tokens":10,"temperature":0.5,"top_p":0.9,'
        '"top_k":40,"presence_penalty":0.1,"frequency_penalty":-0.2,"repetition_penalty":1.1}'
    )
    assert sent(Request.chat("hi", **everything)) == '{"type":"chat","message":"hi",' + expected
    session = authenticated()
    session.request(Request.chat("hi"), now=START)
    session.receive('{"message":"x","quota":1,"end":true}', now=START)
    session.next_message()
    session.request(Request.restart(**everything), now=START)
    assert session.next_message() == '{"type":"restart",' + expected


def test_none_is_left_out() -> None:
    nothing: Any = dict.fromkeys(PARAMETERS)
    assert sent(Request.chat("hi", **nothing)) == '{"type":"chat","message":"hi"}'


def test_an_unknown_parameter() -> None:
    unknown: Any = {"temprature": 1}
    makes: list[Callable[[], object]] = [lambda: Request.chat("hi", **unknown), lambda: Request.restart(**unknown)]
    for make in makes:
        with pytest.raises(TypeError, match="temprature"):
            make()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, 2**63) for name in ("context", "max_tokens", "top_k")),
        *((name, -(2**63) - 1) for name in ("context", "max_tokens", "top_k")),
    ],
)
def test_numbers_out_of_range(name: str, value: int) -> None:
    parameters: Any = {name: value}
    with pytest.raises(InvalidArgumentError, match=f"{name}.*{value}"):
        Request.chat("hi", **parameters)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "1") for name in PARAMETERS if name not in ("model", "web", "ignore_context")),
        *((name, 1.5) for name in ("context", "max_tokens", "top_k")),
        ("web", "false"),
        ("ignore_context", 1),
        ("model", 4),
        ("model", b"gpt-4"),
    ],
)
def test_values_of_the_wrong_type(name: str, value: Any) -> None:
    parameters: Any = {name: value}
    with pytest.raises(TypeError):
        Request.chat("hi", **parameters)


@pytest.mark.parametrize("text", [b"hi", 5, None])
def test_texts_that_are_none(text: Any) -> None:
    for make in (
        lambda: Request.chat(text),
        lambda: Request.share(text),
        lambda: Request.mask([(text, "x")]),
        lambda: Request.mask([("user", text)]),
        lambda: Request.edit(1, text),
        lambda: Session(now=START).receive(bytearray(b"{}")),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError):
            make()


@pytest.mark.parametrize("index", [-1, 2**32])
def test_indexes_out_of_range(index: int) -> None:
    with pytest.raises(InvalidArgumentError, match=str(index)):
        Request.edit(index, "x")
    with pytest.raises(InvalidArgumentError, match=str(index)):
        Request.remove(index)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
@pytest.mark.parametrize(
    "name", ["temperature", "top_p", "presence_penalty", "frequency_penalty", "repetition_penalty"]
)
def test_numbers_that_are_none(name: str, value: float) -> None:
    parameters: Any = {name: value}
    with pytest.raises(InvalidRequestError) as caught:
        Session(now=START).request(Request.chat("hi", **parameters), now=START)
    assert caught.value.status is Status.NOT_FINITE


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (Request.chat(""), Status.EMPTY_MESSAGE),
        (Request.chat(" \t\n"), Status.EMPTY_MESSAGE),
        (Request.share(""), Status.EMPTY_SHARE),
        (Request.mask([]), Status.BAD_MASK),
        (Request.mask([("narrator", "x")]), Status.BAD_MASK),
        (Request.restart(), Status.NOTHING_TO_RESTART),
        (Request.chat("x" * 2**23), Status.REQUEST_TOO_LONG),
    ],
    ids=lambda value: value.name if isinstance(value, Status) else "",
)
def test_what_cannot_be_sent(request_: Request, status: Status) -> None:
    session = authenticated()
    with pytest.raises(InvalidRequestError) as caught:
        session.request(request_, now=START)
    assert caught.value.status is status
    assert session.next_message() is None
    # Nothing has changed.
    session.request(Request.chat("hi"), now=START)


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\udcff"])
def test_texts_that_are_not_unicode(text: str) -> None:
    makes: list[Callable[[], object]] = [
        lambda: Request.chat(text),
        lambda: Request.chat("hi", model=text),
        lambda: Request.share(text),
        lambda: Request.mask([(text, "x")]),
        lambda: Request.mask([("user", text)]),
        lambda: Request.edit(1, text),
    ]
    for make in makes:
        with pytest.raises(InvalidArgumentError) as caught:
            make()
        assert caught.value.status is Status.NOT_UTF8


def test_extra_fields() -> None:
    session = authenticated()
    extra = {"think": True, "web_search_mode": {"by": ["auto", 1.5, None]}, "né": "😀"}
    session.request(Request.chat("hi", top_k=3, extra=extra), now=START)
    assert session.next_message() == (
        '{"type":"chat","message":"hi","top_k":3,"think":true,"web_search_mode":{"by":["auto",1.5,null]},"né":"😀"}'
    )
    assert sent_by(Request.chat("hi", extra=None)) == sent_by(Request.chat("hi", extra={}))


def sent_by(request: Request) -> str | None:
    session = authenticated()
    session.request(request, now=START)
    return session.next_message()


@pytest.mark.parametrize(
    ("deadlines", "first", "then", "why"),
    [
        ({"first_frame": 2}, 2, 122, Interruption.NEXT_FRAME_DEADLINE),
        ({"first_frame": 0, "next_frame": 1.5}, None, 3.5, Interruption.NEXT_FRAME_DEADLINE),
        ({"answer_within": 4}, 4, 4, Interruption.ANSWER_DEADLINE),
    ],
)
def test_deadlines(deadlines: Any, first: float | None, then: float, why: Interruption) -> None:
    session = Session(config=Config(keep_alive=0), now=START)
    session.request(Request.chat("hi", **deadlines), now=START)
    assert session.deadline == (None if first is None else START + first)
    session.receive('{"message":"a"}', now=START + 2)
    assert session.deadline == START + then
    end = session.handle_timeout(now=START + then)
    assert isinstance(end, End)
    assert end.answer.interruption is why


@pytest.mark.parametrize("name", ["first_frame", "next_frame", "answer_within"])
def test_deadlines_that_cannot_be(name: str) -> None:
    deadline: Any = {name: -1}
    with pytest.raises(InvalidArgumentError, match=name):
        Request.chat("hi", **deadline)


def test_extra_fields_that_cannot_be() -> None:
    for name in ("model", "Type", "message", "token"):
        with pytest.raises(InvalidRequestError) as caught:
            Request.chat("hi", extra={name: 1})
        assert caught.value.status is Status.KNOWN_FIELD
    looped: list[object] = []
    looped.append(looped)
    for value in (math.nan, math.inf, looped, "\ud800"):
        with pytest.raises(InvalidArgumentError, match="extra field 'think'|not UTF-8"):
            Request.chat("hi", extra={"think": value})
    wrong: Any = ["think"]
    with pytest.raises(TypeError, match="extra"):
        Request.chat("hi", extra=wrong)
    unknown: Any = {1: True}
    with pytest.raises(TypeError):
        Request.chat("hi", extra=unknown)
    with pytest.raises(TypeError, match="JSON"):
        Request.chat("hi", extra={"think": object()})


def test_one_is_for_many() -> None:
    request = Request.chat("hi")
    first, second = Session(now=START), Session(now=START)
    first.request(request, now=START)
    with pytest.raises(BusyError):
        first.request(request, now=START)
    second.request(request, now=START)
    # What was sent needs it no more.
    del request
    gc.collect()
    first.next_message()
    assert first.next_message() == '{"type":"chat","message":"hi"}'
    assert isinstance(first.receive('{"message":"x","quota":1,"end":true}', now=START), End)


def test_what_it_is() -> None:
    made = {
        Request.chat("x"): "chat",
        Request.restart(): "restart",
        Request.share("x"): "share",
        Request.mask([]): "mask",
        Request.edit(1, "x"): "edit",
        Request.remove(1): "remove",
    }
    for request, name in made.items():
        assert request.type is RequestType[name.upper()]
        assert str(request.type) == name
        # Questions may be long, and private.
        assert repr(request) == f"<Request {name}>"


def test_none_is_made_by_hand() -> None:
    with pytest.raises(TypeError, match=r"Request\.chat"):
        Request()
