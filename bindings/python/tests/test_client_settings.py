"""What a client takes from its environment, tells the model beforehand, tells the log, and knows after its end."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import uvloop
from aio_support import connected, link_of
from support import HELLO, PATIENCE, Run, everything_shown

import pychatnio
from pychatnio import (
    AnswerInterruptedError,
    AsyncClient,
    Auth,
    BusyError,
    ChatNioError,
    Client,
    ConnectionClosedError,
    ConversationKind,
    InvalidArgumentError,
    Loopback,
    Outcome,
    Status,
    errors,
)

# The environment.


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CHATNIO_URL", "CHATNIO_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_the_environment_says_where_and_who(loopback: Loopback, monkeypatch: pytest.MonkeyPatch, run: Run[str]) -> None:
    monkeypatch.setenv("CHATNIO_URL", loopback.url)
    monkeypatch.setenv("CHATNIO_TOKEN", "sk-any")
    with Client() as client:
        assert client.ask("hi", model="hello").text() == "".join(HELLO)

    async def main() -> str:
        async with AsyncClient() as client:
            return await client.ask("hi", model="hello").text()

    assert run(main()) == "".join(HELLO)
    # A token goes to the URL that it was set with, and to no other.
    with Client(loopback.url) as client:
        assert "not authenticated" in str(notice(client))


def notice(client: Client) -> str | None:
    *_, end = client.ask("hi", model="hello").events()
    assert isinstance(end, pychatnio.End)
    return end.answer.notice


def test_with_a_token_alone_it_is_the_public_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATNIO_TOKEN", "sk-secret")
    client = AsyncClient()
    assert client._driver.connection.host == "api.chatnio.net"
    assert AsyncClient(None, "sk-other")._driver.connection.host == "api.chatnio.net"


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_nothing_says_where(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATNIO_URL", "")
    with pytest.raises(InvalidArgumentError, match="set CHATNIO_URL, or CHATNIO_TOKEN"):
        kind()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the environment is text")
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_what_of_the_environment_is_no_text(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = os.fsdecode(b"s3cret\xff")
    for name, values in (("CHATNIO_URL", {"CHATNIO_URL": f"ws://{secret}"}), ("CHATNIO_TOKEN", {"CHATNIO_TOKEN": secret})):
        with monkeypatch.context() as set_for, pytest.raises(InvalidArgumentError, match=f"{name} is not UTF-8") as caught:
            for variable, value in values.items():
                set_for.setenv(variable, value)
            kind()
        assert caught.value.status is Status.NOT_UTF8
        assert "s3cret" not in everything_shown(caught.value)


# The system prompt.


MASK = {"type": "mask", "message": '[{"role":"system","content":"Be short."}]'}


def test_the_system_prompt_goes_before_a_new_conversation() -> None:
    with Loopback(pace=0) as server:
        with Client(server.url, "sk-system", system="Be short.") as client:
            for _ in range(2):
                client.ask("hi", model="hello").text()
            # It is the same conversation, which has it.
            client.reconnect()
            client.ask("hi", model="hello").text()
            conversation = client.conversation.id
        assert [request["type"] for request in server.requests] == ["mask", "chat", "chat", "chat"]
        assert server.requests[0] == MASK
        with Client(server.url, Auth("sk-system", conversation=conversation), system="Be short.") as client:
            client.ask("hi", model="hello").text()
            assert client.conversation.kind is ConversationKind.RESUMED
        assert server.requests[-1]["type"] == "chat" and server.requests[-2]["type"] == "chat"


def test_a_conversation_that_nobody_keeps_is_told_again(run: Run[None]) -> None:
    with Loopback(pace=0) as server, Client(server.url, system="Be short.") as client:
        for _ in range(2):
            client.ask("hi", model="anon").text()
            client.reconnect()
        assert [request["type"] for request in server.requests] == ["mask", "chat"] * 2

        async def main() -> None:
            async with AsyncClient(server.url, "sk-any", system="Be short.") as client:
                await client.ask("hi", model="hello").text()
                await client.connect()
                await client.ask("hi", model="hello").text()

        run(main())
        assert [request["type"] for request in server.requests[4:]] == ["mask", "chat", "chat"]


def test_a_system_prompt_that_cannot_be(loopback: Loopback) -> None:
    for kind in (Client, AsyncClient):
        with pytest.raises(TypeError, match="mask"):
            kind(loopback.url, system=5)  # type: ignore[arg-type]


# The log.


def test_nothing_is_logged_unless_it_is_asked_for(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    client.ask("hi", model="hello").text()
    assert not caplog.records


def test_the_log_tells_what_happens_and_not_what_is_said(
    loopback: Loopback, caplog: pytest.LogCaptureFixture, run: Run[None]
) -> None:
    caplog.set_level(logging.DEBUG, "pychatnio")
    with Client(loopback.url, "sk-secret") as client:
        client.ask("a secret question", model="hello").text()

    async def main() -> None:
        async with AsyncClient(loopback.url, "sk-secret") as client:
            await client.ask("a secret question", model="hello").text()

    run(main())
    told = [record.getMessage().split(": ", 1)[1] for record in caplog.records if record.name == "pychatnio"]
    once = ["turn 1: a chat was sent", "turn 1 ended: complete, 22 characters, quota "]
    for line in (*once, "connected", "connecting to 127.0.0.1, port ", "Open", "closing", "closed: CLOSED"):
        assert any(text.startswith(line) for text in told), (line, told)
    assert not any(secret in text for text in told for secret in ("sk-secret", "secret question", "Hello"))


# After the end.


def test_the_conversation_is_known_after_the_end(loopback: Loopback, run: Run[None]) -> None:
    with Client(loopback.url, "sk-after") as client:
        client.ask("hi", model="hello").text()
    assert client.conversation.id > 0
    assert client.conversation.kind is ConversationKind.NEW
    with pytest.raises(InvalidArgumentError, match="freed"):
        client.ask("hi")

    async def main() -> None:
        async with connected(loopback) as client:
            await client.ask("hi", model="hello").text()
            assert client.is_connected
        assert client.conversation.id > 0
        assert not client.is_connected

    run(main())


# Whoever forgets an answer at a prompt is told the way out.


def test_an_answer_that_a_prompt_keeps(client: Client, run: Run[None], loopback: Loopback) -> None:
    _ = client.ask("hi", model="silent")
    assert "iterate over it, take its text(), or close() it" in repr(_)
    with pytest.raises(BusyError, match=r"leave it by close\(\) on its stream \(at a prompt that may be `_`\)"):
        client.ask("hi")
    _.close()
    assert client.ask("hi", model="hello").text() == "".join(HELLO)

    async def main() -> None:
        async with connected(loopback) as client:
            async with client.ask("hi", model="silent"):
                with pytest.raises(BusyError, match="or use another client"):
                    await client.ask("hi").text()

    run(main())


# Trying again.


def test_what_may_be_tried_again() -> None:
    def retryable(status: Status) -> bool:
        return errors.error_of(status).is_retryable

    raised = set(errors.RAISED)
    assert {status.name for status in raised if retryable(status)} == {
        *("CLOSED_BY_SERVER", "END_OF_STREAM", "TRUNCATED", "IO", "UNRESPONSIVE", "PROTOCOL", "SERVER_NOT_UTF8"),
        *("RESOLVE", "CONNECT", "CONNECT_TIMEOUT", "HANDSHAKE_TIMEOUT", "THROTTLED", "UNAVAILABLE"),
        *("NO_RANDOM", "SYSTEM"),
    }
    assert all(errors.error_of(status).retry_after is None for status in raised)


def test_answers_that_may_be_asked_for_again(client: Client) -> None:
    with pytest.raises(AnswerInterruptedError) as lost:
        client.ask("hi", model="drop").text()
    assert lost.value.is_retryable
    cause = lost.value.__cause__
    assert isinstance(cause, ConnectionClosedError) and cause.is_retryable and str(lost.value) == str(cause) != ""
    client.reconnect()
    with pytest.raises(pychatnio.NoticeError) as notice:
        client.ask("hi", model="notice").text()
    assert not notice.value.is_retryable
    stream = client.ask("hi", model="silent")
    client.close()
    with pytest.raises(AnswerInterruptedError) as closed:
        stream.text()
    # This program did that.
    assert not closed.value.is_retryable
    with pytest.raises(ChatNioError) as over:
        client.ask("hi")
    assert not over.value.is_retryable


def test_an_interrupted_answer_keeps_no_client_alive(loopback: Loopback) -> None:
    def interrupted() -> weakref.ref[Client]:
        client = Client(loopback.url, "sk-any")
        try:
            client.ask("hi", model="drop").text()
        except AnswerInterruptedError as error:
            assert error.__cause__ is not None
        client.close()
        return weakref.ref(client)

    gc.collect()
    gc.disable()
    try:
        # Its descriptors go with its last reference, and with no garbage collector that comes some time.
        assert interrupted()() is None
    finally:
        gc.enable()


# Two loops.


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_stream_in_another_loop_than_its_own(
    loopback: Loopback, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def begin() -> None:
        await client.connect()
        await stream.__aenter__()

    async def elsewhere() -> None:
        for call in (stream.text, stream.wait, stream.close, client.ask("hi").text, client.close, client.connect):
            with pytest.raises(InvalidArgumentError, match="connected in another event loop: use it there"):
                await asyncio.wait_for(call(), PATIENCE)

    client = AsyncClient(loopback.url, "sk-any")
    stream = client.ask("hi", model="silent")
    loop = new_loop()
    loop.run_until_complete(begin())
    asyncio.run(elsewhere())
    # It is none the worse for it.
    loop.run_until_complete(stream.close())
    assert stream.answer is not None and stream.answer.outcome is Outcome.STOPPED

    async def ask_again() -> None:
        await client.ask("hi", model="silent").__aenter__()

    async def after_it() -> None:
        turn = client._driver.turn
        assert turn is not None
        # Its loop has taken the socket with it.
        await asyncio.wait_for(client._driver.ended(turn), PATIENCE)
        assert turn.answer is not None and turn.answer.outcome is Outcome.INTERRUPTED
        with pytest.raises(ConnectionClosedError, match=r"loop is closed: connect\(\) in this one"):
            await client.ask("hi").text()
        await client.connect()
        assert await client.ask("hi", model="hello").text() == "".join(HELLO)
        await client.close()

    loop.run_until_complete(ask_again())
    transport = link_of(client).transport
    assert transport is not None
    with warnings.catch_warnings():
        # The loop's own, of what it leaves behind.
        warnings.simplefilter("ignore", ResourceWarning)
        loop.close()
        del transport
        asyncio.run(after_it())
        gc.collect()
