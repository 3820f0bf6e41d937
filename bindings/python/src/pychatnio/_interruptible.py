"""Waiting in C so that Ctrl-C ends it.

Python runs a signal's handler in the main thread alone, and never while that is in C.
"""

from __future__ import annotations

import threading

# Not `threading.Thread` and `Event`: they are written in Python, and a handler that raises within them leaves a lock taken,
# for ever, or has a `RuntimeError` take the place of what it raised.
from _thread import allocate_lock, start_new_thread
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
    # The thread may outlive this by a moment, and keeps nothing of the caller's alive then.
    calls = [call]
    del call
    returned: list[T] = []
    raised: list[BaseException] = []
    #: Whoever takes it decides whether the call is made at all: a handler may raise while the thread starts.
    begun = allocate_lock()
    #: Wakes up, and says nothing: a handler may raise when it has been taken.
    ended = allocate_lock()
    ended.acquire()

    def run() -> None:
        if not begun.acquire(blocking=False):
            return
        try:
            returned.append(calls.pop()())
        except BaseException as error:
            raised.append(error)
        finally:
            ended.release()

    try:
        is_alone = False
        try:
            start_new_thread(run, ())
        except RuntimeError as error:
            # There is no thread to be had, unless it is a handler's own error.
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise
            is_alone = True
        while not (is_alone or returned or raised):
            ended.acquire(timeout=TICK)
    except BaseException:
        if not begun.acquire(blocking=False):
            give_up()
            # Whoever is told finds the client at rest; a second Ctrl-C does not wait for that.
            while not (returned or raised):
                # Again: a call that has only just begun may have taken it for one before it.
                if not ended.acquire(timeout=TICK):
                    give_up()
        raise
    if is_alone:
        return calls.pop()()
    if raised:
        raise raised.pop()
    return returned.pop()
