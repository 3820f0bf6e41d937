"""The exceptions: one base class, and one class for each group of statuses."""

from __future__ import annotations

from ._native import lib
from ._status import Status
from .answer import Answer
from .names import INTERRUPTION_NUMBERS

__all__ = [
    "AnswerError",
    "AnswerInterruptedError",
    "AnswerTimeoutError",
    "BusyError",
    "CallError",
    "CallRefusedError",
    "CallThrottledError",
    "ChatNioError",
    "ConnectError",
    "ConnectTimeoutError",
    "ConnectionClosedError",
    "InternalError",
    "InvalidArgumentError",
    "InvalidRequestError",
    "KeyRejectedError",
    "NoSuchCallError",
    "NotFoundError",
    "NoticeError",
    "ProxyError",
    "RefusedError",
    "SystemFailureError",
    "TLSError",
    "ThrottledError",
    "TranscriptError",
    "UnavailableError",
    "UndrainedError",
    "UnsentError",
]


class ChatNioError(Exception):
    """Everything that this package raises of its own.

    No text of one ever shows a secret, also where a server repeats it. Otherwise what a server said in one is as it came.
    """

    status: Status | None
    """The status of the library; `None` when it is the answer that failed, and not a call."""
    retry_after: float | None = None
    """How many seconds to wait before trying again, where the server said so."""
    _retry_cause: int | None = None

    @property
    def is_retryable(self) -> bool:
        """Whether the same may go well when it is tried again, connected anew: nothing is to be corrected before, and it is
        not this program that has ended it. What was asked may have been charged all the same."""
        return self.status is not None and bool(lib.chatnio_status_is_retryable(self.status))

    def __init__(self, status: Status | None, message: str) -> None:
        super().__init__(message)
        self.status = status

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.status, str(self)), self.__dict__


class BusyError(ChatNioError):
    """An answer comes in, and the server takes nothing but a stop until its end. An answer that was left, or interrupted by a
    deadline or a limit, may not have had its end at the server: then wait, or reconnect."""

    _is_unread: bool = False

    @property
    def is_retryable(self) -> bool:
        """Whether that is an answer of a client's that nobody reads any more: reconnect, and ask again."""
        return self._is_unread


class UndrainedError(ChatNioError):
    """Events wait, and more input was given than may be held: take the events first. Nothing of it was taken."""


class UnsentError(ChatNioError):
    """Too much that was requested before was not sent yet: over four times `Config.max_request`. The same request is fine
    once that went out."""


class InvalidArgumentError(ChatNioError, ValueError):
    """An argument cannot be: a URL, a setting, a certificate, a token, a use after the end. Nothing has changed."""


class InvalidRequestError(ChatNioError, ValueError):
    """The request cannot be sent as it is: empty, too long, a parameter that it does not take. Nothing was sent."""


class TranscriptError(ChatNioError, ValueError):
    """The transcript cannot be read; the text names the line."""


class ConnectionClosedError(ChatNioError, ConnectionError):
    """The connection is over: closed by either side, lost, or broken. `reconnect()` continues the conversation."""

    code: int | None = None
    """The WebSocket's close code, where the server sent one."""


class ConnectError(ChatNioError, ConnectionError):
    """No connection could be made."""


class ConnectTimeoutError(ConnectError, TimeoutError):
    """Connecting or the handshakes took too long."""


class RefusedError(ConnectError):
    """The server refused to open the WebSocket, or is none of this protocol."""

    code: int | None = None
    """The HTTP status, where there was one."""
    body: str | None = None
    """The body of the HTTP answer, at most 64 KiB."""
    location: str | None = None
    """Where a redirect points to. It is never followed."""
    retry_after: float | None = None
    """After how many seconds the server, or a gateway in front of it, wants to be asked again."""
    www_authenticate: str | None = None
    """The authentication that is wanted."""


class ThrottledError(RefusedError):
    """The server, or a gateway or a proxy before it (HTTP 429), throttles this address: wait before the next connection."""


class UnavailableError(RefusedError):
    """A gateway says that the server behind it is away or overloaded (HTTP 502, 503, 504): try again later."""


class ProxyError(ConnectError):
    """The proxy did not let the connection through; `Status.PROXY_AUTH` where it wants a user name and a password."""


class TLSError(ConnectError):
    """TLS failed: most often the server's certificate is not trusted, not for this name, or out of its time."""


class CallError(ChatNioError):
    """A companion call of `pychatnio.rest` has no result: another HTTP status came, or an answer that cannot be read."""

    code: int | None = None
    """The HTTP status, which is 200 for most of what the server itself refuses."""
    words: str | None = None
    """What the server said, where it said something in words: as it came from `Call.decode`, without secrets from a client."""

    @property
    def is_retryable(self) -> bool:
        """Whether a call that may be repeated may go better a second later: the server throttled, or was not there."""
        return self._retry_cause is not None

    def _saying(self, words: str) -> CallError:
        """The same with other words of the server's."""
        assert self.status is not None
        error = type(self)(self.status, str(self).replace(self.words, words) if self.words else str(self))
        error.code, error.words, error._retry_cause = self.code, words, self._retry_cause
        return error


class KeyRejectedError(CallError):
    """The server does not take the key, or needs one; or it has black-listed this address after too many wrong ones."""


class CallThrottledError(CallError):
    """Too many calls in one second from this address: wait one."""


class NotFoundError(CallError, LookupError):
    """There is no such conversation, share or code, or it is somebody else's."""


class CallRefusedError(CallError):
    """The server refuses, for a reason of its own: see `words`."""


class NoSuchCallError(CallError):
    """The server has no such call: it is too old for it, or the base is wrong and often ends in `/api`."""


class SystemFailureError(ChatNioError, OSError):
    """The operating system refused something: random bytes, a thread, a socket option."""

    # OSError would take two arguments for an errno and its text.
    def __new__(cls, status: Status | None, message: str) -> SystemFailureError:
        return super().__new__(cls, message)

    def __str__(self) -> str:
        return str(self.args[0])


class InternalError(ChatNioError):
    """The library failed in itself, which is a bug; the text says what and where. The object is of no more use."""


class AnswerError(ChatNioError):
    """The server has answered otherwise than asked. What came is in `answer`."""

    answer: Answer
    """The answer as far as it came, with what it cost."""

    def __init__(self, answer: Answer, message: str) -> None:
        super().__init__(None, message)
        self.answer = answer

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.answer, str(self)), self.__dict__


class NoticeError(AnswerError):
    """The server answered instead of the model: out of quota, unknown model, not authenticated."""


class AnswerInterruptedError(AnswerError):
    """The end of the answer never came: a deadline, a limit, a lost connection (then that is the `__cause__`)."""

    @property
    def is_retryable(self) -> bool:
        """As of the others: not where this program closed the connection, where TLS failed, or where the same answer is too
        long again."""
        return bool(lib.chatnio_interruption_is_retryable(INTERRUPTION_NUMBERS[self.answer.interruption]))


class AnswerTimeoutError(AnswerError, TimeoutError):
    """The answer did not come whole within the `timeout` that was given with the question. It was stopped."""

    @property
    def is_retryable(self) -> bool:
        """Always: no server has refused it."""
        return True

    # OSError, which TimeoutError is, would take two arguments for an errno and its text.
    def __new__(cls, answer: Answer, message: str) -> AnswerTimeoutError:
        return super().__new__(cls, message)

    def __str__(self) -> str:
        return str(self.args[0])


#: The statuses that are no errors here: what they say is said by a value or an event.
NOT_RAISED = frozenset(
    {
        Status.OK,
        Status.AGAIN,
        Status.INTERRUPTED,
        Status.ABSENT,
        Status.MALFORMED,
        Status.MESSAGE_TOO_LONG,
    }
)

_CLASSES: dict[type[ChatNioError], tuple[Status, ...]] = {
    BusyError: (Status.BUSY,),
    UndrainedError: (Status.UNDRAINED,),
    UnsentError: (Status.UNSENT,),
    InvalidArgumentError: (
        Status.INVALID,
        Status.NOT_UTF8,
        Status.FROZEN,
        Status.BAD_URL,
        Status.BAD_HEADER,
        Status.BAD_ROOTS,
        Status.EMPTY_TOKEN,
        Status.BAD_CONVERSATION,
        Status.PLAIN_TOKEN,
        Status.GIVEN_SOCKET,
        Status.BAD_TOKEN,
        Status.BAD_PROXY,
        Status.BAD_CERTIFICATE,
    ),
    InvalidRequestError: (
        Status.EMPTY_MESSAGE,
        Status.EMPTY_SHARE,
        Status.BAD_MASK,
        Status.NOT_FINITE,
        Status.BAD_PARAMETERS,
        Status.REQUEST_TOO_LONG,
        Status.NOTHING_TO_RESTART,
        Status.KNOWN_FIELD,
        Status.BAD_EXTRA,
    ),
    TranscriptError: (Status.BAD_TRANSCRIPT,),
    ConnectionClosedError: (
        Status.CLOSED,
        Status.CLOSED_BY_SERVER,
        Status.END_OF_STREAM,
        Status.TRUNCATED,
        Status.IO,
        Status.UNRESPONSIVE,
        Status.CLOSE_TIMEOUT,
        Status.PROTOCOL,
        Status.SERVER_NOT_UTF8,
        Status.OVERSIZED,
    ),
    ConnectError: (Status.RESOLVE, Status.CONNECT),
    ConnectTimeoutError: (Status.CONNECT_TIMEOUT, Status.HANDSHAKE_TIMEOUT),
    ThrottledError: (Status.THROTTLED,),
    UnavailableError: (Status.UNAVAILABLE,),
    RefusedError: (Status.REFUSED, Status.HTTP, Status.UPGRADE, Status.BAD_HTTP),
    TLSError: (
        Status.TLS_UNKNOWN_ISSUER,
        Status.TLS_WRONG_NAME,
        Status.TLS_EXPIRED,
        Status.TLS_NOT_YET_VALID,
        Status.TLS_CERTIFICATE,
        Status.TLS_NOT_TLS,
        Status.TLS_NO_ROOTS,
        Status.TLS,
        Status.TLS_CLIENT_CERTIFICATE,
    ),
    ProxyError: (Status.PROXY_AUTH, Status.PROXY_REFUSED, Status.NOT_A_PROXY),
    KeyRejectedError: (Status.REST_BAD_KEY, Status.REST_NO_KEY, Status.REST_BLACK_LISTED),
    CallThrottledError: (Status.REST_THROTTLED,),
    NotFoundError: (Status.REST_NOT_FOUND,),
    CallRefusedError: (Status.REST_REFUSED,),
    NoSuchCallError: (Status.REST_NO_SUCH_CALL, Status.REST_WEB_PAGE),
    CallError: (Status.REST_HTTP, Status.REST_MALFORMED),
    SystemFailureError: (Status.NO_RANDOM, Status.SYSTEM),
    InternalError: (Status.PANIC,),
}

#: Which class is raised for which status.
RAISED: dict[Status, type[ChatNioError]] = {status: raised for raised, all_of in _CLASSES.items() for status in all_of}


def error_of(status: int, message: str = "", code: int = 0, body: str | None = None) -> ChatNioError:
    """The exception for a status.

    Args:
        message: What the library says of it; without it, what it says of the status.
        code: The close code or HTTP status that a connection ended with; 0 for none.
        body: The body of a refusal.
    """
    known = Status(status)
    error = RAISED[known](known, message or known.message)
    if isinstance(error, ConnectionClosedError):
        error.code = code or None
    elif isinstance(error, RefusedError):
        error.code, error.body = code or None, body
    return error
