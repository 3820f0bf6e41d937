"""Values of a wrong type: the error says which argument it is, and shows nothing of its value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pychatnio import (
    AsyncClient,
    Auth,
    Client,
    Config,
    Connection,
    InvalidArgumentError,
    Loopback,
    Request,
    Session,
    Transcript,
)

URL = "ws://localhost"

WRONG: list[tuple[str, Callable[[Any], object]]] = [
    ("url", Client),
    ("url", AsyncClient),
    ("url", Connection),
    ("a token", Session),
    ("a token", lambda value: Connection(URL, value)),
    ("a token", Auth),
    ("share", lambda value: Auth("sk-any", share=value)),
    ("conversation", lambda value: Auth("sk-any", conversation=value)),
    ("config", lambda value: Session(config=value)),
    ("config", lambda value: AsyncClient(URL, config=value)),
    ("now", lambda value: Session(now=value)),
    ("connect", lambda value: Config(connect=value)),
    ("stop_repeats", lambda value: Config(stop_repeats=[value])),
    ("wall_clock", lambda value: Config(wall_clock=value)),
    ("max_message", lambda value: Config(max_message=value)),
    ("a root certificate", lambda value: Config(roots=[value])),
    ("a question", lambda value: AsyncClient(URL).ask(value)),
    ("a question", Request.chat),
    ("a hash", Request.share),
    ("a message of a mask", lambda value: Request.mask([value])),
    ("a role", lambda value: Request.mask([(value, "")])),
    ("a mask's text", lambda value: Request.mask([("user", value)])),
    ("index", Request.remove),
    ("a text", lambda value: Request.edit(0, value)),
    ("model", lambda value: Request.chat("hi", model=value)),
    ("web", lambda value: Request.chat("hi", web=value)),
    ("top_k", lambda value: Request.chat("hi", top_k=value)),
    ("temperature", lambda value: Request.chat("hi", temperature=value)),
    ("a request", lambda value: Session().request(value)),
    ("a request", lambda value: Connection(URL).request(value)),
    ("a message", lambda value: Session().receive(value)),
    ("a transcript", Transcript),
]


@pytest.mark.parametrize(("what", "use"), WRONG)
def test_the_error_names_the_argument(what: str, use: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match=f"^{what} is of type .*, not object$"):
        use(object())


def test_what_was_not_made_is_shown() -> None:
    # As a traceback does that shows variables.
    for kind in (Client, AsyncClient, Connection, Session, Transcript, Loopback, Config, Auth, Request):
        unmade: Any = kind.__new__(kind)
        assert repr(unmade)


def test_numbers_out_of_range() -> None:
    connection = Connection(URL)
    with pytest.raises(InvalidArgumentError, match="-1"):
        connection.transmitted(-1)
    with pytest.raises(InvalidArgumentError):
        connection.transmitted(2**70)
    with pytest.raises(InvalidArgumentError, match="no errno"):
        connection.failed(2**40)


def test_a_field_that_is_nested_deep() -> None:
    session = Session()
    session.request(Request.chat("hi"))
    event = session.receive('{"message":"a","more":' + "[" * 5000 + "]" * 5000 + "}")
    # However much Python reads of it.
    event.field("more", default=None)


def test_pairs_of_a_mask() -> None:
    wrong: Any = [("user", "hi", "there")]
    with pytest.raises(TypeError, match="pair of a role and a text"):
        Request.mask(wrong)
    with pytest.raises(TypeError, match="a message of a mask"):
        wrong = "ab"
        Request.mask(wrong)
