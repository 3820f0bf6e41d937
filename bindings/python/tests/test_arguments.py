"""Every public callable, given what it does not want: it raises a TypeError, a ValueError or an error of this package, or it
takes it; nothing else, and nothing hangs."""

from __future__ import annotations

import array
import asyncio
import enum
import inspect
import math
import random
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pychatnio
from pychatnio import (
    Answer,
    AsyncClient,
    Auth,
    ChatNioError,
    Client,
    Config,
    Connection,
    Delta,
    Loopback,
    Parameters,
    Replay,
    Request,
    Session,
    State,
    Status,
    Transcript,
)


class Hostile:
    """Raises whatever is done with it."""

    def __getattr__(self, name: str) -> Any:
        raise ValueError(name)

    def __len__(self) -> int:
        raise ValueError

    def __iter__(self) -> Iterator[int]:
        raise ValueError


VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 255, 2**31 - 1, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**400),
    *(0.0, -0.0, 0.5, -1.5, 1e308, math.nan, math.inf, -math.inf, 1j),
    *("", " ", "x", "false", "\0", "a\0b", "\ud800", "é" * 5000, "ws://", "\r\nX: y", "anonymous"),
    *(b"", b"\xff\xfe", b"{}", bytearray(b"abc"), memoryview(b"abcd")[::2], memoryview(array.array("d", [1.0]))),
    *([], (), {}, set(), [None], [1], ["x"], [("system", "x")], [("x", "y")], [(1, 2, 3)], {"a": 1}, {1: "a"}, {"\n": "\n"}),
    *(object(), Hostile(), int, len, lambda: None, print, range(3), iter([1]), Ellipsis, Path("/nowhere/at/all")),
    *(Status.BUSY, State.IDLE, Answer(), Delta(text="x"), Auth(), Config(), Request.chat("x"), Request.mask([("user", "x")])),
    Transcript('> SEND {"message":"hi"}\n'),
]

#: What may be given to what waits or connects, so that it does so only for a moment and on this machine.
BY_NAME: dict[str, list[Any]] = {
    "url": ["", "ws://", "ftp://127.0.0.1", "ws://127.0.0.1:1", "ws://127.0.0.1:99999", "\0", "\ud800", 5, b"ws://127.0.0.1:1", True],
    "timeout": [0, 0.0, 0.001, 0.001, -1, "x", math.nan, -math.inf, True, b"", 1j, []],
    "idle": [0, 0.0, 0.001, 0.001, -1, "x", math.nan, -math.inf, True, b"", 1j, []],
    "script": ["", "/nowhere", "\0", 5, b"/nowhere", True, Path("/nowhere"), None],
    "path": ["", "/nowhere", "\0", "\ud800", 5.5, True, -1, Path("/nowhere"), None, []],
    "tls": [5, "x", None, 0.5, []],
}

#: What reads a file says so.
READS_FILES = ("Loopback", "Transcript.load")


def arguments(chance: random.Random, of: Callable[..., Any]) -> tuple[list[Any], dict[str, Any]]:
    """Some for it, of which at least one is given."""
    given: list[Any] = []
    named: dict[str, Any] = {}
    for name, parameter in inspect.signature(of).parameters.items():
        values = BY_NAME.get(name, VALUES)
        if parameter.kind is parameter.VAR_KEYWORD:
            for one in chance.sample([*Parameters.__annotations__, "no_such", "timeout"], k=chance.randrange(3)):
                named.setdefault(one, chance.choice(BY_NAME.get(one, VALUES)))
        elif parameter.kind is parameter.VAR_POSITIONAL:
            given += chance.choices(VALUES, k=chance.randrange(3))
        elif parameter.kind is parameter.KEYWORD_ONLY:
            if parameter.default is parameter.empty or chance.random() < 0.3:
                named[name] = chance.choice(values)
        elif parameter.default is parameter.empty or (chance.random() < 0.6 and len(given) == list(inspect.signature(of).parameters).index(name)):
            given.append(chance.choice(values))
    return given, named


def call(label: str, of: Callable[..., Any], given: list[Any], named: dict[str, Any]) -> Any:
    """Calls it, and fails for anything else than an error that it may raise."""
    try:
        return of(*given, **named)
    except (TypeError, ValueError, ChatNioError):
        return None
    except OSError:
        assert label in READS_FILES
        return None
    except BaseException as error:
        pytest.fail(f"{label}{tuple(given)} {named}: {error!r}")


CLASSES = [getattr(pychatnio, name) for name in pychatnio.__all__ if isinstance(getattr(pychatnio, name), type)]
#: An enumeration with more than a value is one made anew, which is Python's.
ENUMERATIONS = [one for one in CLASSES if issubclass(one, enum.Enum)]
INTERNAL = ("Parameters", "Handle", "AnswerStream", "AsyncAnswerStream")
CONSTRUCTED = [one for one in CLASSES if one not in ENUMERATIONS and one.__name__ not in INTERNAL]


@pytest.mark.parametrize("enumeration", ENUMERATIONS, ids=lambda one: one.__name__)
def test_enumerations(enumeration: type[enum.Enum]) -> None:
    for value in VALUES:
        call(enumeration.__name__, enumeration, [value], {})


@pytest.mark.parametrize("constructed", CONSTRUCTED, ids=lambda one: one.__name__)
def test_constructors(constructed: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHATNIO_URL", raising=False)
    monkeypatch.delenv("CHATNIO_TOKEN", raising=False)
    chance = random.Random(constructed.__name__)
    for _ in range(20 if constructed in (Loopback, Client) else 200):
        made = call(constructed.__name__, constructed, *arguments(chance, constructed))
        if isinstance(made, (Loopback, Client)):
            made.close()


def public(of: Any) -> list[tuple[str, Callable[..., Any]]]:
    """The methods of an object, or the class methods of a class, that take arguments."""
    found: list[tuple[str, Callable[..., Any]]] = []
    kind: Any = of if isinstance(of, type) else type(of)
    for name in dir(kind):
        if name.startswith("_") or isinstance(inspect.getattr_static(of, name), property):
            continue
        member = getattr(of, name)
        if callable(member) and not isinstance(member, type) and inspect.signature(member).parameters:
            found.append((name, member))
    return found


def answering() -> Session:
    session = Session(now=0)
    session.request(Request.chat("hi"), now=0)
    return session


def test_methods(loopback: Loopback) -> None:
    made: list[Callable[[], Any]] = [
        answering,
        lambda: Connection("ws://127.0.0.1:1", now=0),
        lambda: Replay(Transcript('> SEND {"message":"hi"}\n')),
        lambda: Delta(text="x", raw='{"message":"x"}'),
    ]
    for make in made:
        chance = random.Random(0)
        for name, _ in public(make()):
            for _ in range(200):
                of = make()
                label = f"{type(of).__name__}.{name}"
                call(label, getattr(of, name), *arguments(chance, getattr(of, name)))
    for label, of in ((f"{kind.__name__}.{name}", of) for kind in (Transcript, Request) for name, of in public(kind)):
        chance = random.Random(label)
        if label.split(".")[1] in ("chat", "restart", "share", "mask", "edit", "remove", "load"):
            for _ in range(300):
                call(label, of, *arguments(chance, of))


def test_the_methods_of_a_client(loopback: Loopback) -> None:
    chance = random.Random(0)
    with Client(loopback.url, "sk-any") as client:
        for name, of in public(client):
            for _ in range(60 if name != "reconnect" else 10):
                given, named = arguments(chance, of)
                if name == "next":
                    # Without one it waits for as long as it takes.
                    given, named = [chance.choice(BY_NAME["timeout"])], {}
                answer = call(f"Client.{name}", of, given, named)
                if isinstance(answer, pychatnio.AnswerStream):
                    call("AnswerStream.pieces", answer.pieces, [], {"idle": chance.choice(BY_NAME["idle"])})
                    call("AnswerStream.close", answer.close, [], {})
        # It is none the worse for it.
        client.reconnect()
        assert client.ask("hi", model="hello").text() == "Hello! How can I help?"


def test_the_methods_of_an_asynchronous_client(loopback: Loopback) -> None:
    async def main() -> None:
        chance = random.Random(0)
        async with AsyncClient(loopback.url, "sk-any") as client:
            for name, of in public(client):
                for _ in range(60 if name not in ("connect", "reconnect") else 10):
                    given, named = arguments(chance, of)
                    try:
                        answer = of(*given, **named)
                        if inspect.isawaitable(answer):
                            await answer
                        if isinstance(answer, pychatnio.AsyncAnswerStream):
                            async for _piece in answer.pieces(idle=chance.choice(BY_NAME["idle"])):
                                break
                            await answer.close()
                    except (TypeError, ValueError, ChatNioError):
                        pass
            await client.connect()
            assert await client.ask("hi", model="hello").text() == "Hello! How can I help?"

    asyncio.run(asyncio.wait_for(main(), 60))


@pytest.mark.parametrize("name", ["keep_text", "auth_at_once", "record", "allow_token_over_plain_ws", "dangerous_accept_any_certificate"])
@pytest.mark.parametrize("value", ["false", "", 0, 1, 0.0, []])
def test_what_is_on_or_off_is_a_bool(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=name):
        Config(**{name: value})


@pytest.mark.parametrize("value", [10**400, -(10**400), 10**5000], ids=["huge", "low", "of too many digits"])
def test_numbers_that_no_float_can_be(client: Client, value: int) -> None:
    for parameter in ("temperature", "top_p", "max_tokens", "context"):
        with pytest.raises(ValueError, match=f"{parameter} is out of range"):
            client.ask("hi", **{parameter: value})  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        Config(first_frame=value)
    with pytest.raises(ValueError):
        Session(now=value)


def test_a_socket_is_a_socket(loopback: Loopback) -> None:
    for sock in (5, "x", object(), True):
        with pytest.raises(TypeError, match="sock is of type socket"):
            Client(loopback.url, "sk-any", sock=sock)  # type: ignore[arg-type]
    with socket.socket() as closed:
        pass
    with pytest.raises(ValueError):
        Client(loopback.url, "sk-any", sock=closed)


def test_a_transcript_is_not_a_descriptor() -> None:
    for path in (True, 1, 0):
        with pytest.raises(TypeError):
            Transcript.load(path)  # type: ignore[arg-type]


def test_memory_in_pieces(loopback: Loopback) -> None:
    with Connection(loopback.url, "sk-any") as connection, pytest.raises(ValueError, match="in pieces"):
        connection.receive(memoryview(b"abcd")[::2])
