"""What pytest itself is told, and the fixtures."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop
from fault_servers import Table, fault_servers
from rest_support import Caller, blocking, on_asyncio
from support import PATIENCE, RECORD, Certificates, Run

from pychatnio import Client, Loopback


# A shell starts what runs in its background with Ctrl-C ignored, and every program that a test starts would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture
def client(loopback: Loopback) -> Iterator[Client]:
    """A client that records what it sends."""
    with Client(loopback.url, "sk-any", config=RECORD) as client:
        yield client


@pytest.fixture(scope="session")
def table() -> Iterator[Table]:
    """Servers that each do one thing wrong."""
    with fault_servers() as made:
        yield made


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    """A certificate authority for all tests."""
    return Certificates()


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run[Any]:
    """Runs a coroutine in a new loop, of either kind, and fails when it hangs."""
    in_loop: Run[Any] = asyncio.run if request.param == "asyncio" else uvloop.run
    return lambda main: in_loop(asyncio.wait_for(main, PATIENCE))


@pytest.fixture(params=[blocking, on_asyncio], ids=["blocking", "asyncio"])
def made(request: pytest.FixtureRequest) -> Caller:
    """Makes a companion call, with a client of either kind."""
    caller: Caller = request.param
    return caller
