"""What is asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, ForwardRef, TypedDict, cast

from ._boundary import Owner, constructed_plain
from ._native import ffi, lib
from ._status import Status
from ._text import CData, checked, encoded
from .config import milliseconds
from .errors import InvalidArgumentError, InvalidRequestError, error_of
from .names import REQUEST_NUMBERS, REQUEST_TYPES, RequestType

if sys.version_info >= (3, 11):
    from typing import Unpack
elif TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Parameters", "Request"]


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
        extra: Fields that this package does not know, by their names, and their values as `json.dumps` takes them. Newer
            servers know `think`, `web_search_mode` and `enable_mcp`, say; others ignore them.
        first_frame: How many seconds the answer's first frame may take, in place of `Config.first_frame`; 0 is no limit.
        next_frame: The same for each further frame, in place of `Config.next_frame`.
        answer_within: The same for the whole answer, in place of `Config.answer_within`.
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
    extra: Mapping[str, object] | None
    first_frame: float | None
    next_frame: float | None
    answer_within: float | None


def _annotation(of: object) -> str:
    return of.__forward_arg__ if isinstance(of, ForwardRef) else str(of)


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

    @property
    def is_answered(self) -> bool:
        """Whether the server answers it: a chat and a restart, which begin a turn."""
        return self._kind in (RequestType.CHAT, RequestType.RESTART)

    @classmethod
    def _new(cls, kind: RequestType) -> Request:
        return cls._over(constructed_plain(lib.chatnio_request_new, "chatnio_request", REQUEST_NUMBERS[kind]))

    @classmethod
    def _over(cls, handle: CData, owner: object = None) -> Request:
        """Over a handle of the library, which lives no longer than its owner, where it has one."""
        request = cls.__new__(cls)
        # Before the handle: another's is not to be freed by this one, whatever comes between.
        request._owner = owner
        request._handle = handle
        kind = ffi.new("int32_t *")
        request._call(lib.chatnio_request_get_type, kind)
        request._kind = REQUEST_TYPES[kind[0]]
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
            convert = _CONVERT.get(name)
            if name == "extra":
                self._add_extra(cast("Mapping[str, object]", value or {}))
                continue
            if convert is None:
                raise TypeError(f"there is no parameter {name!r}")
            if value is not None:
                self._call(getattr(lib, f"chatnio_request_set_{name}"), *convert(name, value))
        return self

    def _add_extra(self, extra: Mapping[str, object]) -> None:
        checked(extra, Mapping, "extra")
        for name, value in extra.items():
            field = encoded(name, "an extra field's name")
            try:
                text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            except (ValueError, RecursionError) as error:
                raise InvalidArgumentError(Status.INVALID, f"the extra field {name!r} cannot be JSON: {error}") from None
            data = encoded(text, f"the extra field {name!r}")
            self._call(lib.chatnio_request_add_extra, field, len(field), data, len(data))

    def _call(self, function: Callable[..., int], *arguments: object) -> Request:
        status = function(self._handle, *arguments)
        if status:
            raise error_of(status)
        return self

    def __repr__(self) -> str:
        # A traceback that shows variables may show one whose constructor has failed.
        return f"<Request {getattr(self, '_kind', '')}>"




def _text(name: str, value: object) -> tuple[object, ...]:
    data = encoded(cast(str, value), name)
    return data, len(data)


def _flag(name: str, value: object) -> tuple[object, ...]:
    # The text "false" is true.
    checked(value, bool, name)
    return (value,)


def _integer(name: str, value: object) -> tuple[object, ...]:
    return (_in_range(name, value, -(2**63), 2**63),)


def _number(name: str, value: object) -> tuple[object, ...]:
    checked(value, (float, int), name)
    try:
        return (float(cast(float, value)),)
    except OverflowError:
        raise InvalidArgumentError(Status.INVALID, f"{name} is out of range") from None


def _time(name: str, value: object) -> tuple[object, ...]:
    return (milliseconds(name, cast(float, value)),)


#: How the values of parameters go into the library, by their types.
_BY_TYPE = {"str | None": _text, "bool | None": _flag, "int | None": _integer, "float | None": _number}

#: The same by the parameters' names, which stand in `Parameters` alone.
_CONVERT = {
    **{name: _BY_TYPE[_annotation(of)] for name, of in Parameters.__annotations__.items() if name != "extra"},
    **dict.fromkeys(("first_frame", "next_frame", "answer_within"), _time),
}


def _in_range(name: str, value: object, low: int, high: int) -> int:
    checked(value, int, name)
    number = cast(int, value)
    if not low <= number < high:
        # Python writes no number of thousands of digits.
        raise InvalidArgumentError(Status.INVALID, f"{name} is out of range: {number if abs(number) < 2**80 else 'huge'}")
    return number


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
    if not question.is_answered:
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
    if request.is_answered:
        raise InvalidRequestError(Status.BAD_PARAMETERS, f"a {request.type} is answered: see ask() and restart()")
