"""One question on asyncio, and what has come of it."""

from __future__ import annotations

from .._turn import Turn
from ..events import End, Event
from .signal import Signal


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
