"""The answer to a call, out of bytes as they come (RFC 9112)."""

from __future__ import annotations

import http.client
import io
import re
from collections.abc import Callable
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from .._status import Status
from ..errors import CallError, ChatNioError, error_of
from .call import Call, T

__all__ = ["Answering", "HttpAnswer"]

#: The longest answer, in bytes, and the longest head of one.
MAX_ANSWER, _MAX_HEAD = 64 << 20, 64 << 10

#: The longest line of a chunk's size, in bytes, and the most digits of any length.
_MAX_LINE, _MAX_DIGITS = 4096, 16

#: The longest wait that is believed, in seconds.
_MAX_WAIT = 999_999_999

#: `http.client` stops at what is none, and says nothing.
_FIELD = re.compile(rb"[!#-'*+.^_`|~0-9A-Za-z-]+:")

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")


class HttpAnswer(NamedTuple):
    """An answer to a call."""

    status: int
    body: bytes
    retry_after: float | None
    """After how many seconds it wants to be asked again."""

    def __repr__(self) -> str:
        # A server may repeat the key in its body.
        return f"HttpAnswer({self.status}, {len(self.body)} bytes)"

    def result_of(self, call: Call[T], redact: Callable[[str], str]) -> T:
        """What it says; an error's words without secrets."""
        try:
            return call.decode(self.status, self.body)
        except CallError as error:
            failure = error
        if failure.words is not None:
            # What was read, and not the bytes: in JSON a secret can be written in many ways, and a field be called as it is.
            failure = failure._saying(redact(failure.words))
        failure.retry_after = self.retry_after
        raise failure


class Answering:
    """Takes what comes until the answer is there."""

    def __init__(self) -> None:
        #: The answer, once it is there.
        self.answer: HttpAnswer | None = None
        self._came = bytearray()
        self._looked = 0
        self._head: http.client.HTTPResponse | None = None
        self._body = bytearray()
        #: Of the chunk that comes, with the line's end behind it; `None` while its size is to come.
        self._chunk: int | None = None
        self._in_trailers = False

    def receive(self, data: bytes | memoryview) -> None:
        """Takes what came.

        Raises:
            CallError, ConnectError: when it is no answer.
        """
        self._came += data
        while self._head is None:
            if not self._read_head():
                return
        if self._head.chunked:
            while self.answer is None and self._read_chunk():
                pass
        else:
            length = self._head.length
            if length is not None and length > MAX_ANSWER:
                raise _too_long()
            self._body += self._came
            self._came.clear()
            if length is not None and len(self._body) >= length:
                del self._body[length:]
                self._end()
        if len(self._body) > MAX_ANSWER:
            raise _too_long()

    def eof(self) -> None:
        """The stream has ended.

        Raises:
            ConnectionClosedError, ConnectError: when the answer is not whole.
        """
        if self._head is not None and not self._head.chunked and self._head.length is None:
            return self._end()
        raise error_of(Status.IO, "the connection was lost before the answer was complete")

    def _read_head(self) -> bool:
        if not self._came.startswith(b"HTTP/"[: len(self._came)]):
            raise _bad_http("it sends something else")
        found = _END_OF_HEAD.search(self._came, max(self._looked - 3, 0))
        self._looked = len(self._came)
        if (self._looked if found is None else found.end()) > _MAX_HEAD:
            raise _bad_http("a head that does not end")
        if found is None:
            return False
        head = bytes(self._came[: found.end()])
        del self._came[: found.end()]
        self._looked = 0
        status = head.split(None, 2)[1:2]
        # What is said before the answer: to go on, or hints.
        if head.startswith(b"HTTP/1.1 1") and status != [b"101"] and len(status[0]) == 3:
            return self._read_head()
        self._head = _parsed(head)
        return True

    def _read_chunk(self) -> bool:
        """Whether there was enough of a chunk to go on."""
        if self._chunk is not None:
            if self._chunk > 2:
                taken = min(self._chunk - 2, len(self._came))
                self._body += self._came[:taken]
                del self._came[:taken]
                self._chunk -= taken
                if self._chunk > 2 or len(self._body) > MAX_ANSWER:
                    return False
            if len(self._came) < 2:
                return False
            if not self._came.startswith(b"\r\n"):
                raise _bad_http("a chunk without its end")
            del self._came[:2]
            self._chunk = None
        end = self._came.find(b"\n")
        if end > _MAX_LINE or (end < 0 and len(self._came) > _MAX_LINE):
            raise _bad_http("a chunk's line that does not end")
        if end < 0:
            return False
        line = bytes(self._came[:end]).strip()
        del self._came[: end + 1]
        if self._in_trailers:
            if not line:
                self._end()
            return True
        size = line.partition(b";")[0].strip()
        if not 0 < len(size) <= _MAX_DIGITS or size.strip(b"0123456789abcdefABCDEF"):
            raise _bad_http("a chunk without a size")
        count = int(size, 16)
        if count > MAX_ANSWER:
            raise _too_long()
        self._in_trailers = count == 0
        self._chunk = count + 2 if count else None
        return True

    def _end(self) -> None:
        assert self._head is not None
        self.answer = HttpAnswer(self._head.status, bytes(self._body), _retry_after(self._head))


class _Socket:
    """What `http.client` reads from."""

    def __init__(self, came: bytes) -> None:
        self._came = came

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._came)


def _parsed(head: bytes) -> http.client.HTTPResponse:
    if any(_FIELD.match(line) is None for line in head.rstrip().split(b"\n")[1:]):
        raise _bad_http("a field without a name")
    response = http.client.HTTPResponse(_Socket(head))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    try:
        response.begin()
    except (http.client.HTTPException, ValueError) as error:
        # A number of very many digits is a ValueError.
        raise _bad_http(type(error).__name__) from None
    finally:
        # Its finalizer would use the file, which may have gone before in a cycle.
        response.close()
    codings = response.getheader("Transfer-Encoding", "").lower()
    lengths = {length.strip() for length in response.getheader("Content-Length", "").split(",")} - {""}
    if codings:
        response.chunked = codings.split(",")[-1].strip() == "chunked"
        response.length = None
    elif any(not length.isascii() or not length.isdigit() or len(length) > _MAX_DIGITS for length in lengths):
        raise _bad_http("a length that is no number")
    elif len({int(length) for length in lengths}) > 1:
        raise _bad_http("two lengths")
    elif lengths and response.length is None:
        response.length = int(lengths.pop())
    return response


def _bad_http(problem: str) -> ChatNioError:
    return error_of(Status.BAD_HTTP, f"the server does not speak HTTP ({problem})")


def _too_long() -> ChatNioError:
    return error_of(Status.OVERSIZED, f"the server's answer is over {MAX_ANSWER} bytes")


def _retry_after(head: http.client.HTTPResponse) -> float | None:
    """Seconds, or a date (RFC 9110, section 10.2.3). There is no clock here but the server's own."""
    value = head.getheader("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(min(int(value[:4000]), _MAX_WAIT))
    at, now = _seconds_of(value), _seconds_of(head.getheader("Date", ""))
    return None if at is None or now is None else max(at - now, 0.0)


def _seconds_of(date: str) -> float | None:
    """A date of HTTP. Without a zone, as the oldest form is, it is UTC."""
    if re.search(r" (GMT|\d{4})$", date) is None:
        return None
    try:
        at = parsedate_to_datetime(date)
        return at.replace(tzinfo=timezone.utc).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
