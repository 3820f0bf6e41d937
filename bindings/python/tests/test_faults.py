"""Servers that each do one thing wrong: what a caller gets of each is what the library's table of faults says."""

from __future__ import annotations

import asyncio
import io
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

import pytest
import uvloop
from fault_servers import Got, Row, Table, announcement

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

#: No row takes as long, whatever its limits, in seconds: it hangs.
HANGS = 100.0

#: How many are tried at once: most of them wait.
AT_ONCE = 32

TOKEN = "sk-secret"

#: What a loop may also get, by chance: a reset may come before it has looked whether it is connected.
BY_CHANCE = {"reset-at-once": [Got("CONNECT", "")]}


def config(table: Table, row: Row) -> Config:
    """All limits are as the row wants them: what ends by another than its own is late."""
    names = ("connect", "handshake", "first_frame", "next_frame", "answer_within", "after_stop", "ping_after", "pong_within")
    limits: dict[str, Any] = {name: row.seconds(name) for name in names}
    return Config(
        connect_retries=0,
        # How a client is left is none of what is asked here.
        close=0.3,
        max_message=64 << 10,
        max_answer=1 << 20,
        trust="added",
        root_files=[table.roots],
        **limits,
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


def blocking(table: Table, row: Row) -> tuple[list[Got], float]:
    """Asks the row's questions; what the caller gets of each, and how many seconds that took."""
    start = time.monotonic()
    try:
        client = Client(row.url, TOKEN, config=config(table, row))
    except ChatNioError as error:
        return [Got(status_of(error), "")], time.monotonic() - start
    with client:
        return [ask(client) for _ in row.wanted], time.monotonic() - start


def ask(client: Client) -> Got:
    """Asks one question to its end."""
    pieces: list[str] = []
    try:
        stream = client.ask("hi")
        for piece in stream:
            pieces.append(piece)
        return got(outcome_of(stream.answer), pieces)
    except ChatNioError as error:
        return got(status_of(error), pieces)


async def on_asyncio(table: Table, row: Row) -> tuple[list[Got], float]:
    """The same by the asynchronous client."""
    start = time.monotonic()
    client = AsyncClient(row.url, TOKEN, config=config(table, row))
    try:
        await client.connect()
    except ChatNioError as error:
        return [Got(status_of(error), "")], time.monotonic() - start
    async with aclosing(client):
        return [await ask_on_asyncio(client) for _ in row.wanted], time.monotonic() - start


async def ask_on_asyncio(client: AsyncClient) -> Got:
    """Asks one question to its end."""
    pieces: list[str] = []
    try:
        stream = client.ask("hi")
        async for piece in stream:
            pieces.append(piece)
        return got(outcome_of(stream.answer), pieces)
    except ChatNioError as error:
        return got(status_of(error), pieces)


def got(status: str, pieces: list[str]) -> Got:
    """As the table has it: no white space at the end, and at most 40 characters."""
    return Got(status, "".join(pieces).rstrip()[:40])


def outcome_of(answer: Answer | None) -> str:
    """How an answer has ended that is there."""
    assert answer is not None
    return str(answer.outcome)


def compare(row: Row, result: tuple[list[Got], float]) -> list[str]:
    """What is wrong, if something is."""
    seen, took = result
    if seen != row.wanted:
        return [f"{row.fault}, {row.over}: {seen} instead of {row.wanted}"]
    if not row.least <= took * 1000 <= row.most:
        return [f"{row.fault}, {row.over}: it took {took} s, and is to take {row.least} to {row.most} ms"]
    return []


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
        wrong = [line for lines in pool.map(try_one, table.rows, timeout=HANGS) for line in lines]
    assert wrong == []


@pytest.mark.parametrize("in_loop", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_asyncio(table: Table, in_loop: Any) -> None:
    async def try_all() -> list[str]:
        places = asyncio.Semaphore(AT_ONCE)

        async def try_one(row: Row) -> list[str]:
            async with places:
                result = await asyncio.wait_for(on_asyncio(table, row), HANGS)
                return [] if result[0] == BY_CHANCE.get(row.fault) else compare(row, result)

        return [line for lines in await asyncio.gather(*map(try_one, table.rows)) for line in lines]

    # The loop's debug mode takes most of the time.
    assert in_loop(try_all(), debug=False) == []
