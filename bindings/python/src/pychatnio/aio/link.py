"""One connection of a client, from the attempt to connect up to its end."""

from __future__ import annotations

import asyncio
import enum
import os
import socket
import weakref
from collections.abc import Callable
from typing import Protocol, cast

from .._dial import address, cancel, connected
from .._native import ffi
from .._retry import LOST
from .._status import Status
from .._text import CData
from ..errors import ConnectError, ConnectTimeoutError
from .signal import Signal

#: How much is read from a socket at once, in bytes.
_READ = 32 * 1024


class Phase(enum.Enum):
    """How far it has come."""

    CONNECTING = "connecting"
    OPEN = "open"
    CLOSING = "closing"
    OVER = "over"


class Host(Protocol):
    """Who is told what happens to a link."""

    def _connected(self, link: Link) -> None:
        """The socket is connected."""

    def _received(self, connection_input: CData, count: int) -> None: ...

    def _writable(self) -> None: ...

    def _lost(self, error: BaseException | None) -> None:
        """The transport has ended."""

    def _due(self) -> None:
        """The timer has run out."""


class Link:
    """One connection: its socket, its timer, how far it has come, and why it is over.

    Each attempt to connect makes one, and nothing that belongs to it outlives it: whoever waits for one, to be open or to be
    over, waits for that one alone, and never meets the next. It does not keep its host alive.
    """

    def __init__(self, host: Host, loop: asyncio.AbstractEventLoop) -> None:
        self._host = weakref.ref(host)
        self.loop: asyncio.AbstractEventLoop = loop
        self.phase: Phase = Phase.CONNECTING
        #: Why it is over; `None` until it is.
        self.error: Exception | None = None
        #: Why connecting may be tried again: a cause of `Retry`; `None` where that would not help.
        self.retry_cause: int | None = None
        #: Set with each new phase.
        self.changed: Signal = Signal()
        self.transport: asyncio.Transport | None = None
        #: The transport takes no more for now.
        self.is_full: bool = False
        #: The socket is not read.
        self._is_held: bool = False
        self._protocol: _Protocol | None = None
        #: It sends what is left, and closes; a server that does not read keeps it from that.
        self._finishing: asyncio.Transport | None = None
        self._opening: asyncio.Future[tuple[asyncio.Transport, _Protocol]] | None = None
        self._timer: asyncio.TimerHandle | None = None
        #: When the timer runs out, on its host's clock.
        self.due: float = 0.0

    @property
    def is_over(self) -> bool:
        return self.phase is Phase.OVER

    async def wait(self, seconds: float) -> None:
        """Waits before it begins, unless it is over before."""
        end = self.loop.time() + seconds
        while not self.is_over and (left := end - self.loop.time()) > 0:
            await self.changed.wait(left)

    async def open(self, host: str, port: int, proxy: str | None, sock: socket.socket | None, limit: float) -> None:
        """Connects the socket.

        Args:
            proxy: What errors call it, where it is a proxy.
            sock: One that is connected already.
            limit: How many seconds that may take; 0 for no limit.

        Raises:
            ConnectError: when it cannot.
        """
        name = proxy or address(host, port)
        protocol = _Protocol(self)
        opening = self._opening = asyncio.ensure_future(self._opened(protocol, host, port, sock))
        opening.add_done_callback(self._abort_late)
        try:
            # Before Python 3.12 asyncio.wait_for() may swallow a cancellation.
            done, _ = await asyncio.wait([opening], timeout=limit or None)
        finally:
            # Whoever cancelled this wants it no more, nor who ended it meanwhile.
            cancel(opening)
        if self.is_over:
            return
        if not done:
            raise ConnectTimeoutError(Status.CONNECT_TIMEOUT, f"cannot connect to {name} within {limit:g} s")
        try:
            opening.result()
        except (socket.gaierror, UnicodeError) as error:
            raise ConnectError(Status.RESOLVE, f"cannot look up {proxy or host}: {error}") from error
        except OSError as error:
            self.retry_cause = LOST
            # What asyncio says of it is the address again.
            why = os.strerror(error.errno) if error.errno is not None else str(error)
            raise ConnectError(Status.CONNECT, f"cannot connect to {name}: {why}") from error

    async def _opened(
        self, protocol: _Protocol, host: str, port: int, sock: socket.socket | None
    ) -> tuple[asyncio.Transport, _Protocol]:
        taken = sock if sock is not None else await connected(host, port)
        try:
            opened = await self.loop.create_connection(lambda: protocol, sock=taken)
        except BaseException:
            if sock is None:
                taken.close()
            if self.loop.is_closed():
                # Thrown away with its loop. That asyncio's transport could not be closed there any more, nobody asks.
                raise GeneratorExit from None
            raise
        transport = opened[0]
        if sock is None and transport.is_closing() and transport.get_extra_info("socket") is not taken:
            # uvloop's has closed the descriptor already, and no longer tells the socket.
            taken.detach()
        return opened

    def _abort_late(self, opening: asyncio.Future[tuple[asyncio.Transport, _Protocol]]) -> None:
        """What is connected after its end is of no use; and nobody may have asked how it went."""
        if not opening.cancelled() and opening.exception() is None and self.transport is None:
            opening.result()[0].abort()

    def connected(self, transport: asyncio.Transport, protocol: _Protocol) -> None:
        host = self._host()
        if self.phase is not Phase.CONNECTING or host is None:
            protocol.link = None
            transport.abort()
            return
        self.transport, self._protocol = transport, protocol
        host._connected(self)

    def go_to(self, phase: Phase) -> None:
        self.phase = phase
        self.changed.set()

    def end(self, error: Exception, retry_cause: int | None = None) -> None:
        """It is over: the first to say why is right. What is left to be sent may still be."""
        if not self.is_over:
            self.error = error
            self.retry_cause = retry_cause or self.retry_cause
            self.go_to(Phase.OVER)

    async def settled(self, seconds: float) -> bool:
        """Waits until it is open, or over, at most so many seconds; whether it is."""
        end = self.loop.time() + seconds
        while self.phase is Phase.CONNECTING and (left := end - self.loop.time()) > 0:
            await self.changed.wait(left)
        return self.phase is not Phase.CONNECTING

    async def ended(self) -> None:
        """Waits until it is over, and has let go of what it was about to connect."""
        while not self.is_over:
            await self.changed.wait()
        if self._opening is not None and not self._opening.done():
            self._opening.cancel()
            await asyncio.wait([self._opening])

    def arm(self, deadline: float, now: float) -> None:
        """Has its host told at a time. Deadlines move with every frame: a timer that fires too early just looks again."""
        if self._timer is None or deadline < self.due:
            self.disarm()
            self.due = deadline
            self._timer = self.loop.call_later(max(0.0, deadline - now), self._fired)

    def disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def is_armed(self) -> bool:
        return self._timer is not None

    def _fired(self) -> None:
        self._timer = None
        self.tell(lambda host: host._due())

    def tell(self, of: Callable[[Host], None]) -> None:
        host = self._host()
        if host is not None:
            of(host)

    def hold(self, on: bool) -> None:
        """Pushes back on the server, or does so no more."""
        if self.transport is not None and not self.transport.is_closing() and on != self._is_held:
            self._is_held = on
            if on:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()

    def let_go(self) -> asyncio.Transport | None:
        """Gives up the transport: nothing that it says is heard from now on."""
        self.disarm()
        transport, self.transport = self.transport, None
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            protocol.link = None
        return transport

    def finish(self) -> None:
        """Nothing more is to be said, or heard: the transport closes once what is left is sent."""
        self._finishing = self.let_go()
        if self._finishing is not None:
            self._finishing.close()

    def abandon(self, *, is_ours: bool = True) -> None:
        """Gives up the socket, without a word.

        Args:
            is_ours: False in a forked process, whose parent has it.
        """
        # Nor does anybody want another try.
        self.retry_cause = None
        opening = self._opening
        if opening is not None and not opening.done() and is_ours:
            cancel(opening)
        finishing, self._finishing = self._finishing, None
        if finishing is not None and is_ours and not self.loop.is_closed() and finishing.get_write_buffer_size():
            finishing.abort()
        if self.transport is None:
            return
        if is_ours and not self.loop.is_closed():
            transport = self.let_go()
            if transport is not None:
                transport.abort()
        else:
            # It is the parent's of this forked process, or was its loop's.
            self.transport = self._protocol = self._timer = None


class _Protocol(asyncio.BufferedProtocol):
    """The link's end of a transport."""

    def __init__(self, link: Link) -> None:
        #: `None` once nobody listens.
        self.link: Link | None = link
        self._buffer = bytearray(_READ)
        self._input = ffi.from_buffer("uint8_t[]", self._buffer)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # It is one of a stream, whatever class a loop makes it of.
        stream = cast(asyncio.Transport, transport)
        if self.link is not None:
            self.link.connected(stream, self)
        else:
            stream.abort()

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self.link is not None:
            self.link.tell(lambda host: host._received(self._input, nbytes))

    def pause_writing(self) -> None:
        if self.link is not None:
            # What waits from now on waits in the library, which bounds it.
            self.link.is_full = True

    def resume_writing(self) -> None:
        if self.link is not None:
            self.link.is_full = False
            self.link.tell(lambda host: host._writable())

    def eof_received(self) -> None:
        self.connection_lost(None)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self.link is not None:
            self.link.tell(lambda host: host._lost(exc))
