"""What a client and the stream of an answer share."""

from __future__ import annotations

from .errors import AnswerError, AnswerInterruptedError, NoticeError
from .events import Answer, Outcome


class Turn:
    """One question and its answer."""

    __slots__ = ("answer", "is_left", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        #: The answer, once it has ended.
        self.answer: Answer | None = None
        #: Whether nobody iterates over it any more: its stop was sent.
        self.is_left = False


def error_for(answer: Answer) -> AnswerError | None:
    """What is raised for an answer that has ended otherwise than asked."""
    if answer.outcome is Outcome.NOTICE:
        return NoticeError(answer, answer.notice or "")
    if answer.outcome is Outcome.INTERRUPTED:
        return AnswerInterruptedError(answer, answer.reason or "")
    return None
