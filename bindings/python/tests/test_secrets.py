"""No secret is in what a program could print, log or store: every fault of the table, plain and over TLS, to clients that have one
of each kind; and again with the faulty server in the place of a proxy."""

from __future__ import annotations

import asyncio
import logging
import pickle
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme
import uvloop
from fault_servers import Row, Table
from support import PATIENCE, everything_shown

from pychatnio import AsyncClient, Auth, ChatNioError, Client, Config, Connection, InvalidArgumentError, Transcript, rest
from pychatnio.rest.redacted import of_headers, redacted

#: One of each kind, by what it is.
SECRETS = {
    "token": "sk-MARKEDtoken",
    "header": "MARKEDheader",
    "query": "MARKEDquery",
    "password": "MARKEDpassword",
    # As a proxy is told it.
    "password, encoded": b64encode(b"user:MARKEDpassword").decode().rstrip("="),
}

#: No row needs as long, in seconds: whatever hangs fails.
LONG = 30.0

#: The deadline that a row names; and of every one where a proxy's place is taken: what becomes of it is not asked here.
SHORT = 0.1

#: How many are tried at once: most of them wait.
AT_ONCE = 32


class Way(NamedTuple):
    """How a client goes to a faulty server: as its server, or as its proxy."""

    name: str
    url: str
    proxy: str | None


class Identity(NamedTuple):
    """A client's certificate, and a line of its key."""

    file: Path
    key: str


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    made = trustme.CA().issue_cert("client")
    file = tmp_path_factory.mktemp("identity") / "client.pem"
    made.private_key_and_cert_chain_pem.write_to_path(file)
    return Identity(file, made.private_key_pem.bytes().decode().splitlines()[1])


def ways(table: Table) -> Iterator[tuple[Row, Way]]:
    """Each row straight, and the plain ones by each kind of proxy in turn."""
    key = SECRETS["query"]
    kinds = cycle(["http", "socks5", "socks5h"])
    for row in table.rows:
        yield row, Way("straight", f"{row.url}?key={key}", None)
        if row.over == "plain":
            kind, address = next(kinds), row.url.removeprefix("ws://").split("/")[0]
            yield row, Way(kind, f"ws://localhost:9/chat?key={key}", f"{kind}://user:{SECRETS['password']}@{address}")


def config(table: Table, row: Row, way: Way, identity: Identity) -> Config:
    names = ("connect", "handshake", "first_frame", "next_frame", "answer_within")
    deadlines: dict[str, Any] = {name: SHORT if row.by == name or way.proxy else LONG for name in names}
    return Config(
        connect_retries=0,
        record=True,
        close=SHORT,
        max_message=64 << 10,
        max_answer=1 << 20,
        trust="added",
        root_files=[table.roots],
        client_certificate=identity.file,
        headers={"Authorization": SECRETS["header"]},
        proxy=way.proxy,
        **deadlines,
    )


def of_error(error: ChatNioError) -> list[str]:
    """All that there is to see of it."""
    return [everything_shown(error), repr(vars(error)), pickle.dumps(error).decode("latin-1")]


def of_client(client: Client | AsyncClient) -> list[str]:
    transcript = client.transcript()
    assert isinstance(transcript, Transcript)
    return [repr(client), str(client), repr(transcript), str(transcript)]


def asked_blocking(way: Way, settings: Config) -> list[str]:
    """Asks one question to its end; every text there is to see of it."""
    auth = Auth(SECRETS["token"])
    texts = [repr(settings), repr(auth)]
    try:
        with Client(way.url, auth, config=settings) as client:
            try:
                stream = client.ask("hi")
                texts += [repr(event) for event in stream.events()]
                texts += [repr(stream), stream.text()]
            finally:
                texts += of_client(client)
    except ChatNioError as error:
        texts += of_error(error)
    return texts


async def asked(way: Way, settings: Config) -> list[str]:
    """The same on asyncio."""
    auth = Auth(SECRETS["token"])
    texts = [repr(settings), repr(auth)]
    try:
        async with AsyncClient(way.url, auth, config=settings) as client:
            try:
                stream = client.ask("hi")
                texts += [repr(event) async for event in stream.events()]
                texts += [repr(stream), await stream.text()]
            finally:
                texts += of_client(client)
    except ChatNioError as error:
        texts += of_error(error)
    return texts


def called_blocking(way: Way, settings: Config) -> list[str]:
    """A companion call."""
    client = rest.Client(way.url, SECRETS["token"], config=settings, timeout=SHORT)
    try:
        result: float = client.call(rest.quota())
        return [repr(client), repr(result)]
    except ChatNioError as error:
        return [repr(client), *of_error(error)]


async def called(way: Way, settings: Config) -> list[str]:
    """The same on asyncio."""
    client = rest.AsyncClient(way.url, SECRETS["token"], config=settings, timeout=SHORT)
    try:
        result: float = await client.call(rest.quota())
        return [repr(client), repr(result)]
    except ChatNioError as error:
        return [repr(client), *of_error(error)]


def found(text: str, identity: Identity) -> list[str]:
    """Which secrets a text shows, by their beginnings."""
    secrets = {**SECRETS, "key": identity.key}
    return [name for name, secret in secrets.items() if secret[:8] in text]


def shown(row: Row, way: Way, texts: list[str], identity: Identity) -> list[str]:
    assert len(texts) > 1
    return [
        f"{row.fault}, {row.over} ({way.name}): the {secret} is in {text}" for text in texts for secret in found(text, identity)
    ]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def check_log(log: pytest.LogCaptureFixture, identity: Identity) -> None:
    logging.getLogger("pychatnio").debug("that it is captured")
    assert "that it is captured" in log.text
    assert [line for line in log.text.splitlines() if found(line, identity)] == []


@pytest.mark.parametrize("attempt", [asked_blocking, called_blocking])
def test_blocking(
    attempt: Callable[[Way, Config], list[str]], table: Table, identity: Identity, log: pytest.LogCaptureFixture
) -> None:
    def try_one(to: tuple[Row, Way]) -> list[str]:
        row, way = to
        return shown(row, way, attempt(way, config(table, row, way, identity)), identity)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        lines = [line for lines in pool.map(try_one, ways(table), timeout=LONG * 3) for line in lines]
    assert lines[:5] == []
    check_log(log, identity)


@pytest.mark.parametrize("attempt", [asked, called])
@pytest.mark.parametrize("in_loop", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_asyncio(
    in_loop: Any,
    attempt: Callable[[Way, Config], Awaitable[list[str]]],
    table: Table,
    identity: Identity,
    log: pytest.LogCaptureFixture,
) -> None:
    async def try_all() -> list[str]:
        places = asyncio.Semaphore(AT_ONCE)

        async def try_one(row: Row, way: Way) -> list[str]:
            async with places:
                settings = config(table, row, way, identity)
                texts = await asyncio.wait_for(attempt(way, settings), PATIENCE)
                return shown(row, way, texts, identity)

        tries = [try_one(row, way) for row, way in ways(table)]
        return [line for lines in await asyncio.gather(*tries) for line in lines]

    # The loop's debug mode takes most of the time.
    assert in_loop(try_all(), debug=False)[:5] == []
    check_log(log, identity)


#: Whatever takes a URL.
OF_A_URL: dict[str, Callable[[Any, Any], object]] = {
    "Client": Client,
    "AsyncClient": AsyncClient,
    "Connection": Connection,
    "rest.Client": rest.Client,
    "rest.AsyncClient": rest.AsyncClient,
}


@pytest.mark.parametrize("make", OF_A_URL)
@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("ftp://localhost/?key=MARKEDquery", SECRETS["token"]),
        ("wss://localhost:MARKEDquery/", SECRETS["token"]),
        # It would go over plain `ws://`.
        ("ws://example.com/?key=MARKEDquery", SECRETS["token"]),
        (b"ws://localhost/?key=MARKEDquery", SECRETS["token"]),
        ("ws://localhost/?key=MARKEDquery", f"{SECRETS['token']}\ud800"),
        ("ws://localhost/?key=MARKEDquery", SECRETS["token"].encode()),
    ],
)
def test_no_constructor_shows_a_url(make: str, url: Any, token: Any, identity: Identity) -> None:
    with pytest.raises((InvalidArgumentError, TypeError)) as caught:
        OF_A_URL[make](url, token)
    assert found(everything_shown(caught.value), identity) == []


def test_a_secret_that_shows_is_found(identity: Identity) -> None:
    for name, secret in {**SECRETS, "key": identity.key}.items():
        assert found(f"so {secret}.", identity) == [name]
    assert found(identity.file.read_text(), identity) == ["key"]


def test_however_it_is_written() -> None:
    rows = (Path(__file__).resolve().parents[3] / "rest" / "secrets.tsv").read_text(encoding="utf-8").split("\n")[1:-1]
    for row in rows:
        of, sent, repeated, shown = row.split("\t")
        kind, _, name = of.partition(" ")
        others = {"secret": [sent], "header": [*of_headers([(name, sent)])]}.get(kind, [])
        query, token = (sent if kind == name_of else "" for name_of in ("query", "token"))
        assert redacted(repeated, query, token, others) == shown, row
    assert len(rows) > 30


def test_one_that_is_cut() -> None:
    # What the text is shortened to may end within a secret, and within a sign of it.
    text = "no key s3cr%C3%A9t\\/3"
    for end in range(len("no key s3cr"), len(text) + 1):
        assert redacted(text[:end], "key=s3cr\u00e9t/3/4", "") == "no key ...", text[:end]
    assert redacted(text[: len("no key s3c")], "key=s3cr\u00e9t/3/4", "") == "no key s3c"
