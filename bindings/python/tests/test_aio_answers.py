"""What an asynchronous client answers, in both kinds of loops, against the loopback server."""

from __future__ import annotations

import asyncio

import pytest
from aio_support import connected, link_of, opened, until
from support import ENDLESS, HELLO, Run, sent

from pychatnio import (
    Answer,
    AnswerInterruptedError,
    AsyncClient,
    BusyError,
    Config,
    ConnectionClosedError,
    Delta,
    End,
    Interruption,
    InvalidRequestError,
    Loopback,
    Malformed,
    NoticeError,
    Opened,
    Outcome,
    Request,
    RequestType,
    State,
    Status,
    StopRepeated,
)


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
        transport = link_of(client).transport
        async with client:
            assert link_of(client).transport is transport
            assert await client.ask("hi", model="hello").text() == "".join(HELLO)
            assert await client.reconnect() is None
            assert link_of(client).transport is not transport

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
            # On a busy machine the stop may have been repeated meanwhile.
            assert [type(event) for event in rest if not isinstance(event, StopRepeated)] == [End]
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
                assert repr(stream).startswith("<AsyncAnswerStream: not ended: iterate over it")
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
            # Held for a moment after the end; the server could lose it.
            for _ in range(200):
                if "remove" in sent(client)[-1]:
                    break
                await asyncio.sleep(0.05)
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


def test_an_answer_that_is_not_over_in_time(run: Run[None]) -> None:
    async def main(server: Loopback) -> None:
        async with connected(server) as client:
            with pytest.raises(AnswerInterruptedError) as caught:
                await client.ask("hi", model="silent", answer_within=0.05).text()
            assert caught.value.answer.interruption is Interruption.ANSWER_DEADLINE

    with Loopback(pace=0) as server:
        run(main(server))
