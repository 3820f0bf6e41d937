"""A bot for many users at a time, each with a conversation, a connection and a line of questions of their own. It asks again
where that may help, and never where it does not.

    python bot.py [USERS [QUESTIONS]]

asks a server that it starts itself on 127.0.0.1; with CHATNIO_URL and CHATNIO_TOKEN the real one, which refuses too many
connections in a short time: begin with few.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from contextlib import ExitStack

from pychatnio import AsyncClient, ChatNioError, Config, Loopback

#: How often a question is asked in all, and how long it may take, in seconds.
TRIES, TIMEOUT = 4, 120
SYSTEM = "You answer in one sentence."


class User:
    """One user's conversation. It is connected with the first question, and stays so."""

    def __init__(self, url: str, token: str | None, config: Config) -> None:
        self._client = AsyncClient(url, token, config=config, system=SYSTEM)

    async def ask(self, question: str, model: str | None) -> str:
        """The answer; asked anew on a new connection where that may go well.

        Raises:
            ChatNioError: when it does not, or must not be tried again. What was asked may have been charged each time.
        """
        for number in range(1, TRIES + 1):
            try:
                if not self._client.is_connected:
                    await self._client.connect()
                return await self._client.ask(question, model=model, timeout=TIMEOUT).text()
            except ChatNioError as error:
                if not error.is_retryable or number == TRIES:
                    raise
                # Servers count refused attempts as well: so not all at the same time.
                pause = error.retry_after if error.retry_after is not None else 1.1 * 2 ** (number - 1)
                await self._client.close()
                await asyncio.sleep(pause * random.uniform(1, 1.5))
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Ends it."""
        await self._client.close()


async def talk(user: User, questions: int, said: Counter[str]) -> None:
    """What one user says, one after the other."""
    try:
        for number in range(questions):
            try:
                await user.ask(f"What is special about the number {number}?", os.environ.get("CHATNIO_MODEL"))
                said["answered"] += 1
            except ChatNioError as error:
                said[str(error)] += 1
    finally:
        await user.close()


async def run(url: str, token: str | None, users: int, questions: int) -> int:
    """All users at once; returns how many questions were not answered."""
    config, said = Config(), Counter[str]()
    await asyncio.gather(*(talk(User(url, token, config), questions, said) for _ in range(users)))
    for text, count in said.most_common():
        print(f"{count} of {users * questions}: {text}")
    return users * questions - said["answered"]


def main() -> int:
    """As many users as the command line says."""
    users, questions = (int(argument) for argument in (sys.argv[1:] + ["50", "3"][len(sys.argv) - 1 :])[:2])
    url, token = os.environ.get("CHATNIO_URL"), os.environ.get("CHATNIO_TOKEN")
    with ExitStack() as stack:
        if not url:
            url, token = stack.enter_context(Loopback()).url, "sk-any"
        return 1 if asyncio.run(run(url, token, users, questions)) else 0


if __name__ == "__main__":
    sys.exit(main())
