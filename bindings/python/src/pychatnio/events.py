"""What happens. All of it is copied: nothing here ever points into the library."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from decimal import Decimal
from operator import attrgetter
from typing import Any, cast

from ._native import lib
from ._status import Status
from ._text import CData, present, text_of
from .answer import Answer, Conversation, answer_of, conversation_of, shown
from .names import Outcome

__all__ = [
    "Closed",
    "Delta",
    "End",
    "Event",
    "KeepAlive",
    "Malformed",
    "Open",
    "Opened",
    "Priced",
    "StopRepeated",
    "Stray",
]

#: What `repr` shows first, and last, and not at all.
_FIRST, _LAST, _HIDDEN = ("turn",), ("quota",), ("raw", "quota_text")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Event:
    """Something that has happened. A later version may bring kinds of which only this is known: pass those over."""

    turn: int = 0
    """The turn that it belongs to; 0 for none."""
    raw: str | None = None
    """The frame that it was made from, as it was received; `None` when no frame has caused it."""

    def field(self, name: str, default: Any = None) -> Any:
        """The value of a field of the frame, known or unknown, such as `title` or `tool_call`; `default` when there
        is no such field, no frame, or none that can be read."""
        try:
            frame: Any = json.loads(self.raw or "null")
        except (ValueError, RecursionError):
            return default
        return cast("dict[str, Any]", frame).get(name, default) if isinstance(frame, dict) else default

    def __repr__(self) -> str:
        names = [field.name for field in fields(self)]
        middle = [name for name in names if name not in _FIRST + _LAST + _HIDDEN]
        ordered = [*_FIRST, *middle, *(name for name in _LAST if name in names)]
        return f"{type(self).__name__}({', '.join(f'{name}={shown(getattr(self, name))}' for name in ordered)})"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Priced(Event):
    """An event that says what something costs."""

    quota: float = 0.0
    """What the turn has cost so far, in the server's unit; of a stray, what its frame says."""
    quota_text: str = "0"
    """The same as the server wrote it."""

    @property
    def quota_decimal(self) -> Decimal:
        """`quota`, exactly as the server wrote it."""
        return Decimal(self.quota_text)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Open(Event):
    """Connections: the WebSocket is open."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Opened(Priced):
    """The turn's opener came: the server has read the question. Servers of 2023 send none."""

    conversation: Conversation = Conversation()
    """Which conversation it is in."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Delta(Priced):
    """A piece of the answer."""

    text: str = ""
    """The piece; it may be empty."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Delta):
            return NotImplemented
        return (self.turn, self.text, self.quota, self.quota_text, self.raw) == (
            *(other.turn, other.text, other.quota, other.quota_text, other.raw),
        )

    def __hash__(self) -> int:
        return hash((self.turn, self.text, self.raw))


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


class FastDelta(Delta):
    """A delta that was received. It is made at a fraction of the time: a field of it is set as any attribute is, and is
    frozen by being a property. The frame and the quota's text of one that came in a batch are looked up there."""

    __slots__ = ("_quota", "_quota_text", "_raw", "_text", "_turn")
    # Those of a frozen dataclass take longer than all the rest.
    __setattr__: Callable[..., None] = object.__setattr__
    __delattr__: Callable[..., None] = object.__delattr__

    def __init__(self, turn: int, text: str, quota: float, raw: str | Frames, quota_text: str | int) -> None:
        self._turn = turn
        self._text = text
        self._quota = quota
        self._raw = raw
        self._quota_text = quota_text

    # As those of a frozen dataclass are for type checkers, too.
    turn: int = property(attrgetter("_turn"))  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    text: str = property(attrgetter("_text"))  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    quota: float = property(attrgetter("_quota"))  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    @property
    def raw(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        raw, at = self._raw, self._quota_text
        return raw.raw(cast(int, at)) if isinstance(raw, Frames) else raw

    @property
    def quota_text(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        raw, at = self._raw, self._quota_text
        return raw.quota(cast(int, at)) if isinstance(raw, Frames) else cast(str, at)

    def __reduce__(self) -> tuple[object, ...]:
        # Without the rest of its batch.
        return _delta_of, (self.turn, self.raw, self.quota, self.quota_text, self.text)


# It is shown as what it stands for.
FastDelta.__name__ = FastDelta.__qualname__ = "Delta"


def _delta_of(turn: int, raw: str, quota: float, quota_text: str, text: str) -> Delta:
    return Delta(turn=turn, raw=raw, quota=quota, quota_text=quota_text, text=text)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class End(Priced):
    """The turn has ended: exactly one for every chat and restart that was sent."""

    answer: Answer = Answer()
    """The whole answer."""
    text: str = ""
    """The last piece."""

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        return self.answer.outcome


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Stray(Priced):
    """A frame that belongs to no running turn: what a stop or an interruption left behind. Nothing to do. Only one that
    nobody asked for also ends the session, because the next answer could be another's: reconnect."""

    text: str = ""
    """The frame's text."""
    is_end: bool = False
    """Whether it was an answer's last frame."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Malformed(Event):
    """A message that could not be read; it was skipped and counted."""

    status: Status = Status.MALFORMED
    """`Status.MALFORMED` or `Status.MESSAGE_TOO_LONG`."""
    message: str = ""
    """What is wrong with it, naming field and byte offset."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StopRepeated(Event):
    """The stop goes out again: the end has not come."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class KeepAlive(Event):
    """The connection was silent, and a keep-alive goes out."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Closed(Event):
    """Connections: it is over, and this is the last event."""

    status: Status = Status.CLOSED
    """How."""
    message: str = ""
    """The same in words."""
    code: int | None = None
    """The WebSocket's close code or the HTTP status; `None` where there was none."""


def event_of(native: CData, raw: str | None = None) -> Event:
    """A copy of a `chatnio_event`, field by field."""
    turn: int = native.turn
    if raw is None:
        raw = text_of(native.raw)
    make = MAKERS.get(native.kind)
    return make(native, turn, raw) if make is not None else Event(turn=turn, raw=raw)


def _priced(native: CData) -> dict[str, Any]:
    return {"quota": native.quota, "quota_text": present(native.quota_text)}


def _delta(native: CData, turn: int, raw: str | None) -> Event:
    return FastDelta(turn, present(native.text), native.quota, raw or "", present(native.quota_text))


def _opened(native: CData, turn: int, raw: str | None) -> Event:
    return Opened(turn=turn, raw=raw, conversation=conversation_of(native.conversation), **_priced(native))


def _end(native: CData, turn: int, raw: str | None) -> Event:
    return End(turn=turn, raw=raw, answer=answer_of(native.answer), text=present(native.text), **_priced(native))


def _stray(native: CData, turn: int, raw: str | None) -> Event:
    return Stray(turn=turn, raw=raw, text=present(native.text), is_end=native.frame_end, **_priced(native))


def _malformed(native: CData, turn: int, raw: str | None) -> Event:
    return Malformed(turn=turn, raw=raw, status=Status(native.status), message=present(native.text))


def _closed(native: CData, turn: int, raw: str | None) -> Event:
    return Closed(
        turn=turn, raw=raw, status=Status(native.status), message=present(native.text), code=native.code or None
    )


_Maker = Callable[[CData, int, "str | None"], Event]


def _bare(kind: type[Event]) -> _Maker:
    """Of kinds that say nothing more."""
    return lambda _native, turn, raw: kind(turn=turn, raw=raw)


#: What makes an event of each kind.
MAKERS: dict[int, _Maker] = {
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
