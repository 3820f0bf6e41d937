"""The way through a proxy, as the chat goes it."""

from __future__ import annotations

from collections.abc import Generator

from .._dial import address as authority
from ..config import Config
from ..connection import Connection
from ..errors import ChatNioError, error_of
from ..events import Closed

__all__ = ["through"]


def through(proxied: Config, host: str, port: int, address: str | None) -> Generator[bytes, memoryview, None]:
    """Asks for the way to the server: by its address, where a SOCKS proxy is to be told that, else by its name. Yields bytes
    to send, and is sent what came. It is a connection of the chat's that asks, and has done its part as soon as it would
    speak to the server.

    Args:
        proxied: Settings of which the proxy counts.

    Raises:
        ConnectError, ConnectionClosedError: when there is none.
    """
    with Connection(f"ws://{authority(address or host, port)}", config=proxied) as chat:
        while not (out := chat.transmit()).startswith(b"GET "):
            chat.transmitted(len(out))
            came = yield out
            # The proxy's password is in it: no variable holds that when something is raised.
            del out
            if came:
                chat.receive(came)
            else:
                chat.eof()
            for event in chat.events():
                if isinstance(event, Closed):
                    raise _refused(chat, event)


def _refused(chat: Connection, closed: Closed) -> ChatNioError:
    error = chat._refused(error_of(closed.status, closed.message, closed.code or 0))
    error._retry_cause = chat._retry_cause()
    return error
