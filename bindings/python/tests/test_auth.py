"""Who asks: what is sent of it, and that nothing else ever shows a token."""

from __future__ import annotations

import asyncio
import copy
import pickle
import socket
from collections.abc import Callable
from typing import Any

import pytest
from support import Certificates, everything_shown
from memory import START, Link, Server

from pychatnio import (
    AsyncClient,
    Auth,
    Client,
    Config,
    Connection,
    InvalidArgumentError,
    InvalidRequestError,
    Loopback,
    Request,
    Session,
    Status,
)

SECRET = "sk-very-secret-token"
AT_ONCE = Config(auth_at_once=True)


def sent(auth: Auth | str | None) -> str | None:
    return Session(auth, config=AT_ONCE, now=START).next_message()


def test_what_is_sent() -> None:
    assert sent(None) == '{"token":"anonymous","id":-1}'
    assert sent(Auth()) == '{"token":"anonymous","id":-1}'
    assert sent("sk-x") == '{"token":"sk-x","id":-1}'
    assert sent(Auth('sk-"é☺\0')) == '{"token":"sk-\\"é☺\\u0000","id":-1}'
    assert sent(Auth("sk-x", conversation=29)) == '{"token":"sk-x","id":29}'
    assert sent(Auth("sk-x", conversation=-1)) == '{"token":"sk-x","id":-1}'
    assert sent(Auth("sk-x", conversation=2**63 - 1)) == '{"token":"sk-x","id":9223372036854775807}'
    assert sent(Auth("sk-x", share="ab12")) == '{"token":"sk-x","id":-1,"ref":"ab12"}'
    assert sent(Auth("sk-x", conversation=29, share="ab12")) == '{"token":"sk-x","id":29,"ref":"ab12"}'


def test_it_goes_out_once_before_the_first_request() -> None:
    session = Session("sk-x", now=START)
    assert session.next_message() is None
    session.request(Request.chat("hi"), now=START)
    assert session.next_message() == '{"token":"sk-x","id":-1}'
    assert session.next_message() == '{"type":"chat","message":"hi"}'
    assert session.next_message() is None


def test_one_is_for_many() -> None:
    auth = Auth("sk-x")
    assert {sent(auth) for _ in range(3)} == {'{"token":"sk-x","id":-1}'}
    session = Session(auth, config=AT_ONCE, now=START)
    del auth
    assert session.next_message() == '{"token":"sk-x","id":-1}'


@pytest.mark.parametrize("conversation", [0, -2, -(2**63)])
def test_ids_that_cannot_be(conversation: int) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        Session(Auth("sk-x", conversation=conversation))
    assert caught.value.status is Status.BAD_CONVERSATION


@pytest.mark.parametrize("conversation", [2**63, -(2**63) - 1])
def test_ids_out_of_range(conversation: int) -> None:
    with pytest.raises(InvalidArgumentError, match=str(conversation)):
        Auth("sk-x", conversation=conversation)


def test_empty_ones() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        Session("")
    assert caught.value.status is Status.EMPTY_TOKEN
    with pytest.raises(InvalidRequestError) as refused:
        Session(Auth("sk-x", share=""))
    assert refused.value.status is Status.EMPTY_SHARE


# No token in any text.


def test_no_repr_shows_it() -> None:
    auth = Auth(SECRET, share="hash", conversation=3)
    assert repr(auth) == str(auth) == f"{auth}" == "Auth(...)"
    for made in (
        Session(auth, config=AT_ONCE),
        Connection("ws://localhost", SECRET),
        AsyncClient("ws://localhost", SECRET),
        Request.chat("hi"),
    ):
        assert SECRET not in repr(made)


def test_nothing_pickles_it() -> None:
    auth = Auth(SECRET)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError) as caught:
            pickle.dumps(auth, protocol)
        assert SECRET not in str(caught.value)
    with pytest.raises(TypeError):
        copy.deepcopy(auth)


def test_no_recording_shows_it(loopback: Loopback) -> None:
    session = Session(SECRET, config=Config(record=True), now=START)
    session.request(Request.chat("hi"), now=START)
    assert SECRET in str(session.next_message())
    transcript = session.transcript()
    assert transcript is not None
    assert '"token":"sk-..."' in str(transcript)
    assert SECRET not in str(transcript) + repr(transcript)
    with Client(loopback.url, SECRET, config=Config(record=True)) as client:
        client.ask("hi").text()
        assert SECRET not in str(client.transcript())


def connect_async(url: str, auth: Any, config: Config | None = None) -> None:
    async def main() -> None:
        await AsyncClient(url, auth, config=config).connect()

    asyncio.run(main())


def too_early(auth: Any, certificates: Certificates) -> None:
    """Lets the server's certificate be refused."""
    connection = Connection("wss://localhost", auth, config=certificates.config(wall_clock=1), now=START)
    link = Link(connection, Server(certificates.server()))
    link.exchange()
    connection.request(Request.chat("hi"))


def asked_too_much(auth: Any) -> None:
    session = Session(auth, config=Config(max_request=200), now=START)
    session.request(Request.chat("x" * 500), now=START)


#: What a token may be wrong in, or go wrong with; `port` is one that refuses every connection.
FAILURES: dict[str, Callable[[Any, str, Certificates], object]] = {
    "Auth": lambda token, url, certificates: Auth(token),
    "Session": lambda token, url, certificates: Session(token),
    "Connection": lambda token, url, certificates: Connection("ws://localhost", token),
    "Client": lambda token, url, certificates: Client("ws://localhost", token),
    "AsyncClient": lambda token, url, certificates: AsyncClient("ws://localhost", token),
}

WITH_A_GOOD_ONE: dict[str, Callable[[Any, str, Certificates], object]] = {
    "an id out of range": lambda token, url, certificates: Auth(token, conversation=2**63),
    "a wrong share": lambda token, url, certificates: Auth(token, share="\ud800"),
    "a wrong id": lambda token, url, certificates: Session(Auth(token, conversation=-2)),
    "a limit": lambda token, url, certificates: Session(token, config=Config(max_request=10)),
    "a question": lambda token, url, certificates: asked_too_much(token),
    "a URL, byte level": lambda token, url, certificates: Connection("ftp://x", token),
    "a URL": lambda token, url, certificates: Client("ftp://x", token),
    "a URL, asyncio": lambda token, url, certificates: AsyncClient("ftp://x", token),
    "plain, byte level": lambda token, url, certificates: Connection("ws://example.com", token),
    "plain": lambda token, url, certificates: Client("ws://example.com", token),
    "plain, asyncio": lambda token, url, certificates: AsyncClient("ws://example.com", token),
    "no roots": lambda token, url, certificates: Connection("wss://x", token, config=Config(trust="added")),
    "refused": lambda token, url, certificates: Client(url, token),
    "refused, asyncio": lambda token, url, certificates: connect_async(url, token),
    "no time": lambda token, url, certificates: Session(token, now=-1),
    "a certificate": lambda token, url, certificates: too_early(token, certificates),
}


@pytest.fixture
def refusing_url() -> str:
    """Of a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"ws://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("failure", WITH_A_GOOD_ONE)
def test_no_failure_shows_it(failure: str, refusing_url: str, certificates: Certificates) -> None:
    with pytest.raises((OSError, ValueError)) as caught:
        WITH_A_GOOD_ONE[failure](SECRET, refusing_url, certificates)
    text = everything_shown(caught.value)
    assert "src/pychatnio" in text or "site-packages/pychatnio" in text
    assert SECRET not in text


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("token", [SECRET + "\ud800", SECRET.encode(), [SECRET]], ids=["no Unicode", "bytes", "list"])
def test_no_failure_shows_a_wrong_one(failure: str, token: Any, certificates: Certificates) -> None:
    with pytest.raises((InvalidArgumentError, TypeError)) as caught:
        FAILURES[failure](token, "", certificates)
    assert isinstance(caught.value, InvalidArgumentError if isinstance(token, str) else TypeError)
    assert SECRET not in everything_shown(caught.value)


def test_what_a_traceback_would_show() -> None:
    # The tests above see what there is to be seen.
    def leaks(token: str) -> None:
        raise InvalidRequestError(Status.EMPTY_MESSAGE, "leaking")

    elsewhere = compile("def call(function, token): function(token)", "elsewhere.py", "exec")
    space: dict[str, Any] = {}
    exec(elsewhere, space)
    with pytest.raises(InvalidRequestError) as caught:
        space["call"](leaks, SECRET)
    assert SECRET in everything_shown(caught.value)
