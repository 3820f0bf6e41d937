"""Who asks, and in which conversation."""

from __future__ import annotations

from ._boundary import CData, encoded
from ._native import ffi, lib
from .errors import error_of

__all__ = ["Auth"]


class Auth:
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

    __slots__ = ("_handle",)

    def __init__(self, token: str = "anonymous", *, conversation: int | None = None, share: str | None = None) -> None:
        data = encoded(token)
        # A debugger or a test runner that shows the variables of a traceback shows no token.
        del token
        length = len(data)
        made = ffi.new("chatnio_auth **")
        status = lib.chatnio_auth_new(data, length, made)
        del data
        if status:
            raise error_of(status, "")
        self._handle: CData = ffi.gc(made[0], lib.chatnio_auth_free)
        if conversation is not None:
            status = lib.chatnio_auth_set_conversation(self._handle, conversation)
        if share is not None and not status:
            hashed = encoded(share)
            status = lib.chatnio_auth_set_share(self._handle, hashed, len(hashed))
        if status:
            raise error_of(status, "")

    @classmethod
    def _adopt(cls, handle: CData) -> Auth:
        adopted = cls.__new__(cls)
        adopted._handle = handle
        return adopted

    def __repr__(self) -> str:
        return "Auth(...)"


def authentication(auth: Auth | str | None) -> Auth:
    """What a constructor was given: a token, or more."""
    if isinstance(auth, Auth):
        return auth
    return Auth() if auth is None else Auth(auth)
