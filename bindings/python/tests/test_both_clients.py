"""What the blocking and the asynchronous client have in common."""

from __future__ import annotations

import asyncio
import copy
import inspect

import pytest
from support import HELLO, PATIENCE, closed_port

import pychatnio
from pychatnio import (
    AnswerTimeoutError,
    AsyncAnswerStream,
    AsyncClient,
    BusyError,
    Client,
    Config,
    ConnectError,
    Loopback,
    Request,
    State,
    rest,
)


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


def test_an_answer_that_was_left_is_waited_for_within_the_timeout() -> None:
    # Beyond the timeouts by far, and within a test's patience: without a limit of its own the question would wait as long.
    config = Config(after_stop=20, stop_repeats=[])

    async def on_asyncio(url: str) -> BusyError:
        async with AsyncClient(url, "sk-any", config=config) as client:
            with pytest.raises(AnswerTimeoutError):
                await client.ask("hi", model="silent", timeout=0.05).text()
            with pytest.raises(BusyError) as caught:
                await client.ask("again", timeout=0.05).text()
            assert client.state is State.STOPPING
            await client.reconnect()
            assert await client.ask("again", model="hello", timeout=PATIENCE).text() == "".join(HELLO)
        return caught.value

    with Loopback(generation="2023-11", pace=0) as server:
        with Client(server.url, "sk-any", config=config) as client:
            with pytest.raises(AnswerTimeoutError):
                client.ask("hi", model="silent", timeout=0.05).text()
            with pytest.raises(BusyError) as caught:
                client.ask("again", timeout=0.05)
            assert client.state is State.STOPPING
            client.reconnect()
            assert client.ask("again", model="hello", timeout=PATIENCE).text() == "".join(HELLO)
        for error in (caught.value, asyncio.run(on_asyncio(server.url))):
            assert "the answer that was stopped: wait a while, or reconnect and ask again" in str(error)
            assert error.is_retryable
            assert copy.copy(error).is_retryable


def test_an_answer_that_the_server_has_not_ended_is_told_with_the_way_out() -> None:
    config = Config(next_frame=0.05, after_stop=0.05, stop_repeats=[])

    async def on_asyncio(url: str) -> list[BusyError]:
        told: list[BusyError] = []
        async with AsyncClient(url, "sk-any", config=config) as client:
            async with client.ask("hi", model="silent"):
                pass
            for call in (lambda: client.ask("again").text(), lambda: client.request(Request.share("x"))):
                with pytest.raises(BusyError) as caught:
                    await call()
                told.append(caught.value)
        return told

    with Loopback(generation="2023-11", pace=0) as server:
        with Client(server.url, "sk-any", config=config) as client:
            client.ask("hi", model="silent").close()
            told: list[BusyError] = []
            for call in (lambda: client.ask("again"), lambda: client.request(Request.share("x"))):
                with pytest.raises(BusyError) as caught:
                    call()
                told.append(caught.value)
        told += asyncio.run(on_asyncio(server.url))
    for error in told:
        assert "the answer that was interrupted: wait a while, or reconnect" in str(error)
        assert error.is_retryable


def test_who_is_busy_by_an_answer_that_is_read_is_not_told_to_try_again(loopback: Loopback) -> None:
    with Client(loopback.url, "sk-any") as client:
        stream = client.ask("hi", model="silent")
        with pytest.raises(BusyError, match="read that answer to its end") as caught:
            client.ask("again", timeout=PATIENCE)
        assert not caught.value.is_retryable
        stream.close()
