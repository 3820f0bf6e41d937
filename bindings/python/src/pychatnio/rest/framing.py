"""Where an HTTP answer ends (RFC 9112, section 6.3), of a server that does not end the stream behind it."""

from __future__ import annotations

from collections.abc import Generator

__all__ = ["Received"]

#: What waits for more bytes.
_Steps = Generator[None, None, None]


class Received:
    """What has come of an answer. Each byte is looked at once: an answer may be long, and come in small pieces."""

    def __init__(self) -> None:
        #: Without the interim answers that came before (103, for instance).
        self.data: bytearray = bytearray()
        #: Whether all of it is there. Never so where nothing but the stream's end tells.
        self.is_whole: bool = False
        self._next = 0
        self._steps = self._until_whole()
        next(self._steps)

    def receive(self, data: bytes) -> None:
        self.data += data
        try:
            next(self._steps)
        except StopIteration:
            self.is_whole = True

    def _until_whole(self) -> _Steps:
        while 100 <= (status := (yield from self._status())) < 200:
            yield from self._fields()
            del self.data[: self._next]
            self._next = 0
        # No HTTP at all is whole, too: who reads it says so.
        if not status:
            return
        fields = yield from self._fields()
        if status in (204, 304):
            return
        if fields.get(b"transfer-encoding") == b"chunked":
            yield from self._chunks()
            return
        length = fields.get(b"content-length", b"")
        while not length.isdigit() or len(self.data) < self._next + int(length):
            yield

    def _status(self) -> Generator[None, None, int]:
        """0 when it is no HTTP."""
        words = (yield from self._line()).split(b" ", 2)
        is_http = len(words) > 1 and words[0].startswith(b"HTTP/") and words[1].isdigit()
        return int(words[1]) if is_http else 0

    def _fields(self) -> Generator[None, None, dict[bytes, bytes]]:
        fields: dict[bytes, bytes] = {}
        while line := (yield from self._line()):
            name, _, value = line.partition(b":")
            fields[name.strip().lower()] = value.strip().lower()
        return fields

    def _chunks(self) -> _Steps:
        while True:
            line = yield from self._line()
            try:
                size = int(line.partition(b";")[0], 16)
            except ValueError:
                return
            if size <= 0:
                break
            self._next += size + len(b"\r\n")
        # Trailers.
        yield from self._fields()

    def _line(self) -> Generator[None, None, bytes]:
        """The next line, without its end."""
        seen = self._next
        while (end := self.data.find(b"\n", seen)) < 0:
            seen = max(seen, len(self.data))
            yield
        line = bytes(self.data[self._next : end])
        self._next = end + 1
        return line.strip()
