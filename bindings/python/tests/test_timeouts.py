"""Answers that take too long, and readers who want to hear of silence, blocking and on asyncio."""

from __future__ import annotations

import contextlib
import math
import select
import socket
from collections.abc import Callable, Generator
from typing import Any

import pytest
from aio_support import connected
from support import ENDLESS, HELLO, Run, sent

from pychatnio import AnswerTimeoutError, Client, Config, Delta, End, InvalidArgumentError, Loopback, Outcome


@pytest.mark.parametrize("model", ["silent", ENDLESS])
def test_an_answer_that_takes_too_long(client: Client, model: str) -> None:
    with client.ask("hi", model=model, timeout=0.05) as stream:
        with pytest.raises(AnswerTimeoutError, match="within 0.05 s, and was stopped") as caught:
            stream.text()
        assert isinstance(caught.value, TimeoutError) and caught.value.is_retryable
        assert caught.value.answer.outcome is Outcome.NONE
        # What it was, and has cost, is known when its end has come.
        assert stream.wait().outcome is Outcome.STOPPED
    assert sent(client)[-1] == '> SEND {"type":"stop"}'
    assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_one_that_comes_in_time(client: Client) -> None:
    for timeout in (60, 60.5, math.inf, 10**400, None):
        assert client.ask("hi", model="hello", timeout=timeout).text() == "".join(HELLO)
    assert client.restart(model="hello", timeout=60).text() == "".join(HELLO)


@pytest.mark.parametrize("timeout", [0, 0.0, -0.0, -1, -math.inf, -(10**400), math.nan, "1", True, b"", 1j])
def test_what_is_no_timeout(client: Client, timeout: Any) -> None:
    before = sent(client)
    calls: list[Callable[[], object]] = [
        lambda: client.ask("hi", timeout=timeout),
        lambda: client.restart(timeout=timeout),
    ]
    for call in calls:
        with pytest.raises((TypeError, InvalidArgumentError), match="timeout"):
            call()
    # To look is no deadline.
    if timeout == 0:
        assert client.next(timeout) is None
    else:
        with pytest.raises((TypeError, InvalidArgumentError), match="timeout"):
            client.next(timeout)
    assert sent(client) == before
    stream = client.ask("hi", model="silent")
    for items in ("pieces", "events"):
        with pytest.raises((TypeError, InvalidArgumentError), match="idle"):
            getattr(stream, items)(idle=timeout)


def test_the_deadline_is_the_turns_alone(client: Client) -> None:
    stream = client.ask("hi", model="silent", timeout=0.001)
    with pytest.raises(AnswerTimeoutError):
        stream.text()
    assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_what_has_come_whole_is_not_late(loopback: Loopback) -> None:
    host, port = loopback.url.removeprefix("ws://").split("/")[0].split(":")
    for taken in (0, 1):
        with (
            socket.create_connection((host, int(port))) as sock,
            Client(loopback.url, "sk-any", sock=sock) as client,
        ):
            stream = client.ask("hi", model="hello", timeout=60)
            came = b""
            while b'"end":true' not in came:
                select.select([sock], [], [])
                came = sock.recv(1 << 16, socket.MSG_PEEK)
            pieces = iter(stream)
            texts = [next(pieces) for _ in range(taken)]
            stream._turn.until = -math.inf
            assert texts + list(pieces) == HELLO
            assert stream.wait().outcome is Outcome.COMPLETE


def test_silence_is_told(client: Client) -> None:
    pieces = client.ask("hi", model="silent").pieces(idle=0.01)
    assert [next(pieces) for _ in range(3)] == [None] * 3
    del pieces
    assert list(client.ask("hi", model="hello").pieces(idle=60)) == HELLO
    assert list(client.ask("hi", model="hello").pieces()) == HELLO
    events = client.ask("hi", model="silent").events(idle=0.01)
    # Its opener, and then silence.
    assert next(event is None for event in events if not isinstance(event, (Delta, End)) and event is None)


def test_on_asyncio(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            for model in ("silent", ENDLESS):
                async with client.ask("hi", model=model, timeout=0.05) as stream:
                    with pytest.raises(AnswerTimeoutError, match="within 0.05 s, and was stopped") as caught:
                        await stream.text()
                    assert caught.value.answer.outcome is Outcome.NONE
                    assert (await stream.wait()).outcome is Outcome.STOPPED
                assert sent(client)[-1] == '> SEND {"type":"stop"}'
            assert await client.ask("hi", model="hello", timeout=60).text() == "".join(HELLO)
            assert await client.restart(model="hello", timeout=None).text() == "".join(HELLO)
            pieces = client.ask("hi", model="silent").pieces(idle=0.01)
            assert [await pieces.__anext__() for _ in range(3)] == [None] * 3
            del pieces
            assert [piece async for piece in client.ask("hi", model="hello").pieces(idle=60)] == HELLO
            async for event in client.ask("hi", model="silent").events(idle=0.01):
                if event is None:
                    break
            with pytest.raises(InvalidArgumentError, match="timeout"):
                client.ask("hi", timeout=math.nan)
            with pytest.raises(TypeError, match="idle"):
                client.ask("hi").pieces(idle="1")  # type: ignore[call-overload]

    run(main())


def test_an_iterator_is_closed(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            stream = client.ask("hi", model=ENDLESS)
            async with contextlib.aclosing(stream), contextlib.aclosing(stream.events()) as events:
                async for _ in events:
                    break
            assert stream.answer is not None and stream.answer.outcome is Outcome.STOPPED
            async with contextlib.aclosing(client):
                pass
            assert not client.is_connected

    run(main())


def test_a_relay_under_wsgi_notices_that_a_browser_has_gone() -> None:
    """A generator that is closed while it yields, as WSGI servers do."""
    with Loopback(pace=0) as server, Client(server.url, "sk-any", config=Config(record=True)) as client:

        def relay() -> Generator[str, None, None]:
            with client.ask("hi", model="silent") as stream:
                for piece in stream.pieces(idle=0.01):
                    yield piece or ": more will come"

        answer = relay()
        assert next(answer) == ": more will come"
        answer.close()
        assert server.requests[-1] == {"type": "stop"}
