"""The server that the package carries, and the program that it is."""

from __future__ import annotations

import enum
import os
import re
import shutil
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

import pychatnio
from pychatnio import (
    AnswerInterruptedError,
    Client,
    ConnectError,
    Interruption,
    Loopback,
    Request,
    TranscriptError,
    loopback,
    program,
)


def test_program() -> None:
    path = program()
    assert path.is_file()
    assert os.access(path, os.X_OK)
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"chatnio {pychatnio.__version__}\n"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m pychatnio`."""
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("CHATNIO_")}
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-m", "pychatnio", *arguments],
        capture_output=True,
        text=True,
        env=quiet | environment,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=60,
    )


def test_python_m() -> None:
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: chatnio <COMMAND>" in done.stdout
    done = run("--version")
    assert done.stdout == f"chatnio {pychatnio.__version__}\n"


def test_python_m_passes_everything_on(loopback: Loopback, tmp_path: Path) -> None:
    # Arguments, environment, output, and the status.
    done = run("ask", "hi", "--model", "hello", CHATNIO_URL=loopback.url, CHATNIO_TOKEN="sk-any")
    assert (done.returncode, done.stdout) == (0, "Hello! How can I help?\n")
    done = run("ask", "hi", "--model", "notice", CHATNIO_URL=loopback.url, CHATNIO_TOKEN="sk-any")
    assert done.returncode == 3
    assert "quota" in done.stderr
    transcript = tmp_path / "wrong é.txt"
    transcript.write_text("nonsense")
    done = run("replay", str(transcript))
    assert done.returncode == 5
    assert str(transcript) in done.stderr


def test_python_m_becomes_the_program() -> None:
    # A signal reaches it, and nothing of Python stands between.
    with subprocess.Popen(
        [sys.executable, "-m", "pychatnio", "serve"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().startswith("ws://127.0.0.1:")
            assert os.readlink(f"/proc/{process.pid}/exe") == str(program().resolve())
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) in (0, 130)
        finally:
            process.kill()


def test_it_comes_and_goes() -> None:
    server = Loopback()
    assert re.fullmatch(r"ws://127\.0\.0\.1:\d+(/chat)?", server.url)
    assert server.url in repr(server)
    with Client(server.url) as client:
        assert "loopback server" in client.ask("hi").text()
    process = server._process
    if hasattr(os, "getsid"):
        # Ctrl-C in this one's terminal is none of its.
        assert os.getsid(process.pid) != os.getsid(0)
    server.close()
    server.close()
    assert process.returncode == 0
    with pytest.raises(ConnectError):
        Client(server.url)


def test_it_ends_with_an_exception() -> None:
    with pytest.raises(LookupError), Loopback() as server:
        raise LookupError
    assert server._process.returncode == 0


def test_it_ends_with_its_process() -> None:
    # However that one dies.
    code = (
        "import os, signal, pychatnio\n"
        "server = pychatnio.Loopback()\n"
        "print(server._process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    # Standard error is the server's, too: that is at its end when both have ended.
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    process = Path(f"/proc/{done.stdout.strip()}")
    assert not process.exists() or "State:\tZ" in (process / "status").read_text()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_it_ends_while_a_forked_child_lives() -> None:
    server = Loopback()
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns of a fork while there are threads; those of other tests have ended.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        # It holds the server's standard input open, until it is told to end.
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    os.close(reader)
    try:
        server.close()
        # By itself, not killed in the end.
        assert server._process.returncode not in (None, -signal.SIGKILL)
        assert os.waitpid(child, os.WNOHANG) == (0, 0)
    finally:
        os.close(writer)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


#: A child that is forked while a server runs ends as any program does, by its finalizers, or at the end of a `with` block.
FORKED = """
import os, sys
from pychatnio import AnswerInterruptedError, Client, Loopback

with Loopback(script=sys.argv[1], pace=0, strict=True, tls=True) as server:
    child = os.fork()
    if child == 0 and sys.argv[2] == "within":
        sys.exit(0)
    if child:
        assert os.waitpid(child, 0)[1] == 0
        with Client(server.url, "sk-any", config=server.config) as client:
            client.ask("something else", model="gpt-4").text()
        assert server.requests[0]["message"] == "something else"
        assert server._folder.exists()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize("way", ["within", "behind"])
def test_a_forked_child_that_ends_leaves_it_alone(script: Path, way: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED, script, way], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "AssertionError: question 1 is another than the script's" in done.stderr


def test_what_was_asked_is_not_taken_for_nothing(script: Path) -> None:
    for strict in (True, False):
        server = Loopback(script=script, pace=0, strict=strict)
        shutil.rmtree(server._folder)
        for _ in range(2):
            with pytest.raises(FileNotFoundError):
                server.check()
            with pytest.raises(FileNotFoundError):
                _ = server.requests
            server.close()


class Number(int, enum.Enum):
    """As a program may name its numbers."""

    MANY = 1000


class Factor(float, enum.Enum):
    NONE = 0.0


def test_what_the_program_could_take_for_something_else(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    dashed = script.rename("-dash.txt")
    for name in (dashed, os.fspath(dashed)):
        with Loopback(script=name, throttle=Number.MANY, pace=Factor.NONE) as server, Client(server.url) as client:
            assert client.ask("hi").text() == "Hello"


def test_what_it_does_not_start_with(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("nonsense")
    with pytest.raises(FileNotFoundError, match="missing"):
        Loopback(script=tmp_path / "missing.txt", tls=True)
    with pytest.raises(TranscriptError, match="line 1"):
        Loopback(script=wrong)


def test_a_program_that_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "chatnio"
    broken.write_text("#!/bin/sh\nexit 7\n")
    broken.chmod(0o755)
    monkeypatch.setattr(loopback, "program", lambda: broken)
    with pytest.raises(OSError, match="ended with status 7"):
        Loopback()
    monkeypatch.setattr(loopback, "program", lambda: tmp_path / "missing")
    with pytest.raises(FileNotFoundError):
        Loopback()


def test_a_question_that_a_script_does_not_answer(tmp_path: Path) -> None:
    script = tmp_path / "script.txt"
    script.write_text('> SEND {"message":"hi"}\n< RECV {"message":"Hello","quota":0.1,"end":true}\n')
    with Loopback(script=script) as server, Client(server.url, "sk-any") as client:
        assert client.ask("hi").text() == "Hello"
        with pytest.raises(AnswerInterruptedError) as caught:
            client.ask("and?").text()
        assert caught.value.answer.interruption is Interruption.CONNECTION_LOST
        client.reconnect()
        assert client.ask("hi").text() == "Hello"


def test_tls_leaves_no_file() -> None:
    server = Loopback(tls=True)
    assert server.url.startswith("wss://")
    folder = server._folder
    assert list(folder.iterdir())
    server.close()
    assert not folder.exists()
    # Its settings are good all the same.
    server.config.load_roots()


def test_a_script(tmp_path: Path) -> None:
    script = tmp_path / "a script.txt"
    script.write_text('> SEND {"message":"hi"}\n< RECV {"message":"Hello","quota":0.1,"end":true}\n')
    with Loopback(script=script) as server, Client(server.url) as client:
        assert client.ask("anything").text() == "Hello"


def test_what_it_was_asked(tmp_path: Path) -> None:
    with Loopback(pace=0) as server:
        assert server.requests == []
        with Client(server.url, "sk-secret") as client:
            client.ask("hi\nthere\u2028\x85", model="hello", top_p=0.5).text()
            client.request(Request.mask([("system", "Be short.")]))
            with client.ask("hi", model="silent") as stream:
                for _ in stream.events():
                    break
        asked = server.requests
        # The stop may have been sent again.
        assert asked[:4] == [
            {"type": "chat", "message": "hi\nthere\u2028\x85", "model": "hello", "top_p": 0.5},
            {"type": "mask", "message": '[{"role":"system","content":"Be short."}]'},
            {"type": "chat", "message": "hi", "model": "silent"},
            {"type": "stop"},
        ]
        assert all(request == {"type": "stop"} for request in asked[4:])
    # It is known after its end.
    assert server.requests == asked
    server.requests.clear()
    assert server.requests == asked


SCRIPT = """WEBSOCKET wss://api.chatnio.net/chat

> SEND {"token":"sk-...","id":-1}
> SEND {"type":"chat","message":"hi","web":false,"model":"gpt-4"}  // the first
< RECV {"message":"Hello","quota":0.1,"end":true}
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.txt"
    path.write_text(SCRIPT)
    return path


def test_a_strict_server_fails_a_test_that_asks_something_else(script: Path) -> None:
    with Loopback(script=script, pace=0, strict=True) as server:
        for _ in range(2):
            with Client(server.url, "sk-any") as client:
                assert client.ask("hi", model="gpt-4").text() == "Hello"
        server.check()
    for question, model in (("ho", "gpt-4"), ("hi", "gpt-3"), ("hi", None)):
        with pytest.raises(AssertionError, match=f"question 1 is another than the script's(?s:.*)asked: .*{question}"):
            with Loopback(script=script, pace=0, strict=True) as server, Client(server.url, "sk-any") as client:
                client.ask(question, model=model).text()
        # Without it anything may be asked.
        with Loopback(script=script, pace=0) as server, Client(server.url, "sk-any") as client:
            client.ask(question, model=model).text()
    # The test's own failure is told, and not that.
    with pytest.raises(ZeroDivisionError):
        with Loopback(script=script, pace=0, strict=True) as server, Client(server.url, "sk-any") as client:
            client.ask("ho").text()
            raise ZeroDivisionError


def test_a_strict_server_compares_each_connection_from_the_scripts_start(tmp_path: Path) -> None:
    path = tmp_path / "two.txt"
    path.write_text(
        '> SEND {"token":"sk-...","id":-1}\n> SEND {"message":"one"}\n< RECV {"message":"1","quota":0.1,"end":true}\n'
        '> SEND {"message":"two"}\n< RECV {"message":"2","quota":0.1,"end":true}\n'
    )
    # Two at once; and one that asks the first again, as who connects anew does.
    with Loopback(script=path, pace=0, strict=True) as server:
        with Client(server.url, "sk-any") as one, Client(server.url, "sk-any") as other:
            asked = [(one, "one"), (other, "one"), (other, "two"), (one, "two")]
            assert [client.ask(question).text() for client, question in asked] == ["1", "1", "2", "2"]
        with Client(server.url, "sk-any") as client:
            assert client.ask("one").text() == "1"
    # The second question on a connection of its own is answered by the first one's answer.
    with pytest.raises(AssertionError, match=r"question 1 is another than the script's(?s:.*)asked: .*two(?s:.*)one"):
        with Loopback(script=path, pace=0, strict=True) as server:
            for question in ("one", "two"):
                with Client(server.url, "sk-any") as client:
                    assert client.ask(question).text() == "1"


@pytest.mark.parametrize(
    "arguments",
    [
        {"generation": "2025-01"},
        {"certificate": "good"},
        {"tls": 1},
        {"pace": "fast"},
        {"pace": -1.0},
        {"pace": float("nan")},
        {"throttle": -1},
        {"throttle": 1.5},
        {"strict": "yes"},
        {"strict": True},
        {"script": 5.5},
        {"faults": "throttled"},
        {"faults": ["no-such-fault"]},
    ],
)
def test_arguments_that_cannot_be(arguments: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        Loopback(**arguments)
