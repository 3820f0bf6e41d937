"""Servers that each do one thing wrong, and the library's table of them."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pychatnio.loopback import program


class Row(NamedTuple):
    """A fault, plain or over TLS, and what a caller is to get."""

    fault: str
    over: str
    url: str
    status: str
    by: str
    text: str


class Table:
    """All rows, and the certificates to trust."""

    def __init__(self, text: str, roots: Path) -> None:
        # Not `splitlines`, which parts at what a text may hold.
        head, *lines = text.split("\n")
        self.rows = [Row(*line.split("\t")) for line in lines[:-1]]
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
