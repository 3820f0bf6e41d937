"""The event log: what an event says as JSON, from its public fields alone. The same in every language, byte for byte.

    {"event":"delta","turn":1,"text":"Hello","quota":0.1}
    {"event":"stray","text":"","quota":0.1,"end":true}
    {"event":"warning","line":7,"message":"skipped: the message is empty: it would never be answered"}
    {"event":"end","turn":1,"request":"chat","outcome":"complete","text":"Hello","notice":null,...}

Keys in this order, no spaces, raw UTF-8, LF. There is no delta for an empty piece. A quota is the number's text as the
server wrote it, which is why no JSON encoder makes the lines.
"""

from __future__ import annotations

import json

from pychatnio import Answer, Delta, End, Event, Malformed, Stray


class EventLog:
    """The log of one run."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def event(self, event: Event | None, line: int | None = None) -> None:
        """Adds an event; ``line`` is the transcript's, where it was a line of it that came in."""
        if isinstance(event, Delta):
            self._delta(event.turn, event.text, event.quota_text)
        elif isinstance(event, End):
            self._delta(event.turn, event.text, event.answer.quota_text)
            self._end(event.answer)
        elif isinstance(event, Stray):
            self._lines.append(
                f'{{"event":"stray","text":{_text(event.text)},"quota":{event.quota_text},"end":{_flag(event.is_end)}}}\n'
            )
        elif isinstance(event, Malformed):
            self.warning(line, event.message)

    def warning(self, line: int | None, message: str) -> None:
        """Adds what could not be replayed or read."""
        where = "null" if line is None else line
        self._lines.append(f'{{"event":"warning","line":{where},"message":{_text(message)}}}\n')

    def __str__(self) -> str:
        return "".join(self._lines)

    def _delta(self, turn: int, text: str, quota: str) -> None:
        if text:
            self._lines.append(f'{{"event":"delta","turn":{turn},"text":{_text(text)},"quota":{quota}}}\n')

    def _end(self, answer: Answer) -> None:
        self._lines.append(
            f'{{"event":"end","turn":{answer.turn},"request":"{answer.request}","outcome":"{answer.outcome}",'
            f'"text":{_text(answer.text)},"notice":{_text(answer.notice)},"quota":{answer.quota_text},'
            f'"keyword":{_text(answer.keyword)},'
            f'"conversation":{"null" if answer.conversation is None else answer.conversation},'
            f'"plan":{_flag(answer.plan)},"chunks":{answer.chunks}}}\n'
        )


def _text(text: str | None) -> str:
    # Escapes what the log escapes: `"`, `\`, \b \f \n \r \t, and other controls as \u00xx.
    return json.dumps(text, ensure_ascii=False)


def _flag(value: bool) -> str:
    return "true" if value else "false"
