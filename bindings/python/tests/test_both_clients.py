"""What the blocking and the asynchronous client have in common."""

from __future__ import annotations

import inspect

import pychatnio
from pychatnio import AsyncAnswerStream, AsyncClient, Client


def test_both_clients_have_the_same_methods() -> None:
    def public(of: type) -> set[str]:
        return {name for name in dir(of) if not name.startswith("_")}

    # A `Client` connects when it is made, and waits for events only when it is told to.
    assert public(Client) - public(AsyncClient) == {"next"}
    assert public(AsyncClient) - public(Client) == {"connect", "aclose"}
    assert public(AsyncAnswerStream) - public(pychatnio.AnswerStream) == {"aclose"}
    assert public(pychatnio.AnswerStream) <= public(AsyncAnswerStream)
    for name in ("ask", "restart"):
        assert (
            inspect.signature(getattr(AsyncClient, name)).parameters.keys()
            == inspect.signature(getattr(Client, name)).parameters.keys()
        )
