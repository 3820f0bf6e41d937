"""Runs the programs of `examples/python`, as a user would, against servers on 127.0.0.1."""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import json
import os
import queue
import re
import signal
import subprocess
import threading
from collections.abc import Generator, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest
from support import PATIENCE, PYTHON, Run
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

import pychatnio
from pychatnio import Config, Connection, Interruption, Loopback, Outcome, Request, Session

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "python"


def environment(**variables: str) -> dict[str, str]:
    """That of an example: this package, and of CHATNIO_* only `variables`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CHATNIO_")}
    return {**clean, "PYTHONPATH": str(Path(pychatnio.__file__).parents[1]), **variables}


def run_example(name: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs an example to its end."""
    command = [*PYTHON, str(EXAMPLES / name), *arguments]
    return subprocess.run(command, env=environment(**variables), capture_output=True, text=True, timeout=PATIENCE)


def module_of(name: str) -> ModuleType:
    """An example as a module, for what cannot be seen from outside."""
    spec = importlib.util.spec_from_file_location(name.removesuffix(".py"), EXAMPLES / name)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Peer:
    """A server that is not ours, by `websockets`: it sends one piece of an answer, and ends that only when it is told
    to stop."""

    def __init__(self) -> None:
        #: What was received, in order; `None` when a connection has ended.
        self.received: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._server = serve(self._talk, "127.0.0.1", 0)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/chat"

    def _talk(self, connection: ServerConnection) -> None:
        for text in connection:
            message = json.loads(text)
            try:
                if message.get("type") == "chat":
                    connection.send('{"message":"Hello","quota":0.5,"end":false}')
                if message.get("type") == "stop":
                    connection.send('{"message":"","quota":0.75,"end":true}')
            except ConnectionClosed:
                # It did not want to know.
                pass
            self.received.put(message)
        self.received.put(None)

    def next(self) -> Any:
        """What it has received next."""
        return self.received.get(timeout=PATIENCE)

    def close(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._thread.join()


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A server that never ends an answer by itself."""
    server = Peer()
    yield server
    server.close()


GREETING = "Hello! This is the loopback server"

ASKING = ["ask.py", "websockets_session.py", "own_loop.py", "anyio_ask.py"]


@pytest.mark.parametrize("example", ASKING)
def test_asks_a_server_of_its_own(example: str) -> None:
    done = run_example(example, "hi")
    assert done.stdout.startswith(GREETING) and "“hi”" in done.stdout, done
    assert re.search(r"^complete, quota 0\.000\d+$", done.stderr.strip()), done
    assert done.returncode == 0


@pytest.mark.parametrize("example", ASKING)
def test_asks_the_server_that_the_environment_names(example: str, loopback: Loopback) -> None:
    real = {"CHATNIO_URL": loopback.url, "CHATNIO_TOKEN": "sk-any", "CHATNIO_MODEL": "hello"}
    done = run_example(example, "hi", **real)
    assert done.stdout.strip() == "Hello! How can I help?", done
    assert done.returncode == 0
    # Without a token it asks without an account.
    del real["CHATNIO_TOKEN"]
    done = run_example(example, "hi", **real)
    assert "not authenticated" in done.stderr, done
    assert done.returncode == 1


@pytest.mark.parametrize("example", ASKING)
def test_says_why_it_failed(example: str, loopback: Loopback) -> None:
    real = {"CHATNIO_URL": loopback.url, "CHATNIO_TOKEN": "sk-any"}
    done = run_example(example, "hi", **real, CHATNIO_MODEL="notice")
    assert "user quota is not enough" in done.stderr and done.returncode == 1, done
    done = run_example(example, "hi", **real, CHATNIO_MODEL="drop")
    assert re.search("the connection (was lost|failed)|ended the connection", done.stderr) and done.returncode == 1, done
    assert done.stdout.startswith("Hello! How"), done
    done = run_example(example)
    assert "usage" in done.stderr and done.returncode == 2, done


@pytest.mark.parametrize("example", ASKING)
def test_a_connection_that_cannot_be_made_is_no_traceback(example: str, loopback: Loopback) -> None:
    for url in ["ws://127.0.0.1:1", "not a url", loopback.url.replace("/chat", "/elsewhere")]:
        done = run_example(example, "hi", CHATNIO_URL=url)
        assert done.stderr.strip() and "Traceback" not in done.stderr, done
        assert done.returncode == 1


def test_ctrl_c_stops_the_answer_and_says_what_it_cost() -> None:
    # More than could ever come: while nobody reads, program and server wait.
    variables = environment(CHATNIO_MODEL="long-100000000")
    with subprocess.Popen(
        [*PYTHON, str(EXAMPLES / "ask.py"), "hi"],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(6) == b"piece "
        # As a terminal does: it goes to all that the program has started.
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
    assert re.fullmatch(r"stopped, quota \d+\.\d+\n", said.decode()), said
    assert process.returncode == 0


def test_ctrl_c_reaches_the_server_as_a_stop(peer: Peer) -> None:
    with subprocess.Popen(
        [*PYTHON, str(EXAMPLES / "ask.py"), "hi"],
        env=environment(CHATNIO_URL=peer.url, CHATNIO_TOKEN="sk-any"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(5) == b"Hello"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
    assert said.decode() == "stopped, quota 0.75\n"
    assert process.returncode == 0
    assert [message.get("type") for message in (peer.next(), peer.next(), peer.next())] == [None, "chat", "stop"]


def test_hundreds_of_chats_in_one_loop() -> None:
    done = run_example("asyncio_many.py", "200", CHATNIO_MODEL="hello")
    assert done.stdout.startswith("200 of 200 answered, 1200 chunks in "), done
    assert (done.returncode, done.stderr) == (0, "")


def test_hundreds_of_chats_say_how_many_have_failed(loopback: Loopback) -> None:
    done = run_example("asyncio_many.py", "5", CHATNIO_MODEL="notice")
    assert done.stdout.startswith("0 of 5 answered, 0 chunks in "), done
    assert done.stderr.startswith("5 failed: user quota is not enough"), done
    assert done.returncode == 1
    done = run_example("asyncio_many.py", "5", CHATNIO_URL="ws://127.0.0.1:1")
    assert done.stderr.startswith("5 failed: cannot connect to 127.0.0.1"), done


def test_session_of_websockets_keeps_its_deadlines(loopback: Loopback, run: Run[Any]) -> None:
    example = module_of("websockets_session.py")

    async def main() -> None:
        async with connect(loopback.url, compression=None) as socket:
            session = Session("sk-any", config=Config(next_frame=0.05))
            end = await example.ask(session, socket, Request.chat("hi", model="silent"))
            assert end.answer.interruption is Interruption.NEXT_FRAME_DEADLINE

    run(main())


def test_session_of_websockets_stops_what_is_cancelled(peer: Peer, run: Run[Any]) -> None:
    example = module_of("websockets_session.py")

    async def main() -> None:
        async with connect(peer.url, compression=None) as socket:
            asking = asyncio.create_task(example.ask(Session("sk-any"), socket, Request.chat("hi")))
            await asyncio.to_thread(lambda: [peer.next(), peer.next()])
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

    run(main())
    assert peer.next() == {"type": "stop"}


@pytest.mark.parametrize("backend", ["trio", "asyncio"])
def test_a_cancelled_scope_stops_the_answer(peer: Peer, backend: str) -> None:
    example = module_of("anyio_ask.py")

    async def main() -> None:
        with Connection(peer.url, "sk-any") as connection:
            async with await anyio.connect_tcp(connection.host, connection.port) as stream:
                chat = example.Chat(connection, stream)
                with anyio.fail_after(PATIENCE), anyio.CancelScope() as scope:
                    async with aclosing(chat.ask(Request.chat("hi"))) as pieces:
                        async for piece in pieces:
                            assert piece == "Hello"
                            scope.cancel()
                            await anyio.sleep_forever()
                assert chat.answer.outcome is Outcome.STOPPED
                await chat.close()

    anyio.run(main, backend=backend)
    assert [message.get("type") for message in (peer.next(), peer.next(), peer.next())] == [None, "chat", "stop"]
    assert peer.next() is None


def test_a_bot_of_fifty_users() -> None:
    done = run_example("bot.py", CHATNIO_MODEL="hello")
    assert done.stdout == "150 of 150: answered\n", done
    assert (done.returncode, done.stderr) == (0, "")


def no_pause(_low: float, _high: float) -> float:
    return 0.0


def test_the_bot_tries_again_and_not_in_vain() -> None:
    with Loopback(pace=0) as server:
        example: Any = module_of("bot.py")
        example.random = SimpleNamespace(uniform=no_pause)
        # Lost in mid-answer each time, and refused: the one may be tried again, the other not.
        for model, tries in (("drop", example.TRIES), ("notice", 1)):
            before = len(server.requests)
            user = example.User(server.url, "sk-any", Config())

            async def main(user: Any = user, model: str = model) -> None:
                with pytest.raises(pychatnio.ChatNioError):
                    await user.ask("hi", model)
                await user.close()

            asyncio.run(main())
            asked = [request["type"] for request in server.requests[before:]]
            assert asked.count("chat") == tries, asked


@contextmanager
def web_server(
    example: str = "fastapi_sse.py", end: signal.Signals = signal.SIGINT, **variables: str
) -> Generator[str, None, None]:
    """A web endpoint, at the address that it says, started as by `nohup`, until it is told to end."""
    command = [*PYTHON, str(EXAMPLES / example), "0"]
    with subprocess.Popen(
        command,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if where := re.search(r"running on (http://\S+)", line):
                yield where[1]
                break
        # It has not ended by itself.
        assert process.poll() is None, said
        process.send_signal(end)
        said += process.stdout.read()
    assert process.returncode in (0, -end), said
    # Nothing was left unclosed, and no error was logged.
    assert not re.search("Traceback|Warning:|ERROR", said), said


RELAYS = ["fastapi_sse.py", "starlette_sse.py", "flask_sse.py"]


@pytest.mark.parametrize("example", RELAYS)
def test_a_relay_streams_an_answer_on(example: str) -> None:
    with web_server(example, signal.SIGTERM) as url, httpx.Client(base_url=url, timeout=PATIENCE) as browser:
        for _ in range(2):
            answer = browser.get("/ask", params={"q": "hi", "model": "hello"})
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            *pieces, done, last = answer.text.split("\n\n")
            assert [json.loads(piece.removeprefix("data: ")) for piece in pieces] == [
                *("Hello", "!", " How", " can", " I", " help?")
            ]
            assert done.startswith('event: done\ndata: {"quota": 0.000') and last == ""
        answer = browser.get("/ask", params={"q": "hi", "model": "notice"})
        assert answer.text.startswith('event: failed\ndata: "user quota is not enough')


@pytest.mark.parametrize("example", RELAYS)
def test_a_relay_asks_nothing_for_the_page_of_another_site(example: str) -> None:
    with web_server(example, signal.SIGTERM) as url, httpx.Client(base_url=url, timeout=PATIENCE) as browser:
        for site, status in [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)]:
            headers = {"Sec-Fetch-Site": site}
            answer = browser.get("/ask", params={"q": "hi", "model": "hello"}, headers=headers)
            assert answer.status_code == status, site


def test_a_relay_has_a_page() -> None:
    with web_server() as url:
        assert "EventSource" in httpx.get(url, timeout=PATIENCE).text


@pytest.mark.parametrize("example", RELAYS)
def test_a_browser_that_goes_stops_the_answer(peer: Peer, example: str) -> None:
    # The model is silent from its first piece on.
    with web_server(example, CHATNIO_URL=peer.url, CHATNIO_TOKEN="sk-any", LOOK_AFTER="0.05") as url:
        with httpx.stream("GET", f"{url}/ask", params={"q": "hi"}, timeout=PATIENCE) as answer:
            lines = answer.iter_lines()
            while next(lines) != 'data: "Hello"':
                pass
            assert peer.next() == {"token": "sk-any", "id": -1}
            assert peer.next() == {"type": "chat", "message": "hi"}
        assert peer.next() == {"type": "stop"}


def test_the_bot_is_tested_by_pytest() -> None:
    # Where the package is installed pytest finds the fixtures by itself.
    known = any(entry.name == "pychatnio" for entry in importlib.metadata.entry_points(group="pytest11"))
    plugin = [] if known else ["-p", "pychatnio.pytest_plugin"]
    command = [*PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, str(EXAMPLES / "bot_test.py")]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0 and "6 passed" in done.stdout, done
