"""What is asked."""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypedDict, cast

from ._boundary import CData, Owner, checked, constructed_plain, encoded, named_by
from ._native import ffi, lib
from ._status import Status
from .errors import InvalidArgumentError, InvalidRequestError, error_of

if sys.version_info >= (3, 11):
    from typing import Unpack
elif TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Parameters", "Request", "RequestType"]


class RequestType(enum.IntEnum):
    """The types of requests."""

    CHAT = lib.CHATNIO_REQUEST_CHAT
    """A question. Begins a turn."""
    RESTART = lib.CHATNIO_REQUEST_RESTART
    """The last question again, with the parameters of this request. Begins a turn."""
    STOP = lib.CHATNIO_REQUEST_STOP
    """Ends the running answer."""
    SHARE = lib.CHATNIO_REQUEST_SHARE
    """Puts a shared conversation before this one. Not answered."""
    MASK = lib.CHATNIO_REQUEST_MASK
    """Puts messages at the front of the conversation. Not answered."""
    EDIT = lib.CHATNIO_REQUEST_EDIT
    """Replaces the text of a stored message. Not answered, and unknown to servers of 2023."""
    REMOVE = lib.CHATNIO_REQUEST_REMOVE
    """Removes a stored message. Not answered, and unknown to servers of 2023."""

    __str__ = named_by(lib.chatnio_request_type_name)


class Parameters(TypedDict, total=False):
    """What a question says beside its text. What is left out, or `None`, takes the server's default.

    Args:
        model: The model's id; the server's default is `gpt-3.5-turbo`, also on a restart.
        web: Searches the web first, which can make the first frame late.
        ignore_context: Answers without the conversation so far.
        context: How many messages go to the model, the question included; 0 or negative is the server's default of 8.
        max_tokens: The most tokens of the answer.
        temperature: The sampling temperature.
        top_p: Nucleus sampling: the share of probability to sample from.
        top_k: Samples from so many of the likeliest tokens only.
        presence_penalty: The penalty on tokens that have occurred.
        frequency_penalty: The penalty on tokens by how often they have occurred.
        repetition_penalty: The penalty on repetition.
    """

    model: str | None
    web: bool | None
    ignore_context: bool | None
    context: int | None
    max_tokens: int | None
    temperature: float | None
    top_p: float | None
    top_k: int | None
    presence_penalty: float | None
    frequency_penalty: float | None
    repetition_penalty: float | None


class Request(Owner):
    """A request: made once, sent any number of times, on any session, connection or client.

    Raises:
        InvalidArgumentError: for a text that is not valid Unicode, or a number that is out of range. What the server
            would not take is refused when it is sent, as an `InvalidRequestError`.
    """

    __slots__ = ("_kind", "_owner")

    _release = lib.chatnio_request_free

    _kind: RequestType
    _owner: object

    def __init__(self) -> None:
        raise TypeError("make a request by Request.chat() and its like")

    @classmethod
    def chat(cls, message: str, **parameters: Unpack[Parameters]) -> Request:
        """A question. Begins a turn. Image URLs and `data:image/...;base64,` in it go to vision models."""
        return cls._new(RequestType.CHAT)._message(message, "a question")._with(parameters)

    @classmethod
    def restart(cls, **parameters: Unpack[Parameters]) -> Request:
        """The last question again, with these parameters. Begins a turn."""
        return cls._new(RequestType.RESTART)._with(parameters)

    @classmethod
    def share(cls, hash: str) -> Request:
        """Puts a shared conversation before this one; only a connection's first counts. Not answered."""
        return cls._new(RequestType.SHARE)._message(hash, "a hash")

    @classmethod
    def mask(cls, messages: Iterable[tuple[str, str]]) -> Request:
        """Puts messages, as pairs of role (`system`, `user` or `assistant`) and text, at the front of the
        conversation. Not answered."""
        request = cls._new(RequestType.MASK)
        for message in messages:
            checked(message, (tuple, list), "a message of a mask")
            if len(message) != 2:
                raise TypeError("a message of a mask is a pair of a role and a text")
            role_bytes, content_bytes = encoded(message[0], "a role"), encoded(message[1], "a mask's text")
            request._call(
                lib.chatnio_request_add_mask, role_bytes, len(role_bytes), content_bytes, len(content_bytes)
            )
        return request

    @classmethod
    def edit(cls, index: int, text: str) -> Request:
        """Replaces the text of the stored message `index`, from 0: each chat has stored two messages (question; answer
        or notice), a restart one, masks and shares theirs at the front. Not answered."""
        return cls._new(RequestType.EDIT)._index(index)._message(text, "a text")

    @classmethod
    def remove(cls, index: int) -> Request:
        """Removes the stored message `index`; see `edit`. Not answered."""
        return cls._new(RequestType.REMOVE)._index(index)

    @property
    def type(self) -> RequestType:
        """What it is."""
        return self._kind

    @classmethod
    def _new(cls, kind: RequestType) -> Request:
        return cls._over(constructed_plain(lib.chatnio_request_new, "chatnio_request", kind))

    @classmethod
    def _over(cls, handle: CData, owner: object = None) -> Request:
        """Over a handle of the library, which lives no longer than its owner, where it has one."""
        request = cls.__new__(cls)
        # Before the handle: another's is not to be freed by this one, whatever comes between.
        request._owner = owner
        request._handle = handle
        kind = ffi.new("int32_t *")
        request._call(lib.chatnio_request_get_type, kind)
        request._kind = RequestType(kind[0])
        return request

    def __del__(self) -> None:
        # Another's is freed with that.
        if getattr(self, "_owner", None) is None:
            self._free_handle()

    def __copy__(self) -> Request:
        # It never changes; and a replay takes back the one that it has given.
        return self

    def __deepcopy__(self, memo: object) -> Request:
        return self

    def _message(self, message: str, what: str) -> Request:
        data = encoded(message, what)
        return self._call(lib.chatnio_request_set_message, data, len(data))

    def _index(self, index: int) -> Request:
        return self._call(lib.chatnio_request_set_index, _in_range("index", index, 0, 2**32))

    def _with(self, parameters: Parameters) -> Request:
        for name, value in parameters.items():
            if value is None:
                continue
            if name == "model":
                data = encoded(cast(str, value), "model")
                self._call(lib.chatnio_request_set_model, data, len(data))
            elif name in _FLAGS:
                # The text "false" is true.
                checked(value, bool, name)
                self._call(getattr(lib, f"chatnio_request_set_{name}"), value)
            elif name in _INTEGERS:
                self._call(getattr(lib, f"chatnio_request_set_{name}"), _in_range(name, value, -(2**63), 2**63))
            elif name in _FLOATS:
                checked(value, (float, int), name)
                self._call(getattr(lib, f"chatnio_request_set_{name}"), value)
            else:
                raise TypeError(f"there is no parameter {name!r}")
        return self

    def _call(self, function: Callable[..., int], *arguments: object) -> Request:
        status = function(self._handle, *arguments)
        if status:
            raise error_of(status, "")
        return self

    def __repr__(self) -> str:
        # A traceback that shows variables may show one whose constructor has failed.
        return f"<Request {getattr(self, '_kind', '')}>"


_ANSWERED = frozenset({RequestType.CHAT, RequestType.RESTART})
_FLAGS = frozenset({"web", "ignore_context"})
_INTEGERS = frozenset({"context", "max_tokens", "top_k"})
_FLOATS = frozenset({"temperature", "top_p", "presence_penalty", "frequency_penalty", "repetition_penalty"})


def _in_range(name: str, value: object, low: int, high: int) -> int:
    checked(value, int, name)
    if not low <= cast(int, value) < high:
        raise InvalidArgumentError(Status.INVALID, f"{name} is out of range: {value}")
    return cast(int, value)


def asked(question: str | Request, parameters: Parameters) -> Request:
    """The request that `ask` was given.

    Raises:
        TypeError: for parameters beside a request, which has its own.
        InvalidRequestError: for a request that is not answered.
    """
    if isinstance(question, str):
        return Request.chat(question, **parameters)
    checked(question, (str, Request), "a question")
    if parameters:
        raise TypeError("a request has its own parameters: give them to Request.chat() or Request.restart()")
    if question.type not in _ANSWERED:
        raise InvalidRequestError(Status.BAD_PARAMETERS, f"nothing answers to {question.type}: see request()")
    return question


def handle_of(request: Request) -> CData:
    """The handle of what was given as a request."""
    checked(request, Request, "a request")
    return request._handle


def refuse_answered(request: Request) -> None:
    """
    Raises:
        InvalidRequestError: for a request that is answered.
    """
    checked(request, Request, "a request")
    if request.type in _ANSWERED:
        raise InvalidRequestError(Status.BAD_PARAMETERS, f"a {request.type} is answered: see ask() and restart()")
