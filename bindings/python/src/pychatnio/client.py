"""Blocking: for those who have nothing of the kind."""

from __future__ import annotations

import math
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ._asking import Asker, Stopper
from ._boundary import Owner, constructed
from ._endpoint import endpoint
from ._interruptible import TICK, interruptible
from ._log import log
from ._native import ffi, lib
from ._status import Status
from ._system import System
from ._text import checked
from ._turn import within
from .answer import Answer
from .auth import Auth
from .config import Config, native, raise_of_clock
from .errors import ConnectError, ConnectionClosedError, InvalidArgumentError
from .events import Event
from .names import State
from .request import Parameters, Request, asked
from .stream import AnswerStream

if sys.version_info >= (3, 11):
    from typing import Unpack
elif TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Client"]


class Client(Asker):
    """A blocking client. Every wait lets other threads run. Ctrl-C ends each of them except closing, which has a limit of
    its own (`Config.close`):

        with Client("wss://api.chatnio.net", "sk-...") as client:
            for piece in client.ask("hi", model="gpt-4"):
                print(piece, end="", flush=True)

    It connects at once, within `Config.connect` and `Config.handshake`. One thread at a time may use it, but
    `stop` and `close` are for any. No thread runs in the background: while no call is under way nothing is
    received, and nothing kept alive; `next` does that for a client that idles.

    Args:
        url: `wss://HOST[/PATH]`, `ws://`, `https://`, `http://`, or a bare host (as `wss://`). Without a path
            `/chat` is added, `/api` becomes `/api/chat`. `None` takes that of the environment, `CHATNIO_URL`, and the
            token `CHATNIO_TOKEN`; with that alone it is `wss://api.chatnio.net`.
        auth: The token, or an `Auth`; without one it asks without an account.
        config: The settings.
        system: What the model is told before a conversation begins, the system prompt: a mask, which is sent with the first
            question. Not where `Auth` continues a conversation, which has its own.
        sock: A TCP or Unix socket that is connected already, through a proxy for instance. The client works on a duplicate of
            it: close yours afterwards, whatever comes of it.

    Raises:
        InvalidArgumentError: for a URL, token or setting that cannot be, and for a token that would go over plain
            `ws://` to another machine.
        InvalidRequestError: for an empty share, or an authentication that is longer than `Config.max_request`.
        ConnectError: when no connection can be made: its subclasses say why.
        ConnectionClosedError: when the server ended the connection before it was open.
        SystemFailureError: when the system refuses something.
    """

    __slots__ = ()

    def __init__(
        self,
        url: str | None = None,
        auth: Auth | str | None = None,
        *,
        config: Config | None = None,
        system: str | None = None,
        sock: socket.socket | None = None,
    ) -> None:
        # No variable here holds the token or the URL when something is raised.
        where, auth = endpoint(url, auth)
        del url
        prompt = System(system, auth)
        arguments = (native(config), auth._native(), *where.native())
        stopper = Stopper()
        if sock is None:
            connect = partial(_Made, lib.chatnio_client_new_with_stopper, *arguments, stopper._handle)
            made = interruptible(connect, stopper.close)
        else:
            connect = partial(_Made, lib.chatnio_client_new_socket, *arguments, _descriptor(sock))
            made = interruptible(connect, partial(_break, sock))
        # No call between: what a signal's handler raises would lose the connection.
        self._handle, made._handle = made._handle, ffi.NULL
        super().__init__(self._handle, config, prompt)
        log(self, "connected")

    def ask(
        self, question: str | Request, *, timeout: float | None = None, **parameters: Unpack[Parameters]
    ) -> AnswerStream:
        """Asks, and returns the answer as it comes: iterate over it, or take its `AnswerStream.text`.

        An answer that was left before its end is waited for first, at most `Config.after_stop` and within `timeout`; its
        stop was sent when it was left.

        Args:
            question: The question, or a request made by `Request.chat`.
            timeout: How many seconds the whole answer may take, from now on: then it is stopped, and whoever takes it is
                told so, by an `AnswerTimeoutError`; one that has come whole by the time that it is taken is given. `None` is
                no limit, and 0 is refused.
            parameters: The model and the like: see `Parameters`.

        Raises:
            BusyError: while another answer comes in, or when one that was left has not ended within `timeout`: then
                `is_retryable`, connected anew.
            InvalidArgumentError: for a `timeout` that is not above 0.
            InvalidRequestError: for a question that cannot be sent.
            UnsentError: while too much that was requested before waits to be sent.
            ConnectionClosedError: when the connection is over.
        """
        return self._begin(asked(question, parameters), partial(AnswerStream, self), within(timeout))

    def restart(self, *, timeout: float | None = None, **parameters: Unpack[Parameters]) -> AnswerStream:
        """Has the last question answered again, with these parameters; otherwise as `ask`.

        Raises:
            InvalidRequestError: when there is no question to answer again.
        """
        return self._begin(Request.restart(**parameters), partial(AnswerStream, self), within(timeout))

    def request(self, request: Request) -> None:
        """Sends a request without waiting: those that are not answered. One that is held (`Config.settle`) goes out in a
        later call, which may be `close` or the end of a `with` block. The answer of any other comes by `next`.

        Raises:
            BusyError, InvalidRequestError, ConnectionClosedError: as `ask`.
        """
        self._drain()
        self._send(request)

    def next(self, timeout: float | None = None) -> Event | None:
        """Waits for the next event, also while no turn runs, which keeps the connection alive. An answer's come by
        `AnswerStream.events` at a fraction of the time.

        Args:
            timeout: How many seconds at most. `None` is no limit, and 0 only looks.

        Returns:
            `None` when none came in time.

        Raises:
            ConnectionClosedError: once the connection is over and its events are taken.
        """
        span = within(timeout, may_be_0=True)
        until = math.inf if span is None else time.monotonic() + span
        while True:
            event = self._next(max(0.0, min(TICK, until - time.monotonic())), 1)
            if event is not None or time.monotonic() >= until:
                return event

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open, as far as is known: nothing is received while no call is under way."""
        return not self._guard.is_shut and self.state is not State.CLOSED

    def close(self) -> None:
        """Closes the connection in an orderly way, within `Config.close`; at once when another thread waits for
        something, which is told so then. A repeated call does nothing, nor does one of a connection that is lost.
        `reconnect` opens it again. Its descriptors go with the last reference to it, or at the end of a `with` block."""
        guard = self._guard
        if guard.is_shut:
            return
        # What another thread that comes between is told.
        guard.refuse(Status.CLOSED, "the client was closed")
        try:
            if not guard.busy:
                self._use(lib.chatnio_client_close, self._event, read=self._settle)
        except (ConnectError, ConnectionClosedError):
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
        self._system.reconnecting(self)
        if sock is None:
            return interruptible(
                lambda: self._connect_anew(lib.chatnio_client_reconnect, self._event), self._stopper.close
            )
        descriptor = _descriptor(sock)
        return interruptible(
            lambda: self._connect_anew(lib.chatnio_client_reconnect_socket, descriptor, self._event),
            partial(_break, sock),
        )

    def _connect_anew(self, function: Callable[..., int], *arguments: object) -> Answer | None:
        try:
            return self._use(function, *arguments, read=self._settle)
        finally:
            # By the thread that was in C.
            raise_of_clock()

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


class _Made(Owner):
    """A client's handle on the way to its client."""

    __slots__ = ()

    _release = lib.chatnio_client_free

    def __init__(self, construct: Callable[..., int], *arguments: object) -> None:
        try:
            self._handle = constructed(construct, "chatnio_client", *arguments)
        finally:
            # By the thread that was in C.
            raise_of_clock()


def _break(sock: socket.socket) -> None:
    """Ends what goes on over a socket, whoever has a duplicate of it."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _descriptor(sock: socket.socket) -> int:
    checked(sock, socket.socket, "sock")
    return sock.fileno()
