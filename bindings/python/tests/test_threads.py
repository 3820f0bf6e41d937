"""Many threads with objects of their own, and several with what may be shared."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import PATIENCE, Certificates
from memory import START, Link, Server

from pychatnio import (
    Auth,
    Client,
    Config,
    Connection,
    Delta,
    End,
    InvalidArgumentError,
    Loopback,
    Open,
    Replay,
    Request,
    Session,
    State,
    Transcript,
)

THREADS = 16


@pytest.fixture(autouse=True)
def _many_switches() -> Iterator[None]:
    """Lets threads alternate as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(work: Callable[[int], None], threads: int = THREADS) -> None:
    """Does work in many threads, which begin at once."""
    barrier = threading.Barrier(threads)

    def begin(at: int) -> None:
        barrier.wait(PATIENCE)
        work(at)

    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(begin, at) for at in range(threads)]:
            future.result(PATIENCE)


def test_many_sessions_in_many_threads() -> None:
    # These never change, and are everybody's.
    config, auth, request = Config(record=True), Auth("sk-any"), Request.chat("hi", model="m")

    def work(at: int) -> None:
        for turn in range(100):
            with Session(auth, config=config, now=START) as session:
                session.request(request, now=START)
                assert session.next_message() == '{"token":"sk-any","id":-1}'
                assert session.next_message() == '{"type":"chat","message":"hi","model":"m"}'
                delta = session.receive(f'{{"message":"{at} {turn}","quota":0.5}}', now=START)
                assert isinstance(delta, Delta)
                assert delta.text == f"{at} {turn}"
                end = session.receive('{"message":"!","quota":1,"end":true}', now=START)
                assert isinstance(end, End)
                assert end.answer.text == f"{at} {turn}!"
                assert f"{at} {turn}" in str(session.transcript())

    together(work)


def test_a_session_of_each_goes_round() -> None:
    # One after the other, it may be another thread each time.
    session = Session(now=START)
    session.request(Request.chat("hi"), now=START)
    turn = threading.Lock()
    pieces: list[str] = []

    def work(at: int) -> None:
        for number in range(50):
            with turn:
                delta = session.receive(f'{{"message":"{at}.{number} ","quota":1}}', now=START)
                assert isinstance(delta, Delta)
                pieces.append(delta.text)

    together(work)
    end = session.receive('{"message":"","quota":1,"end":true}', now=START)
    assert isinstance(end, End)
    assert end.answer.text == "".join(pieces)


def test_who_comes_second_is_refused() -> None:
    # Nothing is mixed up, and nothing is left locked.
    session = Session(now=START)
    session.request(Request.chat("hi"), now=START)
    taken: list[str] = []

    def work(at: int) -> None:
        for number in range(200):
            try:
                delta = session.receive(f'{{"message":"{at}.{number} ","quota":1}}', now=START)
            except InvalidArgumentError as error:
                assert "another thread" in str(error)
            else:
                assert isinstance(delta, Delta)
                assert delta.text == f"{at}.{number} "
                taken.append(delta.text)

    together(work)
    assert taken
    answer = session.answer
    assert answer is not None
    assert sorted(answer.text.split()) == sorted("".join(taken).split())
    assert session.state is State.ANSWERING


def test_bytes_from_many_threads() -> None:
    link = Link(Connection("ws://localhost", config=Config(max_message=2**27), now=START), Server())
    link.exchange()
    link.connection.request(Request.chat("hi"), now=START)
    link.exchange()
    for _ in range(10):
        link.server.send('{"message":"' + "x" * 5000 + '","quota":1}')
    frames = link.server.data_to_send()
    taken: list[int] = []

    def work(at: int) -> None:
        for _ in range(50):
            try:
                link.connection.receive(frames, now=START)
                taken.append(at)
            except InvalidArgumentError as error:
                assert "another thread" in str(error)

    together(work)
    assert taken
    # Each was taken whole, or not at all.
    deltas = list(link.connection.events())
    assert [delta.text for delta in deltas if isinstance(delta, Delta)] == ["x" * 5000] * (10 * len(taken))


def test_freed_while_others_use_it() -> None:
    # Each either gets through before, or is refused.
    for _ in range(50):
        session = Session(now=START)
        session.request(Request.chat("hi"), now=START)

        def work(at: int, session: Session = session) -> None:
            for _ in range(20):
                try:
                    if at == 0:
                        session.free()
                    else:
                        session.receive('{"message":"x","quota":1}', now=START)
                except (InvalidArgumentError, ConnectionError):
                    pass

        together(work, 4)


def test_connections_in_many_threads(certificates: Certificates) -> None:
    config = certificates.config()
    tls = certificates.server()

    def work(at: int) -> None:
        for encrypted in (False, True):
            connection = Connection(
                "wss://localhost" if encrypted else "ws://localhost", config=config if encrypted else None, now=START
            )
            link = Link(connection, Server(tls if encrypted else None))
            assert [type(event) for event in link.exchange()] == [Open]
            connection.request(Request.chat("hi"), now=START)
            link.exchange()
            events = link.say(*(f'{{"message":"{at} {number}","quota":1}}' for number in range(200)))
            assert [event.text for event in events if isinstance(event, Delta)] == [
                f"{at} {number}" for number in range(200)
            ]

    together(work, 8)


def test_clients_in_many_threads(loopback: Loopback) -> None:
    def work(at: int) -> None:
        with Client(loopback.url, f"sk-threads-{at}") as client:
            for _ in range(3):
                assert client.ask("hi", model="hello").text() == "Hello! How can I help?"
            assert len(list(client.ask("hi", model=f"long-{at + 1}"))) == at + 1

    together(work)


def test_transcripts_are_everybodys() -> None:
    transcript = Transcript('> SEND {"message":"hi"}\n< RECV {"message":"Hello","quota":1,"end":true}\n')

    def work(at: int) -> None:
        for _ in range(50):
            (end,) = transcript.events()
            assert isinstance(end, End)
            assert end.answer.text == "Hello"
            assert Replay(transcript).auth()
            assert "Hello" in str(transcript)

    together(work)


def test_many_stop_and_close_at_once(loopback: Loopback) -> None:
    for _ in range(10):
        client = Client(loopback.url, "sk-any")
        stream = client.ask("hi", model="long-1000000000")
        next(iter(client.next, None))
        results: list[bool] = []

        def work(at: int, client: Client = client, results: list[bool] = results) -> None:
            if at == 0:
                client.close()
            else:
                results.append(client.stop())

        together(work, 8)
        assert sum(results) <= 1
        assert stream.answer is not None
        assert client.state is State.CLOSED
