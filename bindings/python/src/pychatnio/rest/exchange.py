"""One call over bytes: the proxy, TLS, the request and its answer, without I/O."""

from __future__ import annotations

import http.client
import io
import ssl
from collections.abc import Generator
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from .._network import Proxy
from .._status import Status
from ..errors import CallError, error_of
from .call import Call, HttpRequest, T
from .framing import Received
from .redacted import redacted
from .tls import Secure, explained, secured
from .tunnel import through

__all__ = ["Exchange"]

#: The longest answer, in bytes.
MAX_ANSWER = 64 << 20


class HttpAnswer(NamedTuple):
    """An answer to a call."""

    status: int
    body: bytes
    retry_after: float | None
    """After how many seconds it wants to be asked again."""

    def result_of(self, call: Call[T], query: str) -> T:
        """What it says, without the secrets of the URL's query."""
        try:
            return call.decode(self.status, self.body)
        except CallError as error:
            failure = error
        if query:
            try:
                call.decode(self.status, redacted(self.body.decode(errors="replace"), query).encode())
            except CallError as error:
                failure = error
        failure.retry_after = self.retry_after
        raise failure


class Exchange:
    """What is to be sent, until the answer is there. Whoever drives it sends what `start` and `receive` return."""

    def __init__(
        self,
        request: HttpRequest,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        proxy: Proxy | None,
        address: str | None,
    ) -> None:
        #: Whether the way to the server is open, and the request is on it.
        self.is_open: bool = False
        #: The answer, once it is there.
        self.answer: HttpAnswer | None = None
        self._steps = self._run(request, host, port, context, proxy, address)

    def start(self) -> bytes:
        return next(self._steps)

    def receive(self, data: bytes) -> bytes:
        """Takes what came; nothing is the stream's end.

        Raises:
            ConnectError, ConnectionClosedError, CallError: when there will be no answer.
        """
        try:
            return self._steps.send(data)
        except StopIteration:
            return b""

    def _run(
        self,
        request: HttpRequest,
        host: str,
        port: int,
        context: ssl.SSLContext | None,
        proxy: Proxy | None,
        address: str | None,
    ) -> Generator[bytes, bytes, None]:
        where = f"{host} port {port}"
        if proxy is not None:
            yield from through(proxy, host, port, address)
        secure: Secure | None = None
        if context is not None:
            secure = yield from secured(context, host, where)
        self.is_open = True
        message = _encoded(request, host, port, context is not None)
        out = message if secure is None else secure.encrypted(message)
        came = Received()
        while not came.is_whole:
            data = yield out
            out = b""
            if not data:
                break
            try:
                came.receive(data if secure is None else secure.decrypted(data))
            except ssl.SSLEOFError:
                break
            except ssl.SSLError as error:
                raise explained(error, where) from error
            if len(came.data) > MAX_ANSWER:
                raise error_of(Status.REST_MALFORMED, f"the server's answer is over {MAX_ANSWER} bytes")
        self.answer = _decoded(bytes(came.data))


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


class _Socket:
    """What `http.client` reads from."""

    def __init__(self, came: bytes) -> None:
        self._came = came

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._came)


def _decoded(came: bytes) -> HttpAnswer:
    response = http.client.HTTPResponse(_Socket(came))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    try:
        response.begin()
        return HttpAnswer(response.status, response.read(), _retry_after(response))
    except (http.client.RemoteDisconnected, http.client.IncompleteRead) as error:
        # Of an incomplete one this is the length alone.
        raise error_of(Status.IO, f"the connection was lost before the answer was complete: {error}") from error
    except http.client.HTTPException as error:
        raise error_of(Status.BAD_HTTP, f"the server does not speak HTTP ({type(error).__name__})") from None


def _retry_after(response: http.client.HTTPResponse) -> float | None:
    """Seconds, or a date (RFC 9110, section 10.2.3). There is no clock here but the server's own."""
    value = response.getheader("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        at, now = (parsedate_to_datetime(text) for text in (value, response.getheader("Date", "")))
        return max(0.0, (at - now).total_seconds())
    except (TypeError, ValueError):
        return None
