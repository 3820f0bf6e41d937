"""What every call into the C library goes through: texts in and out, statuses, and who may call."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, overload

from ._native import ffi, lib
from ._status import Status
from .errors import ChatNioError, ConnectionClosedError, InvalidArgumentError, RefusedError, error_of

#: A C handle or view: cffi's objects have no types of their own.
CData = Any

NEVER: int = 2**64 - 1


def milliseconds(now: float | None) -> int:
    """Seconds as the library counts them; without any, those of `time.monotonic()`.

    Rounded, so that a deadline that was handed out as seconds comes back as the same number.
    """
    at = time.monotonic() if now is None else now
    checked(at, (float, int), "now")
    if 0 <= at < 2**53:
        return int(at * 1000 + 0.5)
    raise InvalidArgumentError(Status.INVALID, f"a time is a number of seconds, 0 or more, not {now!r}")


def seconds(deadline: int) -> float | None:
    """A deadline of the library's as seconds; `None` for never."""
    return None if deadline == NEVER else deadline / 1000


def encoded(text: str, what: str) -> bytes:
    """UTF-8. A lone surrogate becomes something that the library refuses: an error of Python's would show the text.

    Raises:
        TypeError: for anything else than a text, which is called `what`.
    """
    checked(text, str, what)
    return str.encode(text, "utf-8", "surrogatepass")


def checked(value: object, kinds: type | tuple[type, ...], what: str) -> None:
    """
    Raises:
        TypeError: for a value of another type, which is called `what`.
    """
    if not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))
        raise TypeError(f"{what} is of type {wanted}, not {type(value).__name__}")


def text_of(view: CData) -> str | None:
    """A copy of a view's text; `None` if it is absent."""
    if view.data == ffi.NULL:
        return None
    copy: bytes = ffi.unpack(view.data, view.len)
    return copy.decode()


def present(view: CData) -> str:
    """A copy of a view's text; absent counts as empty."""
    return text_of(view) or ""


def named_by(function: Callable[[int], CData]) -> Any:
    """The `__str__` of an enumeration whose names the library has."""

    def name(self: int) -> str:
        text: bytes = ffi.string(function(self))
        return text.decode()

    return name


def error_text(copy: Callable[..., int], handle: CData) -> str:
    """The text of the last failed call on a handle."""
    length = ffi.new("size_t *")
    copy(handle, ffi.NULL, 0, length)
    buffer = ffi.new("char[]", length[0] + 1)
    copy(handle, buffer, length[0] + 1, ffi.NULL)
    text: bytes = ffi.string(buffer)
    return text.decode("utf-8", "replace")


def with_end(error: ChatNioError, code: int, body: str | None) -> ChatNioError:
    """Tells an error how the connection ended: the close code or HTTP status, 0 for none, and the refusal's body."""
    if isinstance(error, ConnectionClosedError):
        error.code = code or None
    elif isinstance(error, RefusedError):
        error.code, error.body = code or None, body
    return error


class Uncopied:
    """Stands for something that there is once."""

    __slots__ = ()

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError(f"{type(self).__name__} objects can be neither copied nor pickled")


class Owner(Uncopied):
    """Owns a handle of the library, and frees it with the last reference to it.

    By a finalizer of its own, which also takes the handle away: the objects of a cycle are finalized in any order, and one
    may still use another. The library refuses a NULL.
    """

    __slots__ = ("_handle",)

    _handle: CData
    #: The function that frees it.
    _release: ClassVar[Any]

    def _free_handle(self) -> None:
        handle = getattr(self, "_handle", _NULL)
        self._handle = _NULL
        self._release(handle)

    def __del__(self) -> None:
        self._free_handle()


_NULL: CData = ffi.NULL


def constructed(construct: Callable[..., int], out: str, *arguments: object) -> CData:
    """What a constructor has made, for an `Owner`.

    Raises:
        ChatNioError: with the text of the constructor's error.
    """
    made = ffi.new(out + " **")
    error = ffi.new("chatnio_error **")
    status = construct(*arguments, made, error)
    if status == 0:
        return made[0]
    if error[0] == ffi.NULL:
        raise error_of(status, "")
    try:
        message, body, code = ffi.new("chatnio_text *"), ffi.new("chatnio_text *"), ffi.new("int32_t *")
        lib.chatnio_error_message(error[0], message)
        lib.chatnio_error_code(error[0], code)
        # Without one it stays absent.
        lib.chatnio_error_body(error[0], body)
        raise with_end(error_of(status, present(message[0])), code[0], text_of(body))
    finally:
        lib.chatnio_error_free(error[0])


def constructed_plain(construct: Callable[..., int], out: str, *arguments: object) -> CData:
    """The same for a constructor that has no text for its error."""
    made = ffi.new(out + " **")
    status = construct(*arguments, made)
    if status:
        raise error_of(status, "")
    return made[0]


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
        return error_of(status, "")

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
