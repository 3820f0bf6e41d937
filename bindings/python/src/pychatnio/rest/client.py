"""The blocking client of the calls."""

from __future__ import annotations

import ssl
import time
from typing import TypeVar

from .._dial import connected_blocking, looked_up
from .._endpoint import Url
from ..auth import Auth, authentication
from ..config import Config
from ..errors import ChatNioError
from .answer import HttpAnswer
from .call import Call
from .server import Server, Tries

__all__ = ["Client"]

T = TypeVar("T")

#: How much is read from a socket at once, in bytes.
_READ = 64 * 1024


class Client:
    """Makes the companion calls of one server, blocking, one connection a call. Any number of threads may use it.

    Args:
        url: The URL of the chat, as `pychatnio.Client` takes it; the calls' prefix follows from its path.
        auth: The token, or an `Auth`, of which only the token counts; without one no key is sent.
        config: The settings. Of these count the proxy, the headers, the certificates, `connect`, `handshake`,
            `connect_retries` and `allow_token_over_plain_ws`. Certificates are checked by the standard library's `ssl`,
            which has no `wall_clock`.
        timeout: How many seconds a call may take in all, with every try, from the name's look-up to the answer's last byte; 0
            for no limit.
        ssl_context: Whom to trust, for `wss`, instead of what the settings say.
        allow_token_over_plain_ws: Let the token go over plain `ws://` to another machine, be it the server's or the
            proxy's, where everybody on the way can read it.

    Raises:
        InvalidArgumentError: for a URL or token that cannot be, and for a token that would go over plain `ws://` to
            another machine.
    """

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

    def call(self, call: Call[T]) -> T:
        """Makes a call, and waits for its answer. One that only reads (`Call.is_repeatable`) is tried again as connecting
        is: `Config.connect_retries`.

        Raises:
            CallError: when there is no result: its subclasses say why.
            ConnectError: when the server cannot be reached: its subclasses say why.
            ConnectionClosedError: when the answer was cut, did not come in time, or is over 64 MiB.
        """
        tries = Tries(self._server, call)
        while True:
            try:
                return self._once(call, tries).result_of(call, self._server.redacted)
            except ChatNioError as error:
                wait = tries.failed(error)
            time.sleep(wait)

    def _once(self, call: Call[T], tries: Tries) -> HttpAnswer:
        server = self._server
        until = tries.begin()
        address = None
        try:
            if server.wants_address:
                address = str(looked_up(server.host, server.port, until)[0][4][0])
            sock = connected_blocking(*server.peer, until)
        except (OSError, UnicodeError) as error:
            tries.broken(error, None, address)
        tries.connected()
        exchange = server.exchange(call, address)
        with sock:
            data = exchange.start()
            while exchange.answer is None:
                try:
                    sock.settimeout(tries.left(exchange))
                    sock.sendall(data)
                    sock.settimeout(tries.left(exchange))
                    came = memoryview(sock.recv(_READ))
                except ChatNioError:
                    raise
                except OSError as error:
                    tries.broken(error, exchange)
                data = exchange.receive(came)
        return exchange.answer

    def __repr__(self) -> str:
        # As that of its server: it may not be there.
        return f"<Client {getattr(self, '_server', '')!s}>"
