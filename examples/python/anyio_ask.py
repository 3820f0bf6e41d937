"""Asks once on trio, or on asyncio, by anyio: a `Connection` does TLS, WebSocket and the chat protocol, and no I/O, so it works
in any of them. Leaving early, by a cancelled scope too, stops the answer at the server.

    pip install anyio trio
    python anyio_ask.py "hi" [trio|asyncio]

asks a server that it starts itself on 127.0.0.1. With CHATNIO_URL and CHATNIO_TOKEN it asks the real one.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing

import anyio
import anyio.abc

from pychatnio import Answer, Closed, Connection, Delta, End, Loopback, Request

#: How many seconds the server may take to hear of a stop and of the end.
GOODBYE = 3.0


class Chat:
    """One connection, which belongs to the task that uses it."""

    def __init__(self, connection: Connection, stream: anyio.abc.ByteStream) -> None:
        self._connection, self._stream = connection, stream
        #: The last answer.
        self.answer: Answer | None = None

    async def ask(self, request: Request) -> AsyncGenerator[str, None]:
        """The pieces of an answer; its end is in `answer`."""
        self._connection.request(request)
        self.answer = None
        try:
            while self.answer is None:
                for piece in await self._turn():
                    yield piece
        finally:
            if self.answer is None and self._connection.state != "closed":
                # Nobody wants the rest: the server is told so, also where this was cancelled.
                self._connection.stop()
                with anyio.move_on_after(GOODBYE, shield=True):
                    while self.answer is None:
                        await self._turn()

    async def close(self) -> None:
        """Says goodbye, and waits a moment for the server's."""
        self._connection.close()
        with anyio.move_on_after(GOODBYE, shield=True):
            while not self._connection.wants.finished:
                await self._turn()

    # ANCHOR: turn
    async def _turn(self) -> list[str]:
        """One turn of the loop: sends, waits for the socket or the deadline, and takes what has come."""
        connection = self._connection
        if data := connection.data_to_send():
            await self._stream.send(data)
        wants = connection.wants
        left = math.inf if wants.deadline is None else max(0.0, wants.deadline - time.monotonic())
        with anyio.move_on_after(left) as scope:
            try:
                connection.receive(await self._stream.receive())
            except anyio.EndOfStream:
                connection.eof()
            except anyio.BrokenResourceError:
                connection.failed()
        if scope.cancelled_caught:
            connection.handle_timeout()
        pieces: list[str] = []
        for event in connection.events():
            if isinstance(event, (Delta, End)) and event.text:
                pieces.append(event.text)
            if isinstance(event, End):
                self.answer = event.answer
            if isinstance(event, Closed) and self.answer is None:
                raise ConnectionError(event.message)
        return pieces
    # ANCHOR_END: turn


async def ask(url: str, token: str | None, question: str) -> int:
    """Connects, asks, prints the answer as it comes, and closes."""
    with Connection(url, token) as connection:
        async with await anyio.connect_tcp(connection.host, connection.port) as stream:
            chat = Chat(connection, stream)
            async with aclosing(chat.ask(Request.chat(question, model=os.environ.get("CHATNIO_MODEL")))) as pieces:
                async for piece in pieces:
                    print(piece, end="", flush=True)
            await chat.close()
    answer = chat.answer
    if answer is None:
        return 1
    print(f"\n{answer.notice or answer.reason or answer.outcome}, quota {answer.quota_text}", file=sys.stderr)
    return 0 if answer.notice is None and answer.reason is None else 1


def main() -> int:
    """Asks what the command line says."""
    if len(sys.argv) not in (2, 3):
        print(f"usage: {sys.argv[0]} QUESTION [trio|asyncio]", file=sys.stderr)
        return 2
    url, token = os.environ.get("CHATNIO_URL"), os.environ.get("CHATNIO_TOKEN")
    with ExitStack() as stack:
        if not url:
            url, token = stack.enter_context(Loopback()).url, "sk-any"
        try:
            return anyio.run(ask, url, token, sys.argv[1], backend=(sys.argv[2:] or ["trio"])[0])
        except (OSError, ValueError) as error:
            print(error, file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
