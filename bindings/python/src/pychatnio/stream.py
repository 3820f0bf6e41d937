"""The answer of a blocking client, as it comes."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import cast, overload

from ._asking import Asker, BlockingTurn
from ._boundary import Uncopied
from ._interruptible import TICK
from ._turn import raise_for, within
from .answer import Answer
from .events import Delta, End, Event

__all__ = ["AnswerStream"]


class AnswerStream(Uncopied):
    """An answer as it comes, made by `Client.ask`. Iterating over it gives the pieces of its text; none is empty.

    Leaving it before its end (`break`, an exception, dropping the iterator, as `next(iter(stream))` does) sends a stop, so
    that nobody pays for text that was thrown away. What it cost, `answer` says when the end has come: the end of a `with`
    block, `close`, or the next question waits for that. Until then it may be iterated over again, for what still comes.

    Raises (where it is iterated over, and by `text` and `wait`):
        NoticeError: when the server answered instead of the model.
        AnswerInterruptedError: when the end never came. The text so far is in its `answer`.
        AnswerTimeoutError: when it did not come whole within the `timeout` of its question. It is stopped.
    """

    __slots__ = ("__weakref__", "_client", "_turn")

    def __init__(self, client: Asker, turn: BlockingTurn) -> None:
        self._client = client
        self._turn = turn

    @property
    def answer(self) -> Answer | None:
        """The whole answer, whatever its outcome; `None` before its end. How far it has come meanwhile, the client's
        `answer` says."""
        return self._turn.answer

    def __iter__(self) -> Iterator[str]:
        return cast("Iterator[str]", self._pieces(None))

    @overload
    def pieces(self) -> Iterator[str]: ...
    @overload
    def pieces(self, *, idle: float) -> Iterator[str | None]: ...
    def pieces(self, *, idle: float | None = None) -> Iterator[str | None]:
        """The pieces of the text, as iterating over it gives them.

        Args:
            idle: Gives `None` each time that nothing came for so many seconds, so that the caller may do something
                meanwhile: tell a browser that more will come, and so learn whether it is still there. `None` is no limit,
                and 0 is refused.
        """
        return self._pieces(within(idle, "idle"))

    @overload
    def events(self) -> Iterator[Event]: ...
    @overload
    def events(self, *, idle: float) -> Iterator[Event | None]: ...
    def events(self, *, idle: float | None = None) -> Iterator[Event | None]:
        """The events of the turn, up to its `End`; nothing is raised for how the answer ends.

        Args:
            idle: As of `pieces`.

        Raises:
            AnswerTimeoutError: when the `timeout` of the question is over.
        """
        return self._taken(within(idle, "idle"))

    def _pieces(self, idle: float | None) -> Iterator[str | None]:
        for event in self._taken(idle):
            if isinstance(event, (Delta, End)):
                text = event.text
                if text:
                    yield text
            elif event is None:
                yield None
        raise_for(self._turn.answer, self._client._why_lost)

    def _taken(self, idle: float | None) -> Iterator[Event | None]:
        turn, client = self._turn, self._client
        span = math.inf if idle is None else idle
        try:
            quiet: float | None = None
            while client._turn is turn and (turn.answer is None or client._events):
                if client._events:
                    # They came with the one before: no clock is looked at.
                    while client._events and client._turn is turn:
                        yield client._pop()
                    quiet = None
                    continue
                if turn.is_late:
                    # What has come goes first.
                    client._gather(turn)
                    if turn.answer is None:
                        raise turn.late(client.answer)
                    continue
                now = time.monotonic()
                quiet = now + span if quiet is None else quiet
                event = client._next(max(0.0, min(TICK, turn.until - now, quiet - now)))
                if event is not None or time.monotonic() >= quiet:
                    yield event
                    quiet = None
            # Another was asked meanwhile.
            while turn.events:
                yield turn.events.pop()
        finally:
            self._leave()

    def text(self) -> str:
        """Waits for the end, and returns the whole text: what is left of it, if some was taken already and the
        configuration keeps no text."""
        pieces = "".join(self)
        return self.wait().text or pieces

    def wait(self) -> Answer:
        """Waits for the end, and returns the whole answer: its text, its outcome, what it cost. At once when it has ended,
        as after iterating over it."""
        for _ in self:
            pass
        answer = self._turn.answer
        # Every turn has its end.
        assert answer is not None
        return answer

    def stop(self) -> bool:
        """Asks the server to end the answer; its end still comes. Any thread. See `Client.stop`."""
        return self._turn.answer is None and self._client.stop()

    def close(self) -> None:
        """Stops the answer if it has not ended, and waits for its end, at most `Config.after_stop`."""
        self._leave()
        # Of a client that was freed, or left behind by a fork, nothing comes.
        if self._turn is self._client._turn and not self._client._guard.is_shut:
            self._client._drain()

    def _leave(self) -> None:
        """Stops the answer if it has not ended."""
        turn = self._turn
        if turn.answer is None and not turn.is_left:
            turn.is_left = True
            self._client.stop()

    def __enter__(self) -> AnswerStream:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        # Not when the constructor has failed.
        if hasattr(self, "_turn"):
            self._leave()

    def __repr__(self) -> str:
        turn = getattr(self, "_turn", None)
        if turn is None:
            return "<AnswerStream>"
        ended = turn.answer or "not ended: iterate over it, take its text(), or close() it"
        return f"<AnswerStream of turn {turn.number}: {ended}>"
