"""Ctrl-C and other signals while a client waits."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import FrameType

import pytest
from rest_support import serving, until
from support import PATIENCE

import pychatnio
from pychatnio import AnswerStream, Client, Config, End, Interruption, Loopback, Opened, Outcome, rest
from pychatnio._interruptible import interruptible

HELLO = "Hello! How can I help?"
#: Where the package is.
PACKAGE = str(Path(pychatnio.__file__).parent)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture
def client(loopback: Loopback) -> Iterator[Client]:
    with Client(loopback.url, "sk-any", config=Config(record=True)) as client:
        yield client


def to_the_waiting_thread() -> None:
    """As Ctrl-C in a terminal, where the system takes the main thread."""
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)


def to_another_thread() -> None:
    """Python's handlers run in the main thread all the same, which nobody wakes up."""
    signal.raise_signal(signal.SIGINT)


def when_it_waits(client: Client, interrupt: Callable[[], None]) -> threading.Thread:
    """A thread that interrupts the main one as soon as a call of this client is under way."""

    def run() -> None:
        while not client._guard.busy:
            pass
        interrupt()

    return threading.Thread(target=run)


@pytest.mark.parametrize("interrupt", [to_the_waiting_thread, to_another_thread])
@pytest.mark.parametrize("way", ["pieces", "events", "text", "next"])
def test_ctrl_c(client: Client, interrupt: Callable[[], None], way: str) -> None:
    stream = client.ask("hi", model="silent")
    assert isinstance(client.next(PATIENCE), Opened)

    def wait() -> object:
        if way == "next":
            return client.next()
        if way == "text":
            return stream.text()
        return list(stream if way == "pieces" else stream.events())

    thread = when_it_waits(client, interrupt)
    with pytest.raises(KeyboardInterrupt):
        thread.start()
        wait()
    thread.join(PATIENCE)
    # Who was in the middle of an answer has left it.
    assert ('> SEND {"type":"stop"}' in str(client.transcript())) == (way != "next")
    stream.close()
    assert stream.answer is not None
    assert stream.answer.outcome is Outcome.STOPPED
    assert client.ask("hi", model="hello").text() == HELLO


def in_the_handshake(url: str, _client: Client) -> None:
    Client(url, config=Config(handshake=2 * PATIENCE))


def over_a_given_socket(url: str, _client: Client) -> None:
    host, _, port = url.removeprefix("ws://").partition(":")
    with socket.create_connection((host, int(port))) as sock:
        Client(url, config=Config(handshake=2 * PATIENCE), sock=sock)


def anew_over_a_given_socket(url: str, client: Client) -> None:
    host, _, port = url.removeprefix("ws://").partition(":")
    with socket.create_connection((host, int(port))) as sock:
        client.reconnect(sock)


@pytest.mark.parametrize("interrupt", [to_the_waiting_thread, to_another_thread])
@pytest.mark.parametrize("connect", [in_the_handshake, over_a_given_socket, anew_over_a_given_socket])
def test_ctrl_c_while_it_connects(
    loopback: Loopback, interrupt: Callable[[], None], connect: Callable[[str, Client], None]
) -> None:
    ended: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def interrupt_the_wait() -> None:
        sock, _ = listener.accept()
        with sock:
            sock.settimeout(PATIENCE)
            # It is on its way, and nobody answers.
            sock.recv(65536)
            interrupt()
            ended.append(sock.recv(65536))

    thread = threading.Thread(target=interrupt_the_wait)
    thread.start()
    began = time.monotonic()
    with Client(loopback.url, "sk-any", config=Config(handshake=2 * PATIENCE)) as client:
        with pytest.raises(KeyboardInterrupt):
            connect("ws://{}:{}".format(*listener.getsockname()), client)
        # Long before its own limit.
        assert time.monotonic() - began < PATIENCE
        thread.join(PATIENCE)
        listener.close()
        assert ended == [b""]
        if connect is anew_over_a_given_socket:
            client.reconnect()
        assert client.ask("hi", model="hello").text() == HELLO


def test_ctrl_c_when_it_has_only_just_begun() -> None:
    asked, calls = threading.Event(), count(1)

    def call() -> bool:
        # In the thread that makes the call.
        to_another_thread()
        return asked.wait(PATIENCE)

    def give_up() -> None:
        # The first one comes too early.
        if next(calls) == 2:
            asked.set()

    with pytest.raises(KeyboardInterrupt):
        interruptible(call, give_up)
    assert asked.is_set()


@pytest.mark.parametrize("interrupt", [to_the_waiting_thread, to_another_thread])
def test_ctrl_c_between_two_tries(loopback: Loopback, interrupt: Callable[[], None]) -> None:
    with Loopback(pace=0) as server:
        client = Client(server.url, "sk-any", config=Config(connect=4 * PATIENCE, connect_retries=1_000_000))
    # The server is gone: the waits between the tries grow to eight seconds each.
    thread = when_it_waits(client, interrupt)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        thread.start()
        client.reconnect()
    assert time.monotonic() - began < PATIENCE
    thread.join(PATIENCE)
    client.close()


class Interrupt:
    """A profiler that raises in the package, where a signal's handler may: when a function of Python's begins, or one of
    C's has returned. At the point of this number.
    """

    def __init__(self, point: int, raised: type[BaseException]) -> None:
        self._left = point
        self._raised = raised
        #: Whether that point was reached.
        self.came = False

    def __call__(self, frame: FrameType, event: str, function: object) -> None:
        if event in ("call", "c_return") and frame.f_code.co_filename.startswith(PACKAGE) and not finalizes(frame):
            self._left -= 1
            if self._left < 0:
                sys.setprofile(None)
                self.came = True
                raise self._raised


def finalizes(frame: FrameType | None) -> bool:
    """Whether it is a finalizer that runs, which would swallow an exception."""
    while frame is not None:
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


# The last is also what Python raises where no thread is to be had.
@pytest.mark.parametrize("raised", [KeyboardInterrupt, RuntimeError])
# From before there is a thread until some ticks after it has begun.
@pytest.mark.parametrize("point", range(12))
def test_ctrl_c_at_any_point_of_a_wait(point: int, raised: type[BaseException]) -> None:
    asked, made = threading.Event(), list[bool]()
    with pytest.raises(raised):
        try:
            sys.setprofile(Interrupt(point, raised))
            interruptible(lambda: made.append(asked.wait(PATIENCE)), asked.set)
        finally:
            sys.setprofile(None)
    # It was not made, or has ended.
    assert made == [True] * asked.is_set()


@pytest.mark.parametrize("point", range(12))
def test_ctrl_c_at_any_point_of_a_wait_that_ends(point: int) -> None:
    made: list[bool] = []
    signalled = Interrupt(point, KeyboardInterrupt)
    try:
        sys.setprofile(signalled)
        interruptible(lambda: made.append(True), lambda: None)
    except KeyboardInterrupt:
        assert signalled.came
    else:
        assert made
    finally:
        sys.setprofile(None)
    assert made in ([], [True])


def test_two_signals_at_once() -> None:
    asked, made = threading.Event(), list[bool]()

    def give_in(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    def call() -> None:
        to_another_thread()
        signal.raise_signal(signal.SIGUSR1)
        made.append(asked.wait(PATIENCE))

    before = signal.signal(signal.SIGUSR1, give_in)
    try:
        with pytest.raises((KeyboardInterrupt, TimeoutError)):
            interruptible(call, asked.set)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert made == [True]


def test_a_limit_of_the_programs_own_ends_a_companion_call() -> None:
    """As by `signal.alarm()`: what its handler raises is not taken for the end of a wait of the client's."""

    class TooLong(TimeoutError):
        pass

    def give_up(number: int, frame: FrameType | None) -> None:
        raise TooLong from cause

    cause = ValueError("the program's own")
    main, released = threading.main_thread().ident, threading.Event()
    assert main is not None

    def serve(connection: socket.socket) -> None:
        until(connection, b"\r\n\r\n")
        signal.pthread_kill(main, signal.SIGUSR1)
        released.wait(PATIENCE)

    before = signal.signal(signal.SIGUSR1, give_up)
    try:
        with serving(serve) as port, pytest.raises(TooLong) as raised:
            try:
                rest.Client(f"ws://127.0.0.1:{port}", timeout=PATIENCE).call(rest.quota())
            finally:
                released.set()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert raised.value.__cause__ is cause


def test_a_wait_where_no_thread_is_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(function: Callable[[], None], arguments: tuple[()]) -> int:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("pychatnio._interruptible.start_new_thread", refused)
    assert interruptible(threading.get_ident, pytest.fail) == threading.get_ident()


FORKS = """
import os, signal, sys, threading
from pychatnio import ChatNioError
from pychatnio._interruptible import interruptible

asked = threading.Event()

def handler(number, frame):
    child = os.fork()
    if child == 0:
        if sys.argv[1] == "exits":
            sys.exit(7)
        return
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    asked.set()

signal.signal(signal.SIGUSR1, handler)
try:
    interruptible(lambda: (signal.raise_signal(signal.SIGUSR1), asked.wait()), asked.set)
except ChatNioError as error:
    sys.exit("forked" in str(error) and 8)
"""


@pytest.mark.parametrize(("child", "status"), [("exits", "7"), ("goes on", "8")])
def test_a_handler_may_fork(child: str, status: str) -> None:
    # A child's only thread is the one that has forked, of which some Pythons warn.
    program = [sys.executable, "-W", "ignore", "-c", FORKS, child]
    done = subprocess.run(program, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.split() == [status], done.stderr


def sockets() -> int:
    """How many this process has."""
    found = 0
    for name in os.listdir("/proc/self/fd"):
        # A thread may close one meanwhile, which then is none that is open.
        with contextlib.suppress(FileNotFoundError):
            found += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
    return found


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux says what is open")
@pytest.mark.parametrize("again", [False, True])
def test_no_socket_is_left_behind(loopback: Loopback, again: bool) -> None:
    before, interrupted = sockets(), 0
    for point in count():
        signalled = Interrupt(point, KeyboardInterrupt)
        client = Client(loopback.url, "sk-any") if again else None
        try:
            sys.setprofile(signalled)
            if client is None:
                client = Client(loopback.url, "sk-any")
            else:
                client.reconnect()
        except KeyboardInterrupt:
            pass
        finally:
            sys.setprofile(None)
        if not signalled.came:
            break
        interrupted += 1
        del client
        # A thread may not have left the call yet.
        until = time.monotonic() + PATIENCE
        while sockets() != before and time.monotonic() < until:
            gc.collect()
        assert sockets() == before, point
    assert interrupted > 5


# Ctrl-C, and what the handler of an alarm may raise.
@pytest.mark.parametrize("raised", [KeyboardInterrupt, TimeoutError])
@pytest.mark.parametrize("before", [0, 1])
def test_a_question_that_is_lost_to_a_signal(loopback: Loopback, before: int, raised: type[BaseException]) -> None:
    # Servers may swallow a stop that comes early. One that never goes out is seen by the deadline.
    config = Config(record=True, stop_repeats=[at / 100 for at in range(1, 1000)], next_frame=PATIENCE)
    seen: set[tuple[int, bool]] = set()
    for point in count():
        with Client(loopback.url, "sk-any", config=config) as client:
            for _ in range(before):
                assert client.ask("hi", model="hello").text() == HELLO
            signalled = Interrupt(point, raised)
            try:
                sys.setprofile(signalled)
                client.ask("hi", model="silent")
            except raised:
                pass
            finally:
                sys.setprofile(None)
            # Whatever has become of the question: nothing is in the way of the next one.
            assert client.ask("hi", model="hello").text() == HELLO
            sent = str(client.transcript())
            seen.add((sent.count('"type":"chat"') - before, '"type":"stop"' in sent))
        if not signalled.came:
            break
    # Where it went out, so did a stop.
    assert seen == {(1, False), (2, True)}


def test_what_a_handler_raises_comes_out_of_a_close(loopback: Loopback) -> None:
    interrupted = 0
    for point in count():
        signalled = Interrupt(point, ConnectionResetError)
        comes_out = False
        with Client(loopback.url, "sk-any") as client:
            try:
                sys.setprofile(signalled)
                client.close()
            except ConnectionResetError:
                comes_out = True
            finally:
                sys.setprofile(None)
        assert comes_out == signalled.came, point
        if not signalled.came:
            break
        interrupted += 1
    assert interrupted > 5


@pytest.fixture
def alarms() -> Iterator[list[int]]:
    """A signal every few milliseconds, whose handler returns."""
    seen: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)

    before = signal.signal(signal.SIGALRM, note)
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    yield seen
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_nothing_is_lost_between_signals(client: Client, alarms: list[int]) -> None:
    # Until there were some.
    while len(alarms) < 20:
        assert client.ask("hi", model="hello").text() == HELLO
        assert client.next(0.01) is None
    assert "".join(client.ask("hi", model="long-5000")) == "piece " * 5000


def test_ctrl_c_between_a_reconnect_and_the_end_that_it_brings(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = client.ask("hi", model="silent")
    settle, calls = Client._settle, 0

    def interrupted(of: Client) -> object:
        nonlocal calls
        calls += 1
        # The first is before the library is called, and the second after it.
        if calls == 2:
            raise KeyboardInterrupt
        return settle(of)

    monkeypatch.setattr(Client, "_settle", interrupted)
    with pytest.raises(KeyboardInterrupt):
        client.reconnect()
    *_, end = stream.events()
    assert isinstance(end, End)
    assert end.answer.interruption is Interruption.RECONNECTED
    assert client.ask("hi", model="hello").text() == HELLO


def test_a_handler_may_stop(client: Client) -> None:
    stream: AnswerStream | None = None
    results: list[bool] = []

    def stop(number: int, frame: FrameType | None) -> None:
        assert stream is not None
        results.append(stream.stop())

    before = signal.signal(signal.SIGUSR1, stop)
    try:
        stream = client.ask("hi", model="silent")
        main = threading.main_thread().ident
        assert main is not None
        thread = threading.Thread(target=signal.pthread_kill, args=[main, signal.SIGUSR1])
        thread.start()
        events = list(stream.events())
        thread.join(PATIENCE)
    finally:
        signal.signal(signal.SIGUSR1, before)
    end = events[-1]
    assert isinstance(end, End)
    assert end.outcome is Outcome.STOPPED
    assert results == [True]


PROGRAM = """
import sys
from pychatnio import Client, Config, Opened

with Client(sys.argv[1], "sk-any", config=Config(record=True)) as client:
    stream = client.ask("hi", model="silent")
    try:
        for event in stream.events():
            if isinstance(event, Opened):
                print("ready", flush=True)
    finally:
        stream.close()
        print(stream.answer.outcome, flush=True)
"""

ASYNC_PROGRAM = """
import asyncio, sys
from pychatnio import AsyncClient, Opened

async def main():
    async with AsyncClient(sys.argv[1], "sk-any") as client:
        stream = client.ask("hi", model="silent")
        try:
            async for event in stream.events():
                if isinstance(event, Opened):
                    print("ready", flush=True)
        finally:
            await stream.close()
            print(stream.answer.outcome, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("program", [PROGRAM, ASYNC_PROGRAM], ids=["Client", "AsyncClient"])
def test_ctrl_c_ends_a_program(loopback: Loopback, program: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program, loopback.url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert out == "stopped\n"
    assert err.strip().endswith("KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT
