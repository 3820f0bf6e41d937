"""Servers that each do one thing wrong: what a caller gets of each is what the library's table of faults says."""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import uvloop
from fault_servers import Row, Table, announcement

from pychatnio import (
    Answer,
    AnswerInterruptedError,
    AsyncClient,
    ChatNioError,
    Client,
    Config,
    ConnectionClosedError,
    NoticeError,
    RefusedError,
    Status,
)

#: No row needs as long, in seconds: whatever hangs fails.
LONG = 30.0

#: The deadline that a row names, so that it passes soon.
SHORT = 0.3

#: A handshake's, within which a part of it is to come, on a busy machine, too.
SHORT_HANDSHAKE = 3.0

#: How many are tried at once: most of them wait.
AT_ONCE = 32

TOKEN = "sk-secret"

#: What a loop may also get, by chance: a reset may come before it has looked whether it is connected.
BY_CHANCE = {"reset-at-once": "CONNECT"}


def config(table: Table, row: Row) -> Config:
    """All deadlines are long, except the one that the row names: a client that waits for another gets another status."""
    names = ("connect", "first_frame", "next_frame", "ping_after", "pong_within")
    deadlines: dict[str, Any] = {name: SHORT if row.by == name else LONG for name in names}
    return Config(
        connect_retries=0,
        # How a client is left is none of what is asked here.
        close=SHORT,
        max_message=64 << 10,
        max_answer=1 << 20,
        handshake=SHORT_HANDSHAKE if row.by == "handshake" else LONG,
        trust="added",
        root_files=[table.roots],
        **deadlines,
    )


def status_of(error: ChatNioError) -> str:
    """Why there is no connection, and for two of them the code; or how the answer ended."""
    assert str(error)
    assert TOKEN not in f"{error!s}{error!r}"
    cause = error.__cause__
    if isinstance(error, AnswerInterruptedError) and isinstance(cause, ChatNioError):
        error = cause
    elif isinstance(error, AnswerInterruptedError):
        return str(error.answer.interruption)
    elif isinstance(error, NoticeError):
        return str(error.answer.outcome)
    assert error.status is not None
    if isinstance(error, (ConnectionClosedError, RefusedError)):
        if error.status is Status.CLOSED_BY_SERVER:
            return f"CLOSED_BY_SERVER {error.code or '-'}"
        if error.status is Status.HTTP:
            return f"HTTP {error.code}"
    return error.status.name


def blocking(table: Table, row: Row) -> tuple[str, str]:
    """Asks one question to its end; what the caller gets, and the text that has come."""
    pieces: list[str] = []
    try:
        with Client(row.url, TOKEN, config=config(table, row)) as client:
            stream = client.ask("hi")
            for piece in stream:
                pieces.append(piece)
            return outcome_of(stream.answer), "".join(pieces)
    except ChatNioError as error:
        return status_of(error), "".join(pieces)


async def on_asyncio(table: Table, row: Row) -> tuple[str, str]:
    """The same by the asynchronous client."""
    pieces: list[str] = []
    try:
        async with AsyncClient(row.url, TOKEN, config=config(table, row)) as client:
            stream = client.ask("hi")
            async for piece in stream:
                pieces.append(piece)
            return outcome_of(stream.answer), "".join(pieces)
    except ChatNioError as error:
        return status_of(error), "".join(pieces)


def outcome_of(answer: Answer | None) -> str:
    """How an answer has ended that is there."""
    assert answer is not None
    return str(answer.outcome)


def compare(row: Row, got: tuple[str, str]) -> list[str]:
    """What is wrong, if something is."""
    status, text = got
    text = text.rstrip()[:40]
    if (status, text) == (row.status, row.text):
        return []
    return [f"{row.fault}, {row.over}: {status} {text!r} instead of {row.status} {row.text!r}"]


def test_the_table_is_whole(table: Table) -> None:
    assert len(table.rows) == table.announced
    assert {row.over for row in table.rows} == {"plain", "tls"}


def test_a_server_that_dies_is_an_error() -> None:
    assert announcement(io.BytesIO(b"a\nb\n\nc\n")) == [b"a\n", b"b\n"]
    with pytest.raises(RuntimeError, match="ended before its table did"):
        announcement(io.BytesIO(b"a\nb\n"))


def test_blocking(table: Table) -> None:
    def try_one(row: Row) -> list[str]:
        return compare(row, blocking(table, row))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        wrong = [line for lines in pool.map(try_one, table.rows, timeout=LONG * 3) for line in lines]
    assert wrong == []


@pytest.mark.parametrize("in_loop", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_asyncio(table: Table, in_loop: Any) -> None:
    async def try_all() -> list[str]:
        places = asyncio.Semaphore(AT_ONCE)

        async def try_one(row: Row) -> list[str]:
            async with places:
                got = await asyncio.wait_for(on_asyncio(table, row), LONG * 2)
                return [] if got == (BY_CHANCE.get(row.fault), "") else compare(row, got)

        return [line for lines in await asyncio.gather(*map(try_one, table.rows)) for line in lines]

    # The loop's debug mode takes most of the time.
    assert in_loop(try_all(), debug=False) == []
