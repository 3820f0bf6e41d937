"""The client of the calls on asyncio."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from .._dial import connected, limited
from .._endpoint import Url
from ..auth import Auth, authentication
from ..config import Config
from ..errors import ChatNioError
from .answer import HttpAnswer
from .call import Call
from .server import Server, Tries

__all__ = ["AsyncClient"]

T = TypeVar("T")

#: How much is read from a socket at once, in bytes.
_READ = 64 * 1024


class AsyncClient:
    """The same for asyncio: `await client.call(...)`, on any of its loops. A call whose task is cancelled is broken off; whether
    the server has heard of it is open then. The arguments are those of `Client`."""

    def __init__(
        self,
        url: str,
        auth: Auth | str | None = None,
        *,
        config: Config | None = None,
        timeout: float = 30.0,
        ssl_context: ssl.SSLContext | None = None,
        allow_token_over_plain_ws: bool = False,
    ) -> None:
        # No variable here holds the token or the URL when something is raised.
        where, auth = Url(url), authentication(auth)
        del url
        self._server = Server(where, auth, config, timeout, ssl_context, allow_token_over_plain_ws)

    async def call(self, call: Call[T]) -> T:
        """Makes a call, and waits for its answer; tried again as by `Client.call`.

        Raises:
            CallError, ConnectError, ConnectionClosedError: as `Client.call`.
        """
        tries = Tries(self._server, call)
        while True:
            try:
                return (await self._once(call, tries)).result_of(call, self._server.redacted)
            except ChatNioError as error:
                wait = tries.failed(error)
            await asyncio.sleep(wait)

    async def _once(self, call: Call[T], tries: Tries) -> HttpAnswer:
        server, loop = self._server, asyncio.get_running_loop()
        until = tries.begin()

        address: str | None = None

        async def dialled() -> socket.socket:
            nonlocal address
            if server.wants_address:
                found = await loop.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
                address = str(found[0][4][0])
            return await connected(*server.peer)

        try:
            sock = await _within(dialled(), limited(until - time.monotonic()), socket.socket.close)
        except (OSError, UnicodeError) as error:
            tries.broken(error, None, address)
        tries.connected()
        exchange = server.exchange(call, address)
        with sock:
            data = exchange.start()
            while exchange.answer is None:
                left = tries.left(exchange)
                try:
                    came = await _within(_exchanged(loop, sock, data), left)
                except ChatNioError:
                    raise
                except OSError as error:
                    tries.broken(error, exchange)
                data = exchange.receive(came)
        return exchange.answer

    def __repr__(self) -> str:
        # As that of its server: it may not be there.
        return f"<AsyncClient {getattr(self, '_server', '')!s}>"


async def _within(
    work: Coroutine[Any, Any, T], seconds: float | None, discard: Callable[[T], object] = lambda _: None
) -> T:
    """As `asyncio.wait_for()`, which before Python 3.12 may swallow a cancellation. What has come too late is discarded.

    Raises:
        TimeoutError: when the time is over.
    """
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait([task], timeout=seconds)
        if not done:
            raise TimeoutError
    except GeneratorExit:
        # Thrown away with its loop: nobody can wait.
        raise
    except BaseException:
        task.cancel()
        again: asyncio.CancelledError | None = None
        # Its socket is the loop's until then, also for who is cancelled once more.
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as error:
                again = error
        if not task.cancelled() and task.exception() is None:
            discard(task.result())
        if again is not None:
            raise again from None
        raise
    return task.result()


async def _exchanged(loop: asyncio.AbstractEventLoop, sock: socket.socket, data: memoryview) -> memoryview:
    if data:
        await loop.sock_sendall(sock, data)
    return memoryview(await loop.sock_recv(sock, _READ))
