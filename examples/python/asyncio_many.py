"""Hundreds of chats at once in one loop, each on a connection of its own; says what all of them have brought.

    python asyncio_many.py [CHATS]

asks a server that it starts itself on 127.0.0.1. With CHATNIO_URL and CHATNIO_TOKEN it asks the real one, which refuses
too many connections in a short time: begin with few.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack, ExitStack
from decimal import Decimal

from pychatnio import Answer, AnswerError, AsyncClient, ChatNioError, Config, Loopback, Outcome

#: How many connections are being made at a time, which is kind to servers.
CONNECTING = 50


async def chat(
    url: str, token: str | None, config: Config, gate: asyncio.Semaphore, number: int
) -> Answer | ChatNioError:
    """One chat: connects, asks, and takes the answer piece by piece, as a program would that shows it."""
    try:
        async with AsyncExitStack() as stack:
            async with gate:
                client = await stack.enter_async_context(AsyncClient(url, token, config=config))
            stream = client.ask(f"What is special about the number {number}?", model=os.environ.get("CHATNIO_MODEL"))
            async for _piece in stream:
                pass
            return await stream.wait()
    except ChatNioError as error:
        return error


async def run(url: str, token: str | None, chats: int) -> int:
    """All of them; returns how many have failed."""
    began = time.monotonic()
    # One configuration for all: it holds the root certificates.
    config, gate = Config(), asyncio.Semaphore(CONNECTING)
    results = await asyncio.gather(*(chat(url, token, config, gate, number) for number in range(chats)))
    elapsed = time.monotonic() - began

    errors = [result for result in results if isinstance(result, ChatNioError)]
    answers = [result for result in results if isinstance(result, Answer)]
    # An answer that was cut short has text, and may have cost something.
    answers += [error.answer for error in errors if isinstance(error, AnswerError)]
    complete = sum(answer.outcome is Outcome.COMPLETE for answer in answers)
    chunks = sum(answer.chunks for answer in answers)
    quota = sum((answer.quota_decimal for answer in answers), Decimal())
    print(f"{complete} of {chats} answered, {chunks} chunks in {elapsed:.1f} s, quota {quota}")
    for text, count in Counter(map(str, errors)).items():
        print(f"{count} failed: {text}", file=sys.stderr)
    return len(errors)


def main() -> int:
    """Asks as often as the command line says."""
    chats = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    url, token = os.environ.get("CHATNIO_URL"), os.environ.get("CHATNIO_TOKEN")
    with ExitStack() as stack:
        if not url:
            url, token = stack.enter_context(Loopback()).url, "sk-any"
        return 1 if asyncio.run(run(url, token, chats)) else 0


if __name__ == "__main__":
    sys.exit(main())
