"""Compares this package with the official one, over the same answer of 20,000 chunks, and prints a table in Markdown.

    make bench-python

runs it as `compare.py --peer PYTHON`, where PYTHON is the interpreter of an environment made by
`requirements/bench.txt`. In each round the official package and this one are measured one right after the other, each in
a process of its own; ratios are taken pair by pair, and the median of them counts. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent

#: What each program says of one thing that it measured: the time that passed, and processor time, in µs a chunk.
Times = dict[str, tuple[float, float]]


class Row(NamedTuple):
    """A line of the table."""

    #: What is measured, as the program names it.
    name: str
    #: The same for people.
    shown: str
    #: What of the official package it is compared with; nothing for the official package itself.
    peer: str | None = None
    #: The largest part of the official package's time that it may take.
    target: float | None = None


ROWS = [
    Row("decode", "decode: official, `json.loads` and its object"),
    Row("Connection", "decode: `Connection`, WebSocket frames to events", "decode", 1 / 3),
    Row("Connection, quotas", "decode: the same, and each event's quota looked at", "decode", 1 / 3),
    Row("Session", "decode: `Session`, one message at a time", "decode"),
    Row("ask", "end to end: official, over `websockets`"),
    Row("AsyncClient", "end to end: `AsyncClient`, pieces", "ask", 1 / 5),
    Row("AsyncClient.events", "end to end: `AsyncClient`, events", "ask"),
    Row("Client", "end to end: `Client`, pieces", "ask"),
    Row("bytes", "(the same bytes, received and thrown away)"),
]


def measured(interpreter: str, program: str, url: str) -> Times:
    """Runs one of the programs."""
    done = subprocess.run([interpreter, HERE / program, url], stdout=subprocess.PIPE, text=True, check=True)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    return {result["name"]: (result["elapsed"], result["cpu"]) for result in results}


def rounds(peer: str, count: int) -> list[Times]:
    """What each round has measured, of both."""
    firehose = subprocess.Popen(
        [sys.executable, HERE / "firehose.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with firehose:
        assert firehose.stdout is not None
        url = firehose.stdout.readline().strip()
        return [
            {**measured(peer, "official.py", url), **measured(sys.executable, "ours.py", url)} for _ in range(count)
        ]


def table(times: list[Times]) -> tuple[list[str], list[str]]:
    """The table's lines, and the targets that were missed."""
    lines = ["| µs a chunk | time | CPU | of the official: time | CPU |", "| --- | ---: | ---: | ---: | ---: |"]
    missed: list[str] = []
    for row in ROWS:
        cells = [f"{statistics.median(of[row.name][which] for of in times):.2f}" for which in (0, 1)]
        for which, what in enumerate(("time", "CPU")):
            if row.peer is None:
                cells.append("")
                continue
            ratio = statistics.median(of[row.name][which] / of[row.peer][which] for of in times)
            cells.append(f"{ratio:.2f}")
            if row.target is not None:
                cells[-1] += f" (at most {row.target:.2f})"
                if ratio > row.target:
                    missed.append(f"{row.name}: {ratio:.2f} of the official package's {what}, over {row.target:.2f}")
        lines.append(f"| {row.shown} | {' | '.join(cells)} |")
    return lines, missed


def main() -> int:
    """Prints the table; fails by `--check` when a target was missed."""
    parser = argparse.ArgumentParser(description="Compares this package with the official one.")
    parser.add_argument("--peer", required=True, metavar="PYTHON", help="the interpreter that has the official package")
    parser.add_argument("--rounds", type=int, default=12, metavar="N", help="how often both are measured (12)")
    parser.add_argument("--check", action="store_true", help="fail when a target is missed")
    options = parser.parse_args()
    lines, missed = table(rounds(options.peer, options.rounds))
    print("\n".join(lines))
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
