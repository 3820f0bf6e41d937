"""Asks once over a WebSocket of one's own, here of the package `websockets`: the `Session` does the chat protocol, and
no I/O; this program sends, receives and looks at the clock.

    pip install websockets
    python websockets_session.py "hi"

asks a server that it starts itself on 127.0.0.1. With CHATNIO_URL and CHATNIO_TOKEN it asks the real one, and with
CHATNIO_MODEL another model.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, WebSocketException

from pychatnio import CloseReason, Delta, End, Event, Loopback, Request, Session

#: Where the chat is on a server whose URL says only so much.
PATHS = {"": "/chat", "/": "/chat", "/api": "/api/chat", "/api/": "/api/chat"}


async def send_all(session: Session, socket: ClientConnection) -> None:
    """Sends what the session wants sent."""
    while (message := session.next_message()) is not None:
        await socket.send(message)


def received(session: Session, message: asyncio.Future[str | bytes]) -> Event | None:
    """Tells the session what the WebSocket has brought: a message, or its end."""
    try:
        text = message.result()
    except ConnectionClosedOK:
        return session.closed(CloseReason.SERVER)
    except ConnectionClosedError:
        return session.closed(CloseReason.LOST)
    return session.receive(text) if isinstance(text, str) else session.receive_binary()


async def ask(session: Session, socket: ClientConnection, request: Request) -> End:
    """Asks, prints the answer as it comes, and returns its end, which always comes."""
    session.request(request)
    message = asyncio.ensure_future(socket.recv())
    try:
        while True:
            await send_all(session, socket)
            deadline = session.deadline
            # What is being received goes on when the deadline comes first, so that nothing is lost.
            await asyncio.wait([message], timeout=None if deadline is None else deadline - time.monotonic())
            if message.done():
                event = received(session, message)
                message = asyncio.ensure_future(socket.recv())
            else:
                # The next frame is late, the connection was silent for long, or a stop was swallowed.
                event = session.handle_timeout()
            if isinstance(event, (Delta, End)):
                print(event.text, end="", flush=True)
            if isinstance(event, End):
                return event
    except asyncio.CancelledError:
        # Nobody wants the rest, and nobody is to pay for it.
        session.stop()
        await send_all(session, socket)
        raise
    finally:
        message.cancel()


async def run(url: str, token: str | None, question: str) -> int:
    """Connects, and asks."""
    parts = urlsplit(url)
    # The package pings, so that a dead connection is noticed also while nothing is asked. Its limit on a message is to
    # be above the session's, which skips one that is too long.
    async with connect(
        parts._replace(path=PATHS.get(parts.path, parts.path)).geturl(),
        compression=None,
        ping_interval=30,
        ping_timeout=10,
        max_size=32 * 1024 * 1024,
    ) as socket:
        request = Request.chat(question, model=os.environ.get("CHATNIO_MODEL"))
        answer = (await ask(Session(token), socket, request)).answer
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
            return asyncio.run(run(url, token, sys.argv[1]))
        except (OSError, ValueError, WebSocketException) as error:
            print(error, file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
