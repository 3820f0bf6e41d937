"""What happens, and what an answer has brought. All of it is copied: nothing here ever points into the library."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple, cast

from ._boundary import CData, named_by, present, text_of
from ._native import lib
from ._status import Status
from .request import RequestType

__all__ = [
    "Answer",
    "Closed",
    "Conversation",
    "ConversationKind",
    "Counters",
    "Delta",
    "End",
    "Event",
    "Interruption",
    "KeepAlive",
    "Malformed",
    "Open",
    "Opened",
    "Outcome",
    "Priced",
    "State",
    "StopRepeated",
    "Stray",
]


class Outcome(enum.IntEnum):
    """How a turn has ended."""

    NONE = lib.CHATNIO_OUTCOME_NONE
    """It has not."""
    COMPLETE = lib.CHATNIO_OUTCOME_COMPLETE
    """The answer came to its end."""
    STOPPED = lib.CHATNIO_OUTCOME_STOPPED
    """A stop was sent before the end came."""
    NOTICE = lib.CHATNIO_OUTCOME_NOTICE
    """The server answered instead of the model: see the answer's `notice`."""
    INTERRUPTED = lib.CHATNIO_OUTCOME_INTERRUPTED
    """The end never came: see the answer's `interruption`. The text so far is kept."""

    __str__ = named_by(lib.chatnio_outcome_name)


class Interruption(enum.IntEnum):
    """Why a turn was interrupted."""

    NONE = lib.CHATNIO_INTERRUPTION_NONE
    """It was not."""
    FIRST_FRAME_DEADLINE = lib.CHATNIO_INTERRUPTION_FIRST_FRAME_DEADLINE
    """No frame came in time (`Config.first_frame`). The session drains."""
    NEXT_FRAME_DEADLINE = lib.CHATNIO_INTERRUPTION_NEXT_FRAME_DEADLINE
    """The next frame did not come in time (`Config.next_frame`). The session drains."""
    AFTER_STOP_DEADLINE = lib.CHATNIO_INTERRUPTION_AFTER_STOP_DEADLINE
    """The end did not come in time after a stop (`Config.after_stop`). The session drains."""
    MESSAGE_TOO_LONG = lib.CHATNIO_INTERRUPTION_MESSAGE_TOO_LONG
    """A message was over the limit (`Config.max_message`). A session drains, a connection is over."""
    ANSWER_TOO_LONG = lib.CHATNIO_INTERRUPTION_ANSWER_TOO_LONG
    """The text would have grown over the limit (`Config.max_answer`). The session drains."""
    CLOSED_BY_SERVER = lib.CHATNIO_INTERRUPTION_CLOSED_BY_SERVER
    """The server closed the connection."""
    CONNECTION_LOST = lib.CHATNIO_INTERRUPTION_CONNECTION_LOST
    """The connection was lost."""
    CLOSED_BY_HOST = lib.CHATNIO_INTERRUPTION_CLOSED_BY_HOST
    """This side closed the connection."""
    RECONNECTED = lib.CHATNIO_INTERRUPTION_RECONNECTED
    """This side reconnected."""

    __str__ = named_by(lib.chatnio_interruption_name)


class State(enum.IntEnum):
    """What a session is doing."""

    IDLE = lib.CHATNIO_STATE_IDLE
    """No turn runs: any request is welcome."""
    ASKING = lib.CHATNIO_STATE_ASKING
    """A request was sent, and no frame of the answer has come."""
    ANSWERING = lib.CHATNIO_STATE_ANSWERING
    """The answer is coming in."""
    STOPPING = lib.CHATNIO_STATE_STOPPING
    """A stop was sent, and the end has not come."""
    DRAINING = lib.CHATNIO_STATE_DRAINING
    """The turn was interrupted, and the server has not ended it: wait for that, or reconnect."""
    CLOSED = lib.CHATNIO_STATE_CLOSED
    """The connection is gone. Nothing works until a reconnect."""

    __str__ = named_by(lib.chatnio_state_name)


class ConversationKind(enum.IntEnum):
    """What is known of the conversation that a connection is in."""

    UNKNOWN = lib.CHATNIO_CONVERSATION_UNKNOWN
    """Nothing: the server sends no openers (2023), or none has come yet."""
    NEW = lib.CHATNIO_CONVERSATION_NEW
    """It is a new one, as asked."""
    RESUMED = lib.CHATNIO_CONVERSATION_RESUMED
    """It is the one that was asked for."""
    REPLACED = lib.CHATNIO_CONVERSATION_REPLACED
    """It is another one than that asked for: the server does not know that one, or not for this token."""

    __str__ = named_by(lib.chatnio_conversation_kind_name)


def _shown(value: object) -> str:
    """For people, who do not want to see an answer of a megabyte."""
    if isinstance(value, enum.Enum):
        return str(value)
    return f"{value[:80]!r}..." if isinstance(value, str) and len(value) > 80 else repr(value)


class Conversation(NamedTuple):
    """The conversation that a connection is in."""

    kind: ConversationKind
    """What is known of it."""
    id: int
    """Its id; 0 while unknown, and -1 for anonymous, which is not stored."""
    asked: int
    """The id that was asked for instead, if it was replaced; otherwise 0."""


class Counters(NamedTuple):
    """What a session has counted since it was made."""

    strays: int
    """Frames that belonged to no running turn."""
    malformed: int
    """Messages that could not be read."""
    repeated_stops: int
    """Stops that were sent again."""


class Answer:
    """What a turn has brought."""

    __slots__ = (
        "chunks",
        "conversation",
        "interruption",
        "keyword",
        "malformed",
        "notice",
        "outcome",
        "plan",
        "quota",
        "quota_text",
        "reason",
        "request",
        "text",
        "turn",
    )

    turn: int
    """The turn's number, from 1, counting a session's chats and restarts."""
    request: RequestType
    """What was asked: a chat or a restart."""
    outcome: Outcome
    """How the turn ended; `Outcome.NONE` while it runs."""
    interruption: Interruption
    """Why it was interrupted, if it was."""
    reason: str | None
    """The same in English; `None` if it was not."""
    text: str
    """The text; empty when the configuration keeps none. Never holds a notice."""
    notice: str | None
    """What the server said instead of the model; `None` if it did not."""
    keyword: str
    """Words that the web search used (servers of 2023), otherwise empty."""
    quota: float
    """What it costs so far, in the server's unit."""
    quota_text: str
    """The same as the server wrote it: `"0"` before any."""
    conversation: int | None
    """The conversation's id from the turn's opener, -1 for anonymous; `None` without an opener."""
    plan: bool
    """Paid for by a subscription."""
    chunks: int
    """How many frames carried text of the answer."""
    malformed: int
    """How many messages that could not be read came while the turn ran: each may be a hole in the text."""

    @property
    def quota_decimal(self) -> Decimal:
        """`quota`, exactly as the server wrote it."""
        return Decimal(self.quota_text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Answer):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = (f"{name}={_shown(getattr(self, name))}" for name in ("turn", "outcome", "text", "notice", "quota"))
        return f"Answer({', '.join(shown)})"


class Event:
    """Something that has happened. A later version may bring kinds of which only this is known: pass those over."""

    __slots__ = ("_raw", "turn")

    turn: int
    """The turn that it belongs to; 0 for none."""
    _raw: str | bytes | Frames | None

    def __init__(self, turn: int = 0, raw: str | bytes | None = None) -> None:
        self.turn = turn
        self._raw = raw

    @property
    def raw(self) -> str | None:
        """The frame that it was made from, as it was received; `None` when no frame has caused it."""
        raw = self._raw
        return raw.decode() if isinstance(raw, bytes) else cast("str | None", raw)

    def field(self, name: str, default: Any = None) -> Any:
        """The value of a field of the frame, known or unknown, such as `title` or `tool_call`; `default` when there
        is no such field, no frame, or none that can be read."""
        try:
            frame: Any = json.loads(self.raw or "null")
        except (ValueError, RecursionError):
            return default
        return cast("dict[str, Any]", frame).get(name, default) if isinstance(frame, dict) else default

    def _fields(self) -> dict[str, object]:
        """What it says, but for the frame."""
        kinds = [kind for kind in type(self).__mro__ if kind is not Event]
        names = ["turn", *(name for kind in kinds for name in vars(kind).get("__slots__", ()))]
        return {name: getattr(self, name) for name in names if name[0] != "_" and hasattr(self, name)}

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.raw == other.raw and self._fields() == other._fields()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = (f"{name}={_shown(value)}" for name, value in self._fields().items())
        return f"{type(self).__name__}({', '.join(shown)})"


class Priced(Event):
    """An event that says what something costs."""

    __slots__ = ("_quota_text", "quota")

    quota: float
    """What the turn has cost so far, in the server's unit; of a stray, what its frame says."""
    _quota_text: str | int

    def __init__(
        self, turn: int = 0, raw: str | bytes | None = None, quota: float = 0.0, quota_text: str = "0"
    ) -> None:
        self.turn = turn
        self._raw = raw
        self.quota = quota
        self._quota_text = quota_text

    @property
    def quota_text(self) -> str:
        """`quota`, as the server wrote it."""
        return cast(str, self._quota_text)

    @property
    def quota_decimal(self) -> Decimal:
        """`quota`, exactly as the server wrote it."""
        return Decimal(self.quota_text)


class Open(Event):
    """Connections: the WebSocket is open."""

    __slots__ = ()


class Opened(Priced):
    """The turn's opener came: the server has read the question. Servers of 2023 send none."""

    __slots__ = ("conversation",)

    conversation: Conversation
    """Which conversation it is in."""


class Frames:
    """What the deltas of one batch share: their frames, which most programs never look at."""

    __slots__ = ("_frame_bounds", "_frames", "_quota_bounds", "_quotas")

    def __init__(self, frames: bytes, frame_bounds: memoryview[int], quotas: bytes, quota_bounds: memoryview[int]) -> None:
        self._frames = frames
        self._frame_bounds = frame_bounds
        self._quotas = quotas
        self._quota_bounds = quota_bounds

    def raw(self, at: int) -> str:
        return self._frames[self._frame_bounds[at] : self._frame_bounds[at + 1]].decode()

    def quota(self, at: int) -> str:
        return self._quotas[self._quota_bounds[at] : self._quota_bounds[at + 1]].decode()


class Delta(Priced):
    """A piece of the answer."""

    __slots__ = ("text",)

    text: str
    """The piece; it may be empty."""

    # The frame and the quota of one that came in a batch are among that batch's frames, at a number.
    def __init__(
        self, turn: int, text: str, quota: float, raw: str | bytes | Frames, quota_text: str | int
    ) -> None:
        self.turn = turn
        self.text = text
        self.quota = quota
        self._raw = raw
        self._quota_text = quota_text

    def __reduce__(self) -> tuple[object, ...]:
        # Without the rest of its batch.
        return Delta, (self.turn, self.text, self.quota, self.raw, self.quota_text)

    @property
    def raw(self) -> str:
        """The frame that it was made from, as it was received."""
        raw, at = self._raw, self._quota_text
        return raw.raw(cast(int, at)) if isinstance(raw, Frames) else cast(str, super().raw)

    @property
    def quota_text(self) -> str:
        """`quota`, as the server wrote it."""
        raw, at = self._raw, self._quota_text
        return raw.quota(cast(int, at)) if isinstance(raw, Frames) else cast(str, at)


class End(Priced):
    """The turn has ended: exactly one for every chat and restart that was sent."""

    __slots__ = ("answer", "text")

    text: str
    """The last piece."""
    answer: Answer
    """The whole answer."""

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        return self.answer.outcome


class Stray(Priced):
    """A frame that belongs to no running turn: what a stop or an interruption left behind. Nothing to do."""

    __slots__ = ("is_end", "text")

    text: str
    """The frame's text."""
    is_end: bool
    """Whether it was an answer's last frame."""


class Malformed(Event):
    """A message that could not be read; it was skipped and counted."""

    __slots__ = ("message", "status")

    status: Status
    """`Status.MALFORMED` or `Status.MESSAGE_TOO_LONG`."""
    message: str
    """What is wrong with it, naming field and byte offset."""


class StopRepeated(Event):
    """The stop goes out again: the end has not come."""

    __slots__ = ()


class KeepAlive(Event):
    """The connection was silent, and a keep-alive goes out."""

    __slots__ = ()


class Closed(Event):
    """Connections: it is over, and this is the last event."""

    __slots__ = ("code", "message", "status")

    status: Status
    """How."""
    message: str
    """The same in words."""
    code: int | None
    """The WebSocket's close code or the HTTP status; `None` where there was none."""


def answer_of(native: CData) -> Answer:
    """A copy of a `chatnio_answer`."""
    answer = Answer()
    answer.turn = native.turn
    answer.request = RequestType(native.request_type)
    answer.outcome = Outcome(native.outcome)
    answer.interruption = Interruption(native.interruption)
    answer.reason = text_of(native.reason)
    answer.text = present(native.text)
    answer.notice = text_of(native.notice)
    answer.keyword = present(native.keyword)
    answer.quota = native.quota
    answer.quota_text = present(native.quota_text)
    answer.conversation = native.conversation if native.has_conversation else None
    answer.plan = native.plan
    answer.chunks = native.chunks
    answer.malformed = native.malformed
    return answer


def conversation_of(native: CData) -> Conversation:
    """A copy of a `chatnio_conversation`."""
    return Conversation(ConversationKind(native.kind), native.id, native.asked)


def event_of(native: CData, raw: str | bytes | None = None) -> Event:
    """A copy of a `chatnio_event`, field by field."""
    kind: int = native.kind
    turn: int = native.turn
    if raw is None:
        raw = text_of(native.raw)
    make = _MAKE.get(kind)
    return make(native, turn, raw) if make is not None else Event(turn, raw)


def _delta(native: CData, turn: int, raw: str | bytes | None) -> Event:
    return Delta(turn, present(native.text), native.quota, raw or b"", present(native.quota_text))


def _opened(native: CData, turn: int, raw: str | bytes | None) -> Event:
    event = Opened(turn, raw, native.quota, present(native.quota_text))
    event.conversation = conversation_of(native.conversation)
    return event


def _end(native: CData, turn: int, raw: str | bytes | None) -> Event:
    event = End(turn, raw, native.quota, present(native.quota_text))
    event.text = present(native.text)
    event.answer = answer_of(native.answer)
    return event


def _stray(native: CData, turn: int, raw: str | bytes | None) -> Event:
    event = Stray(turn, raw, native.quota, present(native.quota_text))
    event.text = present(native.text)
    event.is_end = native.frame_end
    return event


def _malformed(native: CData, turn: int, raw: str | bytes | None) -> Event:
    event = Malformed(turn, raw)
    event.status = Status(native.status)
    event.message = present(native.text)
    return event


def _closed(native: CData, turn: int, raw: str | bytes | None) -> Event:
    event = Closed(turn, raw)
    event.status = Status(native.status)
    event.message = present(native.text)
    event.code = native.code or None
    return event


_Make = Callable[[CData, int, "str | bytes | None"], Event]


def _bare(kind: type[Event]) -> _Make:
    """Of kinds that say nothing more."""
    return lambda _native, turn, raw: kind(turn, raw)


_MAKE: dict[int, _Make] = {
    lib.CHATNIO_EVENT_OPEN: _bare(Open),
    lib.CHATNIO_EVENT_OPENED: _opened,
    lib.CHATNIO_EVENT_DELTA: _delta,
    lib.CHATNIO_EVENT_END: _end,
    lib.CHATNIO_EVENT_STRAY: _stray,
    lib.CHATNIO_EVENT_MALFORMED: _malformed,
    lib.CHATNIO_EVENT_STOP_REPEATED: _bare(StopRepeated),
    lib.CHATNIO_EVENT_KEEP_ALIVE: _bare(KeepAlive),
    lib.CHATNIO_EVENT_CLOSED: _closed,
}
