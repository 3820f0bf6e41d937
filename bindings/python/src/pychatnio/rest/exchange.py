"""One call over bytes: the proxy, TLS, the request and its answer, without I/O."""

from __future__ import annotations

import ssl
from collections.abc import Generator

from .._status import Status
from ..config import Config
from ..errors import ChatNioError, error_of
from .answer import Answering, HttpAnswer
from .call import HttpRequest
from .tls import Secure, explained, secured
from .tunnel import through

__all__ = ["Exchange"]


class Exchange:
    """What is to be sent, until the answer is there. Whoever drives it sends what `start` and `receive` return. All of it are
    views, which no traceback with variables shows the bytes of: the key is in what is sent, and a server may repeat it.
    """

    def __init__(
        self,
        request: HttpRequest,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        proxied: Config | None,
        address: str | None,
    ) -> None:
        #: Whether the way to the server is open, and the request is on it.
        self.is_open: bool = False
        #: What is being done while that is not open.
        self.step: str = ""
        #: The answer, once it is there.
        self.answer: HttpAnswer | None = None
        self._steps = self._run(request, host, port, context, proxied, address)

    def start(self) -> memoryview:
        return memoryview(next(self._steps))

    def receive(self, data: memoryview) -> memoryview:
        """Takes what came; nothing is the stream's end.

        Raises:
            ConnectError, ConnectionClosedError, CallError: when there will be no answer.
        """
        try:
            return memoryview(self._steps.send(data))
        except StopIteration:
            return memoryview(b"")

    def lost(self, error: OSError) -> ChatNioError:
        """The stream has failed."""
        if self.is_open:
            return error_of(Status.IO, f"the connection was lost before the answer was complete: {error}")
        return error_of(Status.IO, f"the connection was lost during {self.step}: {error}")

    def _run(
        self,
        request: HttpRequest,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        proxied: Config | None,
        address: str | None,
    ) -> Generator[bytes, memoryview, None]:
        where = f"{host} port {port}"
        if proxied is not None:
            self.step = f"the way through the proxy to {where}"
            yield from through(proxied, host, port, address)
        secure: Secure | None = None
        if context is not None:
            self.step = f"the TLS handshake with {where}"
            secure = yield from secured(context, host, where)
        self.is_open = True
        # No variable here holds the key, which is in it, when something is raised.
        out = _encoded(request, host, port, context is not None)
        if secure is not None:
            out = secure.encrypted(out)
        answering = Answering()
        while answering.answer is None:
            data = yield out
            out = b""
            try:
                came = data if secure is None or not data else memoryview(secure.decrypted(data))
            except ssl.SSLError as error:
                raise explained(error, where) from error
            answering.receive(came)
            if answering.answer is None and (not data or (secure is not None and secure.has_ended)):
                answering.eof()
        self.answer = answering.answer


def _encoded(request: HttpRequest, host: str, port: int, is_tls: bool) -> bytes:
    name = f"[{host}]" if ":" in host else host
    lines = [f"{request.method} {request.target} HTTP/1.1"]
    lines.append(f"Host: {name}" if port == (443 if is_tls else 80) else f"Host: {name}:{port}")
    lines += [f"{header}: {value}" for header, value in request.headers]
    lines.append("Connection: close")
    body = (request.body or "").encode()
    if request.body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body
