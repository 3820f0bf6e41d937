"""Message level: for those who have a WebSocket already."""

from __future__ import annotations

import enum
import struct
import time
from collections.abc import Callable

from ._boundary import constructed, milliseconds
from ._handle import Handle, Level
from ._native import ffi, lib
from ._status import Status
from ._text import CData, checked, encoded, present, seconds
from .auth import Auth, authentication
from .config import Config, native
from .events import Event, FastDelta, event_of
from .request import Request, handle_of

__all__ = ["CloseReason", "Session"]


class CloseReason(enum.IntEnum):
    """Why a session is closed."""

    HOST = lib.CHATNIO_CLOSE_HOST
    """This side has closed the WebSocket."""
    SERVER = lib.CHATNIO_CLOSE_SERVER
    """The server has closed it, in an orderly way."""
    LOST = lib.CHATNIO_CLOSE_LOST
    """The connection was lost."""


class Session(Handle):
    """The chat protocol on one WebSocket, which is yours: text messages go in and out, and you say what time it is.

    Connect the WebSocket to `/chat` where the URL has no path, and to `/api/chat` where that is `/api`. Then: send
    all that `next_message` gives; give every message of the server to `receive`; and when `deadline`
    is over, call `handle_timeout`. Send again after each of these.

    Times (`now`, deadlines) are seconds on a clock that never goes back, `time.monotonic()` unless you give them.

    Args:
        auth: The token, or an `Auth`; without one it asks without an account.
        config: The settings.
        now: The time.

    Raises:
        InvalidArgumentError: for a token or conversation that cannot be.
        InvalidRequestError: for an empty share, or an authentication that is longer than `Config.max_request`.
    """

    __slots__ = ("_data", "_delta", "_view")

    _level = Level("session")
    _release = lib.chatnio_session_free

    def __init__(
        self, auth: Auth | str | None = None, *, config: Config | None = None, now: float | None = None
    ) -> None:
        auth = authentication(auth)
        handle = constructed(
            lib.chatnio_session_new,
            "chatnio_session",
            *(native(config), auth._native(), milliseconds(now)),
        )
        super().__init__(handle, config)
        # Most messages are deltas, which come here: what is read of them, as bytes and as numbers.
        self._delta = ffi.new("pychatnio_delta *")
        self._data = self._delta.data
        self._view = memoryview(ffi.buffer(self._delta))

    def request(self, request: Request, *, now: float | None = None) -> None:
        """Sends a request. A chat or a restart begins a turn.

        Raises:
            BusyError: while a turn runs; the same request is fine after its end.
            UnsentError: while too much that was requested before waits to be sent.
            InvalidRequestError: for a request that cannot be sent.
            ConnectionClosedError: when the session is closed.
        """
        self._use(lib.chatnio_session_request, milliseconds(now), handle_of(request))

    def stop(self, *, now: float | None = None) -> bool:
        """Asks the server to end the running answer; its end, and with it what it cost, still comes. The stop is repeated
        by itself. Returns whether one goes out: not when no turn runs, nor when this turn has had its stop.

        Raises:
            ConnectionClosedError: when the session is closed.
        """
        sent = ffi.new("bool *")
        self._use(lib.chatnio_session_stop, milliseconds(now), sent)
        return bool(sent[0])

    def receive(self, message: str | bytes, *, now: float | None = None) -> Event:
        """Takes one message of the server, and returns what it means. One that cannot be read is a
        `Malformed`. A `bytes` is the UTF-8 of a text message, not a binary one. Of a message that holds several
        frames this is the first; the others are due at once, by `handle_timeout`.

        Raises:
            InvalidArgumentError: for `bytes` that are not UTF-8; nothing has changed.
            ConnectionClosedError: when the session is closed.
        """
        # The clock is read here, and what `_use` does is done here: this is called for every piece of an answer.
        data = str.encode(message, "utf-8", "surrogatepass") if type(message) is str else _utf8(message)
        ms = int(time.monotonic() * 1000 + 0.5) if now is None else milliseconds(now)
        guard = self._guard
        if guard.busy:
            raise guard.refusal()
        guard.busy = True
        try:
            status = _receive(self._handle, ms, data, len(data), self._event, self._delta)
            if status:
                raise self._error(status)
            turn, points, length, quota = _numbers(self._view)
            if not length:
                return event_of(self._event)
            text = _unpack(self._data, length).decode()
            raw = message if type(message) is str else data.decode()
            return FastDelta(turn, text[:points], quota, raw, text[points:])
        finally:
            guard.busy = guard.is_shut

    def receive_binary(self, *, now: float | None = None) -> Event:
        """Takes a binary message of the server. The protocol has none: it is a `Malformed`."""
        event = self._event
        return self._use(
            lib.chatnio_session_receive_binary, milliseconds(now), event, read=lambda: event_of(event)
        )

    def next_message(self) -> str | None:
        """The next text message to send, exactly once; `None` when there is none. The first one holds the token."""
        message = ffi.new("chatnio_text *")
        return self._use(
            lib.chatnio_session_next_transmit, message, read=lambda: present(message), usual=(Status.AGAIN,)
        )

    @property
    def deadline(self) -> float | None:
        """When `handle_timeout` wants to be called; `None` for never."""
        deadline = ffi.new("uint64_t *")
        self._use(lib.chatnio_session_deadline, deadline)
        return seconds(deadline[0])

    def handle_timeout(self, *, now: float | None = None) -> Event | None:
        """Does what is due, one thing at a time. Call it, at or after the deadline, until it returns `None`."""
        return self._use(
            lib.chatnio_session_handle_timeout, milliseconds(now), self._event,
            read=self._read_event, usual=(Status.AGAIN,),
        )

    def closed(self, reason: CloseReason = CloseReason.LOST) -> Event | None:
        """Tells the session that its WebSocket is gone. A running turn ends interrupted: its end is returned. Afterwards
        nothing works until `reconnect`; a repeated call does nothing. Frames that wait behind the first of their message
        count before, a thousand at most: the turn may come to its end by them.

        Who closes the WebSocket calls this before, with `CloseReason.HOST`, and sends what `next_message` then still gives:
        what was held would be lost."""
        # A bare number is none: one that means nothing would be an error of cffi's.
        checked(reason, CloseReason, "reason")
        return self._use(lib.chatnio_session_closed, reason, self._event, read=self._read_event)

    def reconnect(self, *, now: float | None = None) -> Event | None:
        """Starts afresh for a new WebSocket, which continues the conversation that the server opened. Works in any state.
        A running turn ends interrupted: its end is returned."""
        return self._use(lib.chatnio_session_reconnect, milliseconds(now), self._event, read=self._read_event)

    def free(self) -> None:
        """Frees the session and wipes its token, now and not with the last reference."""
        self._free()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self._free()


def _utf8(message: str | bytes) -> bytes:
    if type(message) is bytes:
        return message
    checked(message, (str, bytes), "a message")
    # A subclass may say another length than it has.
    return bytes(memoryview(message)) if isinstance(message, bytes) else encoded(message, "a message")


#: Turn, points, len, quota.
_numbers = struct.Struct("=QQQd").unpack_from
_unpack: Callable[[CData, int], bytes] = ffi.unpack
_receive = lib.pychatnio_session_receive
