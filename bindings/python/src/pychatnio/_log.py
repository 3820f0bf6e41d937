"""What the logger `pychatnio` is told, at level DEBUG: what happens to a connection and its turns, and never what is said."""

from __future__ import annotations

import logging

from .events import Closed, End, Event, Malformed, Opened

LOG = logging.getLogger("pychatnio")
LOG.addHandler(logging.NullHandler())


def log_event(owner: object, event: Event) -> None:
    """Tells of an event. Of deltas, which are too many, nobody is to tell."""
    if not LOG.isEnabledFor(logging.DEBUG):
        return
    what = type(event).__name__
    if isinstance(event, Opened):
        what = f"turn {event.turn} opened, conversation {event.conversation.id} ({event.conversation.kind})"
    elif isinstance(event, End):
        answer = event.answer
        why = f" ({answer.interruption})" if answer.interruption else ""
        what = f"turn {event.turn} ended: {answer.outcome}{why}, {len(answer.text)} characters, quota {answer.quota_text}"
    elif isinstance(event, Malformed):
        what = f"a message cannot be read: {event.message}"
    elif isinstance(event, Closed):
        what = f"closed: {event.status}{f', code {event.code}' if event.code is not None else ''}"
    LOG.debug("%x: %s", id(owner), what)


def log(owner: object, what: str, *arguments: object) -> None:
    """Tells what is done."""
    if LOG.isEnabledFor(logging.DEBUG):
        LOG.debug("%x: " + what, id(owner), *arguments)
