"""What an answer has brought. All of it is copied: nothing here ever points into the library."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from ._text import CData, present, text_of
from .names import (
    CONVERSATION_KINDS,
    INTERRUPTIONS,
    OUTCOMES,
    REQUEST_TYPES,
    ConversationKind,
    Interruption,
    Outcome,
    RequestType,
)

__all__ = ["Answer", "Conversation", "Counters"]


def shown(value: object) -> str:
    """For people, who do not want to see an answer of a megabyte."""
    if isinstance(value, enum.Enum):
        return str(value)
    return f"{value[:80]!r}..." if isinstance(value, str) and len(value) > 80 else repr(value)


class Conversation(NamedTuple):
    """The conversation that a connection is in."""

    kind: ConversationKind = ConversationKind.UNKNOWN
    """What is known of it."""
    id: int = 0
    """Its id; 0 while unknown, and -1 for anonymous, which is not stored."""
    asked: int = 0
    """The id that was asked for, when connecting or by a reconnect; 0 where a new conversation was."""


class Counters(NamedTuple):
    """What a session has counted since it was made."""

    strays: int
    """Frames that belonged to no running turn."""
    malformed: int
    """Messages that could not be read."""
    repeated_stops: int
    """Stops that were sent again."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Answer:
    """What a turn has brought. One that is made by hand, for a test, is complete where nothing else is said."""

    turn: int = 1
    """The turn's number, from 1, counting a session's chats and restarts."""
    request: RequestType = RequestType.CHAT
    """What was asked: a chat or a restart."""
    outcome: Outcome = Outcome.COMPLETE
    """How the turn ended; `Outcome.NONE` while it runs."""
    interruption: Interruption = Interruption.NONE
    """Why it was interrupted, if it was."""
    reason: str | None = None
    """The same in English; `None` if it was not."""
    text: str = ""
    """The text; empty when the configuration keeps none. Never holds a notice."""
    notice: str | None = None
    """What the server said instead of the model; `None` if it did not."""
    keyword: str = ""
    """Words that the web search used (servers of 2023), otherwise empty."""
    quota: float = 0.0
    """What it costs so far, in the server's unit. Servers charge nothing for an answer without text, whatever this says."""
    quota_text: str = "0"
    """The same as the server wrote it: `"0"` before any."""
    conversation: int | None = None
    """The conversation's id from the turn's opener, -1 for anonymous; `None` without an opener."""
    plan: bool = False
    """Paid for by a subscription."""
    chunks: int = 0
    """How many frames carried text of the answer."""
    malformed: int = 0
    """How many messages that could not be read came while the turn ran: each may be a hole in the text."""

    @property
    def quota_decimal(self) -> Decimal:
        """`quota`, exactly as the server wrote it."""
        return Decimal(self.quota_text)

    def __repr__(self) -> str:
        fields = (f"{name}={shown(getattr(self, name))}" for name in ("turn", "outcome", "text", "notice", "quota"))
        return f"Answer({', '.join(fields)})"


def answer_of(native: CData) -> Answer:
    """A copy of a `chatnio_answer`."""
    return Answer(
        turn=native.turn,
        request=REQUEST_TYPES[native.request_type],
        outcome=OUTCOMES[native.outcome],
        interruption=INTERRUPTIONS[native.interruption],
        reason=text_of(native.reason),
        text=present(native.text),
        notice=text_of(native.notice),
        keyword=present(native.keyword),
        quota=native.quota,
        quota_text=present(native.quota_text),
        conversation=native.conversation if native.has_conversation else None,
        plan=native.plan,
        chunks=native.chunks,
        malformed=native.malformed,
    )


def conversation_of(native: CData) -> Conversation:
    """A copy of a `chatnio_conversation`."""
    return Conversation(CONVERSATION_KINDS[native.kind], native.id, native.asked)
