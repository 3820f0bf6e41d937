"""What an answer, a session and a request may be: enumerations whose values are their names."""

from __future__ import annotations

import enum
from typing import TypeVar

from ._native import lib

__all__ = ["ConversationKind", "Interruption", "Outcome", "RequestType", "State"]


class Named(str, enum.Enum):
    """Its value is its name, as in logs and JSON. The one that stands for nothing, where there is one, is false."""

    def __bool__(self) -> bool:
        return self.name != "NONE"

    def __str__(self) -> str:
        return str.__str__(self)

    def __format__(self, form: str) -> str:
        return str.__format__(self, form)


class Outcome(Named):
    """How a turn has ended."""

    NONE = "none"
    """It has not."""
    COMPLETE = "complete"
    """The answer came to its end."""
    STOPPED = "stopped"
    """A stop was sent before the end came."""
    NOTICE = "notice"
    """The server answered instead of the model: see the answer's `notice`."""
    INTERRUPTED = "interrupted"
    """The end never came: see the answer's `interruption`. The text so far is kept."""


class Interruption(Named):
    """Why a turn was interrupted."""

    NONE = "none"
    """It was not."""
    FIRST_FRAME_DEADLINE = "first frame deadline"
    """No frame came in time (`Config.first_frame`). The session drains."""
    NEXT_FRAME_DEADLINE = "next frame deadline"
    """The next frame did not come in time (`Config.next_frame`). The session drains."""
    AFTER_STOP_DEADLINE = "after stop deadline"
    """The end did not come in time after a stop (`Config.after_stop`). The session drains."""
    ANSWER_DEADLINE = "answer deadline"
    """The answer was not over in time (`Config.answer_within`). The session drains."""
    MESSAGE_TOO_LONG = "message too long"
    """A message was over the limit (`Config.max_message`). A session drains, a connection is over."""
    ANSWER_TOO_LONG = "answer too long"
    """The text would have grown over the limit (`Config.max_answer`). The session drains."""
    CLOSED_BY_SERVER = "closed by server"
    """The server closed the connection."""
    CONNECTION_LOST = "connection lost"
    """The connection was lost."""
    CLOSED_BY_HOST = "closed by host"
    """This program closed the connection."""
    RECONNECTED = "reconnected"
    """This program reconnected."""
    NOT_CONNECTED = "not connected"
    """The connection was not made."""
    PROTOCOL_BROKEN = "protocol broken"
    """The server broke the protocol of the connection."""
    INVALID_UTF8 = "invalid utf8"
    """The server sent text that is not UTF-8."""
    UNRESPONSIVE = "unresponsive"
    """The server was silent for too long, and answered no ping (`Config.pong_within`)."""
    TLS_FAILED = "tls failed"
    """The connection's encryption failed."""


class State(Named):
    """What a session is doing."""

    IDLE = "idle"
    """No turn runs: any request is welcome."""
    ASKING = "asking"
    """A request was sent, and no frame of the answer has come."""
    ANSWERING = "answering"
    """The answer is coming in."""
    STOPPING = "stopping"
    """A stop was sent, and the end has not come."""
    DRAINING = "draining"
    """The turn was interrupted, and the server has not ended it: wait for that, or reconnect."""
    CLOSED = "closed"
    """The connection is gone. Nothing works until a reconnect."""


class ConversationKind(Named):
    """What is known of the conversation that a connection is in."""

    UNKNOWN = "unknown"
    """Nothing: the server sends no openers (2023), or none has come yet."""
    NEW = "new"
    """It is a new one, as asked."""
    RESUMED = "resumed"
    """It is the one that was asked for."""
    REPLACED = "replaced"
    """It is another one than that asked for: the server does not know that one, or not for this token."""


class RequestType(Named):
    """The types of requests."""

    CHAT = "chat"
    """A question. Begins a turn."""
    RESTART = "restart"
    """The last question again, with the parameters of this request. Begins a turn."""
    STOP = "stop"
    """Ends the running answer."""
    SHARE = "share"
    """Puts a shared conversation before this one. Not answered."""
    MASK = "mask"
    """Puts messages at the front of the conversation. Not answered."""
    EDIT = "edit"
    """Replaces the text of a stored message. Not answered, and unknown to servers of 2023."""
    REMOVE = "remove"
    """Removes a stored message. Not answered, and unknown to servers of 2023."""


_Member = TypeVar("_Member", bound=enum.Enum)


def by_number(enumeration: type[_Member], prefix: str) -> dict[int, _Member]:
    """The members by their numbers in the library, which has the same names behind a prefix."""
    return {getattr(lib, prefix + member.name): member for member in enumeration}


OUTCOMES = by_number(Outcome, "CHATNIO_OUTCOME_")
INTERRUPTIONS = by_number(Interruption, "CHATNIO_INTERRUPTION_")
STATES = by_number(State, "CHATNIO_STATE_")
CONVERSATION_KINDS = by_number(ConversationKind, "CHATNIO_CONVERSATION_")
REQUEST_TYPES = by_number(RequestType, "CHATNIO_REQUEST_")

#: The other way round, for what goes into the library.
INTERRUPTION_NUMBERS = {why: number for number, why in INTERRUPTIONS.items()}
STATE_NUMBERS = {state: number for number, state in STATES.items()}
REQUEST_NUMBERS = {kind: number for number, kind in REQUEST_TYPES.items()}
