"""Drives a `Connection` in an asyncio loop: its socket, its timer, its events, and whose turn it is."""

from __future__ import annotations

import asyncio
import math
import socket
import time
import warnings
import weakref
from collections.abc import Callable
from contextlib import suppress
from copy import copy

from .._boundary import milliseconds
from .._dial import address
from .._endpoint import Url
from .._log import log, log_event
from .._network import Proxy
from .._retry import Retry
from .._status import Status
from .._system import System
from .._text import CData
from .._turn import busy, way_out
from ..answer import Answer
from ..auth import Auth
from ..config import CONNECT, Config
from ..connection import Connection
from ..errors import ChatNioError, ConnectTimeoutError, InternalError, InvalidArgumentError, error_of
from ..events import Closed, Delta, End, Event, Open
from ..request import Request
from .clock import Clock
from .link import Link, Phase
from .turn import AsyncTurn, Question

#: How many events may wait for a slow reader, and of how many bytes of the server's, before it is pushed back on.
MOST_EVENTS = 4096
MOST_BYTES = 4 * 1024 * 1024

#: How many events are taken at once, about: a server may send millions of them in one message. Then the loop goes on, the
#: reader takes what came, and what is late is looked at.
STEP = 512


class Driver:
    """What a client and the streams of its answers have in common.

    It is over one `Connection`, which keeps the conversation, and one `Link` after the other.
    """

    def __init__(self, url: Url, auth: Auth, config: Config | None, system: str | None) -> None:
        self.system: System = System(system, auth)
        connection = _Connection._at(url, auth, config)
        connection.driver = weakref.ref(self)
        self.connection: Connection = connection
        self.turn: AsyncTurn | None = None
        #: What was asked, the last at the end; each is gone once it was sent or closed.
        self._waiting: list[weakref.ref[Question]] = []
        self.clock: Clock = Clock()
        self._config = config
        self._limit = CONNECT if config is None else config._connect
        #: The connection that is, or was the last; `None` before the first.
        self._link: Link | None = None
        #: How many bytes were received since events were taken.
        self._untaken = 0
        #: Whether the connection may have more events.
        self._has_more = False

    # Connecting and closing.

    async def connect(self, sock: socket.socket | None) -> Answer | None:
        self.check_loop()
        old = self._link
        if old is not None and old.phase is Phase.CONNECTING:
            raise error_of(Status.INVALID, "the client is connecting already")
        self.clock.go_on()
        self.system.reconnecting(self.connection)
        # What runs ends here, whatever comes of this; nothing else is left.
        self._has_more = False
        end = self.connection.reconnect(now=self.clock.now())
        if end is not None:
            self._take([end])
        if old is not None:
            old.end(error_of(Status.CLOSED, "the client was connected anew"))
            old.abandon()
        # There is one such socket.
        retry = Retry(self._config) if sock is None else None
        wait = 0.0
        # What the last try failed by that another one follows: it tells more than that the time was over.
        told: ChatNioError | None = None
        while True:
            link = self._link = Link(self, asyncio.get_running_loop())
            try:
                await self._try(link, sock, retry, wait)
                return end.answer if isinstance(end, End) else None
            except BaseException as error:
                # None where it was closed, or connected anew, since it failed.
                cause = link.retry_cause
                is_late = isinstance(error, ConnectTimeoutError) and retry is not None and retry.left <= 0
                if told is not None and is_late:
                    error = told
                # Another loop may have gone on meanwhile, after this one was closed.
                self._give_up(link, copy(error) if isinstance(error, ChatNioError) else _not_connected())
                if error is told:
                    raise error from None
                again = None
                if retry is not None and isinstance(error, ChatNioError) and cause is not None:
                    again = retry.failed(cause, error.retry_after)
                if again is None:
                    raise
                told = copy(error) if isinstance(error, ChatNioError) else None
                wait = again
                log(self, "%s: the next try in %.1f s", type(error).__name__, wait)

    async def _try(self, link: Link, sock: socket.socket | None, retry: Retry | None, wait: float) -> None:
        """Connects once, after so many seconds."""
        host, port = self.connection.host, self.connection.port
        proxy = self._proxy_at(host, port)
        await link.wait(wait)
        limit = self._limit or math.inf
        if retry is not None:
            await link.wait(retry.begin())
            limit = min(limit, retry.left)
        if not link.is_over and limit > 0:
            log(self, "connecting to %s, port %d", host, port)
            await link.open(host, port, proxy, sock, 0 if limit == math.inf else limit)
        if not await link.settled(math.inf if retry is None else retry.left):
            raise ConnectTimeoutError(Status.CONNECT_TIMEOUT, f"cannot connect to {proxy or address(host, port)} in time, all tries together")
        if link.error is not None:
            raise anew(link.error)

    def _proxy_at(self, host: str, port: int) -> str | None:
        """What errors call the other side of a socket, where it is the proxy on the way to the server."""
        url = None if self._config is None else self._config._network.proxy
        proxy = None if url is None else Proxy(url)
        return str(proxy) if proxy is not None and (proxy.host, proxy.port) == (host, port) else None

    async def close(self) -> None:
        self.check_loop()
        link = self._link
        if link is None:
            return
        if link.phase is Phase.CONNECTING:
            self._give_up(link, _closed())
        elif link.phase is Phase.OPEN:
            log(self, "closing")
            link.go_to(Phase.CLOSING)
            self.connection.close(now=self.clock.now())
            self.resume()
            self._pump()
        try:
            await link.ended()
        finally:
            # Also when this is cancelled: then nobody waits for the server's answer.
            if self._link is link:
                if not link.is_over:
                    self._end_connection(self.connection.eof)
                self._give_up(link, _closed())

    def free(self) -> None:
        """Frees the connection; whoever still wants something of it is told so."""
        if self._link is not None:
            self._give_up(self._link, _closed())
        self.connection.free()

    def _give_up(self, link: Link, error: Exception) -> None:
        """Ends a link, for a reason, if it has not ended; nothing more comes of it."""
        link.end(error)
        link.abandon(is_ours=not self.connection._guard.is_shut)
        if self._link is link and not self.connection._guard.is_shut:
            # What was asked meanwhile ends, too.
            self._end_connection(self.connection.failed)

    def _end_connection(self, end: Callable[..., None]) -> None:
        # A task that is thrown away with its loop ends here, too: then the connection may have gone before.
        with suppress(InvalidArgumentError):
            end(now=self.clock.now())
            self._pump()

    def check_loop(self) -> None:
        """
        Raises:
            InvalidArgumentError: in another loop than that which drives the connection.
        """
        link = self._link
        if link is None or (link.is_over and link.transport is None) or link.loop is asyncio.get_running_loop():
            return
        if not link.loop.is_closed():
            raise error_of(Status.INVALID, "the client is connected in another event loop: use it there")
        # Which has taken the socket with it.
        self._give_up(link, error_of(Status.CLOSED, "the client's event loop is closed: connect() in this one"))

    @property
    def is_open(self) -> bool:
        return self._link is not None and self._link.phase in (Phase.OPEN, Phase.CLOSING)

    @property
    def error(self) -> Exception | None:
        """Why it is not connected; `None` while it is."""
        if self.is_open:
            return None
        return (self._link.error if self._link is not None else None) or _not_connected()

    # Asking.

    def ask(self, question: Question) -> None:
        """Takes note of a question that `begin` sends."""
        self._waiting = [waiting for waiting in self._waiting if waiting() is not None]
        self._waiting.append(weakref.ref(question))

    async def begin(self, question: Question) -> AsyncTurn | None:
        """Sends a question; `None` where it was closed meanwhile."""
        until = math.inf if question.timeout is None else time.monotonic() + question.timeout
        await self.drained(until)
        if question.is_closed:
            return None
        system = self.system.due()
        if system is not None:
            self.send(system)
            self.system.sent()
        self.send(question.request)
        answer = self.connection.answer
        if answer is None:
            raise anew(self.error or error_of(Status.CLOSED, "the connection ended while the question was sent"))
        self.turn = AsyncTurn(answer.turn, question.timeout)
        # What was waited for before counts.
        self.turn.until = min(self.turn.until, until)
        log(self, "turn %d: a %s was sent", answer.turn, question.request.type)
        if question.is_stopped:
            self.stop_turn()
        return self.turn

    def send(self, request: Request) -> None:
        error = self.error
        if error is not None:
            raise anew(error)
        with way_out(self.connection):
            self.connection.request(request, now=self.clock.now())
        self._pump()

    async def drained(self, until: float = math.inf) -> None:
        """Waits for the end of an answer that was left, until then on `time.monotonic()`; its stop's deadline bounds that.

        Raises:
            BusyError: when it has not come by then, and while another answer comes in.
        """
        self.check_loop()
        turn = self.turn
        if turn is None or turn.answer is not None:
            return
        if turn.is_left:
            await self.ended(turn, until)
            if turn.answer is None:
                raise busy(self.connection.state, is_left=True)
        elif self.is_open:
            raise busy(self.connection.state)

    async def ended(self, turn: AsyncTurn, until: float = math.inf) -> None:
        """Waits for a turn's end, until then on `time.monotonic()`."""
        left = math.inf
        while turn.answer is None and left > 0:
            left = until - time.monotonic()
            await self._changes(turn, max(0.0, left))

    async def take(self, turn: AsyncTurn, idle: float) -> list[Event] | None:
        """The events of a turn that came since, none once there are no more; `None` when none came for so many seconds.

        Raises:
            AnswerTimeoutError: when the turn has had its time.
        """
        self.check_loop()
        quiet = time.monotonic() + idle
        while True:
            if turn.is_late:
                answer = self.connection.answer
                self.leave(turn)
                raise turn.late(answer)
            if turn.events or turn.answer is not None:
                break
            left = quiet - time.monotonic()
            if left <= 0:
                return None
            await self._changes(turn, left if turn.is_left else min(left, turn.until - time.monotonic()))
        events, turn.events = turn.events, []
        self.resume()
        return events

    async def _changes(self, turn: AsyncTurn, seconds: float) -> None:
        self.check_loop()
        if turn.error is not None:
            raise anew(turn.error)
        # To be in another loop may have ended it.
        if turn.answer is None:
            await turn.changed.wait(seconds)

    def stop(self) -> bool:
        """Stops what runs, or else the last of what was asked and is about to be sent."""
        turn = self.turn
        if turn is None or turn.answer is not None or turn.is_left:
            for waiting in reversed(self._waiting):
                question = waiting()
                if question is not None and not question.is_closed:
                    return self.stop_waiting(question)
        return self.stop_turn()

    def stop_waiting(self, question: Question) -> bool:
        link = self._link
        return link is not None and link.phase is Phase.OPEN and question.stop()

    def stop_turn(self) -> bool:
        link = self._link
        if link is None or link.phase is not Phase.OPEN or link.loop.is_closed():
            return False
        sent = self.connection.stop(now=self.clock.now())
        # What waits for a slow reader must not hide the end from the stop's deadline.
        self.resume()
        self._pump()
        return sent

    def leave(self, turn: AsyncTurn) -> None:
        """Stops an answer that has not ended: nobody wants the rest."""
        if turn.answer is None and not turn.is_left:
            turn.leave()
            self.stop_turn()

    def leave_soon(self, turn: AsyncTurn) -> None:
        """As `leave`, for a finalizer, which runs anywhere: in the middle of a call on the connection, in another thread,
        in a forked process."""
        guard, link = self.connection._guard, self._link
        if turn.answer is not None or turn.is_left or guard.is_shut or link is None:
            return
        try:
            is_here = asyncio.get_running_loop() is link.loop
        except RuntimeError:
            is_here = False
        turn.leave()
        if is_here and not guard.busy:
            self._stop_left(turn)
        else:
            # It may be closed: then it has taken the socket with it.
            with suppress(RuntimeError):
                link.loop.call_soon_threadsafe(self._stop_left, turn)

    def _stop_left(self, turn: AsyncTurn) -> None:
        # In a cycle the connection may have gone before.
        with suppress(ChatNioError):
            if turn.answer is None:
                self.stop_turn()

    # A reader that is slow.

    def resume(self) -> None:
        """Events were taken: what waits in the connection is taken, and what waits in the socket is read."""
        link = self._link
        self._untaken = 0
        if self.clock.is_stopped and link is not None and link.transport is not None and not link.loop.is_closed():
            self.clock.go_on()
            # It has the socket read, and that is done before any deadline counts again.
            link.loop.call_soon(self._pump)

    def _pause(self, link: Link) -> None:
        """Pushes back on the server. What is late then is not the server's fault, so no deadline counts either."""
        if link.transport is not None and not self.clock.is_stopped:
            self.clock.stop()
            link.hold(True)
            # A timer that is due already fires, and looks again.
            if link.due > self.clock.now():
                link.disarm()

    # What a link tells.

    def _connected(self, link: Link) -> None:
        with suppress(InternalError):
            # The time of its handshakes begins here.
            self.connection.reconnect(now=self.clock.now())
            self._pump()

    def _received(self, connection_input: CData, count: int) -> None:
        self._untaken += count
        # Of a failure of the library, or of the wall clock's function, they are told who wait for something.
        try:
            self.connection._receive(connection_input, count, milliseconds(self.clock.now()))
            self._pump()
        except InternalError:
            pass
        except Exception as error:
            self._broken(error)

    def _writable(self) -> None:
        self._pump()

    def _due(self) -> None:
        with suppress(InternalError):
            self.connection.handle_timeout(now=self.clock.now())
            self._pump()

    def _lost(self, error: BaseException | None) -> None:
        with suppress(InternalError):
            if isinstance(error, OSError):
                self.connection.failed(error, now=self.clock.now())
            else:
                self.connection.eof(now=self.clock.now())
            self._pump()

    def _broken(self, error: Exception) -> None:
        """The library has failed in itself, or the wall clock's function: nothing more comes of it."""
        if self._link is not None:
            self._link.end(error)
            self._link.abandon(is_ours=not self.connection._guard.is_shut)
        if self.turn is not None:
            self.turn.error = error
            self.turn.changed.set()

    # What the library has.

    def _pump(self) -> None:
        """Takes some of what there is to be taken, sends what is to be sent, and waits for what is to be waited for."""
        connection, link = self.connection, self._link
        transport = link.transport if link is not None else None
        if link is None or transport is None or link.loop.is_closed():
            # Nothing would go on with it.
            while self._step():
                pass
            return
        if not self.clock.is_stopped:
            self._has_more = self._step()
        link.hold(self._has_more or self.clock.is_stopped)
        wants = connection.wants
        if wants.write and not link.is_full:
            transport.write(connection.data_to_send())
            wants = connection.wants
        if wants.finished:
            link.finish()
        elif not self.clock.is_stopped:
            now = self.clock.now()
            due = now if self._has_more else wants.deadline
            if due is not None:
                link.arm(due, now)

    def _step(self) -> bool:
        """Takes a bounded number of events. Whether there may be more."""
        events: list[Event] = []
        has_more = True
        while has_more and len(events) < STEP:
            has_more = self.connection._take(events)
        if events:
            self._take(events)
        return has_more

    def _take(self, events: list[Event]) -> None:
        turn, link = self.turn, self._link
        if turn is not None and turn.answer is not None:
            turn = None
        is_closing = link is not None and link.phase is not Phase.OPEN
        # Most are deltas, which nobody looks at here.
        others = [event for event in events if not isinstance(event, Delta)]
        for event in others:
            log_event(self, event)
            if isinstance(event, End):
                if turn is not None and event.turn == turn.number:
                    turn.answer = event.answer
            elif isinstance(event, Open):
                if link is not None and link.phase is Phase.CONNECTING:
                    link.go_to(Phase.OPEN)
            elif isinstance(event, Closed) and link is not None:
                body = self.connection.refusal_body
                error = error_of(event.status, event.message, event.code or 0, body)
                link.end(self.connection._refused(error), self.connection._retry_cause())
        if turn is not None:
            if is_closing:
                # Nothing may push back on the server then, and nobody wants what it still sends.
                is_full = len(turn.events) >= MOST_EVENTS
                events = [event for event in others if isinstance(event, End) or not is_full]
            turn.add(events)
            is_much = len(turn.events) >= MOST_EVENTS or self._untaken >= MOST_BYTES
            # Behind its end nothing more comes of it, and its reader may never take that.
            if turn.events and is_much and turn.answer is None and not is_closing and link is not None:
                self._pause(link)

    def __del__(self) -> None:
        link = getattr(self, "_link", None)
        if link is not None and link.transport is not None and not self.connection._guard.is_shut:
            try:
                warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self)
            finally:
                # The loop may be closed, and the socket with it.
                with suppress(RuntimeError):
                    link.abandon()

    def __repr__(self) -> str:
        # A traceback that shows variables may show one whose constructor has failed.
        return f"<AsyncClient {'open' if getattr(self, '_link', None) is not None and self.is_open else 'closed'}>"


def anew(error: Exception) -> Exception:
    """To be raised: each time that one is, its traceback grows."""
    return copy(error) if isinstance(error, ChatNioError) else error


def _not_connected() -> ChatNioError:
    return error_of(Status.CLOSED, "the client is not connected: see connect()")


def _closed() -> ChatNioError:
    return error_of(Status.CLOSED, "the client was closed")


class _Connection(Connection):
    """Tells its driver when the library has failed in itself."""

    __slots__ = ("driver",)

    driver: weakref.ref[Driver]

    def _error(self, status: int) -> ChatNioError:
        error = super()._error(status)
        driver = self.driver()
        if isinstance(error, InternalError) and driver is not None:
            driver._broken(error)
        return error
