"""Byte level: for those who have a socket and an event loop."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from operator import length_hint
from typing import TYPE_CHECKING, NamedTuple

from ._batch import CAPACITY, Batch
from ._boundary import constructed, milliseconds, with_refusal
from ._endpoint import Url
from ._handle import Handle, Level
from ._native import ffi, lib
from ._status import Status
from ._text import CData, checked, present, seconds, sized
from .auth import Auth, authentication
from .config import Config, native, raise_of_clock
from .errors import ChatNioError, InvalidArgumentError
from .events import End, Event
from .request import Request, handle_of

if sys.version_info >= (3, 11):
    from typing import Self
elif TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Connection", "Wants"]


class Wants(NamedTuple):
    """What a connection's host is to wait for."""

    deadline: float | None
    """When to call `Connection.handle_timeout`; `None` for never."""
    read: bool
    """Read the socket. False while there are events to be taken, and when the connection is over."""
    write: bool
    """Bytes wait to be sent."""
    finished: bool
    """The connection is over, its events are taken, and nothing is left to send: close the socket."""


class Connection(Handle):
    """The chat protocol on one connection: TLS and WebSocket are inside, the socket is yours.

    Connect a socket to `host` and `port`. Then, until `wants` says `finished`: send what
    `data_to_send` gives; give what the socket has to `receive`, and its end to `eof`; when the
    deadline of `wants` is over, call `handle_timeout`; and take `events` after each of these.

    Times (`now`, deadlines) are seconds on a clock that never goes back, `time.monotonic()` unless you give them.

    Args:
        url: `ws`, `wss`, `http` (as ws), `https` (as wss), or a bare host (as wss). Without a path `/chat` is
            added, `/api` becomes `/api/chat`, any other path is used as it is.
        auth: The token, or an `Auth`; without one it asks without an account.
        config: The settings.
        now: The time.

    Raises:
        InvalidArgumentError: for a URL, token or setting that cannot be, and for a token that would go over plain
            `ws://` to another machine.
        InvalidRequestError: for an empty share, or an authentication that is longer than `Config.max_request`.
        TLSError: when the machine has no root certificates.
        SystemFailureError: when the system gives no random bytes.
    """

    __slots__ = ("_batch", "_events")

    _level = Level("connection")
    _release = lib.chatnio_connection_free

    def __init__(
        self, url: str, auth: Auth | str | None = None, *, config: Config | None = None, now: float | None = None
    ) -> None:
        # No variable here holds the token or the URL when something is raised.
        where, auth = Url(url), authentication(auth)
        del url
        self._begin(where, auth, config, now)

    @classmethod
    def _at(cls, url: Url, auth: Auth | None = None, config: Config | None = None) -> Self:
        made = cls.__new__(cls)
        made._begin(url, authentication(auth), config, None)
        return made

    def _begin(self, url: Url, auth: Auth, config: Config | None, now: float | None) -> None:
        handle = constructed(
            lib.chatnio_connection_new,
            "chatnio_connection",
            *(native(config), auth._native(), *url.native(), milliseconds(now)),
        )
        super().__init__(handle, config)
        self._batch = Batch()
        #: Those that the library has handed out, and that nobody has taken.
        self._events: Iterator[Event] = iter(())

    @property
    def host(self) -> str:
        """The host to connect the socket to, without brackets around an IPv6 address."""
        host = ffi.new("chatnio_text *")
        return self._use(lib.chatnio_connection_host, host, read=lambda: present(host))

    @property
    def port(self) -> int:
        """The port to connect the socket to."""
        port = ffi.new("uint16_t *")
        self._use(lib.chatnio_connection_port, port)
        return int(port[0])

    def request(self, request: Request, *, now: float | None = None) -> None:
        """Sends a request, at once or when the WebSocket is open: see `Session.request`.

        Raises:
            BusyError: while a turn runs; the same request is fine after its end.
            UnsentError: while too much that was requested before waits to be sent.
            InvalidRequestError: for a request that cannot be sent.
            ConnectionClosedError: when the connection is over.
        """
        self._use(lib.chatnio_connection_request, milliseconds(now), handle_of(request))

    def stop(self, *, now: float | None = None) -> bool:
        """Asks the server to end the running answer: see `Session.stop`.

        Raises:
            ConnectionClosedError: when the connection is over.
        """
        sent = ffi.new("bool *")
        self._use(lib.chatnio_connection_stop, milliseconds(now), sent)
        return bool(sent[0])

    def close(self, *, now: float | None = None) -> None:
        """Closes the connection in an orderly way, within `Config.close`; at once when it is not open yet. A running
        turn ends interrupted. Requests that have no answer and are held (`Config.settle`) go out before, at their time. A
        repeated call does nothing."""
        self._use(lib.chatnio_connection_close, milliseconds(now))

    def receive(self, data: bytes | bytearray | memoryview, *, now: float | None = None) -> None:
        """Takes bytes of the server, split in any way. What came of them, `events` says.

        Raises:
            UndrainedError: when too much would wait for its events to be taken; nothing of it was taken then.
        """
        ms = milliseconds(now)
        try:
            buffer = ffi.from_buffer("uint8_t[]", data)
        except BufferError as error:
            raise InvalidArgumentError(Status.INVALID, f"data is in pieces: give it as bytes ({error})") from None
        # Its length in bytes, whatever the object calls its own.
        self._receive(buffer, len(buffer), ms)

    def _receive(self, data: CData, count: int, ms: int) -> None:
        """The same for the first bytes of memory that cffi knows already."""
        self._use(lib.chatnio_connection_receive, ms, data, count)
        raise_of_clock()

    def eof(self, *, now: float | None = None) -> None:
        """Tells the connection that the stream has ended: the server closed it. A repeated call does nothing."""
        self._use(lib.chatnio_connection_eof, milliseconds(now))

    def failed(self, error: OSError | int = 0, *, now: float | None = None) -> None:
        """Tells the connection that the socket has failed, and how, by the error or its errno. A repeated call does
        nothing."""
        errno = error.errno or 0 if isinstance(error, OSError) else error
        checked(errno, int, "error")
        if not -(2**31) <= errno < 2**31:
            raise InvalidArgumentError(Status.INVALID, f"there is no errno {errno}")
        self._use(lib.chatnio_connection_failed, milliseconds(now), errno)

    def handle_timeout(self, *, now: float | None = None) -> None:
        """Does what is due. Give what the socket has to `receive` before, or a host that was busy for long takes
        its own silence for the server's."""
        self._use(lib.chatnio_connection_handle_timeout, milliseconds(now))

    def events(self) -> Iterator[Event]:
        """Takes the events that there are, each when it is asked for: a server may have millions of them in one message.
        Those that are left when a loop is left are there for the next one."""
        return chain.from_iterable(self._batches())

    def _batches(self) -> Iterator[Iterator[Event]]:
        yield self._events
        while self._fetch():
            yield self._events

    def _take(self, events: list[Event]) -> bool:
        """Adds a batch of events; returns whether there may be more."""
        count = self._fetch()
        events += self._events
        return count == CAPACITY

    def _fetch(self) -> int:
        """Gets events, when all before were taken; how many."""
        self._use(lib.pychatnio_connection_next_batch, self._batch.native, read=self._settle, usual=(Status.AGAIN,))
        return length_hint(self._events)

    def _settle(self) -> None:
        """Takes over what the library has handed out."""
        native = self._batch.native
        if native.count:
            self._events = iter(self._batch.events())
            # No call is between these two, so that nothing can come between them.
            native.count = 0

    def data_to_send(self) -> bytes:
        """Takes all the bytes that are to be sent now. The first hold the token."""
        sent = bytearray()
        while data := self.transmit():
            sent += data
            self.transmitted(len(data))
        return bytes(sent)

    def transmit(self) -> bytes:
        """Bytes to send next, empty when there are none. Say by `transmitted` how many of them the socket took;
        until then the same are given."""
        data = ffi.new("chatnio_bytes *")
        sent = self._use(
            lib.chatnio_connection_transmit, data,
            read=lambda: bytes(ffi.buffer(data.data, data.len)), usual=(Status.AGAIN,),
        )
        return sent or b""

    def transmitted(self, count: int) -> None:
        """Says that the first `count` of the bytes of `transmit` were sent.

        Raises:
            InvalidArgumentError: for more than were given.
        """
        checked(count, int, "count")
        if count < 0:
            raise InvalidArgumentError(Status.INVALID, f"count is a number of bytes, 0 or more, not {count}")
        self._use(lib.chatnio_connection_transmitted, min(count, 2**63))

    @property
    def wants(self) -> Wants:
        """What to wait for: look after the events are taken, before each wait."""
        wants = sized("chatnio_wants")
        self._use(lib.chatnio_connection_wants, wants)
        is_taken = not length_hint(self._events)
        return Wants(
            seconds(wants.deadline), wants.want_read and is_taken, wants.want_write, wants.finished and is_taken
        )

    def _refused(self, error: ChatNioError) -> ChatNioError:
        """Tells a refusal's error what else the HTTP answer said."""
        return with_refusal(error, lib.chatnio_connection_refusal, lib.chatnio_connection_retry_after, self._handle)

    def _retry_cause(self) -> int | None:
        """Why connecting may be tried again; `None` where that would not help."""
        cause = ffi.new("int32_t *")
        return self._use(
            lib.chatnio_connection_retry_cause, cause, read=lambda: int(cause[0]), usual=(Status.ABSENT,)
        )

    @property
    def refusal_body(self) -> str | None:
        """The body of the HTTP answer that refused the connection, at most 64 KiB; `None` when there is none."""
        body = ffi.new("chatnio_text *")
        return self._use(
            lib.chatnio_connection_refusal_body, body, read=lambda: present(body), usual=(Status.ABSENT,)
        )

    def reconnect(self, *, now: float | None = None) -> Event | None:
        """Starts afresh on a new socket, connected to the same place, and continues the conversation that the server
        opened. Works in any state. A running turn ends interrupted: its end is returned. Events that are not taken are
        thrown away, but an end among them is that one."""
        end = self._use(
            lib.chatnio_connection_reconnect, milliseconds(now), self._event, read=self._read_event
        )
        # All of it is taken, so that whoever is in the middle of it gets no more.
        left = list(self._events)
        return end or next((event for event in left if isinstance(event, End)), None)

    def free(self) -> None:
        """Frees the connection and wipes its token, now and not with the last reference; without a word to the
        server."""
        self._free()

    def _free(self) -> None:
        super()._free()
        # For whoever is in the middle of it.
        list(self._events)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *exception: object) -> None:
        self._free()
