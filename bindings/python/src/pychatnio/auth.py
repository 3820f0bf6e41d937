"""Who asks, and in which conversation."""

from __future__ import annotations

from ._boundary import Owner
from ._native import ffi, lib
from ._status import Status
from ._text import CData, checked, encoded
from .errors import InvalidArgumentError, error_of

__all__ = ["Auth"]


class Auth(Owner):
    """Who asks, and in which conversation. Reusable.

    Args:
        token: An API key `sk-...`, a login token, or `"anonymous"`, which asks without an account. It is shown by
            no text and no `repr`, and wiped with the last reference. Servers do not say whether they take it: with a
            bad one the first question is answered by a notice.
        conversation: The stored conversation to continue, by its id. Without it a new one is started.
        share: A shared conversation to start from, by its share's hash. One that the server knows wins over
            `conversation`.

    Raises:
        InvalidArgumentError: for a token or hash that is not valid Unicode. An empty one, and ids that cannot be, are
            refused where the authentication is used.
    """

    __slots__ = ("_wrong", "_continues")

    _release = lib.chatnio_auth_free

    #: What is wrong with the token, if something is.
    _wrong: Exception | None
    #: Whether it continues a stored conversation.
    _continues: bool

    def __init__(self, token: str = "anonymous", *, conversation: int | None = None, share: str | None = None) -> None:
        self._handle, self._wrong = _made(token)
        self._continues = conversation is not None
        # A debugger or a test runner that shows the variables of a traceback shows no token.
        del token
        handle = self._native()
        status = 0
        if conversation is not None:
            checked(conversation, int, "conversation")
            if not -(2**63) <= conversation < 2**63:
                raise InvalidArgumentError(Status.BAD_CONVERSATION, f"there is no conversation {conversation}")
            status = lib.chatnio_auth_set_conversation(handle, conversation)
        if share is not None and not status:
            hashed = encoded(share, "share")
            status = lib.chatnio_auth_set_share(handle, hashed, len(hashed))
        if status:
            raise error_of(status)

    @classmethod
    def _adopt(cls, handle: CData, wrong: Exception | None = None) -> Auth:
        adopted = cls.__new__(cls)
        adopted._handle = handle
        adopted._wrong = wrong
        adopted._continues = False
        return adopted

    def _native(self) -> CData:
        """The handle.

        Raises:
            InvalidArgumentError, TypeError: for a token that cannot be.
        """
        if self._wrong is not None:
            raise self._wrong
        return self._handle

    def __repr__(self) -> str:
        return "Auth(...)"


def authentication(auth: Auth | str | None) -> Auth:
    """What a constructor was given: a token, or more. It raises nothing: `Auth._native` does, once no variable of
    the constructor's holds the token."""
    if isinstance(auth, Auth):
        return auth
    return Auth() if auth is None else Auth._adopt(*_made(auth))


def _made(token: str) -> tuple[CData, Exception | None]:
    """A handle, and what is wrong with the token; raised where no variable holds it."""
    # Somebody may pass what they have read from a file.
    if not isinstance(token, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        return ffi.NULL, TypeError(f"a token is of type str, not {type(token).__name__}")
    data = encoded(token, "token")
    made = ffi.new("chatnio_auth **")
    status = lib.chatnio_auth_new(data, len(data), made)
    return made[0], error_of(status) if status else None
