"""What the companion calls return."""

from __future__ import annotations

import dataclasses
from typing import Any

__all__ = [
    "BillingLimits",
    "BillingUsage",
    "Charge",
    "Conversation",
    "Info",
    "Mask",
    "Message",
    "Model",
    "Package",
    "Share",
    "SharedConversation",
    "Subscription",
    "Usage",
    "User",
]


@dataclasses.dataclass(frozen=True)
class Message:
    """A message of a conversation."""

    role: str
    """Who says it: `user`, `assistant`, `system`."""
    content: str
    """What is said. Content that is no text is its JSON."""
    other: dict[str, Any] = dataclasses.field(default_factory=dict[str, Any])
    """Further fields, as the server sent them."""


@dataclasses.dataclass(frozen=True)
class Conversation:
    """A stored conversation."""

    id: int
    """Its id, for `Auth.conversation`."""
    name: str
    """Its name: the first question's beginning, or what it was renamed to."""
    model: str
    """The model that was asked last; empty where the server does not say."""
    messages: tuple[Message, ...] | None
    """Its messages, oldest first; `None` in a list, which brings none."""
    web: bool
    """Whether its last question searched the web."""
    shared: bool
    """Whether a share was put in front of it."""
    context: int
    """How many messages went to the model with the last question; 0 is the server's default."""
    other: dict[str, Any]
    """Further fields, as the server sent them."""


@dataclasses.dataclass(frozen=True)
class SharedConversation:
    """A conversation that somebody shares."""

    username: str
    """Whose it is."""
    name: str
    """The conversation's name."""
    messages: tuple[Message, ...]
    """Its messages, oldest first."""
    other: dict[str, Any]
    """Further fields, as the server sent them."""


@dataclasses.dataclass(frozen=True)
class Share:
    """A share of one's own."""

    hash: str
    """What `Auth.share` and `Request.share` take."""
    conversation_id: int
    """The id of the conversation that it shows."""
    name: str
    """That conversation's name."""
    time: str
    """When it was made, as the server writes it: `2026-11-28T11:31:29Z`."""
    other: dict[str, Any]
    """Further fields, as the server sent them."""


@dataclasses.dataclass(frozen=True)
class Mask:
    """A stored mask: messages to put before a conversation."""

    id: int
    """Its id."""
    avatar: str
    """Its picture, as the server's web page takes it."""
    name: str
    """Its name."""
    description: str
    """What it is for."""
    context: tuple[Message, ...]
    """Its messages."""
    other: dict[str, Any]
    """Further fields, as the server sent them."""


@dataclasses.dataclass(frozen=True)
class Usage:
    """What was used of one part of a subscription."""

    used: float
    """How often it was used."""
    total: float
    """How often it may be used; -1 is no limit."""
    other: dict[str, Any]
    """Further fields, as the server sent them."""


@dataclasses.dataclass(frozen=True)
class Subscription:
    """A subscription. Without one all is empty."""

    is_subscribed: bool
    """Whether there is one."""
    enterprise: bool
    """Whether it is one for enterprises."""
    level: int
    """Its level; 0 is none."""
    expired: int
    """The days until it ends."""
    expired_at: str
    """When it ends, as the server writes it; empty on servers that do not say."""
    refresh: int
    """The days until its usage begins anew; 0 on servers that do not say."""
    refresh_at: str
    """When its usage begins anew, as the server writes it; empty on servers that do not say."""
    usage: dict[str, Usage]
    """What was used of it, by the name of what it includes."""
    other: dict[str, Any]
    """Further fields, as the server sent them."""


@dataclasses.dataclass(frozen=True)
class Package:
    """The packages of an account."""

    cert: bool
    """Whether it is certified."""
    teenager: bool
    """Whether it is that of a teenager."""
    other: dict[str, Any]
    """Further fields, as the server sent them."""


@dataclasses.dataclass(frozen=True)
class Model:
    """A model."""

    id: str
    """Its id, for `Parameters.model`."""
    owned_by: str
    """Whose it is; empty where the server does not say."""
    created: int
    """When it was made, in seconds since 1970; 0 where the server does not say."""
    other: dict[str, Any]
    """Further fields, as the server sent them."""


@dataclasses.dataclass(frozen=True)
class Charge:
    """The price of models."""

    id: int
    """Its id."""
    type: str
    """How it counts: `token-billing`, `times-billing` or `non-billing`."""
    models: tuple[str, ...]
    """The models that it is for."""
    input: float
    """The quota for 1000 tokens of the question."""
    output: float
    """The quota for 1000 tokens of the answer; for one question with `times-billing`."""
    anonymous: bool
    """Whether the models answer without an account, too."""
    other: dict[str, Any]
    """Further fields, as the server sent them."""


@dataclasses.dataclass(frozen=True)
class User:
    """Whose key it is."""

    name: str
    """The user's name."""
    admin: bool
    """Whether it is an administrator."""
    other: dict[str, Any]
    """Further fields, as the server sent them."""


@dataclasses.dataclass(frozen=True)
class Info:
    """What a server says of itself."""

    title: str
    """Its title."""
    logo: str
    """The URL of its logo."""
    file: str
    """The URL of its file service."""
    docs: str
    """The URL of its documentation."""
    announcement: str
    """What it announces."""
    other: dict[str, Any]
    """Further fields, as the server sent them."""


@dataclasses.dataclass(frozen=True)
class BillingUsage:
    """What was spent, in OpenAI's shape."""

    total_usage: float
    """All that was used."""
    other: dict[str, Any]
    """Further fields, as the server sent them."""


@dataclasses.dataclass(frozen=True)
class BillingLimits:
    """What may be spent, in OpenAI's shape."""

    soft_limit: float
    """The quota that is left."""
    hard_limit: float
    """The quota that there was."""
    other: dict[str, Any]
    """Further fields, as the server sent them."""
