"""A call: its request as data, and how its answer is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from .._boundary import Owner, constructed_plain, error_text
from .._native import ffi, lib
from .._status import Status
from .._text import checked, encoded, present, text_of
from ..auth import Auth, authentication
from ..errors import CallError, InvalidArgumentError, error_of

__all__ = ["Call", "HttpRequest"]

T = TypeVar("T")


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
        # A gateway's key may be in the query.
        return f"HttpRequest({self.method} {self.target.partition('?')[0]})"


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
                words, cause = ffi.new("chatnio_text *"), ffi.new("int32_t *")
                lib.chatnio_rest_call_words(self._handle, words)
                error.words = text_of(words[0])
                if lib.chatnio_rest_call_retry_cause(self._handle, cause) == Status.OK:
                    error._retry_cause = cause[0]
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
        # A server may repeat the key in it: no variable here shows it when something is raised.
        data = ffi.from_buffer("uint8_t[]", body)
        del body
        handle = _Handle(self._rest_type, self._settings)
        out = ffi.new("chatnio_rest_answer **")
        try:
            handle.use(lib.chatnio_rest_call_decode, status, data, len(data), out)
        except CallError as error:
            error.code = status
            raise
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
