"""Waiting in C so that Ctrl-C ends it.

Python runs a signal's handler in the main thread alone, and never while that is in C.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

__all__ = ["TICK", "interruptible"]

#: The longest single wait, in seconds: a signal may have reached another thread, and Python's handlers run between two.
TICK = 0.1

T = TypeVar("T")


def interruptible(call: Callable[[], T], give_up: Callable[[], object]) -> T:
    """What a call returns, which waits in C. In the main thread another one makes it, and what a signal's handler raises
    meanwhile comes out: the call is made to end before by `give_up`, and what it has brought is dropped."""
    if threading.current_thread() is not threading.main_thread():
        return call()
    returned: list[T] = []
    raised: list[BaseException] = []
    #: Whoever takes it decides whether the call is made at all: a handler may raise while the thread starts.
    begun = threading.Lock()
    ended = threading.Event()

    def run() -> None:
        if not begun.acquire(blocking=False):
            return
        try:
            returned.append(call())
        except BaseException as error:
            raised.append(error)
        finally:
            ended.set()

    thread = threading.Thread(target=run, name="pychatnio connect")
    try:
        try:
            thread.start()
        except RuntimeError:
            # There is none to be had.
            return call()
        while not ended.wait(TICK):
            pass
        thread.join()
    except BaseException:
        if not begun.acquire(blocking=False):
            give_up()
            # Whoever is told finds the client at rest; a second Ctrl-C does not wait for that.
            while not ended.wait(TICK):
                # Again: a call that has only just begun may have taken it for one before it.
                give_up()
            thread.join()
        raise
    if raised:
        raise raised.pop()
    return returned.pop()
