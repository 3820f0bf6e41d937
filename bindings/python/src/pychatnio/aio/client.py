"""The client on asyncio."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING

from .._boundary import Uncopied
from .._endpoint import endpoint
from .._text import checked
from .._turn import within
from ..answer import Answer, Conversation, Counters
from ..auth import Auth
from ..config import Config
from ..names import State
from ..request import Parameters, Request, asked, refuse_answered
from ..transcript import Transcript
from .driver import Driver
from .stream import AsyncAnswerStream

if sys.version_info >= (3, 11):
    from typing import Unpack
elif TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["AsyncClient"]


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
            `None` takes that of the environment, `CHATNIO_URL`, and the token `CHATNIO_TOKEN`; with that alone it is
            `wss://api.chatnio.net`.
        auth: The token, or an `Auth`; without one it asks without an account.
        config: The settings.
        system: What the model is told before a conversation begins, the system prompt: a mask, which is sent with the first
            question. Not where `Auth` continues a conversation, which has its own.

    Raises:
        InvalidArgumentError: for a URL, token or setting that cannot be, and for a token that would go over plain
            `ws://` to another machine.
        InvalidRequestError: for an empty share, or an authentication that is longer than `Config.max_request`.
    """

    def __init__(
        self,
        url: str | None = None,
        auth: Auth | str | None = None,
        *,
        config: Config | None = None,
        system: str | None = None,
    ) -> None:
        # No variable here holds the token or the URL when something is raised.
        where, auth = endpoint(url, auth)
        del url
        self._driver = Driver(where, auth, config, system)

    async def connect(self, *, sock: socket.socket | None = None) -> Answer | None:
        """Connects, and waits until the WebSocket is open; within `Config.connect` and `Config.handshake`. Also
        anew, in any state: that continues the conversation that the server opened.

        Args:
            sock: A TCP or Unix socket that is connected already, through a proxy for instance. The client takes it over.

        Returns:
            The answer that was running, interrupted; `None` when none was.

        Raises:
            ConnectError: when no connection can be made: its subclasses say why.
            ConnectionClosedError: when the server ended the connection before it was open.
        """
        if sock is not None:
            checked(sock, socket.socket, "sock")
        return await self._driver.connect(sock)

    async def reconnect(self, *, sock: socket.socket | None = None) -> Answer | None:
        """`connect`, by the name that it has elsewhere."""
        return await self.connect(sock=sock)

    def ask(
        self, question: str | Request, *, timeout: float | None = None, **parameters: Unpack[Parameters]
    ) -> AsyncAnswerStream:
        """Asks, and returns the answer as it comes: iterate over it by `async for`, or await its
        `AsyncAnswerStream.text`. The question goes out when that begins.

        An answer that was left before its end is waited for first, at most `Config.after_stop` and within `timeout`; its
        stop was sent when it was left. If it has not ended by then, a `BusyError` says so: `is_retryable`, connected anew.

        Args:
            question: The question, or a request made by `Request.chat`.
            timeout: How many seconds the whole answer may take, from when it is iterated over or awaited: then it is
                stopped, and whoever takes it is told so, by an `AnswerTimeoutError`; one that has come whole by the time
                that it is taken is given. `None` is no limit, and 0 is refused.
            parameters: The model and the like: see `Parameters`.

        Raises:
            InvalidArgumentError: for a `timeout` that is not above 0.
        """
        return AsyncAnswerStream(self._driver, asked(question, parameters), within(timeout))

    def restart(self, *, timeout: float | None = None, **parameters: Unpack[Parameters]) -> AsyncAnswerStream:
        """Has the last question answered again, with these parameters; otherwise as `ask`."""
        return AsyncAnswerStream(self._driver, Request.restart(**parameters), within(timeout))

    async def request(self, request: Request) -> None:
        """Sends a request that is not answered.

        Raises:
            BusyError: while an answer comes in.
            InvalidRequestError: for a request that cannot be sent, and for one that is answered: see `ask`.
            UnsentError: while too much that was requested before waits to be sent.
            ConnectionClosedError: when the connection is over.
        """
        refuse_answered(request)
        await self._driver.drained()
        self._driver.send(request)

    def stop(self) -> bool:
        """Asks the server to end the running answer; what it still sends, and what it cost, comes as before. A question
        that was asked, and goes out only when its answer is iterated over, has its stop sent right behind it.

        Returns:
            Whether a stop was or will be sent: not when no turn runs, or when it has had its stop.
        """
        return self._driver.stop()

    async def close(self) -> None:
        """Closes the connection in an orderly way, within `Config.close`. A running answer ends interrupted. A
        repeated call does nothing. `connect` opens it again."""
        await self._driver.close()

    async def aclose(self) -> None:
        """`close`, by the name that `contextlib.aclosing` knows."""
        await self.close()

    @property
    def is_connected(self) -> bool:
        """Whether the connection is open: false before `connect`, and once it is closed or lost."""
        return self._driver.is_open

    @property
    def state(self) -> State:
        """What the session is doing."""
        return self._driver.connection.state

    @property
    def answer(self) -> Answer | None:
        """A copy of the running turn's answer so far; `None` when no turn runs."""
        return self._driver.connection.answer

    @property
    def conversation(self) -> Conversation:
        """Which conversation the connection is in, as far as the server has said; also after its end."""
        return self._driver.connection.conversation

    @property
    def counters(self) -> Counters:
        """What was counted since it was made; reconnecting goes on counting."""
        return self._driver.connection.counters

    @property
    def memory(self) -> int:
        """About how many bytes it holds in the library."""
        return self._driver.connection.memory

    def transcript(self) -> Transcript | None:
        """What was sent and received so far, without tokens; `None` unless `Config.record` is on. Of this connection: a
        reconnect begins a new one, so take it before."""
        return self._driver.connection.transcript()

    async def __aenter__(self) -> AsyncClient:
        if not self._driver.is_open:
            await self.connect()
        return self

    async def __aexit__(self, *exception: object) -> None:
        try:
            await self.close()
        finally:
            self._driver.free()

    def __repr__(self) -> str:
        # A traceback that shows variables may show one whose constructor has failed.
        driver = getattr(self, "_driver", None)
        return repr(driver) if driver is not None else "<AsyncClient closed>"
