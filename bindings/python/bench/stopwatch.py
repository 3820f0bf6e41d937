"""The stopwatch, the same for all who are measured."""

from __future__ import annotations

import json
import statistics
import time

from answer import CHUNKS

#: How often each thing is done in one process: once to warm up, and then to be measured; the median counts.
TIMES = 6


class Stopwatch:
    """Measures how long a chunk takes, by `with` blocks in which all of an answer's chunks are worked on."""

    def __init__(self) -> None:
        self._elapsed: list[float] = []
        self._cpu: list[float] = []

    def __enter__(self) -> None:
        self._cpu_began = time.process_time()
        self._began = time.perf_counter()

    def __exit__(self, *exception: object) -> None:
        self._elapsed.append(time.perf_counter() - self._began)
        self._cpu.append(time.process_time() - self._cpu_began)

    def report(self, name: str) -> None:
        """Prints the time that passed, and this process's processor time, in microseconds a chunk."""
        elapsed, cpu = (statistics.median(times[1:]) / CHUNKS * 1e6 for times in (self._elapsed, self._cpu))
        print(json.dumps({"name": name, "elapsed": elapsed, "cpu": cpu}), flush=True)
