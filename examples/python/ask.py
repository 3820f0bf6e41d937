"""Asks one question and prints the answer as it comes. Ctrl-C stops the answer, and says what it has cost.

    python ask.py "hi"

asks a server that it starts itself on 127.0.0.1. With CHATNIO_URL, such as wss://api.chatnio.net, and CHATNIO_TOKEN it
asks the real one, and with CHATNIO_MODEL another model than the server's default.

Exit status: 0 answered, or stopped as asked; 1 it failed; 2 usage.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack

from pychatnio import Answer, ChatNioError, Client, Loopback

#: What could drive a terminal, if a server said it.
CONTROLS = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


def ask(client: Client, question: str, model: str | None) -> Answer | None:
    """Prints the answer as it comes, and returns the whole of it."""
    stream = client.ask(question, model=model)
    try:
        # Leaving this block in any way stops an answer that has not ended, and waits for its end.
        with stream:
            for piece in stream:
                print(piece.translate(CONTROLS), end="", flush=True)
    except KeyboardInterrupt:
        pass
    finally:
        if stream.answer is not None and stream.answer.text:
            print()
    return stream.answer


def main() -> int:
    """Asks what the command line says."""
    if len(sys.argv) != 2:
        print(f"usage: {sys.argv[0]} QUESTION", file=sys.stderr)
        return 2
    url, token = os.environ.get("CHATNIO_URL"), os.environ.get("CHATNIO_TOKEN")
    with ExitStack() as stack:
        if not url:
            url, token = stack.enter_context(Loopback()).url, "sk-any"
        try:
            client = stack.enter_context(Client(url, token))
            answer = ask(client, sys.argv[1], os.environ.get("CHATNIO_MODEL"))
        except ChatNioError as error:
            # A notice of the server's, an answer that was cut short, no connection: each has a class of its own.
            print(str(error).translate(CONTROLS), file=sys.stderr)
            return 1
        if answer is not None:
            print(f"{answer.outcome}, quota {answer.quota_text}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
