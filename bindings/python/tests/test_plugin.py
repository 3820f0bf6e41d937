"""The pytest plugin, as users have it: in a pytest of its own."""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from pychatnio import pytest_plugin

pytest_plugins = ["pytester"]

PROJECT = Path(__file__).resolve().parents[1]
#: Where the package is installed pytest finds the plugin by itself.
IS_INSTALLED = any(entry.value == "pychatnio.pytest_plugin" for entry in entry_points(group="pytest11"))


def test_the_entry_point() -> None:
    project = (PROJECT / "pyproject.toml").read_text()
    assert re.findall(r'\[project\.entry-points\.pytest11\]\npychatnio = "(.*)"', project) == [pytest_plugin.__name__]


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    found = () if IS_INSTALLED else ("-p", "pychatnio.pytest_plugin")
    return pytester.runpytest_subprocess("-W", "error", *found, *arguments)


def test_both_fixtures_are_told(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--fixtures")
    result.stdout.fnmatch_lines(
        ["chatnio_loopback*", "*A server on 127.0.0.1*", "chatnio_transcript*", "*Plays transcripts back*"]
    )


def test_chatnio_loopback(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import asyncio
        from pychatnio import AsyncClient, Client

        urls = []

        def test_blocking(chatnio_loopback):
            urls.append(chatnio_loopback.url)
            with Client(chatnio_loopback.url, "sk-any") as client:
                assert client.ask("hi", model="hello").text() == "Hello! How can I help?"

        def test_async(chatnio_loopback):
            urls.append(chatnio_loopback.url)

            async def main():
                async with AsyncClient(chatnio_loopback.url, "sk-any") as client:
                    assert len([piece async for piece in client.ask("hi", model="long-1000")]) == 1000

            asyncio.run(main())

        def test_they_have_ended():
            assert len(set(urls)) == 2
            for url in urls:
                try:
                    Client(url)
                except ConnectionError:
                    pass
                else:
                    raise AssertionError("it is still there")
        """
    )
    run(pytester).assert_outcomes(passed=3)


TRANSCRIPT = """WEBSOCKET wss://api.chatnio.net/chat

> SEND {"token":"sk-...","id":-1}
> SEND {"type":"chat","message":"hi"}
< RECV {"message":"Hello","quota":0.1,"end":false}
< RECV {"message":"","quota":0.1,"end":true}
"""


def test_chatnio_transcript(pytester: pytest.Pytester) -> None:
    folder = pytester.mkpydir("bots")
    (folder / "hello.txt").write_text(TRANSCRIPT)
    (folder / "bye.txt").write_text(TRANSCRIPT.replace("Hello", "Bye"))
    (folder / "wrong.txt").write_text("nonsense")
    (folder / "test_bot.py").write_text(
        """
import pathlib
import pytest
from pychatnio import Client, TranscriptError

def ask(server):
    with Client(server.url, "sk-any") as client:
        return client.ask("anything").text()

def test_several(chatnio_transcript):
    assert ask(chatnio_transcript("hello.txt")) == "Hello"
    server = chatnio_transcript(pathlib.Path("bye.txt"))
    assert ask(server) == ask(server) == "Bye"
    assert ask(chatnio_transcript(pathlib.Path(__file__).with_name("hello.txt"))) == "Hello"

@pytest.mark.parametrize("name", ["missing.txt", "wrong.txt"])
def test_none(chatnio_transcript, name):
    with pytest.raises((FileNotFoundError, TranscriptError)):
        chatnio_transcript(name)
"""
    )
    run(pytester).assert_outcomes(passed=3)


def test_a_test_that_fails_leaves_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import os

        def test_fails(chatnio_loopback):
            print("process", chatnio_loopback._process.pid)
            assert False

        def test_it_has_ended(capfd):
            pass
        """
    )
    result = run(pytester)
    result.assert_outcomes(passed=1, failed=1)
    (process,) = re.findall(r"process (\d+)", result.stdout.str())
    assert not Path(f"/proc/{process}").exists()
