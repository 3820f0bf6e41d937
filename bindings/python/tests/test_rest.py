"""The companion calls: every recorded answer, the loopback server with its faults, and what goes wrong on the way."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from support import ONCE

from pychatnio import (
    Auth,
    CallError,
    CallRefusedError,
    CallThrottledError,
    ConnectError,
    ConnectionClosedError,
    InvalidArgumentError,
    KeyRejectedError,
    Loopback,
    NoSuchCallError,
    NotFoundError,
    RefusedError,
    Status,
    TLSError,
    rest,
)
from pychatnio import Client as ChatClient

ANSWERS = Path(__file__).resolve().parents[3] / "rest" / "answers.txt"
KEY = "sk-of-the-test"


def call_of(name: str, arguments: dict[str, Any]) -> rest.Call[Any]:
    made: rest.Call[Any] = getattr(rest, name)(**arguments)
    assert made.name == name
    return made


def recorded() -> Iterator[tuple[str, dict[str, Any], list[str]]]:
    """Each call of the file, with its lines."""
    for section in ANSWERS.read_text(encoding="utf-8").split("\n\n"):
        lines = section.splitlines()
        if lines and lines[0].startswith("CALL "):
            _, name, arguments = lines[0].split(" ", 2)
            yield name, json.loads(arguments), [line for line in lines[1:] if not line.startswith("//")]


def plain(value: Any) -> Any:
    """A result as the file has it: the fields that are not known beside those that are."""
    if dataclasses.is_dataclass(value):
        fields = {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return fields | fields.pop("other")
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in cast("dict[str, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in cast("list[Any]", value)]
    return value


@pytest.mark.parametrize(("name", "arguments", "lines"), list(recorded()), ids=[name for name, _, _ in recorded()])
def test_every_recorded_answer(name: str, arguments: dict[str, Any], lines: list[str]) -> None:
    call = call_of(name, arguments)
    result: Any = None
    error: CallError | None = None
    for line in lines:
        mark, _, rest_of_line = line.partition(" ")
        if mark == ">":
            request = call.request()
            sent = [request.method, request.target] + ([request.body] if request.body else [])
            assert " ".join(sent) == rest_of_line
        elif mark == "<":
            status, _, body = rest_of_line.partition(" ")
            result, error = None, None
            try:
                result = call.decode(int(status), body.encode())
            except CallError as raised:
                error = raised
        elif mark == "=":
            assert error is None
            assert plain(result) == json.loads(rest_of_line)
        else:
            assert error is not None
            assert error.status is not None
            code, _, words = rest_of_line.partition(" ")
            assert error.status.name == f"REST_{code.upper()}"
            assert error.words == (words or None)


def test_every_call_is_recorded() -> None:
    functions = {name for name in rest.__all__ if name[0].islower()}
    assert {name for name, _, _ in recorded()} == functions
    assert len(functions) == 27


def test_a_request_has_the_key_in_its_header_alone() -> None:
    call = rest.rename_conversation(7, "n")
    request = call.request(Auth(KEY), "/api")
    assert request.target == "/api/conversation/rename"
    assert request.body == '{"id":7,"name":"n"}'
    assert dict(request.headers) == {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Authorization": f"Bearer {KEY}",
    }
    assert KEY not in repr(request) + repr(call)
    assert "Authorization" not in dict(rest.quota().request().headers)
    assert rest.quota().is_repeatable
    assert not call.is_repeatable
    for token, prefix in (("", ""), ("sk-a\r\nX: y", ""), (KEY, "https://h")):
        with pytest.raises(InvalidArgumentError) as raised:
            rest.quota().request(token, prefix)
        assert KEY not in str(raised.value)


def test_wrong_arguments_are_refused() -> None:
    wrong: list[Callable[[], object]] = [
        lambda: rest.conversation("29"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        lambda: rest.invite(5),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        lambda: rest.quota().decode(200, "{}"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        lambda: rest.Client(5),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    ]
    for call in wrong:
        with pytest.raises(TypeError):
            call()
    for call in (lambda: rest.conversation(2**63), lambda: rest.quota().decode(-1, b"")):
        with pytest.raises(InvalidArgumentError):
            call()


def test_what_was_asked_is_listed_loaded_shared_and_deleted() -> None:
    with Loopback(pace=0) as server:
        with ChatClient(server.url, KEY) as chat:
            chat.ask("hi", model="hello").text()
        client = rest.Client(server.url, KEY)
        (listed,) = client.call(rest.conversations())
        assert (listed.id, listed.name, listed.messages) == (1, "hi", None)
        client.call(rest.rename_conversation(1, "é"))
        loaded = client.call(rest.conversation(1))
        assert loaded.name == "é"
        assert loaded.messages is not None
        assert [message.role for message in loaded.messages] == ["user", "assistant"]
        with ChatClient(server.url, Auth(KEY, conversation=listed.id)) as chat:
            chat.ask("again", model="hello").text()
        assert len(client.call(rest.conversation(1)).messages or ()) == 4
        hashed = client.call(rest.share_conversation(1))
        assert len(client.call(rest.shared_conversation(hashed)).messages) == 4
        client.call(rest.save_mask("n", [("system", "x")], description="d"))
        assert client.call(rest.masks())[0].description == "d"
        client.call(rest.delete_conversation(1))
        with pytest.raises(NotFoundError) as raised:
            client.call(rest.delete_conversation(1))
        assert raised.value.words == "conversation not found"
        assert client.call(rest.user()).name == "root"
        assert client.call(rest.charges())[0].type == "token-billing"
        with pytest.raises(CallRefusedError):
            client.call(rest.buy(1))


FAULTS: list[tuple[Any, type[CallError]]] = [
    ("throttled", CallThrottledError),
    ("bad-key", KeyRejectedError),
    ("black-listed", KeyRejectedError),
    ("bad-gateway", CallError),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
def test_faults(fault: Any, kind: type[CallError]) -> None:
    with Loopback(faults=[fault]) as server:
        with pytest.raises(CallError) as raised:
            rest.Client(server.url, KEY, config=ONCE).call(rest.quota())
        assert type(raised.value) is kind
        assert raised.value.is_retryable == (fault in ("throttled", "bad-gateway"))


def test_two_objects_count_as_one_and_a_web_page_is_named() -> None:
    with Loopback(faults=["two-objects", "web-page"]) as server:
        origin = server.url.removesuffix("/chat").removesuffix("/api")
        assert rest.Client(f"{origin}/api", KEY).call(rest.quota()) == 500.0
        with pytest.raises(NoSuchCallError, match="/api"):
            rest.Client(origin, KEY).call(rest.quota())


def test_without_a_key(loopback: Loopback) -> None:
    client = rest.Client(loopback.url)
    assert any(model.id == "hello" for model in client.call(rest.models()))
    with pytest.raises(KeyRejectedError):
        client.call(rest.quota())


def test_tls_is_checked() -> None:
    with Loopback(tls=True) as server:
        with pytest.raises(TLSError) as raised:
            rest.Client(server.url, KEY).call(rest.quota())
        assert raised.value.status == Status.TLS_CERTIFICATE
        context = ssl.create_default_context(cafile=server._folder / "roots.pem")
        assert rest.Client(server.url, KEY, ssl_context=context).call(rest.quota()) == 500.0


def test_asyncio(loopback: Loopback) -> None:
    async def main() -> None:
        client = rest.AsyncClient(loopback.url, KEY)
        assert await asyncio.gather(*(client.call(rest.quota()) for _ in range(3))) == [500.0] * 3
        with pytest.raises(NotFoundError):
            await client.call(rest.conversation(77))
        assert KEY not in repr(client)

    asyncio.run(main())


def answering(answer: bytes) -> tuple[str, threading.Thread]:
    """A server that gives one connection this answer, and its end."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener, listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return f"ws://127.0.0.1:{listener.getsockname()[1]}", thread


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", ConnectionClosedError),
        (b"", ConnectionClosedError),
        (b"SSH-2.0-OpenSSH\r\n", RefusedError),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", CallError),
    ],
)
def test_what_goes_wrong_on_the_way(answer: bytes, kind: type[Exception]) -> None:
    url, thread = answering(answer)
    with pytest.raises(kind):
        rest.Client(url, KEY, config=ONCE).call(rest.quota())
    thread.join()


def test_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"ws://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ConnectionClosedError, match=r"within 0\.05 s"):
            rest.Client(url, KEY, timeout=0.05).call(rest.quota())
    with pytest.raises(ConnectError):
        rest.Client(url, KEY, config=ONCE).call(rest.quota())


def test_urls() -> None:
    for url, shown in (
        ("chat.example.com", "chat.example.com:443"),
        ("https://h/api", "h:443/api"),
        ("ws://localhost:8094/api/chat", "localhost:8094/api"),
        ("wss://[::1]:1/chat", "::1:1"),
        ("https://h/api?key=SECRET", "h:443/api"),
    ):
        assert repr(rest.Client(url, KEY)) == f"<Client {shown}>"
    for url in ("ftp://h", "wss://user:SECRET@h", "wss://h#SECRET", "wss://h:99999", "wss://", "wss://[::1"):
        with pytest.raises(InvalidArgumentError) as raised:
            rest.Client(url, KEY)
        assert raised.value.status == Status.BAD_URL
        assert "SECRET" not in str(raised.value)
    with pytest.raises(InvalidArgumentError) as refused:
        rest.Client("ws://chat.example.com", KEY)
    assert refused.value.status == Status.PLAIN_TOKEN
    rest.Client("ws://chat.example.com", KEY, allow_token_over_plain_ws=True)
    rest.Client("ws://chat.example.com")
