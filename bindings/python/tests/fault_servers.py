"""Servers that each do one thing wrong, and the library's table of them."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pychatnio.loopback import program


class Got(NamedTuple):
    """What a caller gets of a question."""

    status: str
    text: str


class Row(NamedTuple):
    """A line of the table: see docs/testing.md. Times are in milliseconds."""

    fault: str
    over: str
    url: str
    by: str
    limit: int
    others: int
    least: int
    most: int
    #: What the caller gets of the first question, and of a second where there is one.
    wanted: list[Got]

    @classmethod
    def read(cls, line: str) -> Row:
        """From its cells, which tabs part."""
        fault, over, url, by, limit, others, least, most, status, text, second, second_text = line.split("\t")
        wanted = [Got(status, text), Got(second, second_text)][: 1 if second == "-" else 2]
        return cls(fault, over, url, by, int(limit), int(others), int(least), int(most), wanted)

    def seconds(self, name: str) -> float:
        """How long the limit of a name is to be."""
        return (self.limit if self.by == name else self.others) / 1000


class Table:
    """All rows, and the certificates to trust."""

    def __init__(self, text: str, roots: Path) -> None:
        # Not `splitlines`, which parts at what a text may hold.
        head, *lines = text.split("\n")
        self.rows = [Row.read(line) for line in lines[:-1]]
        #: How many rows the server has said there are.
        self.announced = int(head.split("\t")[-1])
        self.roots = roots


def announcement(output: Iterable[bytes]) -> list[bytes]:
    """The lines up to the empty one."""
    lines: list[bytes] = []
    for line in output:
        if line == b"\n":
            return lines
        lines.append(line)
    raise RuntimeError("the server ended before its table did")


@contextmanager
def fault_servers() -> Generator[Table, None, None]:
    """Runs all of them."""
    with tempfile.TemporaryDirectory(prefix="pychatnio-") as folder:
        roots = Path(folder) / "roots.pem"
        command: list[str | Path] = [program(), "serve", "--fault", "all", "--tls", "--until-stdin-closes", "--ca-out", roots]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            lines = announcement(server.stdout)
            try:
                yield Table(b"".join(lines).decode(), roots)
            finally:
                server.stdin.close()
