"""What is made in the C library, who frees it, and what is raised when it cannot be made."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

from ._native import ffi, lib
from ._status import Status
from ._text import CData, checked, present, text_of
from .errors import ChatNioError, InvalidArgumentError, RefusedError, error_of


def milliseconds(now: float | None) -> int:
    """Seconds as the library counts them; without any, those of `time.monotonic()`.

    Rounded, so that a deadline that was handed out as seconds comes back as the same number.
    """
    at = time.monotonic() if now is None else now
    checked(at, (float, int), "now")
    if 0 <= at < 2**53:
        return int(at * 1000 + 0.5)
    raise InvalidArgumentError(Status.INVALID, f"a time is a number of seconds, 0 or more, not {now!r}")


def error_text(copy: Callable[..., int], handle: CData) -> str:
    """The text of the last failed call on a handle."""
    length = ffi.new("size_t *")
    copy(handle, ffi.NULL, 0, length)
    buffer = ffi.new("char[]", length[0] + 1)
    copy(handle, buffer, length[0] + 1, ffi.NULL)
    # All of it: what a server said may hold a NUL.
    text = bytes(ffi.buffer(buffer, length[0]))
    return text.decode("utf-8", "replace")


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
        raise error_of(status)
    try:
        message, body, code = ffi.new("chatnio_text *"), ffi.new("chatnio_text *"), ffi.new("int32_t *")
        lib.chatnio_error_message(error[0], message)
        lib.chatnio_error_code(error[0], code)
        # Without one it stays absent.
        lib.chatnio_error_body(error[0], body)
        failure = error_of(status, present(message[0]), code[0], text_of(body))
        raise with_refusal(failure, lib.chatnio_error_refusal, lib.chatnio_error_retry_after, error[0])
    finally:
        lib.chatnio_error_free(error[0])


def with_refusal(
    error: ChatNioError, part: Callable[..., int], retry_after: Callable[..., int], handle: CData
) -> ChatNioError:
    """Tells a refusal's error what else the HTTP answer said, by the functions that read it from a handle."""
    ms = ffi.new("uint64_t *")
    # A proxy may say it, too.
    if not retry_after(handle, ms):
        error.retry_after = ms[0] / 1000
    if isinstance(error, RefusedError):
        text = ffi.new("chatnio_text *")
        if not part(handle, lib.CHATNIO_REFUSAL_LOCATION, text):
            error.location = text_of(text)
        if not part(handle, lib.CHATNIO_REFUSAL_WWW_AUTHENTICATE, text):
            error.www_authenticate = text_of(text)
    return error


def constructed_plain(construct: Callable[..., int], out: str, *arguments: object) -> CData:
    """The same for a constructor that has no text for its error."""
    made = ffi.new(out + " **")
    status = construct(*arguments, made)
    if status:
        raise error_of(status)
    return made[0]
