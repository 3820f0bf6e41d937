"""The answer that is sent, received and decoded, the same for all who are measured."""

from __future__ import annotations

import json

from websockets.frames import Frame, Opcode

#: How many pieces of text it has.
CHUNKS = 20_000


def message(piece: str, quota: float, *, conversation: int = 0, end: bool = False) -> str:
    """A message of the server, byte for byte as the servers of 2026 write it."""
    frame = {"conversation": conversation, "quota": quota, "keyword": "", "message": piece, "end": end, "plan": False}
    return json.dumps(frame, separators=(",", ":")) + "\n"


def opener() -> str:
    """What comes before the pieces."""
    return message("", 0, conversation=1)


def chunks() -> list[str]:
    """The pieces, each with what all of them have cost."""
    return [message(" word", round(0.00014 * number, 5)) for number in range(1, CHUNKS + 1)]


def end() -> str:
    """What comes after them."""
    return message("", round(0.00014 * CHUNKS, 5), end=True)


def frames(messages: list[str]) -> bytes:
    """Messages as WebSocket frames, as they go over the wire; without compression, as the real servers have it."""
    return b"".join(Frame(Opcode.TEXT, text.encode()).serialize(mask=False) for text in messages)
