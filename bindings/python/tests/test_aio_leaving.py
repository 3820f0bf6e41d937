"""Leaving an answer on asyncio stops it at the server."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import warnings
from collections.abc import Awaitable, Callable

import pytest
from aio_support import connected, leave_by_break, opened, until
from support import ENDLESS, HELLO, Run, sent

from pychatnio import (
    AnswerInterruptedError,
    AsyncAnswerStream,
    AsyncClient,
    Config,
    ConnectionClosedError,
    Delta,
    End,
    Interruption,
    InvalidArgumentError,
    Loopback,
    Outcome,
    State,
)
from pychatnio.aio.driver import Driver


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
            assert stream._driver.stop() is True
            assert stream._driver.stop() is False


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
    driver = stream._driver
    await until(lambda: driver.connection.state is State.ANSWERING)
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
    real = Driver.stop_turn
    threads: list[threading.Thread] = []

    def stop_turn(self: Driver) -> bool:
        threads.append(threading.current_thread())
        return real(self)

    async def main() -> None:
        async with connected(loopback) as client:
            stream = client.ask("hi", model="silent")
            kept = [await opened(stream)]
            monkeypatch.setattr(Driver, "stop_turn", stop_turn)
            # Not `run_in_executor`: from CPython 3.14 on, what is done already is awaited without a turn of the loop.
            dropping = threading.Thread(target=kept.clear)
            dropping.start()
            dropping.join()
            assert threads == []
            # The loop stops it with its next turn, and in its own thread.
            await asyncio.sleep(0)
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
            client._driver.connection._guard.busy = True
            try:
                kept.clear()
            finally:
                client._driver.connection._guard.busy = False
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
            gc.collect()
            assert not any("stop" in line for line in sent(client))

    run(main())


def test_a_client_that_another_thread_collects_is_quiet(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        unheard: list[object] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: unheard.append(context))
        client = AsyncClient(loopback.url, "sk-any")
        await client.connect()
        cycle: list[object] = [client, await opened(client.ask("hi", model=ENDLESS))]
        cycle.append(cycle)
        del client, cycle
        # All of it goes before the loop comes to what the iterator's end has left to it.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            collector = threading.Thread(target=gc.collect)
            collector.start()
            collector.join()
        for _ in range(3):
            await asyncio.sleep(0)
        assert unheard == []

    run(main())


def test_a_question_that_never_went_out(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        client = AsyncClient(loopback.url, "sk-any", config=Config(record=True))
        never = client.ask("before it is connected", model="hello")
        assert never.stop() is False
        await never.close()
        async with client:
            assert [piece async for piece in never] == []
            with pytest.raises(InvalidArgumentError, match="closed before its question went out"):
                await never.text()
            assert never.stop() is False
            await leave_by_break(client.ask("hi", model=ENDLESS))
            never = client.ask("behind one that was left", model="hello")
            await never.close()
            assert never.stop() is False
            assert client.stop() is False
            assert await client.ask("hi", model="hello").text() == "".join(HELLO)
            assert not any("before" in line or "behind" in line for line in sent(client))

    run(main())


def test_closed_while_another_task_is_about_to_send_it(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            await leave_by_break(client.ask("hi", model=ENDLESS))
            never = client.ask("never", model="hello")
            # It waits for the end of the first.
            task = asyncio.create_task(never.wait())
            await asyncio.sleep(0)
            await never.close()
            assert never.stop() is False
            assert client.stop() is False
            with pytest.raises(InvalidArgumentError, match="closed before its question went out"):
                await task
            assert await client.ask("hi", model="hello").text() == "".join(HELLO)
            assert not any("never" in line for line in sent(client))

    run(main())


def test_the_clients_stop_is_of_the_last_question_that_still_waits(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            first, second, third = (client.ask("hi", model=model) for model in (ENDLESS, "hello", "hello"))
            await third.close()
            assert await second.text() == "".join(HELLO)
            assert client.stop() is True
            assert client.stop() is False
            assert first.stop() is False
            assert (await first.wait()).outcome is Outcome.STOPPED

    run(main())


def test_nothing_is_stopped_while_it_closes(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        async with connected(loopback) as client:
            never = client.ask("never", model="hello")
            closing = asyncio.create_task(client.close())
            await asyncio.sleep(0)
            assert client.stop() is False
            assert never.stop() is False
            await closing

    run(main())


@pytest.mark.parametrize("of_the_client", [True, False])
def test_a_stop_before_anything_is_taken(run: Run[None], loopback: Loopback, of_the_client: bool) -> None:
    async def main() -> None:
        async with connected(loopback) as client:

            async def stopped(turn: int) -> None:
                stream = client.ask("hi", model=ENDLESS)
                stop = client.stop if of_the_client else stream.stop
                assert stop() is True
                assert stop() is False
                answer = await stream.wait()
                assert (answer.outcome, answer.turn) == (Outcome.STOPPED, turn)

            await stopped(1)
            # Behind one that was left, too, which has its end first.
            await leave_by_break(client.ask("hi", model=ENDLESS))
            await stopped(3)
            assert sum('"stop"' in line for line in sent(client)) == 3 + client.counters.repeated_stops

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
