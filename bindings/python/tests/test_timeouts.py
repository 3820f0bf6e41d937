"""Answers that take too long, and readers who want to hear of silence, blocking and on asyncio."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Generator
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


@pytest.mark.parametrize("timeout", [math.nan, "1", True, b"", 1j])
def test_what_is_no_timeout(client: Client, timeout: Any) -> None:
    for call in (
        lambda: client.ask("hi", timeout=timeout),
        lambda: client.restart(timeout=timeout),
        lambda: client.next(timeout),
    ):
        with pytest.raises((TypeError, InvalidArgumentError), match="timeout"):
            call()
    with pytest.raises((TypeError, InvalidArgumentError), match="idle"):
        client.ask("hi", model="silent").pieces(idle=timeout)


def test_the_deadline_is_the_turns_alone(client: Client) -> None:
    stream = client.ask("hi", model="hello", timeout=0)
    with pytest.raises(AnswerTimeoutError):
        stream.text()
    assert client.ask("hi", model="hello").text() == "".join(HELLO)


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
