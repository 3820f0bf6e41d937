"""An independent peer: the server of the package `websockets`, on a socket, playing transcripts to both clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE, Certificates, Run
from event_log import EventLog
from test_transcripts import FOLDER, TRANSCRIPTS, expected
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from pychatnio import (
    AnswerInterruptedError,
    AsyncClient,
    Client,
    CloseReason,
    Config,
    ConnectionClosedError,
    End,
    Interruption,
    Replay,
    Request,
    Session,
    State,
    Status,
    StepKind,
    Stray,
    Transcript,
)

Serve = Callable[[ServerConnection], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(handler: Serve, **settings: Any) -> AsyncGenerator[str, None]:
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
def serving_in_a_thread(handler: Serve, **settings: Any) -> Generator[str, None, None]:
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
            # Below, a step is one event.
            if session.handle_timeout(now=0) is not None:
                return False
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
            elif step.kind is StepKind.CLOSED and client.answer is None:
                with pytest.raises(ConnectionClosedError):
                    client.next(PATIENCE)
            else:
                event = client.next(PATIENCE)
                assert event is not None
                log.event(event, step.line)
        if client.answer is not None and client.state is not State.CLOSED:
            # It is ended by the client's end, which nobody waits for.
            wanted.pop()
    assert str(log) == "".join(wanted)


@dataclass
class Asked:
    """A question of a transcript."""

    request: Request
    #: How many frames of its answer come, those that stray not counted.
    frames: int = 0
    #: How many of these come before its stop; `None` for no stop.
    stop_after: int | None = None
    #: Whether the answer ends, or the connection.
    ends: bool = False


def questions(path: Path) -> list[Asked]:
    """What a transcript asks."""
    written = path.read_text().splitlines()
    replay = Replay(Transcript.load(path))
    session = Session(replay.auth(), now=0)
    asked: list[Asked] = []
    while (step := replay.next_step(session.state)) is not None:
        if step.request is not None:
            message, _ = json.JSONDecoder().raw_decode(written[step.line - 1].partition("SEND")[2].lstrip())
            kind, text = message.pop("type", "chat"), message.pop("message", "")
            if kind == "stop":
                asked[-1].stop_after = asked[-1].frames
            else:
                asked.append(Asked(Request.restart(**message) if kind == "restart" else Request.chat(text, **message)))
            session.request(step.request, now=0)
        elif step.kind is StepKind.RECEIVE:
            event = session.receive(step.text or "", now=0)
            if asked and not isinstance(event, Stray):
                asked[-1].frames += 1
                asked[-1].ends |= isinstance(event, End)
        else:
            asked[-1].ends = True
    return asked


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
            for asked in questions(path):
                stream = client.ask(asked.request)
                events = stream.events()
                frames = 0
                while True:
                    if frames == asked.stop_after and frames > 0:
                        assert stream.stop()
                    if frames == asked.frames and not asked.ends:
                        await client.close()
                    event = await anext(events, None)
                    if event is None:
                        break
                    log.event(event)
                    frames += not isinstance(event, Stray)
        assert told(str(log)) == told(expected(path))

    run(main())


# What our own server does not do.


async def asked(connection: ServerConnection) -> None:
    """Waits for a question."""
    while '"message"' not in str(await connection.recv()):
        pass


async def closing(connection: ServerConnection) -> None:
    """Closes in the middle of an answer, with the code and reason that the question names."""
    await connection.recv()
    code, reason = json.loads(json.loads(await connection.recv())["message"])
    await connection.send('{"message":"Hel","quota":0.5}')
    await connection.close(code, reason)


CLOSES = [(1000, ""), (1001, "going away"), (1011, "broken"), (4000, "ours")]


@pytest.mark.parametrize(("code", "reason"), CLOSES)
def test_closed_in_the_middle(code: int, reason: str) -> None:
    with serving_in_a_thread(closing) as url, Client(url) as client:
        stream = client.ask(json.dumps([code, reason]))
        with pytest.raises(AnswerInterruptedError) as caught:
            list(stream)
        answer = caught.value.answer
        assert (answer.text, answer.quota) == ("Hel", 0.5)
        assert answer.interruption is Interruption.CLOSED_BY_SERVER
        cause = caught.value.__cause__
        assert isinstance(cause, ConnectionClosedError)
        assert (cause.status, cause.code) == (Status.CLOSED_BY_SERVER, code)
        assert str(code) in str(cause)
        assert reason in str(cause)
        with pytest.raises(ConnectionClosedError) as closed:
            client.ask("again")
        assert (closed.value.status, closed.value.code) == (Status.CLOSED_BY_SERVER, code)
        # The server takes it in again.
        client.reconnect()
        with pytest.raises(AnswerInterruptedError):
            client.ask(json.dumps([code, reason])).text()


def test_closed_in_the_middle_on_asyncio(run: Run[None]) -> None:
    async def main() -> None:
        async with serving(closing) as url, AsyncClient(url) as client:
            for code, reason in CLOSES:
                with pytest.raises(AnswerInterruptedError) as caught:
                    await client.ask(json.dumps([code, reason])).text()
                assert caught.value.answer.text == "Hel"
                cause = caught.value.__cause__
                assert isinstance(cause, ConnectionClosedError)
                assert (cause.status, cause.code) == (Status.CLOSED_BY_SERVER, code)
                assert reason in str(cause)
                with pytest.raises(ConnectionClosedError) as closed:
                    await client.ask("again").text()
                assert (closed.value.status, closed.value.code) == (Status.CLOSED_BY_SERVER, code)
                await client.connect()

    run(main())


async def cutting(connection: ServerConnection) -> None:
    """Drops the socket in the middle of a frame."""
    await asked(connection)
    await connection.send('{"message":"Hel","quota":0.5}')
    connection.transport.write(b"\x81\x20{")
    connection.transport.close()


def test_cut_in_the_middle_of_a_frame(run: Run[None]) -> None:
    with serving_in_a_thread(cutting) as url, Client(url) as client:
        with pytest.raises(AnswerInterruptedError) as caught:
            client.ask("hi").text()
        assert caught.value.answer.text == "Hel"
        assert caught.value.answer.interruption is Interruption.CONNECTION_LOST
        assert isinstance(caught.value.__cause__, ConnectionClosedError)

    async def main() -> None:
        async with serving(cutting) as url, AsyncClient(url) as client:
            with pytest.raises(AnswerInterruptedError) as caught:
                await client.ask("hi").text()
            assert caught.value.answer.text == "Hel"
            assert isinstance(caught.value.__cause__, ConnectionClosedError)

    run(main())


async def resetting(connection: ServerConnection) -> None:
    """Resets the socket, as a machine does that has crashed."""
    await asked(connection)
    await connection.send('{"message":"Hel","quota":0.5}')
    sock = connection.transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.transport.abort()


def test_reset(run: Run[None]) -> None:
    def check(error: AnswerInterruptedError) -> None:
        assert error.answer.interruption is Interruption.CONNECTION_LOST
        cause = error.__cause__
        assert isinstance(cause, ConnectionClosedError)
        assert cause.status is Status.IO
        assert "reset" in str(cause).lower()

    with serving_in_a_thread(resetting) as url, Client(url) as client:
        with pytest.raises(AnswerInterruptedError) as caught:
            client.ask("hi").text()
        check(caught.value)

    async def main() -> None:
        async with serving(resetting) as url, AsyncClient(url) as client:
            with pytest.raises(AnswerInterruptedError) as caught:
                await client.ask("hi").text()
            check(caught.value)

    run(main())


async def fragmenting(connection: ServerConnection) -> None:
    """Sends a message in pieces that are split in the middle of a character, with pings between them."""
    await asked(connection)
    message = '{"message":"é☺😀","quota":1}'.encode()
    for end in ('{"message":"","quota":1,"end":true}',):

        async def pieces() -> AsyncIterator[bytes]:
            for at in range(len(message)):
                yield message[at : at + 1]
                await connection.ping()

        await connection.send(pieces(), text=True)
        pong = await connection.ping()
        await pong
        await connection.send(end)
    await connection.wait_closed()


def test_fragments_and_pings(run: Run[None]) -> None:
    with serving_in_a_thread(fragmenting) as url, Client(url) as client:
        assert client.ask("hi").text() == "é☺😀"

    async def main() -> None:
        async with serving(fragmenting) as url, AsyncClient(url) as client:
            assert await client.ask("hi").text() == "é☺😀"

    run(main())


LIMITED = Config(max_message=2**20)


async def talking(connection: ServerConnection) -> None:
    """Says too much at once."""
    await asked(connection)
    await connection.send('{"message":"' + "x" * 2**21 + '","quota":1}')
    await connection.wait_closed()


def test_a_message_over_the_limit(run: Run[None]) -> None:
    def check(error: AnswerInterruptedError) -> None:
        assert error.answer.interruption is Interruption.MESSAGE_TOO_LONG

    with serving_in_a_thread(talking) as url:
        with Client(url, config=LIMITED) as client, pytest.raises(AnswerInterruptedError) as caught:
            client.ask("hi").text()
        check(caught.value)
        with Client(url) as client:
            assert len(next(iter(client.ask("hi")))) == 2**21

    async def main() -> None:
        async with serving(talking) as url, AsyncClient(url, config=LIMITED) as client:
            with pytest.raises(AnswerInterruptedError) as caught:
                await client.ask("hi").text()
            check(caught.value)

    run(main())


async def answering(connection: ServerConnection) -> None:
    """Answers each question by its own text, word by word."""
    async for message in connection:
        request = json.loads(message)
        if "message" in request:
            for word in request["message"].split():
                await connection.send(json.dumps({"message": word + " ", "quota": 1}))
            await connection.send('{"message":"","quota":1,"end":true}')


def test_in_tls(run: Run[None], certificates: Certificates) -> None:
    with serving_in_a_thread(answering, ssl=certificates.server("127.0.0.1")) as url:
        for _ in range(2):
            with Client(url, "sk-any", config=certificates.config()) as client:
                assert list(client.ask("a b c")) == ["a ", "b ", "c "]

    async def main() -> None:
        async with serving(answering, ssl=certificates.server("127.0.0.1")) as url:
            async with AsyncClient(url, "sk-any", config=certificates.config()) as client:
                assert [piece async for piece in client.ask("a b c")] == ["a ", "b ", "c "]

    run(main())


def test_many_at_once(run: Run[None]) -> None:
    async def chat(url: str, config: Config, at: int) -> None:
        async with AsyncClient(url, "sk-any", config=config) as client:
            for turn in range(3):
                text = " ".join(f"{at}.{turn}.{word}" for word in range(20)) + " "
                assert await client.ask(text).text() == text

    async def main() -> None:
        # All of them answer and ask in one loop: on a busy machine a handshake takes long.
        config = Config(connect=PATIENCE, handshake=PATIENCE)
        async with serving(answering) as url:
            await asyncio.gather(*(chat(url, config, at) for at in range(100)))

    run(main())


def test_large_questions(run: Run[None]) -> None:
    # More than any buffer of a socket takes at once.
    text = ("x" * 999 + " ") * 900

    with serving_in_a_thread(answering) as url, Client(url) as client:
        assert client.ask(text).text() == text

    async def main() -> None:
        async with serving(answering) as url, AsyncClient(url) as client:
            assert await client.ask(text).text() == text

    run(main())


def test_the_handshake(run: Run[None]) -> None:
    seen: list[Any] = []

    async def look(connection: ServerConnection) -> None:
        seen.append(connection.request)
        await connection.wait_closed()

    async def main() -> None:
        async with serving(look) as url:
            for path in ("", "/api", "/elsewhere/x"):
                async with AsyncClient(url + path, "sk-secret", config=Config(headers={"X-One": "1"})):
                    pass
        assert [request.path for request in seen] == ["/chat", "/api/chat", "/elsewhere/x"]
        for request in seen:
            assert request.headers["X-One"] == "1"
            assert "Sec-WebSocket-Extensions" not in request.headers
            assert "sk-secret" not in str(request.headers)

    run(main())
