"""The answer of a client on asyncio, as it comes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from typing import TypeVar, cast, overload

from .._boundary import Uncopied
from .._status import Status
from .._turn import raise_for, within
from ..answer import Answer
from ..errors import error_of
from ..events import Delta, End, Event
from ..request import Request
from .driver import Driver
from .turn import AsyncTurn, Question

__all__ = ["AsyncAnswerStream"]


class AsyncAnswerStream(Uncopied):
    """An answer as it comes, made by `AsyncClient.ask`. Iterating over it gives the pieces of its text; none is
    empty. The question goes out when that begins.

    Leaving it before its end (`break`, an exception, a cancelled task, dropping the iterator) sends a stop, so that
    nobody pays for text that was thrown away. What it cost, `answer` says when the end has come: the end of an
    `async with` block, `close`, or the next question waits for that. The text that still comes is not handed out, but is in
    the answer.

    Raises (where it is iterated over, and by `text` and `wait`):
        BusyError: while another answer comes in, or when one that was left has not ended within the `timeout`.
        InvalidRequestError: for a question that cannot be sent.
        ConnectionClosedError: when the connection is over.
        NoticeError: when the server answered instead of the model.
        AnswerInterruptedError: when the end never came. The text so far is in its `answer`.
        AnswerTimeoutError: when it did not come whole within the `timeout` of its question. It is stopped.
    """

    def __init__(self, driver: Driver, request: Request, timeout: float | None = None) -> None:
        self._driver = driver
        #: None once it went out, or was given up.
        self._question: Question | None = Question(request, timeout)
        self._turn: AsyncTurn | None = None
        driver.ask(self._question)

    @property
    def answer(self) -> Answer | None:
        """The whole answer, whatever its outcome; `None` before its end. How far it has come meanwhile, the client's
        `answer` says."""
        return self._turn.answer if self._turn is not None else None

    def __aiter__(self) -> AsyncIterator[str]:
        return self.pieces()

    @overload
    def pieces(self) -> AnswerIterator[str]: ...
    @overload
    def pieces(self, *, idle: float) -> AnswerIterator[str | None]: ...
    def pieces(self, *, idle: float | None = None) -> AnswerIterator[str | None] | AnswerIterator[str]:
        """The pieces of the text, as iterating over it gives them.

        Args:
            idle: Gives `None` each time that nothing came for so many seconds, so that the caller may do something
                meanwhile: tell a browser that more will come, and so learn whether it is still there. `None` is no limit,
                and 0 is refused.
        """
        return AnswerIterator(self, idle, _pieces, is_raising=True)

    @overload
    def events(self) -> AnswerIterator[Event]: ...
    @overload
    def events(self, *, idle: float) -> AnswerIterator[Event | None]: ...
    def events(self, *, idle: float | None = None) -> AnswerIterator[Event | None] | AnswerIterator[Event]:
        """The events of the turn, up to its `End`; nothing is raised for how the answer ends.

        Args:
            idle: As of `pieces`.

        Raises:
            AnswerTimeoutError: when the `timeout` of the question is over.
        """
        return AnswerIterator(self, idle, _events, is_raising=False)

    async def text(self) -> str:
        """Waits for the end, and returns the whole text: what is left of it, if some was taken already and the
        configuration keeps no text."""
        pieces = "".join([piece async for piece in self])
        return (await self.wait()).text or pieces

    async def wait(self) -> Answer:
        """Waits for the end, and returns the whole answer: its text, its outcome, what it cost. At once when it has ended,
        as after iterating over it.

        Raises:
            InvalidArgumentError: for one that was closed before its question went out.
        """
        async for _ in self:
            pass
        answer = self.answer
        if answer is None:
            why = "it was closed before its question went out, or another task is about to send that: ask again"
            raise error_of(Status.INVALID, why)
        return answer

    def stop(self) -> bool:
        """Asks the server to end the answer; its end still comes. See `AsyncClient.stop`. A question that has not gone out
        is not held back by it: `close` does that."""
        if self._turn is not None:
            return self._turn.answer is None and self._driver.stop_turn()
        return self._question is not None and self._driver.stop_waiting(self._question)

    async def close(self) -> None:
        """Stops the answer if it has not ended, and waits for its end, at most `Config.after_stop`."""
        if self._question is not None:
            # Another task may be about to send it.
            self._question.is_closed = True
            self._question = None
        if self._turn is not None:
            self._driver.leave(self._turn)
            await self._driver.ended(self._turn)

    async def aclose(self) -> None:
        """`close`, by the name that `contextlib.aclosing` knows."""
        await self.close()

    async def _started(self) -> AsyncTurn | None:
        """The turn, whose question goes out by this if it has not; none when it was closed before."""
        question = self._question
        if question is not None and not question.is_begun:
            question.is_begun = True
            try:
                self._turn = await self._driver.begin(question)
                self._question = None
            finally:
                # If it did not go out, it may be asked again.
                question.is_begun = False
        return self._turn

    def _raise(self) -> None:
        raise_for(self.answer, lambda: self._driver.error)

    def __del__(self) -> None:
        # As an iterator of it, which keeps it alive.
        turn = getattr(self, "_turn", None)
        if turn is not None:
            self._driver.leave_soon(turn)

    async def __aenter__(self) -> AsyncAnswerStream:
        await self._started()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncAnswerStream: {self.answer or 'not ended: iterate over it, await its text(), or close() it'}>"


_Item = TypeVar("_Item", covariant=True)


class AnswerIterator(Uncopied, AsyncIterator[_Item]):
    """Goes through an answer once. Left or dropped before the end, it stops the answer: at once, where an asynchronous
    generator would do that some time later."""

    __slots__ = ("_idle", "_is_raising", "_items", "_items_of", "_stream", "_turn")

    def __init__(
        self,
        stream: AsyncAnswerStream,
        idle: float | None,
        items_of: Callable[[list[Event]], list[_Item]],
        *,
        is_raising: bool,
    ) -> None:
        span = within(idle, "idle")
        self._idle = math.inf if span is None else span
        self._stream = stream
        self._turn: AsyncTurn | None = None
        #: What it makes of events.
        self._items_of = items_of
        #: Whether it raises how the answer has ended.
        self._is_raising = is_raising
        #: Those that were taken, the next one last.
        self._items: list[_Item] = []

    def __aiter__(self) -> AnswerIterator[_Item]:
        return self

    async def __anext__(self) -> _Item:
        while not self._items:
            events = await self._more()
            if events is None:
                return cast(_Item, None)
            if not events:
                if self._is_raising:
                    self._stream._raise()
                raise StopAsyncIteration
            self._items = self._items_of(events)
            self._items.reverse()
        return self._items.pop()

    async def _more(self) -> list[Event] | None:
        """More events: none once there are no more, `None` when none came for so long."""
        try:
            if self._turn is None:
                self._turn = await self._stream._started()
                if self._turn is None:
                    return []
            return await self._stream._driver.take(self._turn, self._idle)
        except asyncio.CancelledError:
            self._leave()
            raise

    def _leave(self) -> None:
        if self._turn is not None:
            self._stream._driver.leave(self._turn)

    async def aclose(self) -> None:
        """Stops the answer if it has not ended: see `AsyncAnswerStream.close`."""
        self._leave()

    def __del__(self) -> None:
        turn = getattr(self, "_turn", None)
        if turn is not None:
            self._stream._driver.leave_soon(turn)


def _pieces(events: list[Event]) -> list[str]:
    return [text for event in events if isinstance(event, (Delta, End)) and (text := event.text)]


def _events(events: list[Event]) -> list[Event]:
    return events
