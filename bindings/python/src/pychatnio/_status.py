"""The statuses of the C library."""

from __future__ import annotations

import enum

from ._native import ffi, lib


class Status(enum.IntEnum):
    """What the library answers; in words by `message`. Those that are a part of the usual course never reach you as an
    exception."""

    OK = lib.CHATNIO_OK
    AGAIN = lib.CHATNIO_AGAIN
    INTERRUPTED = lib.CHATNIO_INTERRUPTED
    BUSY = lib.CHATNIO_BUSY
    UNDRAINED = lib.CHATNIO_UNDRAINED
    ABSENT = lib.CHATNIO_ABSENT
    UNSENT = lib.CHATNIO_UNSENT
    INVALID = lib.CHATNIO_INVALID
    NOT_UTF8 = lib.CHATNIO_NOT_UTF8
    FROZEN = lib.CHATNIO_FROZEN
    BAD_URL = lib.CHATNIO_BAD_URL
    BAD_HEADER = lib.CHATNIO_BAD_HEADER
    BAD_ROOTS = lib.CHATNIO_BAD_ROOTS
    BAD_TRANSCRIPT = lib.CHATNIO_BAD_TRANSCRIPT
    EMPTY_TOKEN = lib.CHATNIO_EMPTY_TOKEN
    BAD_CONVERSATION = lib.CHATNIO_BAD_CONVERSATION
    PLAIN_TOKEN = lib.CHATNIO_PLAIN_TOKEN
    EMPTY_MESSAGE = lib.CHATNIO_EMPTY_MESSAGE
    EMPTY_SHARE = lib.CHATNIO_EMPTY_SHARE
    BAD_MASK = lib.CHATNIO_BAD_MASK
    NOT_FINITE = lib.CHATNIO_NOT_FINITE
    BAD_PARAMETERS = lib.CHATNIO_BAD_PARAMETERS
    REQUEST_TOO_LONG = lib.CHATNIO_REQUEST_TOO_LONG
    NOTHING_TO_RESTART = lib.CHATNIO_NOTHING_TO_RESTART
    GIVEN_SOCKET = lib.CHATNIO_GIVEN_SOCKET
    MALFORMED = lib.CHATNIO_MALFORMED
    MESSAGE_TOO_LONG = lib.CHATNIO_MESSAGE_TOO_LONG
    CLOSED = lib.CHATNIO_CLOSED
    CLOSED_BY_SERVER = lib.CHATNIO_CLOSED_BY_SERVER
    END_OF_STREAM = lib.CHATNIO_END_OF_STREAM
    TRUNCATED = lib.CHATNIO_TRUNCATED
    IO = lib.CHATNIO_IO
    UNRESPONSIVE = lib.CHATNIO_UNRESPONSIVE
    CLOSE_TIMEOUT = lib.CHATNIO_CLOSE_TIMEOUT
    PROTOCOL = lib.CHATNIO_PROTOCOL
    SERVER_NOT_UTF8 = lib.CHATNIO_SERVER_NOT_UTF8
    OVERSIZED = lib.CHATNIO_OVERSIZED
    RESOLVE = lib.CHATNIO_RESOLVE
    CONNECT = lib.CHATNIO_CONNECT
    CONNECT_TIMEOUT = lib.CHATNIO_CONNECT_TIMEOUT
    HANDSHAKE_TIMEOUT = lib.CHATNIO_HANDSHAKE_TIMEOUT
    THROTTLED = lib.CHATNIO_THROTTLED
    REFUSED = lib.CHATNIO_REFUSED
    HTTP = lib.CHATNIO_HTTP
    UPGRADE = lib.CHATNIO_UPGRADE
    BAD_HTTP = lib.CHATNIO_BAD_HTTP
    UNAVAILABLE = lib.CHATNIO_UNAVAILABLE
    TLS_UNKNOWN_ISSUER = lib.CHATNIO_TLS_UNKNOWN_ISSUER
    TLS_WRONG_NAME = lib.CHATNIO_TLS_WRONG_NAME
    TLS_EXPIRED = lib.CHATNIO_TLS_EXPIRED
    TLS_NOT_YET_VALID = lib.CHATNIO_TLS_NOT_YET_VALID
    TLS_CERTIFICATE = lib.CHATNIO_TLS_CERTIFICATE
    TLS_NOT_TLS = lib.CHATNIO_TLS_NOT_TLS
    TLS_NO_ROOTS = lib.CHATNIO_TLS_NO_ROOTS
    TLS = lib.CHATNIO_TLS
    NO_RANDOM = lib.CHATNIO_NO_RANDOM
    SYSTEM = lib.CHATNIO_SYSTEM
    PANIC = lib.CHATNIO_PANIC

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
