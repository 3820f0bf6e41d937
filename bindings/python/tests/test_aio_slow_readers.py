"""A reader on asyncio that is slow, and a server that is."""

from __future__ import annotations

import asyncio
import json

import pytest
from aio_support import (
    Clock,
    connected,
    is_paused,
    link_of,
    listening,
    talk,
    text_frame,
    until,
    until_it_goes,
)
from memory import Server
from support import ENDLESS, Run

from pychatnio import (
    AsyncClient,
    Config,
    Delta,
    End,
    Interruption,
    Loopback,
    Malformed,
    Outcome,
    Request,
    State,
    UnsentError,
)
from pychatnio.aio.driver import MOST_EVENTS


def test_a_slow_reader(run: Run[None], loopback: Loopback) -> None:
    async def main() -> None:
        count = 50_000
        async with connected(loopback, Config(max_recording=0)) as client:
            stream = client.ask("hi", model=f"long-{count}")
            pieces = stream.__aiter__()
            assert await pieces.__anext__() == "piece "
            # Nobody takes anything: the server is pushed back on, and what waits is bounded.
            await until(lambda: is_paused(client))
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
            await until(lambda: is_paused(client))
            # No deadline counts meanwhile.
            assert not link_of(client).is_armed
            clock.put_forward(1000)
            for _ in range(100):
                await asyncio.sleep(0)
            assert not link_of(client).is_armed
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
            await until(lambda: is_paused(client))
            del pieces
            # Else its end would never be read.
            await stream.close()
            assert stream.answer is not None
            assert stream.answer.outcome is Outcome.STOPPED
            stream = client.ask("hi", model=ENDLESS)
            pieces = stream.__aiter__()
            await pieces.__anext__()
            await until(lambda: is_paused(client))
        assert stream.answer is not None
        assert stream.answer.interruption is Interruption.CLOSED_BY_HOST

    run(main())


def test_after_a_pause_deadlines_count_again(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)

    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            server = Server()
            await talk(server, reader, writer, 2)
            # So many that the last one makes the client pause: nothing is left in the socket, and nothing comes.
            for _ in range(MOST_EVENTS):
                server.send('{"message":"x"}')
            writer.write(server.data_to_send())
            await talk(server, reader, writer)

        config = Config(next_frame=3600, keep_alive=0, ping_after=0)
        async with listening(serve) as url, AsyncClient(url, config=config) as client:
            async with client.ask("hi") as stream:
                await until(lambda: is_paused(client))
                clock.put_forward(4000)
                await asyncio.sleep(0)
                assert client.state is State.ANSWERING
                events = stream.events()
                deltas = [await events.__anext__()]
                # From here on it is the server that is late.
                clock.put_forward(4000)
                *more, end = [event async for event in events]
                assert len(deltas + more) == MOST_EVENTS
                assert all(isinstance(delta, Delta) for delta in deltas + more)
                assert isinstance(end, End)
                assert end.answer.interruption is Interruption.NEXT_FRAME_DEADLINE

    run(main())


def test_what_waits_up_to_its_end_does_not_hold_up_the_next(run: Run[None]) -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            server = Server()
            await talk(server, reader, writer, 2)
            # With the end it is as much as makes the client pause.
            for _ in range(MOST_EVENTS - 1):
                server.send('{"message":"x"}')
            server.send('{"quota":0.1,"end":true}')
            writer.write(server.data_to_send())
            await talk(server, reader, writer, 3)
            server.send('{"message":"y","quota":0.1,"end":true}')
            writer.write(server.data_to_send())
            await talk(server, reader, writer)

        async with listening(serve) as url, AsyncClient(url) as client:
            async with client.ask("hi"):
                await until(lambda: client.state is State.IDLE)
                assert not is_paused(client)
            # Nobody has taken anything of it.
            assert await client.ask("next").text() == "y"

    run(main())


def test_a_server_that_reads_nothing(run: Run[None]) -> None:
    async def main() -> None:
        server, reads = Server(), asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            server.receive(await reader.readuntil(b"\r\n\r\n"))
            writer.write(server.data_to_send())
            await reads.wait()
            await talk(server, reader, writer)

        # No deadline makes it send, either.
        config = Config(handshake=0, keep_alive=0, ping_after=0, max_request=2**20)
        async with listening(serve) as url, AsyncClient(url, config=config) as client:
            request = Request.mask([("user", "x" * 250_000)])
            count = 0
            try:
                with pytest.raises(UnsentError):
                    while count < 100:
                        await client.request(request)
                        count += 1
                # The transport has not taken what the library keeps.
                transport = link_of(client).transport
                assert transport is not None
                assert transport.get_write_buffer_size() < 1_000_000 < client.memory
            finally:
                reads.set()
            # Nothing is lost.
            await until(lambda: len(server.messages) == 1 + count)

    run(main())


def test_what_waits_for_a_slow_reader_is_bounded_in_bytes(run: Run[None]) -> None:
    frame = text_frame(json.dumps({"message": "a", "more": "x" * 500_000}))

    async def main() -> None:
        async with listening(lambda reader, writer: until_it_goes(reader, writer, frame)) as url:
            async with AsyncClient(url) as client:
                events = client.ask("hi").events()
                await events.__anext__()
                await until(lambda: is_paused(client))
                assert client._driver.turn is not None
                assert len(client._driver.turn.events) < 20
                # Taking them lets more come.
                for _ in range(100):
                    await events.__anext__()
                del events

    run(main())


def test_a_flood_does_not_hold_up_a_deadline(run: Run[None]) -> None:
    frame = text_frame("x") * 5000

    async def main() -> None:
        async with listening(lambda reader, writer: until_it_goes(reader, writer, frame)) as url:
            async with AsyncClient(url, config=Config(first_frame=5, close=0.1)) as client:
                stream = client.ask("hi")
                events = stream.events()
                assert isinstance(await events.__anext__(), Malformed)
                *_, end = [event async for event in events if isinstance(event, End)]
                assert end.answer.interruption is Interruption.FIRST_FRAME_DEADLINE

    run(main())


def test_very_many_frames_of_one_message(run: Run[None]) -> None:
    count = 200_000

    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            server = Server()
            await talk(server, reader, writer, 2)
            server.send('{"message":"x"}' * count)
            server.send('{"quota":0.1,"end":true}')
            writer.write(server.data_to_send())
            await talk(server, reader, writer)

        async with listening(serve) as url, AsyncClient(url, config=Config(max_recording=0)) as client:
            stream = client.ask("hi")
            pieces = stream.__aiter__()
            assert await pieces.__anext__() == "x"
            # Nobody takes anything: what waits is bounded, and the loop goes on.
            await until(lambda: is_paused(client))
            assert stream._turn is not None
            assert 0 < len(stream._turn.events) < 2 * MOST_EVENTS
            # Nothing is lost.
            rest, most = 0, 0
            async for _ in pieces:
                rest += 1
                most = max(most, len(stream._turn.events))
                if rest % 1000 == 0:
                    await asyncio.sleep(0)
            assert rest == count - 1
            assert most < 2 * MOST_EVENTS
            assert stream.answer is not None
            assert stream.answer.outcome is Outcome.COMPLETE

    run(main())


def test_frames_of_one_message_hold_up_no_deadline(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    count = 50_000

    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            server = Server()
            await talk(server, reader, writer, 2)
            server.send('{"end":1}' * count)
            writer.write(server.data_to_send())
            await talk(server, reader, writer)

        config = Config(first_frame=3600, keep_alive=0, ping_after=0, close=3600, max_recording=0)
        async with listening(serve) as url:
            client = AsyncClient(url, config=config)
            await client.connect()
            stream = client.ask("hi")
            events = stream.events()
            assert isinstance(await events.__anext__(), Malformed)
            clock.put_forward(4000)
            *more, end = [event async for event in events]
            assert isinstance(end, End)
            assert end.answer.interruption is Interruption.FIRST_FRAME_DEADLINE
            # Some that have come go first, as a host may have been busy.
            assert len(more) < count / 2
            # Nor do they hold up a close.
            closing = asyncio.create_task(client.close())
            await asyncio.sleep(0)
            clock.put_forward(4000)
            await closing
            assert client.counters.malformed < count

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
                    await until(lambda: is_paused(client))
                    clock.put_forward(1000)
                    while client._driver.turn is not None and client._driver.turn.events:
                        await events.__anext__()
                    assert isinstance(await events.__anext__(), Delta)
                assert client.state is State.ANSWERING
                del events

    run(main())
