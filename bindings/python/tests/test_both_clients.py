"""What the blocking and the asynchronous client have in common."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from support import closed_port

import pychatnio
from pychatnio import AsyncAnswerStream, AsyncClient, Client, Config, ConnectError, Loopback, rest


def test_both_clients_have_the_same_methods() -> None:
    def public(of: type) -> set[str]:
        return {name for name in dir(of) if not name.startswith("_")}

    # A `Client` connects when it is made, and waits for events only when it is told to.
    assert public(Client) - public(AsyncClient) == {"next"}
    assert public(AsyncClient) - public(Client) == {"connect", "aclose"}
    assert public(AsyncAnswerStream) - public(pychatnio.AnswerStream) == {"aclose"}
    assert public(pychatnio.AnswerStream) <= public(AsyncAnswerStream)
    for name in ("ask", "restart"):
        assert (
            inspect.signature(getattr(AsyncClient, name)).parameters.keys()
            == inspect.signature(getattr(Client, name)).parameters.keys()
        )


def test_a_connect_that_fails_names_the_port() -> None:
    with closed_port() as port:
        once = Config(connect_retries=0)
        with pytest.raises(ConnectError, match=f"cannot connect to 127.0.0.1:{port}: Connection refused"):
            Client(f"ws://127.0.0.1:{port}", config=once)
        with pytest.raises(ConnectError, match=f"cannot connect to 127.0.0.1:{port}: Connection refused"):
            asyncio.run(AsyncClient(f"ws://127.0.0.1:{port}", config=once).connect())
        # It is another one's address then.
        proxied = Config(connect_retries=0, proxy=f"socks5h://me:s3cret@127.0.0.1:{port}")
        by_proxy = f"cannot connect to the proxy socks5h://127.0.0.1:{port}: Connection refused"
        with pytest.raises(ConnectError, match=by_proxy):
            Client("ws://server.invalid", config=proxied)
        with pytest.raises(ConnectError, match=by_proxy):
            asyncio.run(AsyncClient("ws://server.invalid", config=proxied).connect())
        calls = rest.Client("ws://server.invalid", "sk-any", config=proxied, allow_token_over_plain_ws=True)
        with pytest.raises(ConnectError, match=by_proxy):
            calls.call(rest.quota())


def test_who_closed_it_is_said(loopback: Loopback) -> None:
    with Client(loopback.url, "sk-any") as client:
        stream = client.ask("hi", model="silent")
        client.close()
        with pytest.raises(pychatnio.AnswerInterruptedError, match="this program closed the session"):
            stream.text()
