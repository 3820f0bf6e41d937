"""After a fork the child may not use what its parent made, but end; and the parent's connection goes on."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import traceback
import warnings
import weakref
from collections.abc import Callable

import pytest

from pychatnio import (
    AsyncClient,
    Client,
    Config,
    Connection,
    InvalidArgumentError,
    Loopback,
    Outcome,
    Replay,
    Request,
    Session,
    State,
    Transcript,
)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")

HELLO = "Hello! How can I help?"
#: For a child that hangs.
SECONDS = 60


def in_a_child(work: Callable[[], None], leave: Callable[[int], None] = os._exit) -> None:
    """Does work in a forked child, which must end well."""
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        # Python 3.12 warns of a fork while there are threads; those of other tests have ended.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(SECONDS)
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            leave(status)
    _, ended = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(ended) == 0


def test_what_a_child_may_not(loopback: Loopback) -> None:
    session = Session()
    connection = Connection("ws://localhost")
    replay = Replay(Transcript('> SEND {"message":"hi"}\n'))
    client = Client(loopback.url, "sk-any", config=Config(record=True))
    stream = client.ask("hi", model="silent")

    def child() -> None:
        calls: list[Callable[[], object]] = [
            session.next_message,
            lambda: session.request(Request.chat("hi")),
            lambda: session.state,
            lambda: next(connection.events()),
            connection.data_to_send,
            lambda: connection.wants,
            lambda: replay.next_step(State.IDLE),
            client.next,
            client.reconnect,
            client.transcript,
            lambda: client.ask("hi"),
            lambda: client.answer,
        ]
        for call in calls:
            with pytest.raises(InvalidArgumentError, match="fork"):
                call()
        # These do nothing.
        assert client.stop() is False
        assert stream.stop() is False
        client.close()
        session.free()
        connection.free()

    in_a_child(child)
    # Of all that the server has heard nothing.
    assert "stop" not in str(client.transcript())
    stream.close()
    assert client.ask("hi", model="hello").text() == HELLO
    client.close()


def test_a_child_drops_everything(loopback: Loopback) -> None:
    kept: list[object] = [Session(), Connection("ws://localhost"), Request.chat("x"), Config()]
    client = Client(loopback.url, "sk-any")
    stream = client.ask("hi", model="silent")
    objects = {"client": client, "stream": stream, "events": stream.events()}
    del stream

    def child() -> None:
        nonlocal client
        kept.clear()
        objects.clear()
        del client
        gc.collect()

    in_a_child(child)
    assert client.stop() is True
    objects.clear()
    assert client.ask("hi", model="hello").text() == HELLO
    client.close()


def test_a_child_leaves_with_blocks(loopback: Loopback) -> None:
    with Client(loopback.url, "sk-any") as client:
        with client.ask("hi", model="silent") as stream:

            def child() -> None:
                stream.__exit__(None, None, None)
                client.__exit__(None, None, None)

            in_a_child(child)
            assert client.state is not State.CLOSED
        assert client.ask("hi", model="hello").text() == HELLO


def test_a_child_makes_its_own(loopback: Loopback) -> None:
    # What never changes is good in both.
    config, request = Config(keep_alive=5), Request.chat("hi", model="hello")
    transcript = Transcript('> SEND {"message":"hi"}\n< RECV {"message":"x","end":true}\n')
    with Client(loopback.url, "sk-any", config=config) as client:

        def child() -> None:
            assert len(list(transcript.events())) == 1
            with Client(loopback.url, "sk-any", config=config) as own:
                assert own.ask(request).text() == HELLO

        in_a_child(child)
        assert client.ask(request).text() == HELLO


def test_a_child_of_asyncio(loopback: Loopback) -> None:
    async def main() -> None:
        async with AsyncClient(loopback.url, "sk-any") as client:
            stream = client.ask("hi", model="silent")
            events = stream.events()
            await anext(events)

            def child() -> None:
                with pytest.raises(InvalidArgumentError, match="fork"):
                    client.state  # noqa: B018

            in_a_child(child)
            assert stream.stop()
            await stream.close()
            assert await client.ask("hi", model="hello").text() == HELLO

    asyncio.run(main())


def test_a_child_drops_what_is_asyncios(loopback: Loopback) -> None:
    async def main() -> None:
        client = AsyncClient(loopback.url, "sk-any")
        await client.connect()
        stream = client.ask("hi", model="silent")
        events = stream.events()
        await anext(events)
        kept = [weakref.ref(one) for one in (client, stream)]

        def child() -> None:
            nonlocal client, stream, events
            # What a finalizer complains of.
            complaints: list[str] = []
            sys.unraisablehook = lambda complaint: complaints.append(str(complaint.exc_value))
            del client, stream, events
            gc.collect()
            assert complaints == []
            assert [one() for one in kept] == [None, None]

        in_a_child(child)
        # The parent's loop hears of its socket still, and of the answer the server was told nothing.
        assert client.state is State.ANSWERING
        assert stream.stop()
        await stream.close()
        assert stream.answer is not None
        assert stream.answer.outcome is Outcome.STOPPED
        assert await client.ask("hi", model="hello").text() == HELLO
        await client.close()

    asyncio.run(asyncio.wait_for(main(), SECONDS))


PROGRAM = """
import os, sys
from pychatnio import Client, Session

client = Client(sys.argv[1], "sk-any")
stream = client.ask("hi", model="silent")
session = Session()
child = os.fork()
if child == 0:
    # As a program ends that knows nothing of it: everything is freed.
    sys.exit(0)
_, status = os.waitpid(child, 0)
assert status == 0, status
stream.close()
assert stream.answer.outcome.name == "STOPPED"
assert client.ask("hi", model="hello").text() == "Hello! How can I help?"
client.close()
print("good")
"""


def test_a_child_that_ends_as_any_program_does(loopback: Loopback) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM, loopback.url],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "good\n", "")
