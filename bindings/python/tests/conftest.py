"""What the tests share."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trustme
import uvloop

from pychatnio import Config, Loopback

T = TypeVar("T")

#: How long a test may wait for something that must come, in seconds. Never reached, unless something hangs.
PATIENCE = 60.0


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`testing_build` is for another build, and only run when it is named."""
    if collection_path.name == "testing_build" and not any("testing_build" in argument for argument in config.args):
        return True
    return None


@pytest.fixture(scope="session")
def loopback() -> Iterator[Loopback]:
    """A server whose models answer at once, for all tests that change nothing in it."""
    with Loopback(pace=0) as server:
        yield server


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
        self._authority.issue_cert(name, "127.0.0.1").configure_cert(context)
        return context

    def config(self, **settings: Any) -> Config:
        """Settings that trust this authority alone."""
        return Config(trust="added", roots=[self.pem], **settings)


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    """A certificate authority for all tests."""
    return Certificates()


Run = Callable[[Coroutine[Any, Any, T]], T]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run[Any]:
    """Runs a coroutine in a new loop, of either kind, and fails when it hangs."""
    in_loop: Run[Any] = asyncio.run if request.param == "asyncio" else uvloop.run
    return lambda main: in_loop(asyncio.wait_for(main, PATIENCE))
