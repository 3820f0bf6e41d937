"""What time it is for a connection whose reader may be slow."""

from __future__ import annotations

import time


class Clock:
    """Seconds that never go back. It stands still while a reader is slow: what is late then is not the server's fault."""

    __slots__ = ("_behind", "_stopped_at")

    def __init__(self) -> None:
        self._stopped_at: float | None = None
        #: How many seconds it has stood still so far.
        self._behind = 0.0

    @property
    def is_stopped(self) -> bool:
        return self._stopped_at is not None

    def stop(self) -> None:
        if self._stopped_at is None:
            self._stopped_at = time.monotonic()

    def go_on(self) -> None:
        if self._stopped_at is not None:
            self._behind += time.monotonic() - self._stopped_at
            self._stopped_at = None

    def now(self) -> float:
        return (time.monotonic() if self._stopped_at is None else self._stopped_at) - self._behind
