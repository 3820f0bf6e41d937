"""On asyncio, with no other dependency."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
import warnings
import weakref
from collections.abc import AsyncIterator
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING, cast

from ._boundary import Uncopied, milliseconds, with_end
from ._native import ffi
from ._status import Status
from ._turn import Turn, error_for
from .auth import Auth, authentication
from .config import CONNECT, Config
from .connection import Connection
from .errors import BusyError, ChatNioError, ConnectError, ConnectTimeoutError, InternalError, error_of
from .events import Answer, Closed, Conversation, Counters, Delta, End, Event, Interruption, Open, State
from .request import Parameters, Request, asked, refuse_answered
from .transcript import Transcript

if sys.version_info >= (3, 11):
    from typing import Unpack
elif TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["AsyncAnswerStream", "AsyncClient"]

#: How much is read from a socket at once, in bytes.
_READ = 32 * 1024

#: How many events may wait for a slow reader, and of how many bytes of the server's, before it is pushed back on.
_MOST_EVENTS = 4096
_MOST_BYTES = 4 * 1024 * 1024


class AsyncClient(Uncopied):
    """A client on asyncio:

        async with AsyncClient("wss://api.chatnio.net", "sk-...") as client:
            async for piece in client.ask("hi", model="gpt-4"):
                print(piece, end="", flush=True)

    It connects at the beginning of `async with`, or before by `connect`; the end of that block frees it, and without one
    `close` ends it. It is kept alive, and what it was sent is taken in, as long as its loop runs. Use it in that loop
    alone; one client asks one question at a time, and any number of clients work side by side.

    Args:
        url: `wss://HOST[/PATH]`, `ws://`, `https://`, `http://`, or a bare host (as `wss://`). Without a path
            `/chat` is added, `/api` becomes `/api/chat`.
        auth: The token, or an `Auth`; without one it asks without an account.
        config: The settings.

    Raises:
        InvalidArgumentError: for a URL, token or setting that cannot be, and for a token that would go over plain
            `ws://` to another machine.
        InvalidRequestError: for an empty share, or an authentication that is longer than `Config.max_request`.
    """

    def __init__(self, url: str, auth: Auth | str | None = None, *, config: Config | None = None) -> None:
        # No variable here holds the token when something is raised.
        auth = authentication(auth)
        self._connection = _Connection(url, auth, config=config)
        self._connection.client = weakref.ref(self)
        self._config = config
        self._loop: asyncio.AbstractEventLoop | None = None
        self._transport: asyncio.Transport | None = None
        self._protocol: _Protocol | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._turn: _AsyncTurn | None = None
        #: What is under way to be connected, for each attempt another.
        self._attempt: object = None
        self._opening: _Opening | None = None
        self._is_closing = False
        self._is_full = False
        #: Since when nothing is read, because events wait for a slow reader; `None` when it is.
        self._paused_at: float | None = None
        #: How many seconds that has taken so far.
        self._behind = 0.0
        #: How many bytes were received since events were taken.
        self._untaken = 0
        #: Why it is not connected; `None` while it is.
        self._end: Exception | None = _not_connected()
        self._changed = _Signal()

    async def connect(self, *, sock: socket.socket | None = None) -> Answer | None:
        """Connects, and waits until the WebSocket is open; within `Config.connect` and `Config.handshake`. Also
        anew, in any state: that continues the conversation that the server opened.

        Args:
            sock: A TCP socket that is connected already, through a proxy for instance. The client takes it over.

        Returns:
            The answer that was running, interrupted; `None` when none was.

        Raises:
            ConnectError: when no connection can be made: its subclasses say why.
            ConnectionClosedError: when the server ended the connection before it was open.
        """
        if self._is_connecting():
            raise error_of(Status.INVALID, "the client is connecting already")
        self._check_loop()
        self._run_clock()
        # What runs ends here, whatever comes of this.
        end = self._connection.reconnect(now=self._now())
        if end is not None:
            self._take([end])
        self._abandon()
        attempt = self._attempt = self._end = _not_connected()
        self._is_closing = self._is_full = False
        self._loop = asyncio.get_running_loop()
        try:
            await self._open_transport(sock)
            while self._end is attempt:
                await self._changed.wait()
            if self._end is not None:  # pyright: ignore[reportUnnecessaryComparison]  (another task sets it)
                raise _anew(self._end)
        except BaseException as error:
            # Another loop may have gone on meanwhile, after this one was closed.
            if self._attempt is attempt:
                self._abandon()
                # What was asked in the meantime ends, too.
                self._connection.failed(now=self._now())
                self._pump()
                self._end = copy(error) if isinstance(error, ChatNioError) else _not_connected()
            raise
        finally:
            if self._attempt is attempt:
                self._attempt = None
                self._changed.set()
        return end.answer if isinstance(end, End) else None

    async def reconnect(self, *, sock: socket.socket | None = None) -> Answer | None:
        """`connect`, by the name that it has elsewhere."""
        return await self.connect(sock=sock)

    def ask(self, question: str | Request, **parameters: Unpack[Parameters]) -> AsyncAnswerStream:
        """Asks, and returns the answer as it comes: iterate over it by `async for`, or await its
        `AsyncAnswerStream.text`. The question goes out when that begins.

        An answer that was left before its end is waited for first, at most `Config.after_stop`; its stop was sent when
        it was left.

        Args:
            question: The question, or a request made by `Request.chat`.
            parameters: The model and the like: see `Parameters`.
        """
        return AsyncAnswerStream(self, asked(question, parameters))

    def restart(self, **parameters: Unpack[Parameters]) -> AsyncAnswerStream:
        """Has the last question answered again, with these parameters; otherwise as `ask`."""
        return AsyncAnswerStream(self, Request.restart(**parameters))

    async def request(self, request: Request) -> None:
        """Sends a request that is not answered.

        Raises:
            BusyError: while an answer comes in.
            InvalidRequestError: for a request that cannot be sent, and for one that is answered: see `ask`.
            UnsentError: while too much that was requested before waits to be sent.
            ConnectionClosedError: when the connection is over.
        """
        refuse_answered(request)
        await self._drained()
        self._send(request)

    def stop(self) -> bool:
        """Asks the server to end the running answer; what it still sends, and what it cost, comes as before.

        Returns:
            Whether a stop was sent: not when no turn runs, or when it has had its stop.
        """
        if self._end is not None or self._loop is None or self._loop.is_closed():
            return False
        sent = self._connection.stop(now=self._now())
        # What waits for a slow reader must not hide the end from the stop's deadline.
        self._resume()
        self._pump()
        return sent

    async def close(self) -> None:
        """Closes the connection in an orderly way, within `Config.close`. A running answer ends interrupted. A
        repeated call does nothing. `connect` opens it again."""
        self._check_loop()
        attempt = self._attempt
        if self._is_connecting():
            # It is told so, and has ended then.
            self._end = error_of(Status.CLOSED, "the client was closed")
            self._changed.set()
            if self._opening is not None:
                self._opening.cancel()
            while self._attempt is attempt and self._loop is asyncio.get_running_loop():
                await self._changed.wait()
        elif self._end is None:
            self._is_closing = True
            self._connection.close(now=self._now())
            self._resume()
            self._pump()
        try:
            while self._end is None:
                await self._changed.wait()
        finally:
            # Also when this is cancelled: then nobody waits for the server's answer.
            if self._end is None:
                self._connection.eof(now=self._now())
                self._pump()
            self._abandon()

    @property
    def state(self) -> State:
        """What the session is doing."""
        return self._connection.state

    @property
    def answer(self) -> Answer | None:
        """A copy of the running turn's answer so far; `None` when no turn runs."""
        return self._connection.answer

    @property
    def conversation(self) -> Conversation:
        """Which conversation the connection is in, as far as the server has said."""
        return self._connection.conversation

    @property
    def counters(self) -> Counters:
        """What was counted since it was made; reconnecting goes on counting."""
        return self._connection.counters

    @property
    def memory(self) -> int:
        """About how many bytes it holds in the library."""
        return self._connection.memory

    def transcript(self) -> Transcript | None:
        """What was sent and received so far, without tokens; `None` unless `Config.record` is on. Of this connection: a
        reconnect begins a new one, so take it before."""
        return self._connection.transcript()

    def _is_connecting(self) -> bool:
        return self._attempt is not None and self._loop is not None and not self._loop.is_closed()

    async def _open_transport(self, sock: socket.socket | None) -> None:
        loop = asyncio.get_running_loop()
        protocol = _Protocol(self)
        host, port = self._connection.host, self._connection.port
        limit = CONNECT if self._config is None else self._config._connect
        opening = self._opening = asyncio.ensure_future(
            loop.create_connection(lambda: protocol, host, port)
            if sock is None
            else loop.create_connection(lambda: protocol, sock=sock)
        )
        try:
            # Before Python 3.12 asyncio.wait_for() may swallow a cancellation.
            done, _ = await asyncio.wait([opening], timeout=limit or None)
        except asyncio.CancelledError:
            protocol.detach()
            _dispose(opening)
            raise
        finally:
            self._opening = None
        if opening.cancelled() and self._end is not None:
            # By close().
            protocol.detach()
            raise _anew(self._end)
        if not done:
            protocol.detach()
            _dispose(opening)
            raise ConnectTimeoutError(Status.CONNECT_TIMEOUT, f"cannot connect to {host} within {limit} s")
        try:
            opening.result()
        except (socket.gaierror, UnicodeError) as error:
            raise ConnectError(Status.RESOLVE, f"cannot look up {host}: {error}") from error
        except OSError as error:
            raise ConnectError(Status.CONNECT, f"cannot connect to {host}: {error}") from error

    def _connected(self, transport: asyncio.Transport, protocol: _Protocol) -> None:
        """The socket is connected."""
        if self._end is not self._attempt:
            # It was closed meanwhile.
            protocol.detach()
            transport.abort()
            return
        self._transport, self._protocol = transport, protocol
        with suppress(InternalError):
            # The time of its handshakes begins here.
            self._connection.reconnect(now=self._now())
            self._pump()

    def _send(self, request: Request) -> None:
        if self._end is not None:
            raise _anew(self._end)
        self._connection.request(request, now=self._now())
        self._pump()

    async def _begin(self, request: Request) -> _AsyncTurn:
        await self._drained()
        self._send(request)
        answer = self._connection.answer
        if answer is None:
            raise _anew(self._end or error_of(Status.CLOSED, "the connection ended while the question was sent"))
        self._turn = _AsyncTurn(answer.turn)
        return self._turn

    async def _drained(self) -> None:
        """Waits for the end of an answer that was left; its stop's deadline bounds that."""
        self._check_loop()
        turn = self._turn
        if turn is not None and turn.is_left:
            await turn.ended()
        elif turn is not None and turn.answer is None and self._end is None:
            raise BusyError(Status.BUSY, "an answer comes in: wait for its end, stop it, or use another client")

    def _received(self, connection_input: object, count: int) -> None:
        self._untaken += count
        # Of a failure of the library, or of the wall clock's function, they are told who wait for something.
        try:
            self._connection._receive(connection_input, count, milliseconds(self._now()))
            self._pump()
        except InternalError:
            pass
        except Exception as error:
            self._broken(error)

    def _pump(self) -> None:
        """Takes what there is to be taken, sends what is to be sent, and waits for what is to be waited for."""
        connection = self._connection
        events: list[Event] = []
        while connection._take(events):
            pass
        if events:
            self._take(events)
        transport = self._transport
        if transport is None:
            return
        wants = connection.wants
        if wants.write and not self._is_full:
            transport.write(connection.data_to_send())
            wants = connection.wants
        if wants.finished:
            self._let_go().close()
        elif wants.deadline is not None and not self._is_paused:
            self._arm(wants.deadline)

    def _take(self, events: list[Event]) -> None:
        turn = self._turn
        if turn is not None and turn.answer is not None:
            turn = None
        # Most are deltas, which nobody looks at here.
        others = [event for event in events if type(event) is not Delta]
        for event in others:
            if isinstance(event, End):
                if turn is not None and event.turn == turn.number:
                    turn.answer = event.answer
            elif isinstance(event, Open):
                self._end = None
                self._changed.set()
            elif isinstance(event, Closed):
                self._end = self._error_of(event)
                self._changed.set()
        if turn is not None:
            if not turn.is_left:
                # While it closes nothing may push back on the server, and nobody wants what it still sends.
                turn.events += others if self._is_closing else events
                if turn.answer is not None:
                    # What came behind the end is of no turn.
                    while type(turn.events[-1]) is not End:
                        turn.events.pop()
                is_much = len(turn.events) >= _MOST_EVENTS or self._untaken >= _MOST_BYTES
                if turn.events and is_much and not self._is_closing:
                    self._pause()
            turn.changed.set()

    def _leave(self, turn: _AsyncTurn) -> None:
        """Stops an answer that has not ended: nobody wants the rest."""
        if turn.answer is None and not turn.is_left:
            turn.is_left = True
            turn.events = []
            # An iterator may outlive its loop, which has taken the socket with it.
            if self._loop is not None and not self._loop.is_closed():
                self.stop()

    def _leave_soon(self, turn: _AsyncTurn) -> None:
        """As `_leave`, for a finalizer, which runs anywhere: in the middle of a call on the connection, in another thread,
        in a forked process."""
        guard, loop = self._connection._guard, self._loop
        if turn.answer is not None or turn.is_left or guard.is_shut or loop is None:
            return
        try:
            is_here = asyncio.get_running_loop() is loop
        except RuntimeError:
            is_here = False
        if is_here and not guard.busy:
            # In a cycle the connection may have gone before.
            with suppress(ChatNioError):
                self._leave(turn)
        else:
            turn.is_left = True
            turn.events = []
            # It may be closed: then it has taken the socket with it.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._stop_left, turn)

    def _stop_left(self, turn: _AsyncTurn) -> None:
        if turn.answer is None and not self._connection._guard.is_shut:
            self.stop()

    def _check_loop(self) -> None:
        """
        Raises:
            InvalidArgumentError: in another loop than that which drives the connection.
        """
        loop = self._loop
        if self._transport is not None and loop is not None and loop is not asyncio.get_running_loop():
            if not loop.is_closed():
                raise error_of(Status.INVALID, "the client is connected in another event loop: use it there")
            # Which has taken the socket with it.
            self._abandon()
            self._connection.failed(now=self._now())
            self._pump()
            self._end = error_of(Status.CLOSED, "the client's event loop is closed: connect() in this one")

    def _error_of(self, closed: Closed) -> ChatNioError:
        error = error_of(closed.status, closed.message)
        return with_end(error, closed.code or 0, self._connection.refusal_body)

    def _pause(self) -> None:
        """Pushes back on the server. What is late then is not the server's fault, so no deadline counts either."""
        if self._transport is not None and not self._is_paused:
            self._paused_at = time.monotonic()
            self._transport.pause_reading()
            # One that is due is due to what the server sent before: it fires, and looks whether it is late still.
            if self._due > self._now():
                self._disarm()

    def _resume(self) -> None:
        self._untaken = 0
        if self._transport is not None and self._loop is not None and self._is_paused:
            self._run_clock()
            self._transport.resume_reading()
            # What the socket holds is read before any deadline counts again.
            self._loop.call_soon(self._pump)

    @property
    def _is_paused(self) -> bool:
        return self._paused_at is not None

    def _run_clock(self) -> None:
        if self._paused_at is not None:
            self._behind += time.monotonic() - self._paused_at
            self._paused_at = None

    def _now(self) -> float:
        """What time it is for the connection: its clock stands still while its reader is slow."""
        return (time.monotonic() if self._paused_at is None else self._paused_at) - self._behind

    def _arm(self, deadline: float) -> None:
        # Deadlines move with every frame: a timer that fires too early just looks again.
        if self._loop is not None and (self._timer is None or deadline < self._due):
            self._disarm()
            self._due = deadline
            delay = max(0.0, deadline - self._now())
            client: weakref.ref[AsyncClient] = weakref.ref(self)
            self._timer = self._loop.call_later(delay, _fire, client)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fired(self) -> None:
        self._timer = None
        with suppress(InternalError):
            self._connection.handle_timeout(now=self._now())
            self._pump()

    def _over(self, error: BaseException | None) -> None:
        """The transport has ended."""
        with suppress(InternalError):
            if isinstance(error, OSError):
                self._connection.failed(error, now=self._now())
            else:
                self._connection.eof(now=self._now())
            self._pump()

    def _broken(self, error: Exception) -> None:
        """The library has failed in itself, or the wall clock's function: nothing more comes of it."""
        self._end = error
        self._abandon()
        self._changed.set()
        if self._turn is not None:
            self._turn.error = error
            self._turn.changed.set()

    def _let_go(self) -> asyncio.Transport:
        """Gives up the transport, which says nothing any more."""
        self._disarm()
        transport, self._transport = self._transport, None
        protocol, self._protocol = self._protocol, None
        assert transport is not None and protocol is not None
        protocol.detach()
        return transport

    def _abandon(self) -> None:
        if self._transport is None:
            return
        if self._connection._guard.is_shut or self._loop is None or self._loop.is_closed():
            # It is the parent's of this forked process, or was its loop's.
            self._transport = self._protocol = self._timer = None
        else:
            self._let_go().abort()

    async def __aenter__(self) -> AsyncClient:
        if self._end is not None:
            await self.connect()
        return self

    async def __aexit__(self, *exception: object) -> None:
        try:
            await self.close()
        finally:
            self._connection.free()

    def __del__(self) -> None:
        if getattr(self, "_transport", None) is not None and not self._connection._guard.is_shut:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self)
            try:
                self._abandon()
            except RuntimeError:
                # The loop is closed, and the socket with it.
                pass

    def __repr__(self) -> str:
        # A traceback that shows variables may show one whose constructor has failed.
        return f"<AsyncClient {'open' if getattr(self, '_end', self) is None else 'closed'}>"


_Opening = asyncio.Future[tuple[asyncio.Transport, "_Protocol"]]


def _dispose(opening: _Opening) -> None:
    """Sees to what nobody waits for any more."""
    opening.cancel()
    opening.add_done_callback(_close)


def _close(opening: _Opening) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result()[0].abort()


def _not_connected() -> ChatNioError:
    return error_of(Status.CLOSED, "the client is not connected: see connect()")


def _anew(error: Exception) -> Exception:
    """To be raised: each time that one is, its traceback grows."""
    return copy(error) if isinstance(error, ChatNioError) else error


def _fire(client: weakref.ref[AsyncClient]) -> None:
    alive = client()
    if alive is not None:
        alive._fired()


class _Signal:
    """Wakes all who wait, each time that it is set."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    def set(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            # Of a loop that is closed nobody waits any more.
            if not future.done() and not future.get_loop().is_closed():
                future.set_result(None)

    async def wait(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        await future


class _Connection(Connection):
    """Tells its client when the library has failed in itself."""

    __slots__ = ("client",)

    client: weakref.ref[AsyncClient]

    def _error(self, status: int) -> ChatNioError:
        error = super()._error(status)
        client = self.client()
        if isinstance(error, InternalError) and client is not None:
            client._broken(error)
        return error


class _AsyncTurn(Turn):
    """One question, its events that nobody has taken yet, and its answer."""

    __slots__ = ("changed", "error", "events")

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.events: list[Event] = []
        #: Why no end will come: a failure, of the library most likely.
        self.error: Exception | None = None
        self.changed = _Signal()

    async def take(self) -> list[Event]:
        """The events that came since; none once there are no more."""
        while not self.events and self.answer is None:
            await self._changes()
        events, self.events = self.events, []
        return events

    async def ended(self) -> None:
        """Waits for the end."""
        while self.answer is None:
            await self._changes()

    async def _changes(self) -> None:
        if self.error is not None:
            raise _anew(self.error)
        await self.changed.wait()


class _Protocol(asyncio.BufferedProtocol):
    """The client's end of a transport. It does not keep the client alive."""

    def __init__(self, client: AsyncClient) -> None:
        self._client: weakref.ref[AsyncClient] | None = weakref.ref(client)
        self._buffer = bytearray(_READ)
        self._input = ffi.from_buffer("uint8_t[]", self._buffer)

    def detach(self) -> None:
        self._client = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # It is one of a stream, whatever class a loop makes it of.
        stream = cast(asyncio.Transport, transport)
        client = self._listener()
        if client is not None:
            client._connected(stream, self)
        else:
            stream.abort()

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        client = self._listener()
        if client is not None:
            client._received(self._input, nbytes)

    def pause_writing(self) -> None:
        client = self._listener()
        if client is not None:
            # What waits from now on waits in the library, which bounds it.
            client._is_full = True

    def resume_writing(self) -> None:
        client = self._listener()
        if client is not None:
            client._is_full = False
            client._pump()

    def eof_received(self) -> None:
        self.connection_lost(None)

    def connection_lost(self, exc: BaseException | None) -> None:
        client = self._listener()
        if client is not None:
            client._over(exc)

    def _listener(self) -> AsyncClient | None:
        return self._client() if self._client is not None else None


class AsyncAnswerStream(Uncopied):
    """An answer as it comes, made by `AsyncClient.ask`. Iterating over it gives the pieces of its text; none is
    empty. The question goes out when that begins.

    Leaving it before its end (`break`, an exception, a cancelled task, dropping the iterator) sends a stop, so that
    nobody pays for text that was thrown away. What it cost, `answer` says when the end has come: the end of an
    `async with` block, `close`, or the next question waits for that. The text that still comes is not handed out, but is in
    the answer.

    Raises (where it is iterated over, and by `text` and `wait`):
        BusyError: while another answer comes in.
        InvalidRequestError: for a question that cannot be sent.
        ConnectionClosedError: when the connection is over.
        NoticeError: when the server answered instead of the model.
        AnswerInterruptedError: when the end never came. The text so far is in its `answer`.
    """

    def __init__(self, client: AsyncClient, request: Request) -> None:
        self._client = client
        self._request: Request | None = request
        self._turn: _AsyncTurn | None = None

    @property
    def answer(self) -> Answer | None:
        """The whole answer, whatever its outcome; `None` before its end. How far it has come meanwhile, the client's
        `answer` says."""
        return self._turn.answer if self._turn is not None else None

    def __aiter__(self) -> AsyncIterator[str]:
        return _Pieces(self)

    def events(self) -> AsyncIterator[Event]:
        """The events of the turn, up to its `End`; nothing is raised for how the answer ends."""
        return _Events(self)

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
        return self._turn is not None and self._turn.answer is None and self._client.stop()

    async def close(self) -> None:
        """Stops the answer if it has not ended, and waits for its end, at most `Config.after_stop`."""
        self._request = None
        if self._turn is not None:
            self._client._leave(self._turn)
            await self._turn.ended()

    async def _started(self) -> _AsyncTurn | None:
        """The turn, whose question goes out by this if it has not; none when it was closed before."""
        request, self._request = self._request, None
        if request is not None:
            try:
                self._turn = await self._client._begin(request)
            except BaseException:
                # It may be asked again.
                self._request = request
                raise
        return self._turn

    def _error(self) -> ChatNioError | None:
        answer = self.answer
        error = error_for(answer) if answer is not None else None
        if error is not None and error.answer.interruption in _LOST:
            error.__cause__ = self._client._end
        return error

    def __del__(self) -> None:
        # As an iterator of it, which keeps it alive.
        turn = getattr(self, "_turn", None)
        if turn is not None:
            self._client._leave_soon(turn)

    async def __aenter__(self) -> AsyncAnswerStream:
        await self._started()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncAnswerStream: {self.answer or 'not ended'}>"


_TEXTS = frozenset({Delta, End})
_LOST = (Interruption.CLOSED_BY_SERVER, Interruption.CONNECTION_LOST)


class _Events(Uncopied):
    """Goes through the events of a turn once. Dropped before the end, it stops the answer: at once, where an
    asynchronous generator would do that some time later."""

    __slots__ = ("_events", "_stream", "_turn")

    def __init__(self, stream: AsyncAnswerStream) -> None:
        self._stream = stream
        self._turn: _AsyncTurn | None = None
        #: Those that were taken, the next one last.
        self._events: list[Event] = []

    def __aiter__(self) -> _Events:
        return self

    async def __anext__(self) -> Event:
        if not self._events and not await self._more():
            raise StopAsyncIteration
        return self._events.pop()

    async def _more(self) -> bool:
        """Takes more events; false when there are none."""
        try:
            if self._turn is None:
                self._turn = await self._stream._started()
                if self._turn is None:
                    return False
            self._events = await self._turn.take()
            self._stream._client._resume()
        except asyncio.CancelledError:
            self._leave()
            raise
        self._events.reverse()
        return bool(self._events)

    def _leave(self) -> None:
        if self._turn is not None:
            self._stream._client._leave(self._turn)

    def __del__(self) -> None:
        turn = getattr(self, "_turn", None)
        if turn is not None:
            self._stream._client._leave_soon(turn)


class _Pieces(Uncopied):
    """Goes through the pieces of an answer once."""

    __slots__ = ("_events", "_pieces")

    def __init__(self, stream: AsyncAnswerStream) -> None:
        self._events = _Events(stream)
        self._pieces: list[str] = []

    def __aiter__(self) -> _Pieces:
        return self

    async def __anext__(self) -> str:
        while not self._pieces:
            events = self._events
            if not await events._more():
                error = events._stream._error()
                if error is not None:
                    raise error
                raise StopAsyncIteration
            taken, events._events = events._events, []
            self._pieces = [event.text for event in taken if type(event) in _TEXTS and event.text]  # type: ignore[attr-defined]
        return self._pieces.pop()
