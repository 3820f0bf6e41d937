"""Where a client connects to, and as whom."""

from __future__ import annotations

import os

from .auth import Auth, authentication
from .errors import InvalidArgumentError
from ._status import Status

_DEFAULT = "wss://api.chatnio.net"


def endpoint(url: str | None, auth: Auth | str | None) -> tuple[str, Auth]:
    """What a client was given; without a URL, what the environment says: `CHATNIO_URL`, and `CHATNIO_TOKEN`, which goes to
    no other place than that.

    Raises:
        InvalidArgumentError: when neither says where.
    """
    if url is not None:
        return url, authentication(auth)
    given = authentication(auth if auth is not None else os.environ.get("CHATNIO_TOKEN") or None)
    url = os.environ.get("CHATNIO_URL")
    if not url:
        if auth is None and not os.environ.get("CHATNIO_TOKEN"):
            why = f"give a URL, or set CHATNIO_URL, or CHATNIO_TOKEN for {_DEFAULT}"
            raise InvalidArgumentError(Status.INVALID, why)
        url = _DEFAULT
    return url, given
