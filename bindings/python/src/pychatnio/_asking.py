"""What a blocking client and the streams of its answers have in common: the waiting, and whose turn it is."""

from __future__ import annotations

import math
import time
import weakref
from collections.abc import Callable
from typing import TypeVar

from ._batch import CAPACITY, Batch
from ._boundary import Owner, constructed_plain, with_refusal
from ._handle import Handle, Level
from ._interruptible import TICK
from ._log import log, log_event
from ._native import ffi, lib
from ._status import Status
from ._system import System
from ._text import CData, text_of
from ._turn import Turn, busy, way_out
from .answer import Answer
from .config import Config
from .errors import ChatNioError, error_of
from .events import Delta, End, Event
from .request import Request, handle_of

_Stream = TypeVar("_Stream")

_NO_EVENT: int = lib.CHATNIO_EVENT_NONE


class BlockingTurn(Turn):
    """One question and its answer, and those of its events that nobody had taken when the next was asked."""

    __slots__ = ("events", "stream")

    def __init__(
        self, number: int, stream: Callable[[], object] | None = None, timeout: float | None = None
    ) -> None:
        super().__init__(number, timeout)
        self.events: list[Event] = []
        #: Gives its stream, while that is there; `None` for one that is read by `Client.next`.
        self.stream: Callable[[], object] | None = stream


def _nobody() -> None:
    """In the place of a stream that is not there yet, or never."""


class Stopper(Owner):
    """Stops a client from any thread, or ends its connect."""

    __slots__ = ()

    _release = lib.chatnio_stopper_free

    def __init__(self, client: CData | None = None) -> None:
        """Without a client for one that is still to be made."""
        if client is None:
            self._handle = constructed_plain(lib.chatnio_stopper_new, "chatnio_stopper")
        else:
            self._handle = constructed_plain(lib.chatnio_client_stopper, "chatnio_stopper", client)

    def close(self) -> None:
        lib.chatnio_stopper_close(self._handle)


class Asker(Handle):
    """A connection, and the turn that runs on it."""

    __slots__ = ("_batch", "_events", "_stopper", "_system", "_turn")

    _level = Level("client")
    _release = lib.chatnio_client_free

    def __init__(self, handle: CData, config: Config | None, system: System) -> None:
        super().__init__(handle, config)
        self._stopper = Stopper(handle)
        self._batch = Batch()
        self._turn: BlockingTurn | None = None
        #: Those that were received and not handed out, the next one last.
        self._events: list[Event] = []
        self._system = system

    def stop(self) -> bool:
        """Asks the server to end the running answer; what it still sends, and what it cost, comes as before. Any thread.

        Returns:
            Whether a stop was sent: not when no turn runs, or when it has had its stop.
        """
        sent = ffi.new("bool *")
        # The stopper works from any thread, but not in a forked process: the socket is the parent's.
        stopped = not self._guard.is_shut and lib.chatnio_stopper_stop(self._stopper._handle, sent) == 0
        return stopped and bool(sent[0])

    def _error(self, status: int) -> ChatNioError:
        # Its text first: a failing call has another one.
        error = super()._error(status)
        code, body = ffi.new("int32_t *"), ffi.new("chatnio_text *")
        lib.chatnio_client_end_code(self._handle, code)
        # Without one it stays absent.
        lib.chatnio_client_refusal_body(self._handle, body)
        told = error_of(error.status or status, str(error), code[0], text_of(body))
        return with_refusal(told, lib.chatnio_client_refusal, lib.chatnio_client_retry_after, self._handle)

    def _saw(self, event: Event) -> None:
        turn = self._turn
        if isinstance(event, End) and turn is not None and event.turn == turn.number:
            turn.answer = event.answer

    def _next(self, seconds: float, most: int = CAPACITY) -> Event | None:
        """Waits for the next event; `None` when none came in time, or a signal did. Those that have come with it are taken
        too, at most so many, up to a turn's end."""
        if not self._events:
            self._use(self._wait, seconds, most, read=self._settle, usual=(Status.AGAIN, Status.INTERRUPTED))
            if not self._events:
                return None
        return self._pop()

    def _pop(self) -> Event:
        """The next of those that have come."""
        event = self._events[-1]
        if not isinstance(event, Delta):
            log_event(self, event)
        del self._events[-1]
        return event

    def _gather(self, turn: BlockingTurn) -> None:
        """Takes what has come of a turn, without waiting; no more than comes in a moment, for its server may be the faster."""
        until = time.monotonic() + TICK
        while turn.answer is None:
            before = len(self._events)
            self._use(self._receive, 0.0, CAPACITY, read=self._settle, usual=(Status.AGAIN, Status.INTERRUPTED))
            if len(self._events) == before or time.monotonic() >= until:
                return

    def _wait(self, handle: CData, seconds: float, most: int) -> int:
        if self._events:
            # A signal's exception had kept them.
            return Status.OK
        return self._receive(handle, seconds, most)

    def _receive(self, handle: CData, seconds: float, most: int) -> int:
        # Rounded up: nobody is to look again and again for the last millisecond.
        ms = int(seconds * 1000 + 0.999)
        status: int = lib.pychatnio_client_next_batch(handle, ms, most, self._batch.native)
        return status

    def _settle(self) -> Answer | None:
        """Takes over what the library has handed out, by the batch or as a turn's end by closing or reconnecting; returns
        that turn's answer."""
        native, event = self._batch.native, self._event
        if native.count:
            events = self._batch.events()
            # Only the last can be another than a delta.
            self._saw(events[-1])
            events.reverse()
            # No call is between these two, so that nothing can come between them.
            self._events = events + self._events if self._events else events
            native.count = 0
        end = self._read_event()
        if end is not None:
            self._saw(end)
            # Behind those that were received before; nothing can come between these two either.
            self._events = [end, *self._events]
            event.kind = _NO_EVENT
        return end.answer if isinstance(end, End) else None

    def _send(
        self,
        request: Request,
        make: Callable[[BlockingTurn], _Stream] | None = None,
        timeout: float | None = None,
    ) -> _Stream | None:
        """Sends a request; returns its answer's stream, if one is to be made."""
        native = handle_of(request)
        system = self._system.due() if request.is_answered else None
        if system is not None:
            with way_out(self):
                self._use(lib.chatnio_client_request, handle_of(system))
            self._system.sent()
        before = self._turn
        try:
            with way_out(self):
                self._use(lib.chatnio_client_request, native)
            answer = self.answer
            if answer is None:
                return None
            turn = BlockingTurn(answer.turn, _nobody if make is not None else None, timeout)
            if before is not None:
                # Its stream may still be read to its end.
                before.events, self._events = self._events, []
            self._turn = turn
            log(self, "turn %d: a %s was sent", turn.number, request.type)
            if make is None:
                return None
            stream = make(turn)
            turn.stream = weakref.ref(stream)
            return stream
        except ChatNioError:
            # Nothing was sent.
            raise
        except BaseException:
            # Of a signal's handler: it may have been sent.
            self._disown()
            raise

    def _disown(self) -> None:
        """Stops an answer that nobody will read: its stream was left, or is gone, or was never made, because a signal's
        handler has raised."""
        answer, turn = self.answer, self._turn
        if answer is None:
            return
        if turn is None or turn.number != answer.turn:
            turn = self._turn = BlockingTurn(answer.turn, _nobody)
        if turn.is_left or (turn.stream is not None and turn.stream() is None):
            turn.is_left = True
            self.stop()

    def _begin(self, request: Request, make: Callable[[BlockingTurn], _Stream], timeout: float | None) -> _Stream:
        until = math.inf if timeout is None else time.monotonic() + timeout
        self._drain(until)
        stream = self._send(request, make, timeout)
        if self._turn is not None:
            # What was waited for before counts.
            self._turn.until = min(self._turn.until, until)
        if stream is None:
            raise error_of(Status.CLOSED, "the connection ended while the question was sent")
        return stream

    def _drain(self, until: float = math.inf) -> None:
        """Waits for the end of an answer that was left, until then on `time.monotonic()`; its stop's deadline bounds that.

        Raises:
            BusyError: when it has not come by then.
        """
        self._disown()
        turn = self._turn
        while turn is not None and turn.is_left and turn.answer is None:
            self._next(max(0.0, min(TICK, until - time.monotonic())))
            if turn.answer is None and time.monotonic() >= until:
                raise busy(self.state, is_left=True)
        if turn is not None and turn.is_left:
            self._events = []

    def _why_lost(self) -> ChatNioError | None:
        """How the connection was lost, if it was."""
        try:
            self._next(0)
        except ChatNioError as error:
            # By its frames it would hold this client, and be held by them, until the garbage collector comes.
            return error.with_traceback(None)
        return None
