"""The exceptions: every status of the header has its class, and every class its statuses."""

from __future__ import annotations

import copy
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from memory import START

import pychatnio
from pychatnio import (
    AnswerError,
    AnswerInterruptedError,
    AnswerTimeoutError,
    BusyError,
    ChatNioError,
    ConnectError,
    ConnectionClosedError,
    ConnectTimeoutError,
    End,
    InvalidArgumentError,
    InvalidRequestError,
    NoticeError,
    RefusedError,
    Request,
    Session,
    Status,
    SystemFailureError,
    ThrottledError,
    TranscriptError,
    errors,
)
from pychatnio._native import ffi, lib

HEADER = Path(__file__).resolve().parents[3] / "ffi" / "include" / "chatnio.h"

EXCEPTIONS = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, ChatNioError)]


def declared() -> dict[str, int]:
    """The statuses of the header."""
    (body,) = re.findall(r"typedef enum chatnio_status \{(.*?)\} chatnio_status;", HEADER.read_text(), re.S)
    return {name: int(number) for name, number in re.findall(r"^\s*CHATNIO_(\w+) = (\d+),$", body, re.M)}


def test_every_status_is_there() -> None:
    statuses = declared()
    assert len(statuses) > 50
    assert {status.name: status.value for status in Status} == statuses
    for status in Status:
        assert ffi.string(lib.chatnio_status_name(status)).decode() == f"CHATNIO_{status.name}"
        assert status.message
        assert status.is_fatal == (status >= 4900)


def test_every_status_is_raised_or_none() -> None:
    assert set(errors.RAISED) | errors.NOT_RAISED == set(Status)
    assert not set(errors.RAISED) & errors.NOT_RAISED
    # Those of the usual course, and those of events.
    assert {status.name for status in errors.NOT_RAISED} == {
        "OK",
        "AGAIN",
        "INTERRUPTED",
        "ABSENT",
        "MALFORMED",
        "MESSAGE_TOO_LONG",
    }


def test_the_groups_are_disjoint() -> None:
    groups = [status for statuses in errors._CLASSES.values() for status in statuses]
    assert len(groups) == len(set(groups))


def test_fatal_statuses_and_the_others_share_no_class() -> None:
    for raised in set(errors.RAISED.values()):
        fatal = {status.is_fatal for status, one in errors.RAISED.items() if one is raised}
        assert len(fatal) == 1, raised


def test_every_class_is_public_documented_and_used() -> None:
    assert len(EXCEPTIONS) > 15
    for exception in EXCEPTIONS:
        assert getattr(pychatnio, exception.__name__) is exception
        assert exception.__name__ in pychatnio.__all__
        assert exception.__doc__
        assert exception.__doc__ != (exception.__base__ or object).__doc__
    raised = set(errors.RAISED.values())
    # Bases, and what an answer raises.
    assert {exception for exception in EXCEPTIONS if exception not in raised} == {
        ChatNioError,
        AnswerError,
        NoticeError,
        AnswerInterruptedError,
        AnswerTimeoutError,
    }
    assert set(errors.__all__) == {exception.__name__ for exception in EXCEPTIONS}


@pytest.mark.parametrize("status", errors.RAISED, ids=lambda status: status.name)
def test_each_status(status: Status) -> None:
    error = errors.error_of(status, "")
    assert type(error) is errors.RAISED[status]
    assert str(error) == status.message
    error = errors.error_of(status, "what and where")
    assert error.status is status
    assert str(error) == "what and where"
    assert "what and where" in repr(error)


@pytest.mark.parametrize("status", errors.RAISED, ids=lambda status: status.name)
def test_pickled_and_copied(status: Status) -> None:
    error = errors.error_of(status, "what and where")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is type(error)
        assert again.status is status
        assert str(again) == "what and where"


def test_a_refusal_keeps_what_the_server_said() -> None:
    for status in (Status.THROTTLED, Status.HTTP):
        error = errors.error_of(status, "refused")
        assert isinstance(error, RefusedError)
        assert error.code is None
        assert error.body is None
        error.code, error.body = 404, "<html>"
        again = pickle.loads(pickle.dumps(error))
        assert (again.code, again.body) == (404, "<html>")


def ended(*messages: str) -> End:
    session = Session(now=START)
    session.request(Request.chat("hi"), now=START)
    event = [session.receive(message, now=START) for message in messages][-1]
    assert isinstance(event, End)
    return event


@pytest.mark.parametrize("kind", [NoticeError, AnswerInterruptedError])
def test_an_answer_that_failed(kind: type[AnswerError]) -> None:
    answer = ended('{"message":"out of quota","quota":0,"end":true}').answer
    error = kind(answer, "out of quota")
    assert error.status is None
    assert error.answer is answer
    assert str(error) == "out of quota"
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert again.answer.notice == "out of quota"
    assert again.answer.quota == 0


@pytest.mark.parametrize(
    ("exception", "base"),
    [
        (InvalidArgumentError, ValueError),
        (InvalidRequestError, ValueError),
        (TranscriptError, ValueError),
        (ConnectionClosedError, ConnectionError),
        (ConnectError, ConnectionError),
        (ConnectTimeoutError, ConnectError),
        (ConnectTimeoutError, TimeoutError),
        (RefusedError, ConnectError),
        (ThrottledError, RefusedError),
        (SystemFailureError, OSError),
        (BusyError, ChatNioError),
        (NoticeError, AnswerError),
    ],
)
def test_who_catches_what(exception: type[ChatNioError], base: type[Exception]) -> None:
    assert issubclass(exception, base)


def test_what_python_means_by_these_is_not_caught_by_mistake() -> None:
    # An answer that failed is no connection that failed, nor the other way round.
    for exception in (NoticeError, AnswerInterruptedError, BusyError):
        assert not issubclass(exception, (OSError, ValueError))


def test_an_error_of_the_system_has_one_text() -> None:
    error: Any = errors.error_of(Status.SYSTEM, "no more threads")
    assert str(error) == "no more threads"
    assert error.errno is None


def test_a_status_of_a_later_library() -> None:
    # It cannot be, since the library is inside. But nothing else is raised by a look at it.
    with pytest.raises(ValueError, match="4899"):
        errors.error_of(4899, "new")
