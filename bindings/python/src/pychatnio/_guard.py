"""Who may use a handle of the C library, and when."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from typing import TypeVar, overload

from ._boundary import Owner
from ._status import Status
from ._text import CData
from .errors import ChatNioError, error_of


class Guard:
    """Lets one thread at a time use a handle, and none after it was freed or this process was forked.

    Two threads in one handle would be undefined behaviour. The second is refused: to wait would be a deadlock where it is a
    signal handler or a finalizer that comes between. `Guarded._use` uses it.
    """

    __slots__ = ("__weakref__", "_refusal", "busy", "is_shut")

    def __init__(self) -> None:
        self.is_shut = False
        self.refuse()
        #: Whether it may not be used now.
        self.busy = False
        _GUARDS.add(self)

    def refusal(self) -> ChatNioError:
        """Why not."""
        return error_of(*self._refusal)

    def refuse(
        self,
        status: Status = Status.INVALID,
        why: str = "this object is in use already, by another thread or by what this interrupts",
    ) -> None:
        """Says why, from now on; not of one that is shut."""
        if not self.is_shut:
            self._refusal = (status, why)

    def shut(self, why: str) -> None:
        """Refuses everything from now on. Whoever is inside may end what it does."""
        self._refusal = (Status.INVALID, why)
        self.is_shut = True
        self.busy = True


_GUARDS: weakref.WeakSet[Guard] = weakref.WeakSet()


def _in_forked_child() -> None:
    why = "this object was made before a fork: make another in this process"
    for guard in list(_GUARDS):
        guard.shut(why)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_forked_child)


_T = TypeVar("_T")


def _nothing() -> None:
    """What is read of a call that hands out nothing."""


class Guarded(Owner):
    """Owns a handle that one thread at a time may use."""

    __slots__ = ("_guard",)

    def __init__(self, handle: CData) -> None:
        self._handle = handle
        self._guard = Guard()

    @overload
    def _use(self, function: Callable[..., int], *arguments: object) -> None: ...
    @overload
    def _use(self, function: Callable[..., int], *arguments: object, read: Callable[[], _T]) -> _T: ...
    @overload
    def _use(
        self, function: Callable[..., int], *arguments: object, read: Callable[[], _T], usual: tuple[Status, ...]
    ) -> _T | None: ...
    def _use(
        self,
        function: Callable[..., int],
        *arguments: object,
        read: Callable[[], object] = _nothing,
        usual: tuple[Status, ...] = (),
    ) -> object:
        """Calls a function on the handle, and returns what `read` makes of what it has handed out, before another call may
        change that.

        Args:
            usual: The statuses beside `CHATNIO_OK` that are no errors: `None` is returned for them.

        Raises:
            ChatNioError: for any other status.
        """
        guard = self._guard
        # There is no call between looking and setting, nor before `try`: so no thread and no signal's exception comes
        # between.
        if guard.busy:
            raise guard.refusal()
        guard.busy = True
        try:
            self._settle()
            status = function(self._handle, *arguments)
            if not status:
                return read()
            if status in usual:
                return None
            raise self._error(status)
        finally:
            guard.busy = guard.is_shut

    def _settle(self) -> object:
        """Before each call: reads what a signal's exception has kept the last one from reading."""

    def _error(self, status: int) -> ChatNioError:
        return error_of(status)

    def _free(self) -> None:
        """Frees the handle now; a repeated call does nothing.

        Raises:
            InvalidArgumentError: while another thread uses it.
        """
        guard = self._guard
        if not guard.is_shut:
            if guard.busy:
                raise guard.refusal()
            guard.busy = True
            try:
                guard.shut("this object was closed and freed: make another")
                self._free_handle()
            finally:
                guard.busy = guard.is_shut
