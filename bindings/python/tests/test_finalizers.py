"""What is gone, what is interrupted, and what lies: memory stays right, nothing is lost, and stops go out."""

from __future__ import annotations

import asyncio
import copy
import gc
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import pytest
from support import PATIENCE

from pychatnio import (
    AsyncClient,
    Auth,
    Client,
    Closed,
    Config,
    Connection,
    Delta,
    End,
    InvalidArgumentError,
    Loopback,
    Outcome,
    Replay,
    Request,
    Session,
    Transcript,
)
from pychatnio._batch import Batch

HELLO = "Hello! How can I help?"

CYCLES = """
import asyncio, gc
from pychatnio import AsyncClient, Client, Connection, Loopback, Session

class Holder:
    def __del__(self):
        # Whatever it holds may have been finalized before.
        for use in self.uses:
            try:
                use()
            except Exception:
                pass

def cycle(*held, uses=()):
    holder = Holder()
    holder.held, holder.uses, holder.self = held, uses, holder

with Loopback(pace=0.01) as server:
    for _ in range(20):
        client = Client(server.url, "sk-any")
        stream = client.ask("hi", model="slow")
        session, connection = Session(), Connection("ws://localhost")
        cycle(client, stream, iter(stream), uses=[client.close, client.stop, stream.close])
        cycle(session, connection, uses=[lambda s=session: s.state, connection.close, connection.events])
        del client, stream, session, connection
        gc.collect()

    async def main():
        for _ in range(20):
            client = AsyncClient(server.url, "sk-any")
            await client.connect()
            pieces = aiter(client.ask("hi", model="slow"))
            await anext(pieces)
            cycle(client, pieces)
            del client, pieces
            gc.collect()

    asyncio.run(main())
    # And at the end of the program.
    last = Client(server.url, "sk-any")
    cycle(last, last.ask("hi", model="slow"))
print("done")
"""


def run(program: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True, text=True, timeout=PATIENCE, env={**os.environ, **environment},
    )
    assert done.returncode == 0, done
    return done.stdout


def test_cycles_are_finalized_in_any_order() -> None:
    assert run(CYCLES) == "done\n"


BATCH = """
import gc
from pychatnio._batch import Batch

class Holder:
    def __del__(self):
        print(self.batch.native.count, self.batch.events())

batch = Batch()
holder = Holder()
holder.batch, holder.self = batch, holder
del batch, holder
gc.collect()
"""


def test_a_batch_is_there_for_all_finalizers() -> None:
    # What is freed is overwritten at once, so that reading it shows.
    assert run(BATCH, PYTHONMALLOC="malloc", MALLOC_PERTURB_="165") == "0 []\n"


COPYING: list[Callable[[object], object]] = [
    copy.copy,
    copy.deepcopy,
    *(partial(pickle.dumps, protocol=protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)),
]


def test_a_handle_can_be_neither_copied_nor_pickled(loopback: Loopback) -> None:
    transcript = Transcript('> SEND {"message":"hi"}\n')
    with Client(loopback.url, "sk-any") as client:
        stream = AsyncClient("ws://localhost").ask("hi")
        made: list[object] = [Session(), Connection("ws://localhost"), client, client._stopper, client.ask("hi")]
        made += [Config(), Auth("sk-any"), transcript, Replay(transcript), loopback]
        made += [AsyncClient("ws://localhost"), stream, stream.events(), stream.__aiter__()]
        # There would be two to free it, to stop it, or to close its socket.
        while made:
            for copying in COPYING:
                with pytest.raises(TypeError, match="neither copied nor pickled"):
                    copying(made[-1])
            made.pop()
        gc.collect()
        assert client.ask("hi", model="hello").text() == HELLO


def test_a_request_is_its_own_copy_and_is_not_pickled() -> None:
    request = Request.chat("hi")
    assert copy.copy(request) is copy.deepcopy(request) is request
    for copying in COPYING[2:]:
        with pytest.raises(TypeError, match="neither copied nor pickled"):
            copying(request)


class Liar(bytearray):
    def __len__(self) -> int:
        return 1 << 34


def test_a_length_is_not_believed() -> None:
    refusal = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    connection = Connection("ws://localhost", now=1)
    connection.receive(Liar(refusal), now=1)
    assert isinstance([*connection.events()][-1], Closed)
    with pytest.raises(InvalidArgumentError):
        Config(roots=[Liar(b"no certificate")])  # type: ignore[list-item]


def test_a_view_is_taken_by_its_bytes() -> None:
    refusal = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    refusal += b" " * (-len(refusal) % 4)
    connection = Connection("ws://localhost", now=1)
    connection.receive(memoryview(refusal).cast("I"), now=1)
    assert isinstance([*connection.events()][-1], Closed)


@pytest.mark.parametrize("model", ["hello", "long-500"])
def test_what_an_interrupt_came_between_is_there_still(
    loopback: Loopback, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    real, at = Batch.events, count()

    def events(self: Batch) -> Any:
        if next(at) % 2 == 0:
            raise KeyboardInterrupt
        return real(self)

    with Client(loopback.url, "sk-any") as client:
        stream = client.ask("hi", model=model)
        monkeypatch.setattr(Batch, "events", events)
        pieces: list[str] = []
        interrupts = 0
        while stream.answer is None or client._events:
            try:
                event = client.next(PATIENCE)
            except KeyboardInterrupt:
                interrupts += 1
                continue
            if isinstance(event, (Delta, End)):
                pieces.append(event.text)
        monkeypatch.undo()
        assert interrupts > 0
        assert stream.answer.outcome is Outcome.COMPLETE
        assert "".join(pieces) == stream.answer.text != ""


def test_events_end_with_an_end_also_by_a_close(loopback: Loopback) -> None:
    with Client(loopback.url, "sk-any") as client:
        events = client.ask("hi", model="silent").events()
        next(events)
        client.close()
        end = list(events)[-1]
        assert isinstance(end, End) and end.outcome is Outcome.INTERRUPTED


LOOP_CLOSED = """
import asyncio, sys
from pychatnio import AsyncClient, State

client = AsyncClient(sys.argv[1], "sk-any")
loop = asyncio.new_event_loop()
loop.run_until_complete(client.connect())
task = loop.create_task(client.ask("hi", model="silent").text())

async def until_it_waits():
    while client.state is not State.ANSWERING:
        await asyncio.sleep(0)

loop.run_until_complete(until_it_waits())
connecting = AsyncClient(sys.argv[1], "sk-any")
attempt = loop.create_task(connecting.connect())
loop.run_until_complete(asyncio.sleep(0))
loop.close()
assert client.stop() is False

async def main():
    global attempt
    await client.connect()
    print(await client.ask("hi", model="hello").text())
    await connecting.connect()
    # What is left of the other loop does nothing to it any more.
    attempt = None
    print(await connecting.ask("hi", model="hello").text())
    await client.close()
    await connecting.close()

asyncio.run(main())
"""


def test_a_loop_that_is_closed_in_the_middle(loopback: Loopback) -> None:
    # Python tells of what that loop has left behind.
    program = [sys.executable, "-W", "ignore", "-c", LOOP_CLOSED, loopback.url]
    done = subprocess.run(program, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (0, f"{HELLO}\n" * 2), done


LOOP_LEFT = """
import asyncio, gc, logging, sys
from pychatnio import AsyncClient

# It tells of every task that a loop has left behind, whoever's it is.
logging.getLogger("asyncio").setLevel(logging.CRITICAL)
url, nobody = sys.argv[1:]

async def started(coroutine):
    task = asyncio.ensure_future(coroutine)
    await asyncio.wait([task], timeout=0.05)
    assert not task.done()
    return task

async def connecting(client):
    # In the look-up, or in the connect itself.
    return await started(client.connect())

async def asking(client):
    await client.connect()
    return await started(client.ask("hi", model="silent").text())

async def closing(client):
    task = await asking(client)
    return task, asyncio.ensure_future(client.close()), await asyncio.sleep(0)

async def connected(client):
    await client.connect()

for of, to in [(connecting, nobody), (asking, url), (closing, url), (connected, url)]:
    for steps in range(4 if of is connecting else 1):
        client = AsyncClient(to, "sk-any")
        loop = asyncio.new_event_loop()
        if of is connecting and steps:
            left = loop.create_task(client.connect())
            for _ in range(steps):
                loop.run_until_complete(asyncio.sleep(0))
        else:
            left = loop.run_until_complete(of(client))
        loop.close()
        # As one cycle, in any order.
        client.left = left
        del client, left, loop
        gc.collect()
print("gone")
"""


def test_a_loop_that_is_closed_leaves_no_word(loopback: Loopback) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        nobody = f"ws://127.0.0.1:{silent.getsockname()[1]}"
        program = [sys.executable, "-W", "ignore", "-c", LOOP_LEFT, loopback.url, nobody]
        done = subprocess.run(program, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "gone\n", "")


LOOP_GONE = """
import asyncio, sys
from pychatnio import AsyncClient, ConnectionClosedError

client = AsyncClient(sys.argv[1], "sk-any")
asyncio.run(client.connect())

async def main():
    try:
        await client.ask("hi").text()
    except ConnectionClosedError:
        await client.connect()
        print(await client.ask("hi", model="hello").text())
        await client.close()

asyncio.run(main())
"""


def test_a_client_of_a_loop_that_is_gone(loopback: Loopback) -> None:
    # In a process of its own: asyncio warns of the socket that it has left open.
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOOP_GONE, loopback.url], capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stdout) == (0, f"{HELLO}\n"), done


def test_a_client_of_another_loop(loopback: Loopback) -> None:
    client = AsyncClient(loopback.url, "sk-any")
    first = asyncio.new_event_loop()
    first.run_until_complete(client.connect())

    async def elsewhere() -> None:
        for use in (client.ask("hi").text(), client.connect(), client.close()):
            with pytest.raises(InvalidArgumentError, match="another event loop"):
                await use

    asyncio.run(asyncio.wait_for(elsewhere(), PATIENCE))
    first.run_until_complete(client.close())
    first.close()
