"""One question on asyncio, before it goes out and after, and what has come of it."""

from __future__ import annotations

from .._turn import Turn
from ..events import End, Event
from ..request import Request
from .signal import Signal


class Question:
    """A question that has not gone out."""

    __slots__ = ("__weakref__", "is_begun", "is_closed", "is_stopped", "request", "timeout")

    def __init__(self, request: Request, timeout: float | None) -> None:
        self.request: Request = request
        self.timeout: float | None = timeout
        #: Whether a task is about to send it.
        self.is_begun: bool = False
        #: Whether its stop follows it at once.
        self.is_stopped: bool = False
        #: Whether it is not to go out any more.
        self.is_closed: bool = False

    def stop(self) -> bool:
        """Returns whether it will go out, and has not had its stop."""
        is_first = not self.is_stopped and not self.is_closed
        self.is_stopped = True
        return is_first


class AsyncTurn(Turn):
    """One question, its events that nobody has taken yet, and its answer."""

    __slots__ = ("changed", "error", "events")

    def __init__(self, number: int, timeout: float | None = None) -> None:
        super().__init__(number, timeout)
        self.events: list[Event] = []
        #: Why no end will come: a failure, of the library most likely.
        self.error: Exception | None = None
        self.changed: Signal = Signal()

    def add(self, events: list[Event]) -> None:
        """Keeps events for whoever reads them; what came behind its end is of no turn."""
        if not self.is_left:
            self.events += events
            if self.answer is not None:
                while not isinstance(self.events[-1], End):
                    self.events.pop()
        self.changed.set()

    def leave(self) -> None:
        """Nobody wants the rest."""
        self.is_left = True
        self.events = []
