"""Nothing leaks: many are made and dropped, and memory stays flat; of the process, of Python, and its descriptors."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from support import Certificates, Run
from memory import START, Link, Server

from pychatnio import (
    AsyncClient,
    Auth,
    ChatNioError,
    Client,
    Config,
    Connection,
    ConnectionClosedError,
    InvalidArgumentError,
    Loopback,
    Replay,
    Request,
    Session,
    State,
    Transcript,
)
from pychatnio._native import ffi, lib

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")

#: What may stay of each that was made and dropped, in bytes of the process. The smallest handle is four times as large.
MOST = 100


def resident() -> int:
    """How much memory of the process is in use, in bytes."""
    # What was freed and not given back would hide what is not freed.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def process_growth(work: Callable[[], object], times: int) -> float:
    """How many more bytes of the process are in use for each time that work is done."""
    for _ in range(times // 10):
        work()
    gc.collect()
    before = resident()
    for _ in range(times):
        work()
    gc.collect()
    return (resident() - before) / times


def python_growth(work: Callable[[], object], times: int) -> float:
    """The same of Python's objects. It is exact, and slow."""
    tracemalloc.start()
    try:
        for _ in range(times // 10):
            work()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(times):
            work()
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - before) / times
    finally:
        tracemalloc.stop()


HI = Request.chat("hi")
RECORD = Config(record=True)
TEXT = '> SEND {"token":"sk-...","id":-1}\n> SEND {"message":"hi"}\n< RECV {"message":"Hello","end":true}\n'


def session() -> None:
    """A session in the middle of an answer."""
    made = Session("sk-any", now=START)
    made.request(HI, now=START)
    made.next_message()
    made.receive('{"message":"Hello","quota":1}', now=START)


def recorded_session() -> None:
    """A whole turn, everything looked at."""
    made = Session("sk-any", config=RECORD, now=START)
    made.request(HI, now=START)
    while made.next_message():
        pass
    delta = made.receive('{"message":"Hello","quota":1}', now=START)
    end = made.receive(b'{"message":"!","quota":1,"end":true}', now=START)
    assert delta.raw and end.raw
    assert made.state is State.IDLE
    assert made.transcript() is not None
    made.reconnect(now=START)
    made.free()


def refused() -> None:
    """Errors of all kinds of calls."""
    made = Session(now=START)
    calls: list[Callable[[], object]] = [
        lambda: made.request(Request.chat(""), now=START),
        lambda: Session("", now=START),
        lambda: Connection("ftp://x", now=START),
        lambda: Transcript("nonsense"),
        lambda: Config(headers={"Host": "x"}),
        lambda: Auth("\ud800"),
    ]
    for call in calls:
        with contextlib.suppress(ChatNioError):
            call()
            raise AssertionError("not refused")


def connection() -> None:
    """One in the middle of its handshake."""
    made = Connection("ws://localhost", "sk-any", now=START)
    made.request(HI, now=START)
    made.data_to_send()
    made.receive(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone", now=START)
    assert len(list(made.events())) == 2
    assert made.refusal_body == "none"


def answered_connection() -> None:
    """A turn with batches of events."""
    link = Link(Connection("ws://localhost", "sk-any", now=START), Server())
    link.exchange()
    link.connection.request(HI, now=START)
    link.exchange()
    events = link.say(*['{"message":"Hello","quota":1}'] * 300, '{"message":"","quota":1,"end":true}')
    assert len(events) == 301


def builders() -> None:
    """What is made before."""
    assert Auth("sk-any", conversation=3, share="x")
    Request.chat("hi", model="m", temperature=1)
    Request.mask([("user", "hi")])
    Config(keep_alive=1, headers={"X-One": "1"}, wall_clock=lambda: 1.0, stop_repeats=[1, 2])


def transcripts() -> None:
    transcript = Transcript(TEXT)
    assert len(list(transcript.events())) == 1
    replay = Replay(transcript)
    step = replay.next_step(State.IDLE)
    assert step is not None and step.request is not None
    assert replay.auth()


WORK: dict[Callable[[], None], int] = {
    recorded_session: 10_000,
    refused: 3_000,
    connection: 10_000,
    answered_connection: 200,
    builders: 5_000,
    transcripts: 5_000,
}


def test_a_hundred_thousand_sessions() -> None:
    assert process_growth(session, 100_000) < MOST
    assert python_growth(session, 10_000) < 1


@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_everything_else(work: Callable[[], None]) -> None:
    times = WORK[work]
    # However few there are, some pages stay, and some of what Python caches.
    assert process_growth(work, times) < MOST + 500_000 / times
    # A cache of Python's that grows does so once in a while, and a leak each time.
    assert any(python_growth(work, times // 10) < 20 + 5_000 / (times // 10) for _ in range(3))


def test_in_tls(certificates: Certificates) -> None:
    tls = certificates.server()

    def handshake() -> None:
        made = Connection("wss://localhost", config=certificates.config(), now=START)
        assert len(Link(made, Server(tls)).exchange()) == 1

    # OpenSSL's caches are the server's.
    assert process_growth(handshake, 300) < 10_000


def test_a_leak_would_show() -> None:
    def forget() -> None:
        # The smallest handle there is.
        lib.chatnio_request_new(lib.CHATNIO_REQUEST_REMOVE, ffi.new("chatnio_request **"))

    assert process_growth(forget, 10_000) > MOST

    kept: list[Session] = []
    assert process_growth(lambda: kept.append(Session(now=START)), 1_000) > MOST
    assert python_growth(lambda: kept.append(Session(now=START)), 1_000) > 100


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_clients(loopback: Loopback) -> None:
    def chat() -> None:
        with Client(loopback.url, "sk-any") as client:
            client.ask("hi", model="hello").text()
            client.reconnect()
            for _ in client.ask("hi", model="hello"):
                break

    def forget() -> None:
        # Without a goodbye.
        Client(loopback.url, "sk-any").ask("hi", model="silent")

    def fail() -> None:
        with contextlib.suppress(InvalidArgumentError):
            Client("ws://example.com", "sk-any")

    before = descriptors()
    for work in (chat, forget, fail):
        assert process_growth(work, 200) < 5_000
        assert python_growth(work, 50) < 100
        assert descriptors() == before


def test_async_clients(run: Run[None], loopback: Loopback) -> None:
    async def chat() -> None:
        async with AsyncClient(loopback.url, "sk-any") as client:
            await client.ask("hi", model="hello").text()
            await client.connect()
            async for _ in client.ask("hi", model="hello"):
                break

    async def cancelled() -> None:
        task = asyncio.create_task(chat())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def lost() -> None:
        client = AsyncClient(loopback.url, "sk-any")
        await client.connect()
        with contextlib.suppress(ConnectionClosedError, ChatNioError):
            await client.ask("hi", model="drop").text()

    async def main() -> None:
        for work in (chat, cancelled, lost):
            for _ in range(50):
                await work()
            await asyncio.sleep(0)
            gc.collect()
            before, open_before = resident(), descriptors()
            for _ in range(200):
                await work()
            for _ in range(3):
                await asyncio.sleep(0)
            gc.collect()
            assert resident() - before < 200 * 5_000
            assert descriptors() <= open_before

    run(main())


def test_loopbacks() -> None:
    before = descriptors()
    for _ in range(5):
        with Loopback(tls=True):
            assert descriptors() > before
    assert descriptors() == before


def test_dropped_by_reference_alone(loopback: Loopback) -> None:
    """No cycle keeps a handle until the garbage is collected."""
    gc.collect()
    gc.disable()
    try:
        before = descriptors()
        for _ in range(20):
            client = Client(loopback.url, "sk-any")
            stream = client.ask("hi", model="silent")
            next(iter(stream.events()))
            del client, stream
        assert descriptors() == before
    finally:
        gc.enable()
