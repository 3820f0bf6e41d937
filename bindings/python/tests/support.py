"""What several tests need."""

from __future__ import annotations

import socket
import ssl
import sys
import traceback
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import trustme

from pychatnio import AsyncClient, Client, Config, Connection, Session, State

T = TypeVar("T")

#: How long a test may wait for something that must come, in seconds. Never reached, unless something hangs.
PATIENCE = 60.0

#: A Python of its own, where every warning is an error. Not in the development mode, in which asyncio tells of steps
#: that take long: on a busy machine any does.
PYTHON = [sys.executable, "-W", "error"]

#: The pieces of what the model `hello` says.
HELLO = ["Hello", "!", " How", " can", " I", " help?"]

#: A model with an answer that nobody waits for the end of.
ENDLESS = "long-1000000000"

#: Settings that have it recorded what is sent.
RECORD = Config(record=True)

#: Settings by which a client connects once, or not at all.
ONCE = Config(connect_retries=0)

#: Runs a coroutine in a new loop.
Run = Callable[[Coroutine[Any, Any, T]], T]


@contextmanager
def closed_port() -> Generator[int, None, None]:
    """A port that refuses connections. It is taken: one that is only free may be another test's at once."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


class Certificates:
    """A certificate authority, and what a server of its shows."""

    def __init__(self) -> None:
        self._authority = trustme.CA()
        #: The root, in PEM and in DER.
        self.pem = self._authority.cert_pem.bytes().decode()
        self.der = ssl.PEM_cert_to_DER_cert(self.pem)

    def server(self, name: str = "localhost") -> ssl.SSLContext:
        """For a server that is called so."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate: Any = self._authority.issue_cert(name, "127.0.0.1")
        certificate.configure_cert(context)
        return context

    def config(self, **settings: Any) -> Config:
        """Settings that trust this authority alone."""
        return Config(trust="added", roots=[self.pem], **settings)


def state_of(made: Session | Connection | Client | AsyncClient) -> State:
    """Its state: of an attribute type checkers would think that it stays as it was."""
    return made.state


def sent(client: Client | AsyncClient) -> list[str]:
    """What it has sent, recorded."""
    return [line for line in str(client.transcript()).splitlines() if line.startswith("> SEND")]


def everything_shown(error: BaseException) -> str:
    """All that a traceback can show, except the variables of these tests."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    pending = [shown]
    text = ""
    while pending:
        part = pending.pop()
        part.stack[:] = [frame for frame in part.stack if Path(frame.filename).parent != Path(__file__).parent]
        text += "".join(part.format(chain=False))
        pending += [cause for cause in (part.__cause__, part.__context__) if cause is not None]
    return text + repr(error) + str(error)
