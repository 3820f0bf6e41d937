"""The client on asyncio, in both kinds of loops, against the loopback server."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import json
import socket
import threading
import time
import types
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from memory import Server
from support import ENDLESS, HELLO, RECORD, Run, sent
from websockets.frames import Frame, Opcode

import pychatnio
from pychatnio import (
    Answer,
    AnswerInterruptedError,
    AsyncAnswerStream,
    AsyncClient,
    Auth,
    BusyError,
    Client,
    Config,
    ConnectError,
    ConnectionClosedError,
    ConnectTimeoutError,
    ConversationKind,
    Delta,
    End,
    Event,
    Interruption,
    InvalidArgumentError,
    InvalidRequestError,
    Loopback,
    Malformed,
    NoticeError,
    Opened,
    Outcome,
    RefusedError,
    Request,
    RequestType,
    State,
    Status,
    ThrottledError,
    TLSError,
    UnsentError,
)
from pychatnio import _boundary, aio


@contextlib.asynccontextmanager
async def connected(server: Loopback, config: Config = RECORD) -> AsyncGenerator[AsyncClient, None]:
    async with AsyncClient(server.url, "sk-any", config=config) as client:
        yield client


async def until(condition: Callable[[], object]) -> None:
    """Lets the loop go on until something has happened."""
    while not condition():
        await asyncio.sleep(0)


async def opened(stream: AsyncAnswerStream) -> AsyncIterator[Event]:
    """The events of an answer, once the server has read the question."""
    events = stream.events()
    assert isinstance(await events.__anext__(), Opened)
    return events


# Answers.


def test_an_answer(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            stream = client.ask("hi", model="hello")
            assert stream.answer is None
            assert [piece async for piece in stream] == HELLO
            answer = stream.answer
            assert answer is not None
            assert (answer.outcome, answer.text) == (Outcome.COMPLETE, "".join(HELLO))
            assert answer.quota > 0
            assert answer.quota_decimal > 0
            assert answer.chunks == len(HELLO)
            assert [piece async for piece in stream] == []
            assert await stream.text() == "".join(HELLO)
            assert sent(client)[1] == '> SEND {"type":"chat","message":"hi","model":"hello"}'

    run(main())


def test_text(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            assert await client.ask("hi", model="hello").text() == "".join(HELLO)
            stream = client.ask("hi", model="hello")
            pieces = stream.__aiter__()
            assert await pieces.__anext__() == "Hello"
            assert "".join([piece async for piece in pieces]) == "! How can I help?"
            assert await stream.text() == "".join(HELLO)
        async with connected(loopback, Config(keep_text=False)) as client:
            stream = client.ask("hi", model="hello")
            assert await stream.text() == "".join(HELLO)
            assert stream.answer is not None
            assert stream.answer.text == ""

    run(main())


def test_wait(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            stream = client.ask("hi", model="hello")
            answer = await stream.wait()
            assert (answer.outcome, answer.text) == (Outcome.COMPLETE, "".join(HELLO))
            assert await stream.wait() is answer is stream.answer
            # What iterating has come to.
            stream = client.ask("hi", model="hello")
            assert [piece async for piece in stream] == HELLO
            assert await stream.wait() is stream.answer
            # Of one that was left, its end.
            stream = client.ask("hi", model=ENDLESS)
            async for _ in stream:
                break
            assert (await stream.wait()).outcome is Outcome.STOPPED
            with pytest.raises(NoticeError):
                await client.ask("hi", model="notice").wait()

    run(main())


def test_a_with_block_takes_a_client_that_is_connected(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        client = AsyncClient(loopback.url, "sk-any")
        await client.connect()
        transport = client._transport
        async with client:
            assert client._transport is transport
            assert await client.ask("hi", model="hello").text() == "".join(HELLO)
            assert await client.reconnect() is None
            assert client._transport is not transport

    run(main())


def test_a_request_that_is_answered_is_asked(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            for request in (Request.chat("hi"), Request.restart()):
                with pytest.raises(InvalidRequestError, match=r"see ask\(\)"):
                    await client.request(request)
            assert sent(client) == []

    run(main())


def test_events(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            events = [event async for event in client.ask("hi", model="hello").events()]
            opener, *deltas, end = events
            assert isinstance(opener, Opened)
            assert [delta.text for delta in deltas if isinstance(delta, Delta) and delta.text] == HELLO
            assert isinstance(end, End)

    run(main())


def test_the_events_go_up_to_the_end(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            # On these servers a stopped answer has two ends, and here they come together.
            stream = client.ask("hi", model="silent")
            events = await opened(stream)
            stream.stop()
            rest = [event async for event in events]
            assert [type(event) for event in rest] == [End]
            await until(lambda: client.counters.strays)
            assert await client.ask("hi", model="hello").text() == "".join(HELLO)

    run(main())


def test_many_pieces(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            assert [piece async for piece in client.ask("hi", model="long-20000")] == ["piece "] * 20000

    run(main())


def test_turns(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            for turn in range(1, 4):
                stream = client.ask("hi", model="hello")
                assert repr(stream) == "<AsyncAnswerStream: not ended>"
                await stream.text()
                assert stream.answer is not None
                assert stream.answer.turn == turn
                assert repr(stream).startswith("<AsyncAnswerStream: Answer(")
            stream = client.restart(model="hello", top_k=3)
            assert await stream.text() == "".join(HELLO)
            assert stream.answer is not None
            assert stream.answer.request is RequestType.RESTART
            assert sent(client)[-1] == '> SEND {"type":"restart","model":"hello","top_k":3}'
            request = Request.chat("hi", model="hello")
            assert [await client.ask(request).text() for _ in range(2)] == ["".join(HELLO)] * 2

    run(main())


def test_requests_that_are_not_answered(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            await client.request(Request.mask([("system", "Be brief.")]))
            assert await client.ask("hi", model="hello").text() == "".join(HELLO)
            await client.request(Request.remove(0))
            assert [line.split('"')[3] for line in sent(client)[1:]] == ["mask", "chat", "remove"]
            with pytest.raises(InvalidRequestError):
                client.ask(Request.remove(0))

    run(main())


def test_what_cannot_be_asked(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            for stream in (client.ask(" "), client.ask("hi", top_p=float("nan")), client.restart()):
                for _ in range(2):
                    with pytest.raises(InvalidRequestError):
                        await stream.text()
                assert stream.answer is None
            with pytest.raises(TypeError, match="temprature"):
                client.ask("hi", temprature=1)  # type: ignore[call-arg]
            with pytest.raises(TypeError):
                client.ask(Request.chat("hi"), model="x")
            assert await client.ask("hi", model="hello").text() == "".join(HELLO)

    run(main())


def test_busy(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            first = client.ask("hi", model="silent")
            events = await opened(first)
            second = client.ask("again", model="hello")
            with pytest.raises(BusyError):
                await second.text()
            with pytest.raises(BusyError):
                await client.request(Request.share("x"))
            with pytest.raises(BusyError):
                await client.restart().text()
            # The first one goes on, and afterwards the second is as good as before.
            assert first.stop()
            assert [type(event) async for event in events] == [End]
            assert await second.text() == "".join(HELLO)

    run(main())


def test_two_tasks_ask_at_once(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            streams = [client.ask("hi", model="hello") for _ in range(5)]
            results = await asyncio.gather(*(stream.text() for stream in streams), return_exceptions=True)
            assert results.count("".join(HELLO)) == 1
            assert sum(isinstance(result, BusyError) for result in results) == 4

    run(main())


# Leaving an answer.


async def leave_by_break(stream: AsyncAnswerStream) -> None:
    async for _ in stream:
        break


async def leave_by_an_exception(stream: AsyncAnswerStream) -> None:
    with contextlib.suppress(LookupError):
        async for _ in stream:
            raise LookupError


async def leave_by_dropping_the_iterator(stream: AsyncAnswerStream) -> None:
    pieces = stream.__aiter__()
    await pieces.__anext__()
    del pieces
    gc.collect()


async def leave_the_events(stream: AsyncAnswerStream) -> None:
    async for event in stream.events():
        if isinstance(event, Delta):
            break


async def leave_a_with_block(stream: AsyncAnswerStream) -> None:
    async with stream:
        await stream.__aiter__().__anext__()


async def leave_a_with_block_at_once(stream: AsyncAnswerStream) -> None:
    with contextlib.suppress(LookupError):
        async with stream:
            raise LookupError


async def leave_by_stop(stream: AsyncAnswerStream) -> None:
    pieces = 0
    async for _ in stream:
        pieces += 1
        if pieces == 3:
            assert stream.stop() is True
            assert stream.stop() is False


async def leave_by_the_clients_stop(stream: AsyncAnswerStream) -> None:
    pieces = 0
    async for _ in stream:
        pieces += 1
        if pieces == 3:
            assert stream._client.stop() is True
            assert stream._client.stop() is False


async def leave_by_cancelling(stream: AsyncAnswerStream) -> None:
    started = asyncio.Event()

    async def read() -> None:
        async for _ in stream:
            started.set()

    task = asyncio.create_task(read())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def leave_text_by_cancelling(stream: AsyncAnswerStream) -> None:
    task = asyncio.create_task(stream.text())
    client = stream._client
    await until(lambda: client.state is State.ANSWERING)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    "leave",
    [
        leave_by_break,
        leave_by_an_exception,
        leave_by_dropping_the_iterator,
        leave_the_events,
        leave_a_with_block,
        leave_a_with_block_at_once,
        leave_by_stop,
        leave_by_the_clients_stop,
        leave_by_cancelling,
        leave_text_by_cancelling,
    ],
)
def test_leaving_an_answer_stops_it(
    run: Run[None], loopback: Loopback, leave: Callable[[AsyncAnswerStream], Awaitable[None]]
) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            stream = client.ask("hi", model=ENDLESS)
            await leave(stream)
            assert '> SEND {"type":"stop"}' in sent(client)
            # At once, without a look at whether the end has come.
            assert await client.ask("hi", model="hello").text() == "".join(HELLO)
            # The server has seen the stop: otherwise the answer would be interrupted, by `after_stop`.
            answer = stream.answer
            assert answer is not None
            assert (answer.outcome, answer.turn) == (Outcome.STOPPED, 1)
            assert client.state is State.IDLE

    run(main())


def test_an_iterator_that_is_dropped_in_another_thread(
    run: Run[None], loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = AsyncClient.stop
    threads: list[threading.Thread] = []

    def stop(self: AsyncClient) -> bool:
        threads.append(threading.current_thread())
        return real(self)

    async def main() -> None:
        async with connected(loopback) as client:
            stream = client.ask("hi", model="silent")
            kept = [await opened(stream)]
            monkeypatch.setattr(AsyncClient, "stop", stop)
            await asyncio.get_running_loop().run_in_executor(None, kept.clear)
            # The loop was told of it before it was told that this is done; and it is the loop's thread that stops.
            assert threads == [threading.current_thread()]
            assert '> SEND {"type":"stop"}' in sent(client)
            await stream.close()
            assert stream.answer is not None
            assert stream.answer.outcome is Outcome.STOPPED

    run(main())


def test_an_iterator_that_is_dropped_in_the_middle_of_a_call(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            stream = client.ask("hi", model="silent")
            kept = [await opened(stream)]
            # As where the garbage collector comes between.
            client._connection._guard.busy = True
            try:
                kept.clear()
            finally:
                client._connection._guard.busy = False
            assert '> SEND {"type":"stop"}' not in sent(client)
            # The loop stops it with its next turn.
            await asyncio.sleep(0)
            assert '> SEND {"type":"stop"}' in sent(client)
            await stream.close()
            assert stream.answer is not None
            assert stream.answer.outcome is Outcome.STOPPED

    run(main())


def test_a_timeout_stops_it(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            stream = client.ask("hi", model="silent")
            with pytest.raises((asyncio.TimeoutError, TimeoutError)):
                await asyncio.wait_for(stream.text(), 0.05)
            await stream.close()
            assert stream.answer is not None
            assert stream.answer.outcome is Outcome.STOPPED
            assert '> SEND {"type":"stop"}' in sent(client)

    run(main())


@pytest.mark.skipif(not hasattr(asyncio, "timeout"), reason="asyncio.timeout() is new in Python 3.11")
def test_asyncio_timeout_stops_it(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            stream = client.ask("hi", model="silent")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    async for _ in stream:
                        pass
            await stream.close()
            assert stream.answer is not None
            assert stream.answer.outcome is Outcome.STOPPED

    run(main())


def test_a_cancelled_task_group_stops_all(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with contextlib.AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(connected(loopback)) for _ in range(5)]
            streams = [client.ask("hi", model="silent") for client in clients]
            tasks = [asyncio.create_task(stream.text()) for stream in streams]
            await until(lambda: all(client.state is State.ANSWERING for client in clients))
            for task in tasks:
                task.cancel()
            assert all(
                isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*tasks, return_exceptions=True)
            )
            for stream in streams:
                await stream.close()
                assert stream.answer is not None
                assert stream.answer.outcome is Outcome.STOPPED

    run(main())


def test_cancelled_before_the_question_goes_out(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            await leave_by_break(client.ask("hi", model=ENDLESS))
            second = client.ask("hi", model="hello")
            # It waits for the end of the first.
            task = asyncio.create_task(second.text())
            await asyncio.sleep(0)
            assert not task.done()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert second.answer is None
            assert await second.text() == "".join(HELLO)
            assert sum('"chat"' in line for line in sent(client)) == 2

    run(main())


def test_what_a_left_answer_has_cost(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            stream = client.ask("hi", model=ENDLESS)
            await leave_by_break(stream)
            await stream.close()
            assert stream.answer is not None
            assert stream.answer.quota > 0
            assert stream.answer.text.startswith("piece ")

    run(main())


def test_an_answer_that_has_ended_is_not_stopped(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            stream = client.ask("hi", model="hello")
            await stream.text()
            await stream.close()
            assert stream.stop() is False
            assert client.stop() is False
            del stream
            # Never begun.
            never = client.ask("hi", model="hello")
            await never.close()
            assert [piece async for piece in never] == []
            with pytest.raises(InvalidArgumentError, match="closed before its question went out"):
                await never.text()
            assert never.stop() is False
            del never
            gc.collect()
            assert not any("stop" in line for line in sent(client))

    run(main())


def test_an_old_stream_does_not_stop_a_new_answer(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            old = client.ask("hi", model=ENDLESS)
            await leave_by_break(old)
            new = client.ask("hi", model="hello")
            pieces = [await new.__aiter__().__anext__()]
            assert old.stop() is False
            await old.close()
            assert old.answer is not None
            assert pieces == ["Hello"]

    run(main())


def test_the_end_of_the_with_block_of_a_client(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            stream = client.ask("hi", model="silent")
            events = await opened(stream)
            left = client.ask("hi")
        assert stream.answer is not None
        assert stream.answer.outcome is Outcome.INTERRUPTED
        assert stream.answer.interruption is Interruption.CLOSED_BY_HOST
        assert [type(event) async for event in events] == [End]
        with pytest.raises(AnswerInterruptedError):
            await stream.text()
        with pytest.raises(ConnectionClosedError):
            await left.text()
        assert client.stop() is False
        await client.close()

    run(main())


# Answers that fail.


@pytest.mark.parametrize("model", ["notice", "none", "err429", "nosuch"])
def test_notices(run: Run[None], loopback: Loopback, model: str) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            stream = client.ask("hi", model=model)
            with pytest.raises(NoticeError) as caught:
                async for _ in stream:
                    raise AssertionError("a notice is no answer")
            assert caught.value.answer is stream.answer
            assert caught.value.answer.notice == str(caught.value)
            with pytest.raises(NoticeError):
                await client.ask("hi", model=model).text()
            events = [event async for event in client.ask("hi", model=model).events()]
            assert isinstance(events[-1], End)
            assert await client.ask("hi", model="hello").text() == "".join(HELLO)

    run(main())


def test_the_server_cuts_the_connection(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            stream = client.ask("hi", model="drop")
            pieces: list[str] = []
            with pytest.raises(AnswerInterruptedError) as caught:
                async for piece in stream:
                    pieces.append(piece)
            assert pieces == ["Hello", "!", " How"]
            assert caught.value.answer is stream.answer
            assert caught.value.answer.text == "Hello! How"
            assert caught.value.answer.interruption is Interruption.CONNECTION_LOST
            cause = caught.value.__cause__
            assert isinstance(cause, ConnectionClosedError)
            assert cause.status is Status.END_OF_STREAM
            # As with a `Client`, everything says so now.
            for _ in range(2):
                with pytest.raises(ConnectionClosedError) as closed:
                    await client.ask("hi").text()
                assert closed.value.status is Status.END_OF_STREAM
                with pytest.raises(ConnectionClosedError) as closed:
                    await client.request(Request.share("x"))
                assert closed.value.status is Status.END_OF_STREAM
            assert client.stop() is False
            assert "closed" in repr(client)
            assert await client.connect() is None
            assert await client.ask("hi", model="hello").text() == "".join(HELLO)

    run(main())


def test_what_cannot_be_read(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            stream = client.ask("hi", model="garbage")
            events = [event async for event in stream.events()]
            assert sum(isinstance(event, Malformed) for event in events) == 4
            assert client.counters.malformed == 4
            assert await client.ask("hi", model="garbage").text() == "Hello! How are you?"
            assert (await client.ask("hi", model="cut").text()) == "partial answer"

    run(main())


def test_a_deadline(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback, Config(next_frame=0.05, keep_alive=0.02, record=True)) as client:
            with pytest.raises(AnswerInterruptedError) as caught:
                await client.ask("hi", model="silent").text()
            assert caught.value.answer.interruption is Interruption.NEXT_FRAME_DEADLINE
            assert caught.value.__cause__ is None
            # While nobody looks, it is kept alive.
            await until(lambda: '> SEND {"type":"ping"}' in sent(client))

    run(main())


def test_a_stop_that_nobody_hears(run: Run[None]) -> None:
    # A model that is silent cannot be stopped on these.
    async def main(server: Loopback) -> None:
        async with connected(server, Config(after_stop=3600, stop_repeats=[0.01])) as client:
            task = asyncio.create_task(client.ask("hi", model="silent").text())
            await until(lambda: client.state is State.ASKING)
            task.cancel()
            # It goes out again.
            await until(lambda: client.counters.repeated_stops)
            assert isinstance(await client.connect(), Answer)
            assert await client.ask("hi", model="hello").text() == "".join(HELLO)
        async with connected(server, Config(after_stop=0.05)) as client:
            stream = client.ask("hi", model="silent")
            async with stream:
                pass
            assert stream.answer is not None
            assert stream.answer.interruption is Interruption.AFTER_STOP_DEADLINE
            with pytest.raises(BusyError):
                await client.ask("hi").text()
            assert await client.connect() is None
            assert await client.ask("hi", model="hello").text() == "".join(HELLO)

    with Loopback(generation="2023-11", pace=0) as server:
        run(main(server))


# A reader that is slow.


def test_a_slow_reader(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        count = 50_000
        async with connected(loopback, Config(max_recording=0)) as client:
            stream = client.ask("hi", model=f"long-{count}")
            pieces = stream.__aiter__()
            assert await pieces.__anext__() == "piece "
            # Nobody takes anything: the server is pushed back on, and what waits is bounded.
            await until(lambda: client._is_paused)
            assert stream._turn is not None
            waiting = len(stream._turn.events)
            assert waiting < count / 2
            for _ in range(100):
                await asyncio.sleep(0)
            assert len(stream._turn.events) == waiting
            # Nothing is lost.
            assert [piece async for piece in pieces] == ["piece "] * (count - 1)
            assert stream.answer is not None
            assert stream.answer.outcome is Outcome.COMPLETE

    run(main())


class Clock:
    """The monotonic clock, for the package alone, which may be put forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ahead = 0.0
        module = types.SimpleNamespace(monotonic=lambda: time.monotonic() + self._ahead)
        for user in (aio, _boundary):
            monkeypatch.setattr(user, "time", module)

    def put_forward(self, seconds: float) -> None:
        self._ahead += seconds


def test_the_readers_slowness_is_not_the_servers(
    run: Run[None], loopback: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)

    async def main() -> None:
        count = 50_000
        async with connected(loopback, Config(next_frame=60, ping_after=60, pong_within=60)) as client:
            stream = client.ask("hi", model=f"long-{count}")
            pieces = stream.__aiter__()
            await pieces.__anext__()
            await until(lambda: client._is_paused)
            # No deadline counts meanwhile.
            assert client._timer is None
            clock.put_forward(1000)
            for _ in range(100):
                await asyncio.sleep(0)
            assert client._timer is None
            assert client.state is State.ANSWERING
            assert [piece async for piece in pieces] == ["piece "] * (count - 1)
            assert stream.answer is not None
            assert stream.answer.outcome is Outcome.COMPLETE

    run(main())


def test_a_slow_reader_that_leaves(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback, Config()) as client:
            stream = client.ask("hi", model=ENDLESS)
            pieces = stream.__aiter__()
            await pieces.__anext__()
            await until(lambda: client._is_paused)
            del pieces
            # Else its end would never be read.
            await stream.close()
            assert stream.answer is not None
            assert stream.answer.outcome is Outcome.STOPPED
            stream = client.ask("hi", model=ENDLESS)
            pieces = stream.__aiter__()
            await pieces.__anext__()
            await until(lambda: client._is_paused)
        assert stream.answer is not None
        assert stream.answer.interruption is Interruption.CLOSED_BY_HOST

    run(main())


async def talk(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, messages: int = 0) -> None:
    """Lets a server in memory hear and answer a client, until that has sent so many messages; 0: until it has gone."""
    while not messages or len(server.messages) < messages:
        data = await reader.read(65536)
        if not data:
            return
        server.receive(data)
        writer.write(server.data_to_send())


def test_after_a_pause_deadlines_count_again(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)

    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            server = Server()
            await talk(server, reader, writer, 2)
            # So many that the last one makes the client pause: nothing is left in the socket, and nothing comes.
            for _ in range(aio._MOST_EVENTS):
                server.send('{"message":"x"}')
            writer.write(server.data_to_send())
            await talk(server, reader, writer)

        config = Config(next_frame=3600, keep_alive=0, ping_after=0)
        async with listening(serve) as url, AsyncClient(url, config=config) as client:
            async with client.ask("hi") as stream:
                await until(lambda: client._is_paused)
                clock.put_forward(4000)
                await asyncio.sleep(0)
                assert client.state is State.ANSWERING
                events = stream.events()
                deltas = [await events.__anext__()]
                # From here on it is the server that is late.
                clock.put_forward(4000)
                *more, end = [event async for event in events]
                assert [type(delta) for delta in deltas + more] == [Delta] * aio._MOST_EVENTS
                assert isinstance(end, End)
                assert end.answer.interruption is Interruption.NEXT_FRAME_DEADLINE

    run(main())


def test_what_comes_while_it_closes(run: Run[None]) -> None:
    async def main() -> None:
        closing = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            server = Server()
            await talk(server, reader, writer, 2)
            server.send('{"message":"first"}')
            writer.write(server.data_to_send())
            await closing.wait()
            # More than a reader may be behind, and only then it hears the goodbye.
            for _ in range(2 * aio._MOST_EVENTS):
                server.send('{"message":"late"}')
            writer.write(server.data_to_send())
            await talk(server, reader, writer)

        async with listening(serve) as url, AsyncClient(url, config=Config(close=0)) as client:
            events = client.ask("hi").events()
            first = await events.__anext__()
            assert isinstance(first, Delta)
            task = asyncio.create_task(client.close())
            await until(lambda: client._is_closing)
            closing.set()
            await task
            assert [type(event) async for event in events] == [End]
            assert client.counters.malformed == 0

    run(main())


# A server that is slow.


def test_a_server_that_reads_nothing(run: Run[None]) -> None:
    async def main() -> None:
        server, reads = Server(), asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            server.receive(await reader.readuntil(b"\r\n\r\n"))
            writer.write(server.data_to_send())
            await reads.wait()
            await talk(server, reader, writer)

        # No deadline makes it send, either.
        config = Config(handshake=0, keep_alive=0, ping_after=0)
        async with listening(serve) as url, AsyncClient(url, config=config) as client:
            request = Request.mask([("user", "x" * 250_000)])
            count = 0
            try:
                with pytest.raises(UnsentError):
                    while count < 100:
                        await client.request(request)
                        count += 1
                # The transport has not taken what the library keeps.
                assert client._transport is not None
                assert client._transport.get_write_buffer_size() < 1_000_000 < client.memory
            finally:
                reads.set()
            # Nothing is lost.
            await until(lambda: len(server.messages) == 1 + count)

    run(main())


# Connections.


def test_many_in_one_loop(run: Run[None], loopback: Loopback) -> None:
    async def chat(at: int) -> None:
        async with AsyncClient(loopback.url, f"sk-many-{at}") as client:
            for _ in range(2):
                assert await client.ask("hi", model="hello").text() == "".join(HELLO)
            stream = client.ask("hi", model=f"long-{at}")
            assert len([piece async for piece in stream]) == at

    async def main() -> None:
        await asyncio.gather(*(chat(at) for at in range(1, 151)))

    run(main())


def test_not_connected(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        client = AsyncClient(loopback.url, "sk-any")
        assert "closed" in repr(client)
        for call in (client.ask("hi").text, lambda: client.request(Request.share("x"))):
            with pytest.raises(ConnectionClosedError, match="not connected"):
                await call()
        assert client.stop() is False
        await client.close()
        await client.connect()
        assert await client.ask("hi", model="hello").text() == "".join(HELLO)
        assert "open" in repr(client)
        await client.close()
        with pytest.raises(ConnectionClosedError):
            await client.ask("hi").text()
        await client.close()
        # And again.
        await client.connect()
        assert await client.ask("hi", model="hello").text() == "".join(HELLO)
        await client.close()

    run(main())


def test_close(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            stream = client.ask("hi", model="silent")
            task = asyncio.create_task(stream.text())
            await until(lambda: client.state is State.ANSWERING)
            await asyncio.gather(client.close(), client.close())
            assert client.state is State.CLOSED
            with pytest.raises(AnswerInterruptedError) as caught:
                await task
            assert caught.value.answer.interruption is Interruption.CLOSED_BY_HOST
            with pytest.raises(ConnectionClosedError) as closed:
                await client.ask("hi").text()
            assert closed.value.status is Status.CLOSED

    run(main())


def test_close_is_bounded_and_may_be_cancelled(run: Run[None]) -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await handshake(reader, writer)
            # It never answers a goodbye.
            with contextlib.suppress(ConnectionError):
                while await reader.read(1000):
                    pass
            writer.close()

        async with listening(serve) as url:
            async with AsyncClient(url, config=Config(close=0.05)):
                pass
            client = AsyncClient(url, config=Config(close=3600))
            await client.connect()
            reading = asyncio.create_task(client.ask("hi").text())
            await until(lambda: client.state is State.ASKING)
            task = asyncio.create_task(client.close())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            # The socket is gone all the same: nothing warns of it, and nobody waits for it.
            with pytest.raises(AnswerInterruptedError) as caught:
                await reading
            assert caught.value.answer.interruption is Interruption.CLOSED_BY_HOST
            with pytest.raises(ConnectionClosedError):
                await client.ask("hi").text()

    run(main())


@contextlib.asynccontextmanager
async def listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncGenerator[str, None]:
    """A server that does as it is told; gives its URL."""
    tasks: list[asyncio.Task[None]] = []

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.gather(*tasks, return_exceptions=True)


async def handshake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Opens the WebSocket."""
    from websockets.utils import accept_key

    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    (key,) = (line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n".encode()
    )
    await writer.drain()


async def until_it_goes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, frame: bytes) -> None:
    """Opens the WebSocket, and sends a message again and again."""
    await handshake(reader, writer)
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(frame)
            await writer.drain()


def text_frame(text: str) -> bytes:
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


def test_what_waits_for_a_slow_reader_is_bounded_in_bytes(run: Run[None]) -> None:
    frame = text_frame(json.dumps({"message": "a", "more": "x" * 500_000}))

    async def main() -> None:
        async with listening(lambda reader, writer: until_it_goes(reader, writer, frame)) as url:
            async with AsyncClient(url) as client:
                events = client.ask("hi").events()
                await events.__anext__()
                await until(lambda: client._is_paused)
                assert client._turn is not None
                assert len(client._turn.events) < 20
                # Taking them lets more come.
                for _ in range(100):
                    await events.__anext__()
                del events

    run(main())


def test_a_flood_does_not_hold_up_a_deadline(run: Run[None]) -> None:
    frame = text_frame("x") * 5000

    async def main() -> None:
        async with listening(lambda reader, writer: until_it_goes(reader, writer, frame)) as url:
            async with AsyncClient(url, config=Config(first_frame=0.2, close=0.1)) as client:
                stream = client.ask("hi")
                events = stream.events()
                assert isinstance(await events.__anext__(), Malformed)
                *_, end = [event async for event in events if isinstance(event, End)]
                assert end.answer.interruption is Interruption.FIRST_FRAME_DEADLINE

    run(main())


def test_a_slow_reader_of_long_frames_is_not_the_servers(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    # Each is read in many pieces.
    frame = text_frame(json.dumps({"message": "a", "more": "x" * 500_000}))

    async def main() -> None:
        async with listening(lambda reader, writer: until_it_goes(reader, writer, frame)) as url:
            async with AsyncClient(url, config=Config(next_frame=60, close=0.1, after_stop=0.1)) as client:
                events = client.ask("hi").events()
                for _ in range(5):
                    await events.__anext__()
                    await until(lambda: client._is_paused)
                    clock.put_forward(1000)
                    while client._turn is not None and client._turn.events:
                        await events.__anext__()
                    assert isinstance(await events.__anext__(), Delta)
                assert client.state is State.ANSWERING
                del events

    run(main())


@pytest.mark.parametrize("steps", range(12))
def test_a_close_ends_a_connect_at_every_point(run: Run[None], loopback: Loopback, steps: int) -> None:
    async def main() -> None:
        client = AsyncClient(loopback.url, "sk-any")
        task = asyncio.create_task(client.connect())
        for _ in range(steps):
            await asyncio.sleep(0)
        await client.close()
        await asyncio.gather(task, return_exceptions=True)
        await client.close()
        # Neither is the next attempt in the way of the first.
        task = asyncio.create_task(client.connect())
        for _ in range(steps):
            await asyncio.sleep(0)
        await client.close()
        await asyncio.gather(task, return_exceptions=True) if steps == 0 else None
        await client.connect()
        assert await client.ask("hi", model="hello").text() == "".join(HELLO)
        await client.close()
        await asyncio.gather(task, return_exceptions=True)

    run(main())


def test_a_close_ends_a_connect_that_hangs(run: Run[None]) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
            # No more are taken, and the system lets them wait.
            full = [socket.socket() for _ in range(4)]
            for one in full:
                one.setblocking(False)
                one.connect_ex(listener.getsockname())
            client = AsyncClient(f"ws://127.0.0.1:{listener.getsockname()[1]}", config=Config(connect=0))
            task = asyncio.create_task(client.connect())
            for _ in range(100):
                await asyncio.sleep(0)
            assert not task.done()
            await client.close()
            with pytest.raises(ConnectionClosedError, match="the client was closed"):
                await task
            for one in full:
                one.close()

    run(main())


def test_a_server_that_goes_at_once(run: Run[None]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def main() -> None:
        async with listening(serve) as url:
            client = AsyncClient(url)
            # Before or after the loop has seen that it is connected.
            for _ in range(100):
                with pytest.raises((ConnectionClosedError, ConnectError)):
                    await client.connect()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ours = socket.create_connection(listener.getsockname())
            listener.accept()[0].close()
        with pytest.raises((ConnectionClosedError, ConnectError)):
            await client.connect(sock=ours)

    run(main())


def test_a_server_that_refuses_before_it_is_asked(run: Run[None]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy")
        await writer.drain()
        await reader.read()

    async def main() -> None:
        async with listening(serve) as url:
            for _ in range(20):
                with pytest.raises(RefusedError) as caught:
                    await AsyncClient(url).connect()
                assert (caught.value.code, caught.value.body) == (503, "busy")

    run(main())


def test_reconnect_continues_the_conversation(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        token = f"sk-reconnect-{time.monotonic_ns()}"
        async with AsyncClient(loopback.url, token, config=RECORD) as client:
            await client.ask("hi", model="hello").text()
            kind, conversation, _ = client.conversation
            assert (kind, conversation > 0) == (ConversationKind.NEW, True)
            stream = client.ask("hi", model="silent")
            task = asyncio.create_task(stream.text())
            await until(lambda: client.state is State.ANSWERING)
            answer = await client.connect()
            assert isinstance(answer, Answer)
            assert answer.interruption is Interruption.RECONNECTED
            with pytest.raises(AnswerInterruptedError):
                await task
            assert stream.answer is answer
            assert await client.ask("hi", model="hello").text() == "".join(HELLO)
            assert client.conversation == (ConversationKind.RESUMED, conversation, 0)
            assert sent(client)[0] == f'> SEND {{"token":"sk-...","id":{conversation}}}'
        async with AsyncClient(loopback.url, Auth(token, conversation=conversation)) as client:
            await client.ask("hi", model="hello").text()
            assert client.conversation == (ConversationKind.RESUMED, conversation, 0)

    run(main())


def test_a_failed_reconnect(run: Run[None]) -> None:
    async def main(server: Loopback) -> None:
        client = AsyncClient(server.url, "sk-any")
        await client.connect()
        stream = client.ask("hi", model="silent")
        task = asyncio.create_task(stream.text())
        await until(lambda: client.state is State.ANSWERING)
        # It does not listen any more.
        server.close()
        with pytest.raises(ConnectError):
            await client.connect()
        # Nothing hangs.
        with pytest.raises(AnswerInterruptedError):
            await task
        with pytest.raises((ConnectionClosedError, ConnectError)):
            await client.ask("hi").text()
        await client.close()

    with Loopback(pace=0) as server:
        run(main(server))


def test_a_cancelled_connect(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.set()
            await reader.read()

        asked = asyncio.Event()
        async with listening(serve) as url:
            client = AsyncClient(url)
            for _ in range(2):
                asked.clear()
                task = asyncio.create_task(client.connect())
                await asked.wait()
                with pytest.raises(InvalidArgumentError, match="connecting already"):
                    await client.connect()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                # Nothing hangs.
                with pytest.raises(ConnectionClosedError):
                    await client.ask("hi").text()
            await client.close()

    run(main())


def test_closed_while_it_connects(run: Run[None]) -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # Whoever is closed at once says nothing.
            if await reader.read(1):
                asked.set()
            await reader.read()

        asked = asyncio.Event()
        async with listening(serve) as url:
            client = AsyncClient(url)
            # At once, and in the handshake.
            for wait in (lambda: asyncio.sleep(0), asked.wait):
                task = asyncio.create_task(client.connect())
                await wait()
                await client.close()
                with pytest.raises(ConnectionClosedError, match="closed"):
                    await task
                with pytest.raises(ConnectionClosedError):
                    await client.ask("hi").text()

    run(main())


def test_asked_while_it_connects(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        client = AsyncClient(loopback.url, "sk-any")
        task = asyncio.create_task(client.connect())
        await asyncio.sleep(0)
        with pytest.raises(ConnectionClosedError, match="not connected"):
            await client.ask("hi", model="hello").text()
        await task
        assert await client.ask("hi", model="hello").text() == "".join(HELLO)
        await client.close()

    run(main())


def test_throttled(run: Run[None]) -> None:
    async def main(url: str) -> None:
        client = AsyncClient(url)
        for _ in range(2):
            with pytest.raises(ThrottledError, match="too many requests") as caught:
                await client.connect()
            assert (caught.value.status, caught.value.code) == (Status.THROTTLED, 200)
        with pytest.raises(ThrottledError):
            async with AsyncClient(url):
                pass

    with Loopback(throttle=0) as server:
        run(main(server.url))


def test_refused(run: Run[None]) -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone")

        async with listening(serve) as url:
            with pytest.raises(pychatnio.RefusedError) as caught:
                await AsyncClient(url).connect()
            assert (caught.value.status, caught.value.code, caught.value.body) == (Status.HTTP, 404, "none")

    run(main())


@pytest.mark.parametrize(
    ("certificate", "trusted", "status"),
    [
        ("valid", True, None),
        ("valid", False, Status.TLS_UNKNOWN_ISSUER),
        ("expired", True, Status.TLS_EXPIRED),
        ("wrong-name", True, Status.TLS_WRONG_NAME),
    ],
)
def test_tls(run: Run[None], certificate: Any, trusted: bool, status: Status | None) -> None:
    async def main(server: Loopback) -> None:
        client = AsyncClient(server.url, "sk-any", config=server.config if trusted else None)
        if status is None:
            async with client:
                assert await client.ask("hi", model="hello").text() == "".join(HELLO)
                await leave_by_break(client.ask("hi", model=ENDLESS))
                assert await client.ask("hi", model="hello").text() == "".join(HELLO)
        else:
            with pytest.raises(TLSError) as caught:
                await client.connect()
            assert caught.value.status is status

    with Loopback(tls=True, certificate=certificate, pace=0) as server:
        run(main(server))


def test_nobody_listens(run: Run[None]) -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        with pytest.raises(ConnectError) as caught:
            await AsyncClient(f"ws://127.0.0.1:{port}").connect()
        assert caught.value.status is Status.CONNECT
        assert isinstance(caught.value.__cause__, OSError)

    run(main())


@pytest.mark.parametrize("host", [f"{'x' * 64}.invalid", "a..b"])
def test_a_host_that_is_not_there(run: Run[None], host: str) -> None:
    # No name server is asked about these.
    async def main() -> None:
        with pytest.raises(ConnectError) as caught:
            await AsyncClient(f"ws://{host}").connect()
        assert caught.value.status is Status.RESOLVE

    run(main())


def test_a_server_that_says_nothing(run: Run[None]) -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with listening(serve) as url:
            with pytest.raises(ConnectTimeoutError) as caught:
                await AsyncClient(url, config=Config(handshake=0.05)).connect()
            assert caught.value.status is Status.HANDSHAKE_TIMEOUT

    run(main())


def test_a_server_that_takes_nobody(run: Run[None]) -> None:
    async def main(url: str) -> None:
        with pytest.raises(ConnectTimeoutError) as caught:
            await AsyncClient(url, config=Config(connect=0.1)).connect()
        assert caught.value.status is Status.CONNECT_TIMEOUT

    with contextlib.ExitStack() as sockets:
        server = sockets.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        # Its queue is full then, and further attempts are not answered.
        for _ in range(8):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        run(main(f"ws://127.0.0.1:{server.getsockname()[1]}"))


def test_a_given_socket(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        server = urlsplit(loopback.url)
        client = AsyncClient(loopback.url, "sk-any")
        for _ in range(2):
            await client.connect(sock=socket.create_connection((server.hostname, server.port)))
            assert await client.ask("hi", model="hello").text() == "".join(HELLO)
        await client.close()

    run(main())


# What is forgotten.


def test_dropped_without_a_goodbye(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        client = AsyncClient(loopback.url, "sk-any")
        await client.connect()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del client
            gc.collect()
        assert [str(warning.message) for warning in caught] == ["unclosed <AsyncClient open>"]
        assert caught[0].category is ResourceWarning
        # Its socket goes with the loop's next turn.
        await asyncio.sleep(0)

    run(main())


def test_dropped_in_the_middle_of_an_answer(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        client = AsyncClient(loopback.url, "sk-any")
        await client.connect()
        await opened(client.ask("hi", model="silent"))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del client
            gc.collect()
        assert [warning.category for warning in caught] == [ResourceWarning]
        await asyncio.sleep(0)

    run(main())


def test_an_iterator_that_outlives_its_loop(run: Run[Any], loopback: Loopback) -> None:
    kept: list[object] = []

    async def main() -> None:
        async with connected(loopback) as client:
            kept.append(await opened(client.ask("hi", model="silent")))

    run(main())
    kept.clear()
    gc.collect()


def test_a_client_that_outlives_its_loop(run: Run[Any], loopback: Loopback) -> None:
    kept: list[object] = []

    async def main() -> None:
        client = AsyncClient(loopback.url, "sk-any")
        await client.connect()
        kept.append(client)
        kept.append(await opened(client.ask("hi", model="silent")))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(main())
        kept.clear()
        gc.collect()
    assert "unclosed <AsyncClient open>" in [str(warning.message) for warning in caught]


def test_in_one_loop_after_the_other(run: Run[Any], loopback: Loopback) -> None:
    client = AsyncClient(loopback.url, "sk-any")

    async def main() -> str:
        await client.connect()
        try:
            return await client.ask("hi", model="hello").text()
        finally:
            await client.close()

    assert [run(main()) for _ in range(3)] == ["".join(HELLO)] * 3


# Both clients.


def test_both_clients_have_the_same_methods() -> None:
    def public(of: type) -> set[str]:
        return {name for name in dir(of) if not name.startswith("_")}

    # A `Client` connects when it is made, and waits for events only when it is told to.
    assert public(Client) - public(AsyncClient) == {"next"}
    assert public(AsyncClient) - public(Client) == {"connect"}
    assert public(AsyncAnswerStream) == public(pychatnio.AnswerStream)
    for name in ("ask", "restart"):
        assert (
            inspect.signature(getattr(AsyncClient, name)).parameters.keys()
            == inspect.signature(getattr(Client, name)).parameters.keys()
        )
