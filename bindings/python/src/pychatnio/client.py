"""Blocking: for those who have nothing of the kind."""

from __future__ import annotations

import math
import socket
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from ._batch import CAPACITY, Batch
from ._boundary import CData, Owner, Uncopied, constructed, constructed_plain, encoded, text_of, with_end
from ._handle import Handle, Level
from ._native import ffi, lib
from ._status import Status
from ._turn import Turn, error_for
from .auth import Auth, authentication
from .config import Config, native, raise_of_clock
from .errors import ChatNioError, ConnectionClosedError, InvalidArgumentError
from .events import Answer, Delta, End, Event, Interruption
from .request import Parameters, Request, asked, handle_of

if sys.version_info >= (3, 11):
    from typing import Unpack
elif TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["AnswerStream", "Client"]

#: The longest single wait, in seconds: a signal may have reached another thread, and Python's handlers run between two.
_TICK = 0.1

_NO_EVENT: int = lib.CHATNIO_EVENT_NONE


class Client(Handle):
    """A blocking client. Every wait lets other threads run, and is ended by Ctrl-C, but for connecting and closing, whose
    limits are settings:

        with Client("wss://api.chatnio.net", "sk-...") as client:
            for piece in client.ask("hi", model="gpt-4"):
                print(piece, end="", flush=True)

    It connects at once, within `Config.connect` and `Config.handshake`. One thread at a time may use it, but
    `stop` and `close` are for any. No thread runs in the background: while no call is under way nothing is
    received, and nothing kept alive; `next` does that for a client that idles.

    Args:
        url: `wss://HOST[/PATH]`, `ws://`, `https://`, `http://`, or a bare host (as `wss://`). Without a path
            `/chat` is added, `/api` becomes `/api/chat`.
        auth: The token, or an `Auth`; without one it asks without an account.
        config: The settings.
        sock: A TCP socket that is connected already, through a proxy for instance. The client works on a duplicate of
            it: close yours afterwards, whatever comes of it.

    Raises:
        InvalidArgumentError: for a URL, token or setting that cannot be, and for a token that would go over plain
            `ws://` to another machine.
        InvalidRequestError: for an empty share, or an authentication that is longer than `Config.max_request`.
        ConnectError: when no connection can be made: its subclasses say why.
        ConnectionClosedError: when the server ended the connection before it was open.
        SystemFailureError: when the system refuses something.
    """

    __slots__ = ("_batch", "_events", "_stopper", "_turn")

    _level = Level("client")
    _release = lib.chatnio_client_free

    def __init__(
        self,
        url: str,
        auth: Auth | str | None = None,
        *,
        config: Config | None = None,
        sock: socket.socket | None = None,
    ) -> None:
        auth = authentication(auth)
        url_bytes = encoded(url, "url")
        arguments = (native(config), auth._native(), url_bytes, len(url_bytes))
        try:
            if sock is None:
                handle = constructed(lib.chatnio_client_new, "chatnio_client", *arguments)
            else:
                handle = constructed(lib.chatnio_client_new_socket, "chatnio_client", *(*arguments, sock.fileno()))
        except ChatNioError:
            raise_of_clock()
            raise
        super().__init__(handle, config)
        self._stopper = _Stopper(handle)
        self._batch = Batch()
        self._turn: _Turn | None = None
        #: Those that were received and not handed out, the next one last.
        self._events: list[Event] = []
        raise_of_clock()

    def ask(self, question: str | Request, **parameters: Unpack[Parameters]) -> AnswerStream:
        """Asks, and returns the answer as it comes: iterate over it, or take its `AnswerStream.text`.

        An answer that was left before its end is waited for first, at most `Config.after_stop`; its stop was sent when
        it was left.

        Args:
            question: The question, or a request made by `Request.chat`.
            parameters: The model and the like: see `Parameters`.

        Raises:
            BusyError: while another answer comes in.
            InvalidRequestError: for a question that cannot be sent.
            UnsentError: while too much that was requested before waits to be sent.
            ConnectionClosedError: when the connection is over.
        """
        return self._begin(asked(question, parameters))

    def restart(self, **parameters: Unpack[Parameters]) -> AnswerStream:
        """Has the last question answered again, with these parameters; otherwise as `ask`.

        Raises:
            InvalidRequestError: when there is no question to answer again.
        """
        return self._begin(Request.restart(**parameters))

    def request(self, request: Request) -> None:
        """Sends a request without waiting: those that are not answered. The answer of any other comes by `next`.

        Raises:
            BusyError, InvalidRequestError, ConnectionClosedError: as `ask`.
        """
        self._drain()
        self._send(request, is_streamed=False)

    def next(self, timeout: float | None = None) -> Event | None:
        """Waits for the next event, also while no turn runs, which keeps the connection alive. An answer's come by
        `AnswerStream.events` at a fraction of the time.

        Args:
            timeout: How many seconds at most; `None` has no limit, `0` only looks.

        Returns:
            `None` when none came in time.

        Raises:
            ConnectionClosedError: once the connection is over and its events are taken.
        """
        if timeout is not None and math.isnan(timeout):
            raise InvalidArgumentError(Status.INVALID, "timeout is a number of seconds, not nan")
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _TICK if until is None else min(_TICK, max(0.0, until - time.monotonic()))
            event = self._next(left, 1)
            if event is not None or (until is not None and time.monotonic() >= until):
                return event

    def stop(self) -> bool:
        """Asks the server to end the running answer; what it still sends, and what it cost, comes as before. Any thread.

        Returns:
            Whether a stop was sent: not when no turn runs, or when it has had its stop.
        """
        sent = ffi.new("bool *")
        # The stopper works from any thread, but not in a forked process: the socket is the parent's.
        stopped = not self._guard.is_shut and lib.chatnio_stopper_stop(self._stopper._handle, sent) == 0
        return stopped and bool(sent[0])

    def close(self) -> None:
        """Closes the connection in an orderly way, within `Config.close`; at once when another thread waits for
        something, which is told so then. A repeated call does nothing, nor does one of a connection that is lost.
        `reconnect` opens it again."""
        guard = self._guard
        if guard.is_shut:
            return
        # What another thread that comes between is told.
        guard.refuse(Status.CLOSED, "the client was closed")
        try:
            if not guard.busy:
                self._use(lib.chatnio_client_close, self._event, read=self._settle)
        except ConnectionError:
            # Whoever wanted to know how a connection was lost has been told.
            pass
        finally:
            if guard.busy:
                lib.chatnio_stopper_close(self._stopper._handle)
            guard.refuse()

    def reconnect(self, sock: socket.socket | None = None) -> Answer | None:
        """Connects anew, and continues the conversation that the server opened. Works in any state.

        Args:
            sock: A socket that is connected anew, for a client that was given one.

        Returns:
            The answer that was running, interrupted; `None` when none was.

        Raises:
            ConnectError and others: as the constructor. It may be tried again.
        """
        try:
            if sock is None:
                return self._use(lib.chatnio_client_reconnect, self._event, read=self._settle)
            return self._use(lib.chatnio_client_reconnect_socket, sock.fileno(), self._event, read=self._settle)
        finally:
            raise_of_clock()

    def _error(self, status: int) -> ChatNioError:
        # Its text first: a failing call has another one.
        error = super()._error(status)
        code, body = ffi.new("int32_t *"), ffi.new("chatnio_text *")
        lib.chatnio_client_end_code(self._handle, code)
        # Without one it stays absent.
        lib.chatnio_client_refusal_body(self._handle, body)
        return with_end(error, code[0], text_of(body))

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
        event = self._events[-1]
        del self._events[-1]
        return event

    def _wait(self, handle: CData, seconds: float, most: int) -> int:
        if self._events:
            # A signal's exception had kept them.
            return Status.OK
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

    def _send(self, request: Request, *, is_streamed: bool) -> AnswerStream | None:
        """Sends a request; returns its answer if that is to be streamed."""
        before = self._turn
        try:
            self._use(lib.chatnio_client_request, handle_of(request))
            answer = self.answer
            if answer is None:
                return None
            turn = _Turn(answer.turn, _nobody if is_streamed else None)
            if before is not None:
                # Its stream may be read to its end still.
                before.events, self._events = self._events, []
            self._turn = turn
            if not is_streamed:
                return None
            stream = AnswerStream(self, turn)
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
            turn = self._turn = _Turn(answer.turn, _nobody)
        if turn.is_left or (turn.stream is not None and turn.stream() is None):
            turn.is_left = True
            self.stop()

    def _begin(self, request: Request) -> AnswerStream:
        self._drain()
        stream = self._send(request, is_streamed=True)
        if stream is None:
            raise ConnectionClosedError(Status.CLOSED, "the connection ended while the question was sent")
        return stream

    def _drain(self) -> None:
        """Waits for the end of an answer that was left; its stop's deadline bounds that."""
        self._disown()
        turn = self._turn
        while turn is not None and turn.is_left and turn.answer is None:
            self._next(_TICK)
        if turn is not None and turn.is_left:
            self._events = []

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self.close()
        finally:
            # Another thread that waits for something is told that it was closed, and needs it until then.
            with suppress(InvalidArgumentError):
                self._free()

    def __del__(self) -> None:
        # In a cycle its stream may have gone before, unheard; and nobody hears of this one's end.
        if hasattr(self, "_guard") and not self._guard.is_shut:
            lib.chatnio_client_stop(self._handle, ffi.NULL)
        self._free_handle()


class _Turn(Turn):
    """One question and its answer, and those of its events that nobody had taken when the next was asked."""

    __slots__ = ("events", "stream")

    def __init__(self, number: int, stream: Callable[[], object] | None) -> None:
        super().__init__(number)
        self.events: list[Event] = []
        #: Gives its stream, while that is there; `None` for one that is read by `Client.next`.
        self.stream = stream


def _nobody() -> None:
    """In the place of a stream that is not there yet, or never."""


class _Stopper(Owner):
    """Stops a client from any thread."""

    __slots__ = ()

    _release = lib.chatnio_stopper_free

    def __init__(self, client: CData) -> None:
        self._handle = constructed_plain(lib.chatnio_client_stopper, "chatnio_stopper", client)


class AnswerStream(Uncopied):
    """An answer as it comes, made by `Client.ask`. Iterating over it gives the pieces of its text; none is empty.

    Leaving it before its end (`break`, an exception, dropping the iterator, as `next(iter(stream))` does) sends a stop, so
    that nobody pays for text that was thrown away. What it cost, `answer` says when the end has come: the end of a `with`
    block, `close`, or the next question waits for that. Until then it may be iterated over again, for what still comes.

    Raises (where it is iterated over, and by `text` and `wait`):
        NoticeError: when the server answered instead of the model.
        AnswerInterruptedError: when the end never came. The text so far is in its `answer`.
    """

    __slots__ = ("__weakref__", "_client", "_turn")

    def __init__(self, client: Client, turn: _Turn) -> None:
        self._client = client
        self._turn = turn

    @property
    def answer(self) -> Answer | None:
        """The whole answer, whatever its outcome; `None` before its end. How far it has come meanwhile, the client's
        `answer` says."""
        return self._turn.answer

    def __iter__(self) -> Iterator[str]:
        for event in self.events():
            if isinstance(event, (Delta, End)) and event.text:
                yield event.text
        self._raise()

    def events(self) -> Iterator[Event]:
        """The events of the turn, up to its `End`; nothing is raised for how the answer ends."""
        turn = self._turn
        try:
            client = self._client
            while client._turn is turn and (turn.answer is None or client._events):
                event = client._next(_TICK)
                if event is not None:
                    yield event
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

    def _raise(self) -> None:
        answer = self._turn.answer
        error = error_for(answer) if answer is not None else None
        if error is not None:
            raise error from self._cause(error.answer)

    def _cause(self, answer: Answer) -> ChatNioError | None:
        """How the connection was lost, if it was."""
        if answer.interruption not in (Interruption.CLOSED_BY_SERVER, Interruption.CONNECTION_LOST):
            return None
        try:
            self._client._next(0)
        except ChatNioError as error:
            return error
        return None

    def __enter__(self) -> AnswerStream:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        # Not when the constructor has failed.
        if hasattr(self, "_turn"):
            self._leave()

    def __repr__(self) -> str:
        return f"<AnswerStream of turn {self._turn.number}: {self._turn.answer or 'not ended'}>"
