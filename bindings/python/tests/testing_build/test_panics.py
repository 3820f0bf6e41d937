"""A panic inside the library, in every call that can tell: it becomes an InternalError that says what and where; the
object is of no more use, and frees itself; all others go on; and standard error stays empty.

These need a build with PYCHATNIO_TESTING=1, and fail without it: see the target `python-tests` of the Makefile.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support import PATIENCE
from memory import START, Link, Server

from pychatnio import (
    AsyncClient,
    Auth,
    Client,
    Config,
    Connection,
    InternalError,
    Loopback,
    Open,
    Replay,
    Request,
    Session,
    State,
    Status,
    Transcript,
)
from pychatnio._native import lib

TEXT = '> SEND {"token":"sk-...","id":-1}\n> SEND {"message":"hi"}\n< RECV {"message":"x","end":true}\n'
HI = Request.chat

panic_next: Callable[[], None] = lib.chatnio_testing_panic_next
live_handles: Callable[[], int] = lib.chatnio_testing_live_handles


@pytest.fixture(autouse=True)
def _nothing_is_left(request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Every handle that a test has made is freed with its variables; and nothing is printed."""
    before = live_handles()
    yield
    gc.collect()
    # What a failed test has made, its traceback keeps.
    assert live_handles() <= before or request.session.testsfailed
    assert capfd.readouterr() == ("", "")


def panics(call: Callable[[], object]) -> InternalError:
    """The call panics inside. It is made by a thread of its own: for the main one another thread connects, so that Ctrl-C
    gets through, and a panic is of one thread."""
    errors: list[InternalError] = []

    def run() -> None:
        panic_next()
        with pytest.raises(InternalError) as caught:
            call()
        errors.append(caught.value)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    (error,) = errors
    assert error.status is Status.PANIC
    return error


def told(error: InternalError) -> None:
    """What and where it was."""
    assert "injected for a test" in str(error)
    assert ".rs:" in str(error)


SESSION: dict[str, Callable[[Session], object]] = {
    "request": lambda session: session.request(HI("hi"), now=START),
    "stop": lambda session: session.stop(now=START),
    "receive": lambda session: session.receive("{}", now=START),
    "receive_binary": lambda session: session.receive_binary(now=START),
    "next_message": lambda session: session.next_message(),
    "deadline": lambda session: session.deadline,
    "handle_timeout": lambda session: session.handle_timeout(now=START),
    "closed": lambda session: session.closed(),
    "reconnect": lambda session: session.reconnect(now=START),
    "state": lambda session: session.state,
    "answer": lambda session: session.answer,
    "conversation": lambda session: session.conversation,
    "counters": lambda session: session.counters,
    "memory": lambda session: session.memory,
    "transcript": lambda session: session.transcript(),
}

CONNECTION: dict[str, Callable[[Connection], object]] = {
    "host": lambda connection: connection.host,
    "port": lambda connection: connection.port,
    "request": lambda connection: connection.request(HI("hi"), now=START),
    "stop": lambda connection: connection.stop(now=START),
    "close": lambda connection: connection.close(now=START),
    "receive": lambda connection: connection.receive(b"x", now=START),
    "eof": lambda connection: connection.eof(now=START),
    "failed": lambda connection: connection.failed(104, now=START),
    "handle_timeout": lambda connection: connection.handle_timeout(now=START),
    "events": lambda connection: next(connection.events(), None),
    "data_to_send": lambda connection: connection.data_to_send(),
    "transmit": lambda connection: connection.transmit(),
    "transmitted": lambda connection: connection.transmitted(0),
    "wants": lambda connection: connection.wants,
    "refusal_body": lambda connection: connection.refusal_body,
    "reconnect": lambda connection: connection.reconnect(now=START),
    "state": lambda connection: connection.state,
    "answer": lambda connection: connection.answer,
    "conversation": lambda connection: connection.conversation,
    "counters": lambda connection: connection.counters,
    "memory": lambda connection: connection.memory,
    "transcript": lambda connection: connection.transcript(),
}

CLIENT: dict[str, Callable[[Client], object]] = {
    "ask": lambda client: client.ask("hi"),
    "restart": lambda client: client.restart(),
    "request": lambda client: client.request(HI("hi")),
    "next": lambda client: client.next(0),
    "close": lambda client: client.close(),
    "reconnect": lambda client: client.reconnect(),
    "state": lambda client: client.state,
    "answer": lambda client: client.answer,
    "conversation": lambda client: client.conversation,
    "counters": lambda client: client.counters,
    "memory": lambda client: client.memory,
    "transcript": lambda client: client.transcript(),
}

#: What does not come by this way: it makes and frees, or is for any thread.
OTHERS = {
    Session: {"free"},
    Connection: {"free"},
    # `stop` has nobody to tell: it says that no stop was sent.
    Client: {"is_connected", "stop"},
}


@pytest.mark.parametrize(("of", "calls"), [(Session, SESSION), (Connection, CONNECTION), (Client, CLIENT)])
def test_none_is_forgotten(of: type, calls: dict[str, Any]) -> None:
    public = {name for name in dir(of) if not name.startswith("_")}
    assert public - OTHERS[of] == set(calls)


def check(made: Any, call: Callable[[Any], object], calls: dict[str, Callable[[Any], object]]) -> None:
    """One call panics; then all are refused, with what it has said."""
    told(panics(lambda: call(made)))
    for again in calls.values():
        with pytest.raises(InternalError) as caught:
            again(made)
        told(caught.value)


@pytest.mark.parametrize("name", SESSION)
def test_a_session(name: str) -> None:
    other = Session(now=START)
    session = Session(config=Config(record=True), now=START)
    # What builds a request is not what is to panic.
    request = Request.chat("hi")
    calls: dict[str, Callable[[Session], object]] = {
        **SESSION,
        "request": lambda session: session.request(request, now=START),
    }
    check(session, calls[name], calls)
    session.free()
    other.request(request, now=START)
    assert other.state is State.ASKING


@pytest.mark.parametrize("name", CONNECTION)
def test_a_connection(name: str) -> None:
    link = Link(Connection("ws://localhost", config=Config(record=True), now=START), Server())
    assert [type(event) for event in link.exchange()] == [Open]
    request = Request.chat("hi")
    calls: dict[str, Callable[[Connection], object]] = {
        **CONNECTION,
        "request": lambda connection: connection.request(request, now=START),
    }
    check(link.connection, calls[name], calls)
    link.connection.free()


@pytest.mark.parametrize("name", CLIENT)
def test_a_client(name: str) -> None:
    with Loopback(pace=0) as server:
        request = Request.chat("hi")
        restart = Request.restart()
        calls: dict[str, Callable[[Client], object]] = {
            **CLIENT,
            "ask": lambda client: client.ask(request),
            "restart": lambda client: client.ask(restart),
            "request": lambda client: client.request(request),
        }
        with Client(server.url, "sk-any") as other:
            client = Client(server.url, "sk-any", config=Config(record=True))
            check(client, calls[name], calls)
            assert client.stop() is False
            del client
            assert other.ask("hi", model="hello").text() == "Hello! How can I help?"


def test_in_the_middle_of_an_answer() -> None:
    with Loopback(pace=0) as server:
        with Client(server.url, "sk-any") as client:
            stream = client.ask("hi", model="long-100000")
            with pytest.raises(InternalError):
                for at, _ in enumerate(stream):
                    if at == 500:
                        panic_next()
            assert stream.answer is None
            with pytest.raises(InternalError):
                client.close()
            client._free()


def test_what_makes_them() -> None:
    auth, config = Auth("sk-any"), Config()
    with Loopback(pace=0) as server:
        told(panics(lambda: Session(auth, config=config, now=START)))
        told(panics(lambda: Connection("ws://localhost", auth, config=config, now=START)))
        # Its stopper is there first, and has no text of its own.
        assert "failed in itself" in str(panics(lambda: Client(server.url, auth, config=config)))
        told(panics(lambda: AsyncClient("ws://localhost", auth)))
    told(panics(lambda: Transcript(TEXT)))
    for make in (lambda: Auth("sk-any"), lambda: Request.chat("hi"), Request.restart, Config):
        assert "failed in itself" in str(panics(make))


def test_configurations() -> None:
    config = Config()
    told(panics(config.load_roots))
    with pytest.raises(InternalError):
        config.load_roots()
    with pytest.raises(InternalError):
        Session(config=config, now=START)


def test_transcripts() -> None:
    transcript = Transcript(TEXT)
    panics(lambda: str(transcript))
    with pytest.raises(InternalError):
        str(transcript)
    with pytest.raises(InternalError):
        Replay(transcript)
    transcript = Transcript(TEXT)
    panics(lambda: Replay(transcript))
    transcript = Transcript(TEXT)
    replay = Replay(transcript)
    panics(lambda: replay.next_step(State.IDLE))
    with pytest.raises(InternalError):
        replay.auth()
    replay = Replay(transcript)
    panics(replay.auth)
    with pytest.raises(InternalError):
        replay.next_step(State.IDLE)
    assert len(list(transcript.events())) == 1


def test_nothing_hangs_on_asyncio() -> None:
    async def main(url: str, where: str) -> None:
        async with AsyncClient(url, "sk-any") as other:
            client = AsyncClient(url, "sk-any")
            await client.connect()
            stream = client.ask("hi", model="silent")
            events = stream.events()
            await anext(events)
            reading = asyncio.create_task(anext(events, None))
            await asyncio.sleep(0)
            if where == "in a call":
                panic_next()
                with pytest.raises(InternalError):
                    client.stop()
            else:
                # The next call is that which takes what the server has to say.
                client.stop()
                panic_next()
            with pytest.raises(InternalError):
                await reading
            for call in (client.ask("hi").text, lambda: client.request(Request.share("x"))):
                with pytest.raises(InternalError):
                    await call()
            with pytest.raises(InternalError):
                await client.connect()
            # It says so, too, and it ends.
            with contextlib.suppress(InternalError):
                await client.close()
            assert await other.ask("hi", model="hello").text() == "Hello! How can I help?"

    for where in ("in a call", "in a callback"):
        with Loopback(pace=0) as server:
            asyncio.run(asyncio.wait_for(main(server.url, where), PATIENCE))
        gc.collect()


def test_handles_are_counted() -> None:
    # What the other tests rely on.
    before = live_handles()
    kept = [Session(now=START), Connection("ws://localhost", now=START), Request.chat("x"), Transcript(TEXT)]
    assert live_handles() == before + len(kept)
    kept.clear()
    assert live_handles() == before
