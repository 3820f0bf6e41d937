"""Unit-testing a program of one's own: by transcripts without any network, and against a server on 127.0.0.1.

    pip install pytest
    pytest bot_test.py

The fixtures `chatnio_loopback` and `chatnio_transcript` come with the package.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pychatnio import Client, Delta, End, Event, Loopback, NoticeError, Outcome, Transcript

#: Recorded by `Config(record=True)` and `client.transcript()`.
RECORDED = Path(__file__).resolve().parents[2] / "transcripts" / "2026-03"


class Bot:
    """The program under test: counts words as they stream in, and says what it made of the answer."""

    def __init__(self) -> None:
        self.words = 0
        self.verdict: str | None = None

    def on_event(self, event: Event) -> None:
        """Takes one event of an answer."""
        if isinstance(event, Delta):
            self.words += len(event.text.split())
        elif isinstance(event, End):
            answer = event.answer
            if answer.outcome is Outcome.COMPLETE:
                self.verdict = f"{self.words} words"
            elif answer.outcome is Outcome.NOTICE:
                self.verdict = f"no answer: {answer.notice}"
            else:
                self.verdict = f"cut short: {answer.reason or answer.outcome}"

    def ask(self, client: Client, question: str, model: str | None = None) -> None:
        """Asks, and takes the answer in."""
        for event in client.ask(question, model=model).events():
            self.on_event(event)


# The quickest: the same events every time, without network or clock.


# ANCHOR: test
@pytest.mark.parametrize(
    ("recording", "verdict"),
    [
        ("hello.txt", "6 words"),
        ("anon_denied.txt", "no answer: not authenticated error (model: hello)"),
        ("stop_mid.txt", "cut short: stopped"),
    ],
)
def test_recorded(recording: str, verdict: str) -> None:
    bot = Bot()
    for event in Transcript.load(RECORDED / recording).events():
        bot.on_event(event)
    assert bot.verdict == verdict
    # ANCHOR_END: test


# An incident of one's own, written down by hand.


def test_the_connection_is_lost() -> None:
    bot = Bot()
    incident = Transcript(
        """WEBSOCKET wss://api.chatnio.net/chat

        > SEND {"token":"anonymous","id":-1}
        > SEND {"type":"chat","message":"hi"}
        < RECV {"message":"Hello","quota":0.1,"end":false}
        ! CLOSED
        """
    )
    for event in incident.events():
        bot.on_event(event)
    assert (bot.words, bot.verdict) == (1, "cut short: the server closed the connection")


# The whole program, over a connection: the server says what was recorded, whatever is asked.


def test_over_a_connection(chatnio_transcript: Callable[[str], Loopback]) -> None:
    server = chatnio_transcript(str(RECORDED / "hello.txt"))
    bot = Bot()
    with Client(server.url, "sk-any") as client:
        bot.ask(client, "hi")
    assert bot.verdict == "6 words"


# The whole program against a server's fake models: the model's name says what they do.


def test_the_account_is_empty(chatnio_loopback: Loopback) -> None:
    bot = Bot()
    with Client(chatnio_loopback.url, "sk-any") as client:
        bot.ask(client, "hi", model="notice")
        assert bot.verdict is not None and "quota is not enough" in bot.verdict
        with pytest.raises(NoticeError, match="quota is not enough"):
            client.ask("hi", model="notice").text()
