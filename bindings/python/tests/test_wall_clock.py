"""The clock that certificates are checked by."""

from __future__ import annotations

import gc
import math
from typing import Any

import pytest
from support import Certificates, Run
from memory import START, Link, Server, tls_end

from pychatnio import (
    AsyncClient,
    Client,
    Closed,
    Config,
    Connection,
    InvalidArgumentError,
    Loopback,
    Status,
)


def test_a_wall_clock_that_is_a_number(certificates: Certificates) -> None:
    assert tls_end(certificates.config(wall_clock=1), certificates) is Status.TLS_NOT_YET_VALID
    assert tls_end(certificates.config(wall_clock=70e9), certificates) is Status.TLS_EXPIRED


def test_a_wall_clock_that_is_a_function(certificates: Certificates) -> None:
    times = [1.5]
    calls = 0

    def clock() -> float:
        nonlocal calls
        calls += 1
        return times[0]

    assert tls_end(certificates.config(wall_clock=clock), certificates) is Status.TLS_NOT_YET_VALID
    assert calls > 0
    times[0] = 70e9
    assert tls_end(certificates.config(wall_clock=clock), certificates) is Status.TLS_EXPIRED


def test_a_wall_clock_lives_as_long_as_what_was_made_with_it(certificates: Certificates) -> None:
    config: Config | None = certificates.config(wall_clock=lambda: 1)
    connection = Connection("wss://localhost", config=config, now=START)
    config = None
    gc.collect()
    (event,) = Link(connection, Server(certificates.server())).exchange()
    assert isinstance(event, Closed)
    assert event.status is Status.TLS_NOT_YET_VALID


@pytest.mark.parametrize("raised", [LookupError, KeyboardInterrupt])
def test_what_a_wall_clock_raises(certificates: Certificates, raised: type[BaseException]) -> None:
    def broken() -> float:
        raise raised("no clock here")

    config = certificates.config(wall_clock=broken)
    connection = Connection("wss://localhost", config=config, now=START)
    with pytest.raises(raised, match="no clock here"):
        Link(connection, Server(certificates.server())).exchange()
    # Nobody is trusted then.
    (event,) = connection.events()
    assert isinstance(event, Closed)
    assert event.status is Status.TLS_NOT_YET_VALID
    # It is raised once, and not by others that use the same settings.
    connection.eof(now=START)
    Connection("wss://localhost", config=config, now=START).eof(now=START)


@pytest.mark.parametrize(
    ("value", "raised"), [(-1, InvalidArgumentError), (math.nan, InvalidArgumentError), ("0", TypeError)]
)
def test_a_wall_clock_that_is_none(certificates: Certificates, value: Any, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        tls_end(certificates.config(wall_clock=lambda: value), certificates)


def test_what_a_wall_clock_raises_comes_out_of_connecting(run: Run[None], certificates: Certificates) -> None:
    def broken() -> float:
        raise LookupError("no clock here")

    with Loopback(tls=True) as server:
        config = certificates.config(wall_clock=broken)
        with pytest.raises(LookupError, match="no clock here"):
            Client(server.url, "sk-any", config=config)

        async def main() -> None:
            client = AsyncClient(server.url, "sk-any", config=config)
            for _ in range(2):
                with pytest.raises(LookupError, match="no clock here"):
                    await client.connect()

        run(main())
