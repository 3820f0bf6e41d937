"""Which of a host's addresses to connect to, and when: RFC 8305, on any event loop."""

from __future__ import annotations

import asyncio
import os
import queue
import selectors
import socket
import threading
import time

# Not `threading.Thread`: see `_interruptible`.
from _thread import start_new_thread
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

__all__ = ["address", "cancel", "connected", "connected_blocking", "limited", "looked_up"]

#: For how many seconds one attempt may be alone before the next one starts.
DELAY = 0.25

#: What getaddrinfo() gives.
Address = tuple[int, int, int, str, Any]


async def connected(host: str, port: int) -> socket.socket:
    """A socket that is connected to the first address that answers."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    waiting = _in_turns(found)
    tasks: set[asyncio.Task[socket.socket]] = set()
    failure: BaseException = OSError(f"{host} has no address")
    try:
        while waiting or tasks:
            if waiting:
                tasks.add(loop.create_task(_attempt(loop, waiting.pop(0))))
            # One that fails lets the next one start.
            done, _ = await asyncio.wait(
                tasks, timeout=DELAY if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            winner: socket.socket | None = None
            for task in done:
                error = task.exception()
                if error is None and winner is None:
                    tasks.discard(task)
                    winner = task.result()
                elif error is not None:
                    tasks.discard(task)
                    failure = error
            if winner is not None:
                return winner
        raise failure
    finally:
        _give_up(tasks)


def connected_blocking(host: str, port: int, until: float) -> socket.socket:
    """The same without a loop, until a time of `time.monotonic()`.

    Raises:
        TimeoutError: when that is over.
    """
    waiting = _in_turns(looked_up(host, port, until))
    running: list[socket.socket] = []
    failure: OSError = OSError(f"{host} has no address")
    try:
        while waiting or running:
            if waiting:
                try:
                    running.append(_begun(waiting.pop(0)))
                except OSError as refusal:
                    failure = refusal
                    continue
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            for sock in _writable(running, min(DELAY, left) if waiting else left):
                running.remove(sock)
                error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not error:
                    return sock
                sock.close()
                failure = OSError(error, os.strerror(error))
        raise failure
    finally:
        for sock in running:
            sock.close()


def looked_up(host: str, port: int, until: float) -> Sequence[Address]:
    """The addresses of a name, until a time of `time.monotonic()`: the system's look-up knows no limit.

    Raises:
        TimeoutError: when that is over.
        OSError, UnicodeError: when there are none.
    """
    answers: queue.SimpleQueue[Sequence[Address] | BaseException] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except BaseException as error:
            answers.put(error)

    # Nobody waits at the program's end for a name that nobody wants any more.
    start_new_thread(look_up, ())
    try:
        answer = answers.get(timeout=limited(until - time.monotonic()))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, BaseException):
        raise answer
    return answer


def limited(seconds: float) -> float | None:
    """A time-out as the standard library takes it: none is `None`."""
    return None if seconds > threading.TIMEOUT_MAX else max(seconds, 0.0)


def _begun(address: Address) -> socket.socket:
    """A socket that is about to be connected.

    Raises:
        OSError: when it cannot be, as where there is no IPv6: afterwards the socket itself would not tell.
    """
    family, kind, protocol, _, where = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        sock.connect(where)
    except BlockingIOError:
        pass
    except BaseException:
        sock.close()
        raise
    return sock


def _writable(sockets: list[socket.socket], seconds: float) -> list[socket.socket]:
    with selectors.DefaultSelector() as selector:
        for sock in sockets:
            selector.register(sock, selectors.EVENT_WRITE, sock)
        return [key.data for key, _ in selector.select(limited(seconds))]


def _in_turns(found: Sequence[Address]) -> list[Address]:
    """Both families in turns, each in its order, the first one's first."""
    first = [address for address in found if address[0] == found[0][0]]
    second = [address for address in found if address[0] != found[0][0]]
    return [address for pair in zip_longest(first, second) for address in pair if address is not None]


async def _attempt(loop: asyncio.AbstractEventLoop, address: Address) -> socket.socket:
    family, kind, protocol, _, where = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        await loop.sock_connect(sock, where)
    except BaseException:
        sock.close()
        raise
    return sock


def address(host: str, port: int) -> str:
    """Host and port, as one writes them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def cancel(future: asyncio.Future[Any]) -> None:
    """Cancels what nobody wants any more; in a loop that is closed it is over as it is, and a cancel would be an error."""
    if not future.get_loop().is_closed():
        future.cancel()


def _give_up(tasks: set[asyncio.Task[socket.socket]]) -> None:
    def close(task: asyncio.Task[socket.socket]) -> None:
        if not task.cancelled() and task.exception() is None:
            task.result().close()

    for task in tasks:
        if task.done():
            close(task)
        else:
            task.add_done_callback(close)
            cancel(task)
