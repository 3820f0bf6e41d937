"""An independent peer: the server of the package `websockets`, on a socket, playing transcripts to both clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PATIENCE, Certificates, Run
from event_log import EventLog
from test_transcripts import FOLDER, TRANSCRIPTS, expected
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from pychatnio import (
    AnswerInterruptedError,
    AsyncAnswerStream,
    AsyncClient,
    Client,
    Closed,
    CloseReason,
    Config,
    ConnectionClosedError,
    End,
    Interruption,
    Replay,
    Request,
    RequestType,
    Session,
    Status,
    StepKind,
    Stray,
    Transcript,
)

Serve = Callable[[ServerConnection], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(handler: Serve, **settings: Any) -> AsyncIterator[str]:
    """A server of `websockets` in the running loop; gives its URL."""

    async def handle(connection: ServerConnection) -> None:
        # Whoever hangs up is done.
        with contextlib.suppress(ConnectionClosed):
            await handler(connection)

    async with serve(handle, "127.0.0.1", 0, ping_interval=None, **settings) as server:
        (sock,) = server.sockets
        scheme = "ws" if settings.get("ssl") is None else "wss"
        yield f"{scheme}://127.0.0.1:{sock.getsockname()[1]}"


@contextlib.contextmanager
def serving_in_a_thread(handler: Serve, **settings: Any) -> Iterator[str]:
    """The same for a client that blocks."""
    ready = threading.Event()
    loop: asyncio.AbstractEventLoop | None = None
    done: asyncio.Event | None = None
    url = ""

    async def main() -> None:
        nonlocal loop, done, url
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        async with serving(handler, **settings) as where:
            url = where
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    try:
        assert ready.wait(PATIENCE)
        yield url
    finally:
        if loop is not None and done is not None:
            loop.call_soon_threadsafe(done.set)
        thread.join(PATIENCE)
        assert not thread.is_alive()


def lines(path: Path) -> list[tuple[str, str]]:
    """What was sent (`>`), received (`<`), and whether the server hung up (`!`), in order."""
    found: list[tuple[str, str]] = []
    for line in str(Transcript.load(path)).splitlines():
        mark, _, rest = line.partition(" ")
        if mark in ("<", ">", "!"):
            found.append((mark, rest.partition(" ")[2]))
    return found


def is_played(path: Path) -> bool:
    """Whether a client sends just what a transcript says: the server below waits for each message."""
    replay = Replay(Transcript.load(path))
    session = Session(replay.auth(), now=0)
    sent = 0
    while (step := replay.next_step(session.state)) is not None:
        if step.kind is StepKind.WARNING:
            return False
        if step.request is not None:
            session.request(step.request, now=0)
        elif step.kind is StepKind.RECEIVE:
            session.receive(step.text or "", now=0)
        else:
            session.closed(CloseReason.SERVER)
        while session.next_message() is not None:
            sent += 1
    return sent == sum(mark == ">" for mark, _ in lines(path))


PLAYED = [path for path in TRANSCRIPTS if is_played(path)]

each_played = pytest.mark.parametrize("path", PLAYED, ids=lambda path: str(path.relative_to(FOLDER)))


def test_most_transcripts_are_played() -> None:
    # The others have requests that no client sends.
    assert len(PLAYED) >= 25


def playing(path: Path) -> Serve:
    """The server's side of a transcript: it waits for each message, and says what was said."""

    async def play(connection: ServerConnection) -> None:
        assert connection.request is not None
        assert connection.request.path == "/chat"
        for mark, message in lines(path):
            if mark == ">":
                received = json.loads(await connection.recv())
                sent = json.loads(message)
                assert received.get("type", "chat") == sent.get("type", "chat")
                assert ("token" in received) == ("token" in sent)
            elif mark == "<":
                await connection.send(message + "\n")
            else:
                connection.transport.close()
        await connection.wait_closed()

    return play


#: Some transcripts begin with what the server says to the authentication alone.
AT_ONCE = Config(auth_at_once=True)


@each_played
def test_transcripts_by_a_client(path: Path) -> None:
    log = EventLog()
    replay = Replay(Transcript.load(path))
    wanted = expected(path).splitlines(keepends=True)
    with serving_in_a_thread(playing(path)) as url, Client(url, replay.auth(), config=AT_ONCE) as client:
        while (step := replay.next_step(client.state)) is not None:
            if step.request is not None:
                client.request(step.request)
            else:
                event = client.next(PATIENCE)
                assert event is not None
                log.event(event, step.line if step.kind is StepKind.RECEIVE else None)
        if client.answer is not None:
            # It is ended by the client's end, which nobody waits for.
            wanted.pop()
    assert str(log) == "".join(wanted)


def requests(path: Path) -> Iterator[tuple[Request | None, int | None]]:
    """The questions of a transcript, each with how many frames come before its stop; `None` for no stop."""
    request: Request | None = None
    frames, stop_after = 0, None
    for mark, message in lines(path):
        frame = json.loads(message) if mark == ">" else {}
        kind = frame.pop("type", "chat")
        if mark == "<":
            frames += 1
        elif kind == "stop":
            stop_after = frames
        elif mark == ">" and "token" not in frame:
            if request is not None:
                yield request, stop_after
            frames, stop_after = 0, None
            request = Request.restart(**frame) if kind == "restart" else Request.chat(frame.pop("message"), **frame)
    yield request, stop_after


@each_played
def test_transcripts_by_an_async_client(run: Run[None], path: Path) -> None:
    # It hands out the events of its answers: what strays between two, it does not tell of.
    def told(text: str) -> list[str]:
        return [line for line in text.splitlines() if not line.startswith(('{"event":"stray"', '{"event":"warning"'))]

    async def main() -> None:
        log = EventLog()
        async with (
            serving(playing(path)) as url,
            AsyncClient(url, Replay(Transcript.load(path)).auth(), config=AT_ONCE) as client,
        ):
            streams: list[AsyncAnswerStream] = []
            for request, stop_after in requests(path):
                assert request is not None
                stream = client.ask(request)
                streams.append(stream)
                frames = 0
                events = stream.events()
                if stop_after == 0:
                    async with stream:
                        stream.stop()
                async for event in events:
                    log.event(event)
                    frames += not isinstance(event, Stray)
                    if frames == stop_after:
                        assert client.stop()
        assert told(str(log)) == told(expected(path))

    run(main())
