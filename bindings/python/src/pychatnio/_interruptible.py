"""Waiting in C so that Ctrl-C ends it.

Python runs a signal's handler in the main thread alone, and never while that is in C.
"""

from __future__ import annotations

import os
import threading

# Not `threading.Thread` and `Event`: they are written in Python, and a handler that raises within them leaves a lock taken,
# for ever, or has a `RuntimeError` take the place of what it raised.
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable
from typing import TypeVar

from ._status import Status
from .errors import error_of

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
    #: Who has taken the call, once and for all: a handler may raise before the thread has begun.
    taken: dict[str, str] = {}
    over: list[bool] = []
    #: Wakes up, and says nothing: a handler may raise when it has been taken.
    ended = allocate_lock()
    ended.acquire()
    process = os.getpid()

    def run() -> None:
        if taken.setdefault("by", "thread") != "thread":
            return
        try:
            returned.append(calls.pop()())
        except BaseException as error:
            raised.append(error)
        over.append(True)
        ended.release()

    def leave() -> None:
        # In a child that a handler has forked there is no such thread.
        if os.getpid() != process or taken.setdefault("by", "nobody") != "thread":
            return
        give_up()
        # Whoever is told finds the client at rest.
        while not over:
            # Again: a call that has only just begun may have taken it for one before it.
            if not ended.acquire(timeout=TICK):
                give_up()
        # What comes out would keep it alive.
        returned.clear()
        raised.clear()

    try:
        try:
            is_alone = False
            try:
                start_new_thread(run, ())
            except RuntimeError as error:
                # What Python says where there is none to be had. Any other is a handler's.
                if "new thread" not in str(error):
                    raise
                is_alone = True
            while not (is_alone or over):
                if os.getpid() != process:
                    raise error_of(Status.INVALID, "this process was forked while a client connected: make another in it")
                ended.acquire(timeout=TICK)
        except BaseException:
            leave()
            raise
    except BaseException:
        # Two signals may be due at once, and the second has come before the call was given up.
        leave()
        raise
    if is_alone:
        return calls.pop()()
    if raised:
        raise raised.pop()
    return returned.pop()
