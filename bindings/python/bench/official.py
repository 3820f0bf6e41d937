"""Measures the official package, `chatnio` of PyPI, in an environment that has it: `official.py URL`."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys

import answer
from stopwatch import TIMES, Stopwatch

# It is not there where the types are checked.
chatnio = importlib.import_module("chatnio")


def decode() -> None:
    """What it does with each message: `json.loads`, and its object."""
    messages = answer.chunks()
    watch = Stopwatch()
    for _ in range(TIMES):
        with watch:
            for message in messages:
                chatnio.PartialMessage(json.loads(message))
    watch.report("decode")


async def ask(url: str) -> None:
    """One question after the other on one connection, as its documentation has it."""
    chatnio.set_endpoint(url.replace("ws", "http", 1))
    chatnio.set_key("sk-any")
    chat = await chatnio.new_chat()
    watch = Stopwatch()
    for _ in range(TIMES):
        count = 0
        with watch:
            async for _partial in chat.ask("hi"):
                count += 1
        # It hands out the opener and the end, too.
        assert count == answer.CHUNKS + 2, count
    watch.report("ask")
    await chat.connection.close()


if __name__ == "__main__":
    decode()
    asyncio.run(ask(sys.argv[1]))
