"""What a client tells the model before a conversation begins."""

from __future__ import annotations

from typing import Protocol

from .answer import Conversation
from .auth import Auth
from .request import Request


class HasConversation(Protocol):
    """A client or a connection."""

    @property
    def conversation(self) -> Conversation: ...


class System:
    """The system prompt, which goes before the first question of a new conversation."""

    __slots__ = ("_is_due", "_request")

    def __init__(self, prompt: str | None, auth: Auth) -> None:
        self._request = None if prompt is None else Request.mask([("system", prompt)])
        # One that is continued has its own.
        self._is_due = not auth._continues

    def reconnecting(self, client: HasConversation) -> None:
        """A new connection continues the conversation that the server has named; where it has not, it begins another."""
        if self._request is not None and client.conversation.id <= 0:
            self._is_due = True

    def due(self) -> Request | None:
        """What is to be sent before the next question."""
        return self._request if self._is_due else None

    def sent(self) -> None:
        """It has been."""
        self._is_due = False
