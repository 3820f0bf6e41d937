"""Every transcript gives the event log beside it, byte for byte: by a session, and by a connection however the server's
bytes are split, plain and in TLS."""

from __future__ import annotations

import random
import ssl
from collections.abc import Iterable
from pathlib import Path

import pytest
from support import Certificates
from event_log import EventLog
from memory import START, Link, Server

from pychatnio import ChatNioError, CloseReason, Config, Connection, Event, Replay, Session, StepKind, Transcript

FOLDER = Path(__file__).resolve().parents[3] / "transcripts"
TRANSCRIPTS = sorted(FOLDER.rglob("*.txt"))
#: Longer streams are split at seeded places only.
EVERY_UP_TO = 16 * 1024
SEEDS = 64
CUTS = 8

each = pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: str(path.relative_to(FOLDER)))


def test_none_is_missing() -> None:
    # What is not there is not parametrized over, either.
    folders = {path.parent.name for path in TRANSCRIPTS}
    assert folders == {"transcripts", "2023-11", "2024-03", "2026-03", "made"}
    assert len(TRANSCRIPTS) >= 35
    assert sorted(FOLDER.rglob("*.log")) == [path.with_suffix(".log") for path in TRANSCRIPTS]


def expected(path: Path) -> str:
    return path.with_suffix(".log").read_bytes().decode()


@each
def test_by_a_session(path: Path) -> None:
    log = EventLog()
    replay = Replay(Transcript.load(path))
    session = Session(replay.auth(), now=START)
    while (step := replay.next_step(session.state)) is not None:
        if step.kind is StepKind.WARNING:
            assert step.text is not None
            log.warning(step.line, step.text)
        elif step.kind is StepKind.REQUEST:
            assert step.request is not None
            try:
                session.request(step.request, now=START)
            except ChatNioError as error:
                log.warning(step.line, f"skipped: {error}")
            while session.next_message() is not None:
                pass
        elif step.kind is StepKind.RECEIVE:
            assert step.text is not None
            log.event(session.receive(step.text, now=START), step.line)
            # The frames behind the first are due at once.
            while (more := session.handle_timeout(now=START)) is not None:
                log.event(more, step.line)
        else:
            assert step.kind is StepKind.CLOSED
            log.event(session.closed(CloseReason.SERVER))
    log.event(session.closed(CloseReason.HOST))
    assert str(log) == expected(path)


@each
def test_by_its_own_events(path: Path) -> None:
    # `Transcript.events` does the same in one call. It tells of no warnings, and of no lines.
    log = EventLog()
    for event in Transcript.load(path).events():
        log.event(event)
    wanted = [line for line in expected(path).splitlines() if not line.startswith('{"event":"warning"')]
    assert [line for line in str(log).splitlines() if not line.startswith('{"event":"warning"')] == wanted


def play(
    transcript: Transcript,
    cuts: Iterable[int] | None = (),
    tls: ssl.SSLContext | None = None,
    config: Config | None = None,
) -> tuple[str, int]:
    """Plays a transcript through a connection; gives its log, and the length of the server's stream."""
    log = EventLog()
    replay = Replay(transcript)
    url = "ws://localhost/chat" if tls is None else "wss://localhost/chat"
    connection = Connection(url, replay.auth(), config=config, now=START)
    link = Link(connection, Server(tls), cuts)

    def exchange(line: int | None = None) -> None:
        event: Event
        for event in link.exchange():
            log.event(event, line)

    exchange()
    while (step := replay.next_step(connection.state)) is not None:
        line = None
        if step.kind is StepKind.WARNING:
            assert step.text is not None
            log.warning(step.line, step.text)
        elif step.kind is StepKind.REQUEST:
            assert step.request is not None
            try:
                connection.request(step.request, now=START)
            except ChatNioError as error:
                log.warning(step.line, f"skipped: {error}")
        elif step.kind is StepKind.RECEIVE:
            assert step.text is not None
            line = step.line
            link.server.send(step.text + "\n")
        else:
            assert step.kind is StepKind.CLOSED
            connection.eof(now=START)
        exchange(line)
    connection.close(now=START)
    connection.eof(now=START)
    exchange()
    return str(log), link.received


def seeded(length: int) -> list[list[int]]:
    """Places to split a stream at, the same at every run."""
    return [sorted(random.Random(seed).choices(range(1, length), k=CUTS)) for seed in range(SEEDS)]


@each
def test_by_a_connection(path: Path) -> None:
    transcript, wanted = Transcript.load(path), expected(path)
    log, length = play(transcript)
    assert log == wanted, "whole"
    assert play(transcript, None)[0] == wanted, "byte by byte"
    splits = [[cut] for cut in range(1, length)] if length <= EVERY_UP_TO else seeded(length)
    for cuts in splits:
        assert play(transcript, cuts)[0] == wanted, f"split at {cuts}"


@each
def test_in_tls(path: Path, certificates: Certificates) -> None:
    transcript, wanted = Transcript.load(path), expected(path)
    tls = certificates.server()
    # The first handshake is a full one, and those after it resume its session.
    config = certificates.config()
    log, length = play(transcript, (), tls, config)
    assert log == wanted, "whole"
    assert play(transcript, None, tls, config)[0] == wanted, "byte by byte"
    for seed, cuts in enumerate(seeded(length)):
        config = config if seed % 2 else certificates.config()
        assert play(transcript, cuts, tls, config)[0] == wanted, f"split at {cuts}"
