"""Asks once over a socket and an event loop of one's own, here of `selectors`: the `Connection` does TLS, WebSocket and
the chat protocol, and no I/O; this program sends, receives and looks at the clock.

    python own_loop.py "hi"

asks a server that it starts itself on 127.0.0.1. With CHATNIO_URL and CHATNIO_TOKEN it asks the real one, and with
CHATNIO_MODEL another model.
"""

from __future__ import annotations

import os
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

from pychatnio import Closed, Connection, Delta, End, Event, Loopback, Request


def receive(connection: Connection, sock: socket.socket) -> None:
    """Gives the connection what the socket has."""
    try:
        data = sock.recv(65536)
    except BlockingIOError:
        return
    except OSError as error:
        connection.failed(error)
        return
    if data:
        connection.receive(data)
    else:
        connection.eof()


def send(connection: Connection, sock: socket.socket) -> None:
    """Gives the socket what the connection wants sent, as much as it takes."""
    try:
        connection.transmitted(sock.send(connection.transmit()))
    except BlockingIOError:
        pass
    except OSError as error:
        connection.failed(error)


# ANCHOR: loop
def events(connection: Connection, sock: socket.socket) -> Iterator[Event]:
    """What happens on the connection, until it is over; the last event says how."""
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        while True:
            # Also one that is brought by what an event is answered with.
            yield from connection.events()
            wants = connection.wants
            if wants.finished:
                return
            mask = selectors.EVENT_READ * wants.read | selectors.EVENT_WRITE * wants.write
            selector.modify(sock, mask)
            timeout = None if wants.deadline is None else max(0.0, wants.deadline - time.monotonic())
            ready = selector.select(timeout)
            for _key, what in ready:
                if what & selectors.EVENT_READ:
                    receive(connection, sock)
                if what & selectors.EVENT_WRITE:
                    send(connection, sock)
            if not ready:
                connection.handle_timeout()
# ANCHOR_END: loop


def ask(url: str, token: str | None, question: str) -> int:
    """Connects, asks, prints the answer as it comes, and closes."""
    with Connection(url, token) as connection, socket.create_connection((connection.host, connection.port), 10) as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # It goes out as soon as the WebSocket is open.
        connection.request(Request.chat(question, model=os.environ.get("CHATNIO_MODEL")))
        answer, closed = None, None
        for event in events(connection, sock):
            if isinstance(event, (Delta, End)):
                print(event.text, end="", flush=True)
            if isinstance(event, End):
                answer = event.answer
                connection.close()
            if isinstance(event, Closed):
                closed = event
    if answer is None:
        print(closed.message if closed is not None else "", file=sys.stderr)
        return 1
    print(f"\n{answer.notice or answer.reason or answer.outcome}, quota {answer.quota_text}", file=sys.stderr)
    return 0 if answer.notice is None and answer.reason is None else 1


def main() -> int:
    """Asks what the command line says."""
    if len(sys.argv) != 2:
        print(f"usage: {sys.argv[0]} QUESTION", file=sys.stderr)
        return 2
    url, token = os.environ.get("CHATNIO_URL"), os.environ.get("CHATNIO_TOKEN")
    with ExitStack() as stack:
        if not url:
            url, token = stack.enter_context(Loopback()).url, "sk-any"
        try:
            return ask(url, token, sys.argv[1])
        except (OSError, ValueError) as error:
            print(error, file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
