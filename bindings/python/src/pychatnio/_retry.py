"""When a connect, or a call, that has failed is tried again: the library's decision, for a client that connects by itself."""

from __future__ import annotations

import math

from ._boundary import Owner, constructed_plain, milliseconds
from ._native import ffi, lib
from .config import Config, native
from .errors import error_of

__all__ = ["LOST", "Retry"]

#: The cause where no socket could be connected; those of a `Connection` it tells by itself.
LOST: int = lib.CHATNIO_RETRY_LOST

#: As a deadline: there is none.
_NEVER = 2**64 - 1


class Retry(Owner):
    """One connect with all its tries, which begins now. It neither connects nor waits."""

    __slots__ = ()

    _release = lib.chatnio_retry_free

    def __init__(self, config: Config | None, within: float | None = None) -> None:
        """
        Args:
            within: For a companion call, how many seconds it may take in all; 0 for no limit.
        """
        now = milliseconds(None)
        if within is None:
            self._handle = constructed_plain(lib.chatnio_retry_new, "chatnio_retry", native(config), now)
        else:
            # Rounded up, as 0 would be no limit.
            limit = math.ceil(within * 1000)
            self._handle = constructed_plain(
                lib.chatnio_retry_new_within, "chatnio_retry", native(config), limit, now
            )

    def begin(self) -> float:
        """In how many seconds the next try is to begin, among those of all with the same configuration."""
        at = ffi.new("uint64_t *")
        now = milliseconds(None)
        status = lib.chatnio_retry_begin(self._handle, now, at)
        if status:
            raise error_of(status)
        return _seconds(at[0], now)

    def failed(self, cause: int, retry_after: float | None) -> float | None:
        """A try has failed: in how many seconds the next one is to follow; `None` for not at all.

        Args:
            retry_after: How many seconds the server wants to be left alone.
        """
        at = ffi.new("uint64_t *")
        now = milliseconds(None)
        if lib.chatnio_retry_failed(self._handle, now, cause, int((retry_after or 0.0) * 1000), at):
            return None
        return _seconds(at[0], now)

    @property
    def left(self) -> float:
        """How many seconds are left for all tries together; infinitely many without a limit."""
        deadline = ffi.new("uint64_t *")
        lib.chatnio_retry_deadline(self._handle, deadline)
        return math.inf if deadline[0] == _NEVER else _seconds(deadline[0], milliseconds(None))


def _seconds(at: int, now: int) -> float:
    return max(at - now, 0) / 1000
