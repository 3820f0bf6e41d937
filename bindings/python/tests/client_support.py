"""What several tests of the blocking client need."""

from __future__ import annotations

import socket
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
