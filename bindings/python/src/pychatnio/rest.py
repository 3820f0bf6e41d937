"""The companion HTTP calls: stored conversations, the quota, models, whether a key is good.

```python
from pychatnio import rest

client = rest.Client("wss://chat.example.com/api", "sk-...")
print(client.call(rest.quota()), "left")
for conversation in client.call(rest.conversations()):
    print(conversation.id, conversation.name)
```

A `Call` does no I/O: `Call.request` gives the HTTP request as data, `Call.decode` reads the answer, for those who have
an HTTP client of their own. `Client` and `AsyncClient` do the rest over the standard library. No redirect is followed:
the key would go along.
"""

from __future__ import annotations

import asyncio
import dataclasses
import http.client
import json
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar, cast
from urllib.parse import urlsplit

from ._boundary import Owner, constructed_plain, error_text
from ._native import ffi, lib
from ._status import Status
from ._text import checked, encoded, present, text_of
from .auth import Auth, authentication
from .errors import CallError, ChatNioError, InvalidArgumentError, error_of

__all__ = [
    "AsyncClient",
    "BillingLimits",
    "BillingUsage",
    "Call",
    "Charge",
    "Client",
    "Conversation",
    "HttpRequest",
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

#: The longest answer, in bytes.
_MAX_ANSWER = 64 << 20

#: The defaults of the schemes: whether there is TLS.
_SCHEMES = {"wss": True, "https": True, "ws": False, "http": False}


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


class HttpRequest(NamedTuple):
    """An HTTP request to send."""

    method: str
    """`GET` or `POST`."""
    target: str
    """The path, with its query where there is one: what goes behind `https://HOST`."""
    headers: Sequence[tuple[str, str]]
    """The headers to send beside those that every HTTP client sets itself: the key's among them, which is a secret."""
    body: str | None
    """The body, which is JSON; only with `POST`."""

    def __repr__(self) -> str:
        return f"HttpRequest({self.method} {self.target})"


class _Handle(Owner):
    """A call of the library's, for one use."""

    __slots__ = ()

    _release = lib.chatnio_rest_call_free

    def __init__(self, rest_type: int, settings: Iterable[tuple[Any, tuple[Any, ...]]]) -> None:
        self._handle = constructed_plain(lib.chatnio_rest_call_new, "chatnio_rest_call", rest_type)
        for function, arguments in settings:
            self.use(function, *arguments)

    def use(self, function: Callable[..., int], *arguments: object) -> None:
        status = function(self._handle, *arguments)
        if status:
            error = error_of(status, error_text(lib.chatnio_rest_call_error, self._handle))
            if isinstance(error, CallError):
                words, is_retryable = ffi.new("chatnio_text *"), ffi.new("bool *")
                lib.chatnio_rest_call_words(self._handle, words)
                lib.chatnio_rest_call_is_retryable(self._handle, is_retryable)
                error.words, error._is_retryable = text_of(words[0]), bool(is_retryable[0])
            raise error

    def text(self, function: Callable[..., int]) -> str | None:
        view = ffi.new("chatnio_text *")
        self.use(function, view)
        return text_of(view[0])

    def flag(self, function: Callable[..., int]) -> bool:
        value = ffi.new("bool *")
        self.use(function, value)
        return bool(value[0])

    def headers(self) -> Iterable[tuple[str, str]]:
        name, value = ffi.new("chatnio_text *"), ffi.new("chatnio_text *")
        index = 0
        while lib.chatnio_rest_call_header(self._handle, index, name, value) != Status.ABSENT:
            yield present(name[0]), present(value[0])
            index += 1


class Call(Generic[T]):
    """One companion call: what is asked, and how its answer is read. Made by the functions of this module; any number of
    threads may use it, any number of times. It holds no key."""

    __slots__ = ("_read", "_rest_type", "_settings", "name")

    name: str
    """That of the function that made it."""

    def __init__(
        self,
        name: str,
        rest_type: int,
        read: Callable[[Any], T],
        *settings: tuple[Any, tuple[Any, ...]],
    ) -> None:
        self.name = name
        self._rest_type = rest_type
        self._read = read
        self._settings = settings

    def request(self, auth: Auth | str | None = None, prefix: str = "") -> HttpRequest:
        """The request to send.

        Args:
            auth: The token, or an `Auth`, of which only the token counts; without one no key is sent.
            prefix: What goes before the path: nothing, or `/api` as a rule where the server also serves its web page.

        Raises:
            InvalidArgumentError: for a token that no header can carry, or a prefix that is no path.
        """
        auth = authentication(auth)
        before = encoded(prefix, "prefix")
        handle = _Handle(self._rest_type, self._settings)
        handle.use(lib.chatnio_rest_call_prepare, auth._native(), before, len(before))
        return HttpRequest(
            handle.text(lib.chatnio_rest_call_method) or "",
            handle.text(lib.chatnio_rest_call_target) or "",
            tuple(handle.headers()),
            handle.text(lib.chatnio_rest_call_body),
        )

    def decode(self, status: int, body: bytes) -> T:
        """Reads the answer: its HTTP status and its whole body.

        Raises:
            CallError: whatever says that there is no result: its subclasses say why.
        """
        checked(status, int, "status")
        checked(body, (bytes, bytearray), "body")
        if not 0 <= status < 2**16:
            raise InvalidArgumentError(Status.INVALID, f"there is no HTTP status {status}")
        handle = _Handle(self._rest_type, self._settings)
        out = ffi.new("chatnio_rest_answer **")
        handle.use(lib.chatnio_rest_call_decode, status, ffi.from_buffer("uint8_t[]", body), len(body), out)
        try:
            view = ffi.new("chatnio_text *")
            lib.chatnio_rest_answer_json(out[0], view)
            result: Any = json.loads(present(view[0]))
        finally:
            lib.chatnio_rest_answer_free(out[0])
        return self._read(result)

    @property
    def is_repeatable(self) -> bool:
        """Whether it may be sent again when nobody knows whether it has arrived: it only reads."""
        return _Handle(self._rest_type, self._settings).flag(lib.chatnio_rest_call_is_repeatable)

    def __repr__(self) -> str:
        return f"<Call {self.name}>"


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


class Client:
    """Makes the companion calls of one server, blocking, one connection a call. Any number of threads may use it.

    Args:
        url: The URL of the chat, as `pychatnio.Client` takes it; the calls' prefix follows from its path.
        auth: The token, or an `Auth`, of which only the token counts; without one no key is sent.
        timeout: How many seconds each wait for the server may take.
        ssl_context: Whom to trust, for `wss`; otherwise as `ssl.create_default_context()`.
        allow_token_over_plain_ws: Let the token go over plain `ws://` to another machine, where everybody on the way
            can read it.

    Raises:
        InvalidArgumentError: for a URL or token that cannot be, and for a token that would go over plain `ws://` to
            another machine.
    """

    def __init__(
        self,
        url: str,
        auth: Auth | str | None = None,
        *,
        timeout: float = 30.0,
        ssl_context: ssl.SSLContext | None = None,
        allow_token_over_plain_ws: bool = False,
    ) -> None:
        self._auth = authentication(auth)
        del auth
        self._timeout = timeout
        self._tls, self._host, self._port, self._prefix = _server(url)
        self._ssl_context = (ssl_context or ssl.create_default_context()) if self._tls else None
        request = quota().request(self._auth, self._prefix)
        has_key = any(name == "Authorization" for name, _ in request.headers)
        if has_key and not self._tls and not allow_token_over_plain_ws and not _is_loopback(self._host):
            raise InvalidArgumentError(
                Status.PLAIN_TOKEN, f"the token would go to {self._host} without encryption: use wss:// or allow it"
            )

    def call(self, call: Call[T]) -> T:
        """Makes a call, and waits for its answer. Nothing is repeated.

        Raises:
            CallError: when there is no result: its subclasses say why.
            ConnectError: when the server cannot be reached: its subclasses say why.
            ConnectionClosedError: when the answer was cut, or did not come in time.
        """
        status, body = self._send(call.request(self._auth, self._prefix))
        return call.decode(status, body)

    def _send(self, request: HttpRequest) -> tuple[int, bytes]:
        connection = self._connect()
        try:
            body = None if request.body is None else request.body.encode()
            connection.request(request.method, request.target, body, dict(request.headers))
            response = connection.getresponse()
            answer = response.read(_MAX_ANSWER + 1)
            # A bounded read does not mind an answer that is cut.
            if response.length and len(answer) <= _MAX_ANSWER:
                raise http.client.IncompleteRead(answer, response.length)
        except TimeoutError:
            raise error_of(Status.UNRESPONSIVE, f"the server did not answer within {self._timeout} s") from None
        except (OSError, http.client.IncompleteRead) as error:
            # Of an incomplete one this is the length alone.
            raise error_of(Status.IO, f"the connection was lost before the answer was complete: {error}") from error
        except http.client.HTTPException as error:
            raise error_of(Status.BAD_HTTP, f"the server does not speak HTTP ({type(error).__name__})") from None
        finally:
            connection.close()
        if len(answer) > _MAX_ANSWER:
            raise error_of(Status.REST_MALFORMED, f"the server's answer is over {_MAX_ANSWER} bytes")
        return response.status, answer

    def _connect(self) -> http.client.HTTPConnection:
        if self._ssl_context is None:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        else:
            connection = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout, context=self._ssl_context
            )
        try:
            connection.connect()
        except OSError as error:
            raise self._not_connected(error) from error
        return connection

    def _not_connected(self, error: OSError) -> ChatNioError:
        where = f"{self._host} port {self._port}"
        if isinstance(error, TimeoutError):
            return error_of(Status.CONNECT_TIMEOUT, f"cannot connect to {where} within {self._timeout} s")
        if isinstance(error, socket.gaierror):
            return error_of(Status.RESOLVE, f"cannot look up {self._host}: {error.strerror}")
        if isinstance(error, ssl.SSLCertVerificationError):
            return error_of(Status.TLS_CERTIFICATE, f"the certificate of {where}: {error.verify_message}")
        if isinstance(error, ssl.SSLError):
            return error_of(Status.TLS, f"TLS with {where} failed: {error.reason}")
        return error_of(Status.CONNECT, f"cannot connect to {where}: {error.strerror or error}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._host}:{self._port}{self._prefix}>"


class AsyncClient:
    """The same for asyncio: `await client.call(...)`. A thread waits for each call; one whose task is cancelled ends
    within the time-out, unheard. The arguments are those of `Client`."""

    def __init__(
        self,
        url: str,
        auth: Auth | str | None = None,
        *,
        timeout: float = 30.0,
        ssl_context: ssl.SSLContext | None = None,
        allow_token_over_plain_ws: bool = False,
    ) -> None:
        auth = authentication(auth)
        self._client = Client(
            url,
            auth,
            timeout=timeout,
            ssl_context=ssl_context,
            allow_token_over_plain_ws=allow_token_over_plain_ws,
        )

    async def call(self, call: Call[T]) -> T:
        """Makes a call, and waits for its answer. Nothing is repeated.

        Raises:
            CallError, ConnectError, ConnectionClosedError: as `Client.call`.
        """
        return await asyncio.to_thread(self._client.call, call)

    def __repr__(self) -> str:
        return f"<Async{repr(self._client)[1:]}"


def _server(url: str) -> tuple[bool, str, int, str]:
    """Whether there is TLS, the host, the port and the calls' prefix."""
    checked(url, str, "url")
    scheme, found, rest = url.strip().partition("://")
    if not found:
        scheme, rest = "wss", scheme
    if scheme.lower() not in _SCHEMES:
        raise InvalidArgumentError(Status.BAD_URL, "the server URL's scheme is not supported: use wss, ws, https or http")
    try:
        parts = urlsplit(f"http://{rest}")
        port = parts.port
    except ValueError:
        raise InvalidArgumentError(Status.BAD_URL, "the server URL's host or port cannot be") from None
    if parts.query or parts.fragment or parts.username is not None or not parts.hostname:
        # Nothing of it is shown: it may hold a secret.
        raise InvalidArgumentError(Status.BAD_URL, "the server URL is to have a host, a port and a path, and nothing else")
    tls = _SCHEMES[scheme.lower()]
    path = encoded(parts.path, "url")
    length = ffi.new("size_t *")
    status = lib.chatnio_rest_prefix_len(path, len(path), length)
    if status:
        raise error_of(status, "")
    return tls, parts.hostname, port or (443 if tls else 80), path[: length[0]].decode()


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost") or host.startswith("127.") or host == "::1"
