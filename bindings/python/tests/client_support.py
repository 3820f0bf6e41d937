"""What several tests of the blocking client need."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Generator
from urllib.parse import urlsplit

from pychatnio import AnswerStream, Loopback, Opened


def opened(stream: AnswerStream) -> AnswerStream:
    """Waits until the server has read the question."""
    event = None
    while event is None:
        event = stream._client._next(1.0, 1)
    assert isinstance(event, Opened)
    return stream


def connected(loopback: Loopback) -> socket.socket:
    server = urlsplit(loopback.url)
    return socket.create_connection((server.hostname, server.port))


@contextlib.contextmanager
def over_unix(loopback: Loopback) -> Generator[socket.socket, None, None]:
    """A socket of Unix whose other end leads to the server."""
    ours, inside = socket.socketpair(socket.AF_UNIX)
    outside = connected(loopback)

    def carry(from_: socket.socket, to: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := from_.recv(65536):
                to.sendall(data)
            to.shutdown(socket.SHUT_WR)

    threads = [threading.Thread(target=carry, args=ends) for ends in ((inside, outside), (outside, inside))]
    for thread in threads:
        thread.start()
    with ours, inside, outside:
        yield ours
        for sock in (inside, outside):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(60)
