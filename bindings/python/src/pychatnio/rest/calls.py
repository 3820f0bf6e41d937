"""The calls: one function for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from .._native import lib
from .._status import Status
from .._text import checked, encoded
from ..errors import InvalidArgumentError
from .call import Call
from .results import (
    BillingLimits,
    BillingUsage,
    Charge,
    Conversation,
    Info,
    Mask,
    Message,
    Model,
    Package,
    Share,
    SharedConversation,
    Subscription,
    Usage,
    User,
)

__all__ = [
    "api_key",
    "billing_limits",
    "billing_usage",
    "buy",
    "charges",
    "conversation",
    "conversations",
    "delete_conversation",
    "delete_mask",
    "delete_share",
    "info",
    "invite",
    "market",
    "masks",
    "models",
    "package",
    "plans",
    "quota",
    "redeem",
    "rename_conversation",
    "save_mask",
    "share_conversation",
    "shared_conversation",
    "shares",
    "subscribe",
    "subscription",
    "user",
]

T = TypeVar("T")


def _of(kind: type[T], **nested: Callable[[Any], Any]) -> Callable[[Any], T]:
    """Makes a dataclass of a JSON object; the fields that it does not have are its `other`."""
    names = {field.name for field in dataclasses.fields(cast(Any, kind))}

    def read(value: dict[str, Any]) -> T:
        known = {name: value.pop(name) for name in names & value.keys()}
        for name, inner in nested.items():
            known[name] = inner(known[name])
        return cast(Callable[..., T], kind)(**known, other=value)

    return read


def _each(read: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    return lambda values: tuple(read(value) for value in values)


def _nothing(_: object) -> None:
    return None


def _same(value: Any) -> Any:
    return value


_messages = _each(_of(Message))


def _optional_messages(value: Any) -> tuple[Message, ...] | None:
    return None if value is None else _messages(value)


_conversation: Callable[[Any], Conversation] = _of(Conversation, messages=_optional_messages)


def _optional_package(value: Any) -> Package | None:
    return None if value is None else _of(Package)(value)


def _usages(value: dict[str, Any]) -> dict[str, Usage]:
    return {name: _of(Usage)(used) for name, used in value.items()}


def _id(id: int) -> tuple[Any, tuple[Any, ...]]:
    return lib.chatnio_rest_call_set_id, (_whole(id, "id"),)


def _text(text: str, what: str) -> tuple[Any, tuple[Any, ...]]:
    data = encoded(text, what)
    return lib.chatnio_rest_call_set_text, (data, len(data))


def _whole(number: int, what: str) -> int:
    checked(number, int, what)
    if not -(2**63) <= number < 2**63:
        raise InvalidArgumentError(Status.INVALID, f"{what} is out of range: {number}")
    return number


def conversations() -> Call[tuple[Conversation, ...]]:
    """The stored conversations, newest first, at most the last 100; without their messages."""
    return Call("conversations", lib.CHATNIO_REST_CONVERSATIONS, _each(_conversation))


def conversation(id: int) -> Call[Conversation]:
    """A stored conversation with its messages."""
    return Call("conversation", lib.CHATNIO_REST_CONVERSATION, _conversation, _id(id))


def delete_conversation(id: int) -> Call[None]:
    """Deletes a conversation, for good."""
    return Call("delete_conversation", lib.CHATNIO_REST_DELETE_CONVERSATION, _nothing, _id(id))


def rename_conversation(id: int, name: str) -> Call[None]:
    """Renames a conversation. Not on servers of 2023."""
    rest_type = lib.CHATNIO_REST_RENAME_CONVERSATION
    return Call("rename_conversation", rest_type, _nothing, _id(id), _text(name, "name"))


def share_conversation(id: int, messages: Iterable[int] = (-1,)) -> Call[str]:
    """Shares messages of a conversation, by their indexes from 0; -1 is all of them. The result is the hash that
    `Auth.share` takes. A server gives a hash also for a conversation that does not exist."""
    indexes = [(lib.chatnio_rest_call_add_index, (_whole(index, "an index"),)) for index in messages]
    return Call("share_conversation", lib.CHATNIO_REST_SHARE_CONVERSATION, _same, _id(id), *indexes)


def quota() -> Call[float]:
    """The quota that is left. The cheapest way to find out whether a key is good: the chat never says."""
    return Call("quota", lib.CHATNIO_REST_QUOTA, _same)


def subscription() -> Call[Subscription]:
    """The subscription."""
    return Call("subscription", lib.CHATNIO_REST_SUBSCRIPTION, _of(Subscription, usage=_usages))


def package() -> Call[Package | None]:
    """The packages; `None` where the server has none."""
    return Call("package", lib.CHATNIO_REST_PACKAGE, _optional_package)


def buy(quota: int) -> Call[None]:
    """Buys so much quota."""
    amount = (lib.chatnio_rest_call_set_amount, (_whole(quota, "quota"),))
    return Call("buy", lib.CHATNIO_REST_BUY, _nothing, amount)


def subscribe(level: int, months: int) -> Call[None]:
    """Subscribes to a level, for so many months."""
    amount = (lib.chatnio_rest_call_set_amount, (_whole(level, "level"),))
    time = (lib.chatnio_rest_call_set_months, (_whole(months, "months"),))
    return Call("subscribe", lib.CHATNIO_REST_SUBSCRIBE, _nothing, amount, time)


def models() -> Call[tuple[Model, ...]]:
    """The models. Needs no key, but a wrong one is refused."""
    return Call("models", lib.CHATNIO_REST_MODELS, _each(_of(Model)))


def charges() -> Call[tuple[Charge, ...]]:
    """What models cost. Needs no key. Not on servers of 2023."""
    return Call("charges", lib.CHATNIO_REST_CHARGES, _each(_of(Charge, models=tuple)))


def shared_conversation(hash: str) -> Call[SharedConversation]:
    """The conversation behind a share's hash."""
    read = _of(SharedConversation, messages=_messages)
    return Call("shared_conversation", lib.CHATNIO_REST_SHARED_CONVERSATION, read, _text(hash, "hash"))


def shares() -> Call[tuple[Share, ...]]:
    """One's own shares."""
    return Call("shares", lib.CHATNIO_REST_SHARES, _each(_of(Share)))


def delete_share(hash: str) -> Call[None]:
    """Ends a share."""
    return Call("delete_share", lib.CHATNIO_REST_DELETE_SHARE, _nothing, _text(hash, "hash"))


def masks() -> Call[tuple[Mask, ...]]:
    """The stored masks. Not on servers of 2023."""
    return Call("masks", lib.CHATNIO_REST_MASKS, _each(_of(Mask, context=_messages)))


def save_mask(
    name: str,
    messages: Iterable[tuple[str, str]],
    *,
    description: str = "",
    avatar: str = "",
    id: int | None = None,
) -> Call[None]:
    """Stores a mask, as pairs of role and text: a new one, or over the one with an `id`. Not on servers of 2023."""
    settings = [_text(name, "name")]
    if id is not None:
        settings.append(_id(id))
    about, picture = encoded(description, "description"), encoded(avatar, "avatar")
    settings.append((lib.chatnio_rest_call_describe_mask, (about, len(about), picture, len(picture))))
    for role, content in messages:
        who, what = encoded(role, "a role"), encoded(content, "a mask's text")
        settings.append((lib.chatnio_rest_call_add_mask, (who, len(who), what, len(what))))
    return Call("save_mask", lib.CHATNIO_REST_SAVE_MASK, _nothing, *settings)


def delete_mask(id: int) -> Call[None]:
    """Deletes a stored mask. Not on servers of 2023."""
    return Call("delete_mask", lib.CHATNIO_REST_DELETE_MASK, _nothing, _id(id))


def user() -> Call[User]:
    """Whether the key is good, and whose it is."""
    return Call("user", lib.CHATNIO_REST_USER, _of(User))


def info() -> Call[Info]:
    """What the server says of itself. Needs no key. Not on servers of 2023."""
    return Call("info", lib.CHATNIO_REST_INFO, _of(Info))


def market() -> Call[list[dict[str, Any]]]:
    """The models that the server advertises, each as the server describes it. Needs no key. Not on servers of 2023."""
    return Call("market", lib.CHATNIO_REST_MARKET, _same)


def plans() -> Call[list[dict[str, Any]]]:
    """The subscriptions that the server offers, each as the server describes it. Needs no key. Not on servers of 2023."""
    return Call("plans", lib.CHATNIO_REST_PLANS, _same)


def billing_usage() -> Call[BillingUsage]:
    """What was spent, in OpenAI's shape."""
    return Call("billing_usage", lib.CHATNIO_REST_BILLING_USAGE, _of(BillingUsage))


def billing_limits() -> Call[BillingLimits]:
    """What may be spent, in OpenAI's shape."""
    return Call("billing_limits", lib.CHATNIO_REST_BILLING_LIMITS, _of(BillingLimits))


def api_key() -> Call[str]:
    """The API key of the account, for those who came by a login token. The result is a secret."""
    return Call("api_key", lib.CHATNIO_REST_API_KEY, _same)


def invite(code: str) -> Call[float]:
    """Takes an invitation up; the result is the quota that it brought."""
    return Call("invite", lib.CHATNIO_REST_INVITE, _same, _text(code, "code"))


def redeem(code: str) -> Call[float]:
    """Redeems a code; the result is the quota that it brought."""
    return Call("redeem", lib.CHATNIO_REST_REDEEM, _same, _text(code, "code"))
