"""Each setting, by what it does; and what a setting may not be."""

from __future__ import annotations

import copy
import gc
import math
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import Certificates, everything_shown
from memory import START, Link, Server, tls_end

from pychatnio import (
    Closed,
    CloseReason,
    Config,
    Connection,
    End,
    Interruption,
    InvalidArgumentError,
    InvalidRequestError,
    KeepAlive,
    Malformed,
    Open,
    Request,
    Session,
    Status,
    StopRepeated,
    TLSError,
)

URL = "ws://localhost/chat"
SECRET = "very-secret-value"


def asking(config: Config | None = None) -> Session:
    """A session that has just asked."""
    session = Session(config=config, now=START)
    session.request(Request.chat("hi"), now=START)
    while session.next_message() is not None:
        pass
    return session


def interruption(session: Session) -> Interruption:
    """Lets the deadline come."""
    deadline = session.deadline
    assert deadline is not None
    assert session.handle_timeout(now=deadline - 0.001) is None
    event = session.handle_timeout(now=deadline)
    assert isinstance(event, End)
    return event.answer.interruption


def opened(config: Config | None = None) -> Link:
    """A connection whose WebSocket is open."""
    link = Link(Connection(URL, config=config, now=START), Server())
    assert [type(event) for event in link.exchange()] == [Open]
    return link


# A session's times.


def test_keep_alive() -> None:
    assert Session(now=START).deadline == START + 25
    session = Session(config=Config(keep_alive=1.5), now=START)
    assert session.deadline == START + 1.5
    assert isinstance(session.handle_timeout(now=START + 1.5), KeepAlive)
    assert session.next_message() == '{"type":"ping"}'
    assert Session(config=Config(keep_alive=0), now=START).deadline is None


def test_first_frame() -> None:
    session = asking(Config(keep_alive=0))
    assert session.deadline == START + 120
    session = asking(Config(keep_alive=0, first_frame=3))
    assert session.deadline == START + 3
    assert interruption(session) is Interruption.FIRST_FRAME_DEADLINE
    assert asking(Config(keep_alive=0, first_frame=0)).deadline is None


def test_next_frame() -> None:
    for config, deadline in ((Config(keep_alive=0), 120), (Config(keep_alive=0, next_frame=2), 2)):
        session = asking(config)
        session.receive('{"message":"a"}', now=START + 10)
        assert session.deadline == START + 10 + deadline
    assert interruption(session) is Interruption.NEXT_FRAME_DEADLINE


def test_answer_within() -> None:
    session = asking(Config(keep_alive=0, first_frame=0, answer_within=3))
    assert session.deadline == START + 3
    session.receive('{"message":"a"}', now=START + 2)
    assert session.deadline == START + 3
    assert interruption(session) is Interruption.ANSWER_DEADLINE


def test_settle() -> None:
    end = '{"message":"","quota":0.5,"end":true}'
    for config, held in ((Config(), 0.25), (Config(settle=0.4), 0.4)):
        session = asking(config)
        while session.next_message() is not None:
            pass
        session.receive('{"conversation":3}', now=START)
        # It leaves a second end.
        session.stop(now=START)
        assert session.next_message() == '{"type":"stop"}'
        session.receive(end, now=START)
        session.request(Request.remove(0), now=START)
        assert session.next_message() is None
        assert session.deadline == START + held
        assert session.handle_timeout(now=START + held) is None
        assert session.next_message() == '{"type":"remove","message":"0"}'
    session.receive(end, now=START + held)
    session.request(Request.remove(1), now=START + held)
    assert session.next_message() == '{"type":"remove","message":"1"}', "no turn has ended since"
    session = asking(Config())
    while session.next_message() is not None:
        pass
    session.receive(end, now=START)
    session.request(Request.remove(0), now=START)
    assert session.closed(CloseReason.HOST) is None
    assert session.next_message() == '{"type":"remove","message":"0"}', "it goes before the close"
    assert session.next_message() is None
    session = asking(Config(settle=0))
    session.receive(end, now=START)
    session.request(Request.remove(0), now=START)
    assert session.deadline == START + 25, "nothing is held"


def test_after_stop_and_stop_repeats() -> None:
    session = asking(Config(keep_alive=0))
    assert session.stop(now=START)
    due: list[float | None] = []
    while isinstance(session.handle_timeout(now=session.deadline), StopRepeated):
        due.append(session.deadline)
    # The last one is of the end, which comes anyhow.
    assert due == [START + 1, START + 2, START + 4, START + 10]

    session = asking(Config(keep_alive=0, stop_repeats=[0.25, 7], after_stop=9))
    session.stop(now=START)
    assert session.deadline == START + 0.25
    assert isinstance(session.handle_timeout(now=START + 0.25), StopRepeated)
    assert session.deadline == START + 7
    assert isinstance(session.handle_timeout(now=START + 7), StopRepeated)
    assert session.deadline == START + 9
    assert interruption(session) is Interruption.AFTER_STOP_DEADLINE

    session = asking(Config(keep_alive=0, stop_repeats=()))
    session.stop(now=START)
    assert session.deadline == START + 10


# A session's limits.


def test_max_message() -> None:
    message = '{"message":"' + "x" * 2**25 + '"}'
    event = asking().receive(message, now=START)
    assert isinstance(event, End)
    assert event.answer.interruption is Interruption.MESSAGE_TOO_LONG
    session = Session(config=Config(max_message=20), now=START)
    event = session.receive('{"message":"too long"}', now=START)
    assert isinstance(event, Malformed)
    assert event.status is Status.MESSAGE_TOO_LONG
    assert not isinstance(asking(Config(max_message=0)).receive(message, now=START), (End, Malformed))


def test_max_request() -> None:
    question = Request.chat("x" * 2**23)
    with pytest.raises(InvalidRequestError) as caught:
        Session(now=START).request(question, now=START)
    assert caught.value.status is Status.REQUEST_TOO_LONG
    Session(config=Config(max_request=2**24), now=START).request(question, now=START)
    Session(config=Config(max_request=0), now=START).request(question, now=START)


def test_max_answer() -> None:
    session = asking(Config(max_answer=3))
    session.receive('{"message":"abc"}', now=START)
    event = session.receive('{"message":"d"}', now=START)
    assert isinstance(event, End)
    assert event.answer.interruption is Interruption.ANSWER_TOO_LONG
    assert event.answer.text == "abc"


def test_keep_text() -> None:
    for keep_text, text in ((None, "abc"), (True, "abc"), (False, "")):
        session = asking(Config(keep_text=keep_text))
        session.receive('{"message":"ab"}', now=START)
        event = session.receive('{"message":"c","quota":1,"end":true}', now=START)
        assert isinstance(event, End)
        assert event.answer.text == text
        assert event.text == "c"


# What a session says and keeps.


def test_auth_at_once() -> None:
    assert Session("sk-x", now=START).next_message() is None
    assert Session("sk-x", config=Config(auth_at_once=False), now=START).next_message() is None
    session = Session("sk-x", config=Config(auth_at_once=True), now=START)
    assert session.next_message() == '{"token":"sk-x","id":-1}'


def test_record_and_max_recording() -> None:
    assert asking().transcript() is None
    transcript = asking(Config(record=True)).transcript()
    assert '> SEND {"type":"chat","message":"hi"}' in str(transcript)
    session = Session(config=Config(record=True, max_recording=200), now=START)
    session.request(Request.chat("a" * 500), now=START)
    assert "aaa" not in str(session.transcript())


# A connection's times.


def test_handshake() -> None:
    for config, within in ((None, 10), (Config(handshake=2.5), 2.5)):
        connection = Connection(URL, config=config, now=START)
        assert connection.wants.deadline == START + within
        connection.handle_timeout(now=START + within)
        (event,) = connection.events()
        assert isinstance(event, Closed)
        assert event.status is Status.HANDSHAKE_TIMEOUT
    assert Connection(URL, config=Config(handshake=0, keep_alive=0), now=START).wants.deadline is None


def test_ping_after_and_pong_within() -> None:
    link = opened(Config(keep_alive=0))
    assert link.connection.wants.deadline == START + 30
    link = opened(Config(keep_alive=0, ping_after=3, pong_within=0.5))
    assert link.connection.wants.deadline == START + 3
    # It answers by itself.
    link.now = START + 3
    link.connection.handle_timeout(now=link.now)
    assert link.exchange() == []
    assert link.connection.wants.deadline == START + 6
    # This ping nobody delivers.
    link.connection.handle_timeout(now=START + 6)
    assert link.connection.wants.deadline == START + 6.5
    link.connection.handle_timeout(now=START + 6.5)
    (event,) = link.connection.events()
    assert isinstance(event, Closed)
    assert event.status is Status.UNRESPONSIVE
    assert opened(Config(keep_alive=0, ping_after=0)).connection.wants.deadline is None


def test_close() -> None:
    for config, within in ((None, 3), (Config(close=0.75), 0.75)):
        connection = opened(config).connection
        connection.close(now=START)
        connection.data_to_send()
        assert connection.wants.deadline == START + within
        connection.handle_timeout(now=START + within)
        (event,) = connection.events()
        assert isinstance(event, Closed)
        assert event.status is Status.CLOSE_TIMEOUT


# Who may hear a token, and headers.


def test_allow_token_over_plain_ws() -> None:
    for config in (None, Config(allow_token_over_plain_ws=False)):
        with pytest.raises(InvalidArgumentError) as caught:
            Connection("ws://example.com", SECRET, config=config, now=START)
        assert caught.value.status is Status.PLAIN_TOKEN
        assert SECRET not in str(caught.value)
    Connection("ws://example.com", SECRET, config=Config(allow_token_over_plain_ws=True), now=START)
    # Nor to a proxy elsewhere, for which this machine is another one.
    with pytest.raises(InvalidArgumentError, match=r"proxy\.example") as caught:
        Connection("ws://127.0.0.1", SECRET, config=Config(proxy="http://proxy.example:3128"), now=START)
    assert caught.value.status is Status.PLAIN_TOKEN
    Connection("ws://127.0.0.1", SECRET, config=Config(proxy="http://localhost:3128"), now=START)
    # To nobody else, and without a token.
    Connection("ws://127.0.0.1", SECRET, now=START)
    Connection("ws://example.com", now=START)


def test_headers() -> None:
    config = Config(headers={"X-One": SECRET, "Origin": "https://example.com"})
    link = Link(Connection(URL, config=config, now=START), Server())
    link.exchange()
    assert link.server.handshake is not None
    assert link.server.handshake.headers["X-One"] == SECRET
    assert link.server.handshake.headers["Origin"] == "https://example.com"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": SECRET},
        {"X-A": f"{SECRET}\r\nX-B: y"},
        {"X A": SECRET},
        {"": SECRET},
        {"X-A": f"{SECRET}\ud800"},
        {"X-A": SECRET.encode()},
        {"X-A": SECRET, "X-B": None},
    ],
    ids=["Host", "a line break", "a space", "no name", "not Unicode", "bytes", "None"],
)
def test_a_bad_header_shows_its_value_nowhere(headers: Any) -> None:
    try:
        Config(keep_alive=1, headers=headers)
    except (InvalidArgumentError, TypeError) as error:
        if isinstance(error, InvalidArgumentError):
            assert error.status in (Status.BAD_HEADER, Status.NOT_UTF8)
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    else:
        pytest.fail("it was taken")
    # This frame's own variables hold it.
    del shown.stack[0]
    text = "".join(shown.format())
    assert "keep_alive" in text
    assert SECRET not in text


@pytest.mark.parametrize(
    "wrong",
    [
        {"keep_alive": -1},
        {"max_message": -1},
        {"stop_repeats": [2, 1]},
        {"trust": "nobody"},
        {"root_files": "a.pem"},
        {"root_files": ["/nonexistent/a.pem"]},
        {"roots": ["no certificate"]},
        {"wall_clock": -1},
    ],
    ids=lambda wrong: "".join(wrong),
)
def test_what_is_wrong_beside_it_shows_no_header(wrong: Any) -> None:
    with pytest.raises((ValueError, TypeError, OSError)) as caught:
        Config(headers={"X-A": SECRET}, **wrong)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert shown.stack[-1].filename != __file__
    text = "".join(shown.format())
    assert "stop_repeats" in text
    # The text of this line holds no value, and the others of this package have none.
    assert SECRET not in text


@pytest.mark.parametrize("url", [f"ftp://server/{SECRET}", SECRET.encode(), f"ws://server/{SECRET}\ud800"])
def test_a_wrong_url_for_the_environments_proxy_is_not_shown(url: Any) -> None:
    with pytest.raises((InvalidArgumentError, TypeError)) as caught:
        Config(proxy_from_env=url)
    assert SECRET not in everything_shown(caught.value)


def test_what_is_wrong_beside_it_does_not_show_it() -> None:
    with pytest.raises(InvalidArgumentError, match="connect_retries is a number of tries") as caught:
        Config(proxy_from_env=f"ws://server/?key={SECRET}", connect_retries=-1)
    assert SECRET not in everything_shown(caught.value)
    with pytest.raises(InvalidArgumentError, match="connects_per_second is a number of connections"):
        Config(connects_per_second=-1)
    with pytest.raises(InvalidArgumentError, match="max_answer is a number of bytes"):
        Config(max_answer=-1)


# Roots, and when they count.


@pytest.fixture
def root_file(certificates: Certificates, tmp_path: Path) -> Path:
    path = tmp_path / "roots ☺.pem"
    path.write_text(certificates.pem)
    return path


def test_roots_and_trust(certificates: Certificates, root_file: Path) -> None:
    assert tls_end(None, certificates) is Status.TLS_UNKNOWN_ISSUER
    assert tls_end(Config(trust="platform"), certificates) is Status.TLS_UNKNOWN_ISSUER
    for added in (
        {"roots": [certificates.pem]},
        {"roots": [certificates.der]},
        {"root_files": [root_file]},
        {"root_files": [str(root_file)]},
    ):
        settings: Any
        for settings in (added, {"trust": "added", **added}, {"trust": "platform", **added}):
            assert tls_end(Config(**settings), certificates) is None
    # A file in DER.
    root_file.write_bytes(certificates.der)
    assert tls_end(Config(root_files=[root_file]), certificates) is None
    # Another authority's.
    assert tls_end(Certificates().config(), certificates) is not None


def test_a_wrong_name(certificates: Certificates) -> None:
    assert tls_end(certificates.config(), certificates, "elsewhere.example") is Status.TLS_WRONG_NAME


def test_dangerous_accept_any_certificate(certificates: Certificates) -> None:
    config = Config(dangerous_accept_any_certificate=True)
    assert tls_end(config, certificates, "elsewhere.example") is None
    assert "dangerous_accept_any_certificate=True" in repr(config)


def test_load_roots(certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    roots = tmp_path / "roots.pem"
    roots.write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    config = Config()
    with pytest.raises(TLSError) as caught:
        config.load_roots()
    assert caught.value.status is Status.TLS_NO_ROOTS
    # They may be there later.
    roots.write_text(certificates.pem)
    config.load_roots()
    config.load_roots()
    assert tls_end(config, certificates) is None
    with pytest.raises(InvalidArgumentError) as refused:
        Config(trust="added").load_roots()
    assert refused.value.status is Status.BAD_ROOTS


def test_roots_that_are_none(root_file: Path) -> None:
    root_file.write_text("no certificate")
    missing = root_file.parent / "missing.pem"
    for settings in (
        {"root_files": [missing]},
        {"root_files": [root_file]},
        {"roots": ["no certificate"]},
        {"roots": [b"0\0"]},
        {"roots": [b""]},
    ):
        unusual: Any = settings
        with pytest.raises(InvalidArgumentError) as caught:
            Config(**unusual)
        assert caught.value.status is Status.BAD_ROOTS
        for file in settings.get("root_files", []):
            assert str(file) in str(caught.value)


class Half(dict[str, str]):
    """Headers that fail on the way."""

    def items(self) -> Any:
        yield "X-Secret", SECRET
        raise LookupError("half way")


@pytest.mark.parametrize("headers", [[("X-Secret", SECRET)], SECRET, Half(one="1")])
def test_headers_that_are_none_do_not_show(headers: Any) -> None:
    with pytest.raises((TypeError, LookupError)) as caught:
        Config(headers=headers)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    # Of this package's own frames: this one here has them.
    assert all(SECRET not in str(frame.locals) for frame in shown.stack if "pychatnio" in frame.filename)
    assert SECRET not in str(shown)


# What a setting may not be.

TIMES = (
    "keep_alive",
    "first_frame",
    "next_frame",
    "answer_within",
    "after_stop",
    "settle",
    "connect",
    "handshake",
    "ping_after",
    "pong_within",
    "close",
    "wall_clock",
)
SIZES = ("max_message", "max_request", "max_answer", "max_recording")


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("value", [-1, -0.001, math.nan, math.inf, 2.0**53])
def test_times_that_cannot_be(name: str, value: float) -> None:
    settings: Any = {name: value}
    with pytest.raises(InvalidArgumentError, match=name) as caught:
        Config(**settings)
    assert repr(value) in str(caught.value)
    assert caught.value.status is Status.INVALID


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("value", [-1, 2**63, 2**64])
def test_sizes_that_cannot_be(name: str, value: int) -> None:
    settings: Any = {name: value}
    with pytest.raises(InvalidArgumentError, match=f"{name}.*{value}"):
        Config(**settings)


@pytest.mark.parametrize("name", [*TIMES, *SIZES])
def test_numbers_are_no_texts(name: str) -> None:
    settings: Any = {name: "5"}
    with pytest.raises(TypeError):
        Config(**settings)


@pytest.mark.parametrize("name", [*TIMES, *SIZES])
def test_as_large_as_they_like(name: str) -> None:
    settings: Any = {name: 2**52}
    Connection(URL, config=Config(**settings), now=START)


@pytest.mark.parametrize("times", [[2, 1], [1, 1], [-1], [math.nan], [1, "2"], [None]])
def test_stop_repeats_that_cannot_be(times: Any) -> None:
    with pytest.raises((InvalidArgumentError, TypeError)):
        Config(stop_repeats=times)


def test_the_smallest_time_is_not_off() -> None:
    assert Session(config=Config(keep_alive=1e-9), now=START).deadline == START + 0.001


def test_trust_that_cannot_be() -> None:
    unknown: Any = "everybody"
    with pytest.raises(InvalidArgumentError, match="everybody"):
        Config(trust=unknown)


def test_an_unknown_setting() -> None:
    settings: Any = {"keepalive": 1}
    with pytest.raises(TypeError, match="keepalive"):
        Config(**settings)


# One configuration, many owners.


def test_repr() -> None:
    assert repr(Config()) == "Config()"
    config = Config(keep_alive=5, record=True, headers={"X-One": SECRET}, trust="added", stop_repeats=(1, 2))
    shown = repr(config)
    assert shown == "Config(headers=['X-One'], keep_alive=5, record=True, stop_repeats=[1, 2], trust='added')"


def test_a_used_one_is_for_others_too(certificates: Certificates) -> None:
    config = certificates.config(keep_alive=7)
    for _ in range(3):
        assert Session(config=config, now=START).deadline == START + 7
        assert tls_end(config, certificates) is None
    config.load_roots()


def test_what_was_made_with_it_needs_it_no_more() -> None:
    def sessions() -> Iterator[Session]:
        config = Config(keep_alive=7)
        for _ in range(3):
            yield Session(config=config, now=START)

    made = list(sessions())
    gc.collect()
    assert {session.deadline for session in made} == {START + 7}


def test_nothing_copies_or_pickles_it() -> None:
    config = Config(keep_alive=7)
    for copying in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="Config"):
            copying(config)
    assert Session(config=config, now=START).deadline == START + 7
