"""The statuses of the C library. Written by `native/statuses.py`, from `chatnio.h`: change that, and run it."""

from __future__ import annotations

import enum

from ._native import ffi, lib


class Status(enum.IntEnum):
    """What the library answers; in words by `message`. Those that are a part of the usual course never reach you as an
    exception."""

    OK = 0
    """Done."""
    AGAIN = 4001
    """There is nothing (no event, nothing to send, nothing due), or it did not come in time. Call again later."""
    INTERRUPTED = 4002
    """A signal came while waiting. Nothing is lost: call again."""
    BUSY = 4003
    """A turn runs, and the server takes nothing but a stop. The same request is fine after the turn's end."""
    UNDRAINED = 4004
    """Input waits for its events to be taken, and more than may be held was added: take the events until `AGAIN`
    first. Nothing of it was taken."""
    ABSENT = 4005
    """What was asked for is not there: a field, a running turn, a recording."""
    UNSENT = 4006
    """What was requested before is not sent yet, and is over the limit (`Config.max_request`). The same request is
    fine once that went out."""
    INVALID = 4101
    """An argument cannot be: a number out of range, more bytes transmitted than were handed out."""
    NOT_UTF8 = 4102
    """A text is not UTF-8."""
    FROZEN = 4103
    """The configuration is in use, and cannot be changed any more."""
    BAD_URL = 4104
    """The URL is not one of a chat server."""
    BAD_HEADER = 4105
    """A handshake header's name or value is not allowed."""
    BAD_ROOTS = 4106
    """A root certificate cannot be read, or none is given where only given ones count."""
    BAD_TRANSCRIPT = 4107
    """The transcript cannot be read: the error's text says in which line."""
    EMPTY_TOKEN = 4108
    """The token is empty. To ask without an account, give no authentication or the token "anonymous"."""
    BAD_CONVERSATION = 4109
    """Conversation ids are positive; -1 starts a new one."""
    PLAIN_TOKEN = 4110
    """A token must not go over plain ws:// to a host that is not loopback."""
    EMPTY_MESSAGE = 4111
    """The question is empty or only white space: it would never be answered."""
    EMPTY_SHARE = 4112
    """The share's hash is empty."""
    BAD_MASK = 4113
    """A mask is a non-empty JSON array of {"role":"system|user|assistant","content":"..."}."""
    NOT_FINITE = 4114
    """A parameter is NaN or infinite."""
    BAD_PARAMETERS = 4115
    """The request takes no such parameter, or needs one that was not set."""
    REQUEST_TOO_LONG = 4116
    """The request or the authentication is over the limit on what is sent."""
    NOTHING_TO_RESTART = 4117
    """There is no question to answer again: none was asked in this session, and it continues no conversation."""
    GIVEN_SOCKET = 4118
    """The client was given its socket: only the host can make another."""
    BAD_PROXY = 4119
    """The URL is not one of a proxy: `http`, `socks5` or `socks5h`."""
    BAD_CERTIFICATE = 4120
    """The client's certificate or its key cannot be used."""
    BAD_TOKEN = 4121
    """The token holds what no HTTP header can carry: a line's end, a space, something outside of ASCII. Only of
    companion calls."""
    KNOWN_FIELD = 4122
    """The name of an extra field is one of the protocol's own, which has a setter."""
    BAD_EXTRA = 4123
    """The value of an extra field is not one whole JSON value."""
    MALFORMED = 4201
    """In an event: a message could not be read. It was skipped and counted; turn and session go on."""
    MESSAGE_TOO_LONG = 4202
    """In an event: a message was over the limit. It was skipped and counted."""
    REST_BAD_KEY = 4301
    """The server does not know the key (HTTP 401). This and what follows: only of companion calls."""
    REST_NO_KEY = 4302
    """The call needs a key: there was none, or a login token that has run out."""
    REST_BLACK_LISTED = 4303
    """The server refuses this address for some 20 minutes, good keys too, after too many wrong ones."""
    REST_THROTTLED = 4304
    """Too many calls in one second from this address: wait one."""
    REST_NOT_FOUND = 4305
    """There is no such conversation, share or code, or it is somebody else's."""
    REST_REFUSED = 4306
    """The server refuses, for a reason of its own."""
    REST_NO_SUCH_CALL = 4307
    """The server has no such call: it is too old for it, or the prefix is wrong."""
    REST_WEB_PAGE = 4308
    """A web page came in place of an answer: the prefix is wrong, and often `/api`."""
    REST_HTTP = 4309
    """Another HTTP status came, from the server or from something before it. Redirects are not followed."""
    REST_MALFORMED = 4310
    """The answer cannot be read."""
    CLOSED = 4901
    """The session or connection was closed by this side."""
    CLOSED_BY_SERVER = 4902
    """The server closed the connection in an orderly way."""
    END_OF_STREAM = 4903
    """The server ended the stream without a WebSocket Close."""
    TRUNCATED = 4904
    """The encrypted stream was cut: whoever did it, it need not have been the server."""
    IO = 4905
    """The socket failed."""
    UNRESPONSIVE = 4906
    """Nothing came for long, not even in answer to a ping: the connection is dead."""
    CLOSE_TIMEOUT = 4907
    """The server did not answer the closing in time."""
    PROTOCOL = 4908
    """The server broke the protocol of WebSocket or of the chat."""
    SERVER_NOT_UTF8 = 4909
    """The server sent text that is not UTF-8."""
    OVERSIZED = 4910
    """The server sent a message over the limit, which a connection cannot skip."""
    RESOLVE = 4921
    """The host's name cannot be looked up."""
    CONNECT = 4922
    """No address of the host can be connected to."""
    CONNECT_TIMEOUT = 4923
    """Name look-up and connect took too long."""
    HANDSHAKE_TIMEOUT = 4924
    """The TLS or WebSocket handshake took too long."""
    THROTTLED = 4925
    """The server, or a gateway or a proxy before it (HTTP 429), throttles this address: wait before the next
    connection."""
    REFUSED = 4926
    """The server answered with a refusal of its own instead of opening the WebSocket."""
    HTTP = 4927
    """The server answered with another HTTP status than 101 (429 and 502 to 504 have statuses of their own); no
    redirect is followed."""
    UPGRADE = 4928
    """The server's WebSocket handshake is wrong."""
    BAD_HTTP = 4929
    """The server does not speak HTTP/1.1."""
    UNAVAILABLE = 4930
    """A gateway, or a proxy, answered that the server behind it is away or overloaded (HTTP 502, 503 or 504): try
    again later."""
    TLS_UNKNOWN_ISSUER = 4931
    """Nobody trusted signed the server's certificate."""
    TLS_WRONG_NAME = 4932
    """The server's certificate is for other names."""
    TLS_EXPIRED = 4933
    """The server's certificate has expired."""
    TLS_NOT_YET_VALID = 4934
    """The server's certificate is not valid yet."""
    TLS_CERTIFICATE = 4935
    """The server's certificate is wrong in another way."""
    TLS_NOT_TLS = 4936
    """What came is not TLS."""
    TLS_NO_ROOTS = 4937
    """The machine has no usable root certificates, and no others were given."""
    TLS = 4938
    """TLS failed in another way."""
    TLS_CLIENT_CERTIFICATE = 4939
    """The server wants a client certificate, and none was given."""
    PROXY_AUTH = 4941
    """The proxy wants a user name and a password, or others (HTTP 407 is one of these)."""
    PROXY_REFUSED = 4942
    """The proxy refused, or could not reach the server."""
    NOT_A_PROXY = 4943
    """What answered is not such a proxy."""
    NO_RANDOM = 4951
    """The system gave no random bytes, which every connection needs."""
    SYSTEM = 4952
    """The operating system refused something else, such as a thread or a socket option."""
    PANIC = 4999
    """The library failed in itself, which is a bug. The handle takes nothing any more but to be freed."""

    @property
    def message(self) -> str:
        """What it means, in a few words."""
        message: bytes = ffi.string(lib.chatnio_status_message(self))
        return message.decode()

    @property
    def is_fatal(self) -> bool:
        """Whether the connection is over, or could not be made."""
        return bool(lib.chatnio_status_is_fatal(self))

    def __str__(self) -> str:
        return self.name

    def __format__(self, form: str) -> str:
        return format(self.name, form)
