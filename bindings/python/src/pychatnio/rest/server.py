"""What the clients of the calls have in common beside I/O."""

from __future__ import annotations

import re
import socket
import ssl
import time
from typing import Any, NoReturn

from .._native import ffi, lib
from .._dial import address as socket_address
from .._endpoint import Url
from .._network import Network, Proxy
from .._retry import LOST, Retry
from .._status import Status
from ..auth import Auth
from ..config import Config, milliseconds, network
from ..connection import Connection
from ..errors import ChatNioError, error_of
from .call import Call, HttpRequest
from .calls import quota
from .exchange import Exchange
from .redacted import of_headers, of_proxy, redacted
from .tls import context_of

__all__ = ["Server", "Tries"]

#: Says who asks: some gateways refuse requests that do not.
_US = f"chatnio/{ffi.string(lib.chatnio_version()).decode()}"

#: The connection was refused or lost, for whatever reason.
_LOST = (Status.CONNECT, Status.IO, Status.END_OF_STREAM, Status.TRUNCATED)

#: The most seconds that a socket waits: 24 days.
_MOST = 2_000_000.0

#: By how many seconds a wait may end before its time: loops round theirs, and count from the time of their last step.
_EARLY = 0.1


class Server:
    """Where the calls go to, as whom, and by which settings. It holds the key, and shows it nowhere."""

    def __init__(
        self,
        url: Url,
        auth: Auth,
        config: Config | None,
        timeout: float,
        ssl_context: ssl.SSLContext | None,
        allow_token_over_plain_ws: bool,
    ) -> None:
        # A traceback that shows variables may show one whose constructor has failed.
        self.is_tls: bool = False
        self.host: str = ""
        self.port: int = 0
        self.prefix: str = ""
        #: Where gateways want their keys; empty without.
        self.query: str = ""
        self._auth = auth
        self.network: Network = network(config)
        self.config = config
        self.timeout: float = min(milliseconds("timeout", timeout) / 1000 or _MOST, _MOST)
        #: What is wrong with the token is said before anything else.
        quota().request(self._auth)
        self.is_tls, self.host, self.port, self.prefix, self.query = _parsed(url)
        proxy = self.network.proxy
        self.proxy: Proxy | None = None if proxy is None else Proxy(proxy)
        self._proxied: Config | None = None if proxy is None else Config(proxy=proxy)
        if not (self.is_tls or allow_token_over_plain_ws or self.network.allow_plain):
            # Refuses a token that another machine would get.
            Connection._at(url, self._auth, self._proxied)
        self.context: ssl.SSLContext | None = (ssl_context or context_of(self.network)) if self.is_tls else None

    @property
    def peer(self) -> tuple[str, int]:
        """Whom to connect to: the server, or the proxy on the way there."""
        return (self.host, self.port) if self.proxy is None else (self.proxy.host, self.proxy.port)

    @property
    def peer_name(self) -> str:
        """What errors call that one."""
        return socket_address(self.host, self.port) if self.proxy is None else str(self.proxy)

    @property
    def wants_address(self) -> bool:
        """Whether the proxy is to be told the server's address, looked up here."""
        return self.proxy is not None and self.proxy.scheme == "socks5"

    def redacted(self, text: str) -> str:
        """A text of the server's, without the secrets that it repeats."""
        headers = dict(quota().request(self._auth).headers)
        others = [*of_headers(self.network.headers), *of_proxy(self.network.proxy)]
        return redacted(text, self.query, headers.get("Authorization", "").removeprefix("Bearer "), others)

    def exchange(self, call: Call[Any], address: str | None) -> Exchange:
        request = call.request(self._auth, self.prefix)
        headers = [*self.network.headers, *request.headers]
        if not any(name.lower() == "user-agent" for name, _ in headers):
            headers.append(("User-Agent", _US))
        target = request.target
        if self.query:
            target += f"{'&' if '?' in target else '?'}{self.query}"
        request = HttpRequest(request.method, target, headers, request.body)
        return Exchange(request, self.host, self.port, self.context, self._proxied, address)

    def unconnected(self, error: OSError | UnicodeError, address: str | None) -> ChatNioError:
        """Why the socket could not be connected; with the server's address, where that was looked up."""
        is_server = self.proxy is None or (self.wants_address and address is None)
        host = self.host if is_server else self.peer_name
        if isinstance(error, UnicodeError):
            return error_of(Status.RESOLVE, f"cannot look up {host}: it is no name")
        if isinstance(error, socket.gaierror):
            return error_of(Status.RESOLVE, f"cannot look up {host}: {error.strerror}")
        return error_of(Status.CONNECT, f"cannot connect to {self.peer_name}: {error.strerror or error}")

    def __repr__(self) -> str:
        return f"{self.host}:{self.port}{self.prefix}"


class Tries:
    """One call with all its tries, and the time for them: only one that reads alone is tried again."""

    def __init__(self, server: Server, call: Call[Any]) -> None:
        self._server = server
        limit = 0 if server.timeout == _MOST else server.timeout
        self._retry = Retry(server.config, limit) if call.is_repeatable else None
        self._before: ChatNioError | None = None
        self.deadline: float = time.monotonic() + server.timeout
        self._phase_ends = self.deadline

    def begin(self) -> float:
        """A try begins: until when its socket is to be connected."""
        self._phase_ends = self._ending(self._server.network.connect)
        return self._phase_ends

    def connected(self) -> None:
        self._phase_ends = self._ending(self._server.network.handshake)

    def _ending(self, seconds: float) -> float:
        return min(self.deadline, time.monotonic() + seconds) if seconds else self.deadline

    def left(self, exchange: Exchange) -> float:
        """How many seconds the next read may take.

        Raises:
            ConnectTimeoutError, ConnectionClosedError: when there are none.
        """
        left = self._ends(exchange) - time.monotonic()
        if left <= 0:
            raise self.late(exchange)
        return left

    def broken(self, error: OSError | UnicodeError, exchange: Exchange | None, address: str | None = None) -> NoReturn:
        """A try has failed; without an exchange while connecting.

        Raises:
            ConnectError, ConnectionClosedError: what that comes to.
            TimeoutError: the error itself, where a signal's handler has raised it: our time is not over.
        """
        # The system's own, for a network that is silent, has a number.
        if isinstance(error, TimeoutError) and error.errno is None:
            if time.monotonic() + _EARLY < self._ends(exchange):
                raise error
            raise self.late(exchange) from None
        if exchange is None or isinstance(error, UnicodeError):
            raise self._server.unconnected(error, address) from error
        raise exchange.lost(error) from error

    def _ends(self, exchange: Exchange | None) -> float:
        return self.deadline if exchange is not None and exchange.is_open else self._phase_ends

    def late(self, exchange: Exchange | None) -> ChatNioError:
        """What to say when the time is over; without an exchange while connecting."""
        if exchange is not None and (exchange.is_open or time.monotonic() >= self.deadline):
            return error_of(Status.UNRESPONSIVE, f"the server did not answer within {self._server.timeout:g} s")
        if exchange is not None:
            return error_of(Status.HANDSHAKE_TIMEOUT, f"{exchange.step} took too long")
        return error_of(Status.CONNECT_TIMEOUT, f"cannot connect to {self._server.peer_name} in time")

    def failed(self, error: ChatNioError) -> float:
        """After how many seconds to try again.

        Raises:
            ChatNioError: when it is not tried again: what this try failed by, or the one before, where only the time for
                all tries was over.
        """
        cause = error._retry_cause
        if cause is None and error.status in _LOST:
            cause = LOST
        wait = None if cause is None or self._retry is None else self._retry.failed(cause, error.retry_after)
        if wait is not None:
            self._before = error
            return wait
        is_late = error.status == Status.UNRESPONSIVE or (
            error.status in (Status.CONNECT_TIMEOUT, Status.HANDSHAKE_TIMEOUT) and time.monotonic() >= self.deadline
        )
        if self._before is not None and is_late:
            raise self._before from error
        raise error


def _parsed(url: Url) -> tuple[bool, str, int, str, str]:
    """Whether there is TLS, the host, the port, the calls' prefix and the query, as the chat's connection reads them: its
    request is looked at, without TLS.

    Raises:
        InvalidArgumentError: as for a `Connection`.
    """
    url.native()
    is_tls, plain = url.without_tls()
    if is_tls and url.server().startswith("sk-"):
        # Perhaps a token, in the wrong place: with its own scheme the library can tell.
        Connection._at(url)
    chat = Connection._at(plain)
    target = chat.transmit().split(b" ", 2)[1].decode()
    path, _, query = target.partition("?")
    length = ffi.new("size_t *")
    lib.chatnio_rest_prefix_len(path.encode(), len(path), length)
    has_port = re.search(r":[0-9]+$", url.server())
    return is_tls, chat.host, chat.port if has_port or not is_tls else 443, path[: length[0]], query
