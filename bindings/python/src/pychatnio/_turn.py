"""What a client and the stream of an answer share, blocking or not."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from ._handle import Handle
from ._status import Status
from ._text import checked
from .answer import Answer
from .errors import (
    AnswerInterruptedError,
    AnswerTimeoutError,
    BusyError,
    InvalidArgumentError,
    NoticeError,
)
from .names import Interruption, Outcome, State


def within(timeout: float | None, what: str = "timeout", *, may_be_0: bool = False) -> float | None:
    """A number of seconds that a caller has given, as a `float`: above 0, which would be over before anything could come. In a
    `Config` it is no limit; nobody is to get the other of the two by mistake.

    Raises:
        InvalidArgumentError: for one that is none.
    """
    if timeout is None:
        return None
    checked(timeout, (float, int), what)
    try:
        span = float(timeout)
    except OverflowError:
        span = math.inf if timeout > 0 else -math.inf
    if not (span > 0 or (may_be_0 and span == 0)):
        wanted = "from 0 on" if may_be_0 else "above 0; None is no limit"
        raise InvalidArgumentError(Status.INVALID, f"{what} is a number of seconds {wanted}: not {span:g}")
    return span


class Turn:
    """One question and its answer."""

    __slots__ = ("answer", "is_left", "number", "timeout", "until")

    def __init__(self, number: int, timeout: float | None = None) -> None:
        self.number: int = number
        #: The answer, once it has ended.
        self.answer: Answer | None = None
        #: Whether it was left: its stop was sent, and nobody reads it.
        self.is_left: bool = False
        #: Within how many seconds the whole answer is to come, and until when that is, on `time.monotonic()`.
        self.timeout: float | None = timeout
        self.until: float = math.inf if timeout is None else time.monotonic() + timeout

    @property
    def is_late(self) -> bool:
        """Whether somebody reads it, and it has not come in the time that it had."""
        return self.answer is None and not self.is_left and time.monotonic() >= self.until

    def late(self, answer: Answer | None) -> AnswerTimeoutError:
        """What is raised then, given what came of the answer so far."""
        so_far = answer or Answer(turn=self.number, outcome=Outcome.NONE)
        return AnswerTimeoutError(so_far, f"the answer did not come whole within {self.timeout} s, and was stopped")


def raise_for(answer: Answer | None, lost: Callable[[], BaseException | None]) -> None:
    """Raises what is raised for an answer that has ended otherwise than asked.

    Args:
        answer: The answer; nothing is raised where there is none yet.
        lost: Says why the connection ended, where it did: that is the cause then.
    """
    if answer is None or answer.outcome not in (Outcome.NOTICE, Outcome.INTERRUPTED):
        return
    cause = None if answer.interruption in _NOT_LOST else lost()
    if answer.outcome is Outcome.NOTICE:
        raise NoticeError(answer, answer.notice or "") from cause
    # If the connection was the reason, it knows more.
    raise AnswerInterruptedError(answer, str(cause or answer.reason or "")) from cause


#: With these it is this program that has ended the connection, or that wants no more of the answer.
_NOT_LOST = (
    Interruption.CLOSED_BY_HOST,
    Interruption.RECONNECTED,
    Interruption.FIRST_FRAME_DEADLINE,
    Interruption.NEXT_FRAME_DEADLINE,
    Interruption.AFTER_STOP_DEADLINE,
    Interruption.ANSWER_DEADLINE,
    Interruption.ANSWER_TOO_LONG,
)


@contextmanager
def way_out(handle: Handle) -> Generator[None, None, None]:
    """Sends a client's request: who is told that an answer comes in is told the way out."""
    try:
        yield
    except BusyError:
        raise busy(handle.state) from None


def busy(state: State, *, is_left: bool = False) -> BusyError:
    """What a client is told that asks while another answer comes in; whether that was left, and nobody reads it."""
    is_unread = is_left or state is State.DRAINING
    if is_unread:
        why = (
            f"the server has not ended the answer that was {'stopped' if is_left else 'interrupted'}: wait a while, or reconnect "
            "and ask again"
        )
    else:
        why = (
            "an answer comes in, and one connection takes one question at a time: read that answer to its end, or leave it by "
            "close() on its stream (at a prompt that may be `_`), or use another client"
        )
    error = BusyError(Status.BUSY, why)
    error._is_unread = is_unread
    return error
