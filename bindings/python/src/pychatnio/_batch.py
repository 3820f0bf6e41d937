"""Events, taken many at a time."""

from __future__ import annotations

from collections.abc import Callable

from ._native import ffi, lib
from ._text import CData
from .events import Event, FastDelta, Frames, event_of

#: The most events that a batch holds.
CAPACITY: int = ffi.typeof("pychatnio_batch").fields[2][1].type.length


class Batch:
    """Where the library puts events for Python to take them over."""

    __slots__ = ("native",)

    def __init__(self) -> None:
        self.native: CData = ffi.new("pychatnio_batch *")

    # As a default, since at the end of a program that Nuitka has compiled this module is empty.
    def __del__(self, clear: Callable[[CData], None] = lib.pychatnio_batch_clear) -> None:
        # Not by `ffi.gc`, which lets go of the memory too: the objects of a cycle are finalized in any order, and one that
        # still uses a client has events put here. Not when the constructor has failed.
        if hasattr(self, "native"):
            clear(self.native)

    def events(self) -> list[Event]:
        """Copies of the events in it."""
        native = self.native
        count: int = native.count
        deltas: int = native.deltas
        events: list[Event] = []
        if deltas:
            turn: int = native.events[0].turn
            texts = native.texts
            bounds: list[int] = _unpack(texts.bounds, deltas + 1)
            text: str = _unpack(texts.data, texts.len).decode()
            frames = Frames(*_texts(native.frames, deltas), *_texts(native.quota_texts, deltas))
            quotas: list[float] = _unpack(native.quotas, deltas)
            events = [
                FastDelta(turn, text[start:end], quota, frames, at)
                for start, end, quota, at in zip(bounds, bounds[1:], quotas, range(deltas))
            ]
        for at in range(deltas, count):
            events.append(event_of(native.events[at]))
        return events


def _texts(texts: CData, count: int) -> tuple[bytes, memoryview[int]]:
    """The first texts of many, and their bounds, which are made numbers only when they are looked at."""
    bounds = memoryview(bytes(ffi.buffer(texts.bounds, (count + 1) * 8))).cast("Q")
    return _unpack(texts.data, bounds[count]), bounds


_unpack = ffi.unpack
