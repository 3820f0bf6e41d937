"""What a blocking client answers, against the loopback server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from client_support import opened
from support import ENDLESS, HELLO, PATIENCE, sent

from pychatnio import (
    AnswerInterruptedError,
    AnswerStream,
    AsyncClient,
    Auth,
    BusyError,
    Client,
    Config,
    Connection,
    ConnectionClosedError,
    Delta,
    End,
    Interruption,
    InvalidArgumentError,
    InvalidRequestError,
    Loopback,
    Malformed,
    NoticeError,
    Opened,
    Outcome,
    Request,
    RequestType,
    Status,
    Stray,
)


def test_an_answer(client: Client) -> None:
    stream = client.ask("hi", model="hello")
    assert stream.answer is None
    assert list(stream) == HELLO
    answer = stream.answer
    assert answer is not None
    assert answer.outcome is Outcome.COMPLETE
    assert answer.text == "".join(HELLO)
    assert answer.quota > 0
    assert answer.quota_decimal > 0
    assert answer.request is RequestType.CHAT
    assert answer.chunks == len(HELLO)
    assert list(stream) == []
    assert sent(client) == [
        '> SEND {"token":"sk-...","id":-1}',
        '> SEND {"type":"chat","message":"hi","model":"hello"}',
    ]


def test_text(client: Client) -> None:
    stream = client.ask("hi", model="hello")
    assert stream.text() == "".join(HELLO)
    assert stream.text() == "".join(HELLO)
    assert client.ask("why?").text().endswith("“why?”")


def test_text_after_some_pieces(client: Client, loopback: Loopback) -> None:
    stream = client.ask("hi", model="hello")
    pieces = iter(stream)
    assert next(pieces) == "Hello"
    assert "".join(pieces) == "! How can I help?"
    assert stream.text() == "".join(HELLO)
    with Client(loopback.url, "sk-any", config=Config(keep_text=False)) as keeping_none:
        stream = keeping_none.ask("hi", model="hello")
        assert stream.text() == "".join(HELLO)
        assert stream.answer is not None
        assert stream.answer.text == ""


def test_wait(client: Client) -> None:
    stream = client.ask("hi", model="hello")
    answer = stream.wait()
    assert (answer.outcome, answer.text) == (Outcome.COMPLETE, "".join(HELLO))
    assert stream.wait() is answer is stream.answer
    # What iterating has come to.
    stream = client.ask("hi", model="hello")
    assert list(stream) == HELLO
    assert stream.wait() is stream.answer
    # Of one that was left, its end.
    stream = client.ask("hi", model=ENDLESS)
    for _ in stream:
        break
    assert stream.wait().outcome is Outcome.STOPPED
    with pytest.raises(NoticeError):
        client.ask("hi", model="notice").wait()


def test_a_token_in_the_place_of_the_url() -> None:
    for make in (Client, AsyncClient, Connection):
        with pytest.raises(InvalidArgumentError, match="looks like a token") as caught:
            make("sk-SECRET", "wss://api.chatnio.net")
        assert "SECRET" not in str(caught.value)


def test_a_stream_that_has_gone_without_its_stop(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    # As when a signal's handler raises in the finalizer, where Python swallows it.
    stream = client.ask("hi", model="silent")
    with monkeypatch.context() as patched:
        patched.delattr(AnswerStream, "__del__")
        del stream
    assert client.ask("hi", model="hello").text() == "".join(HELLO)
    # The same, half way through leaving it.
    stream = client.ask("hi", model="silent")
    stream._turn.is_left = True
    assert client.ask("hi", model="hello").text() == "".join(HELLO)
    assert sum("stop" in line for line in sent(client)) >= 2


def test_events(client: Client) -> None:
    opener, *deltas, end = client.ask("hi", model="hello").events()
    assert isinstance(opener, Opened)
    assert [delta.text for delta in deltas if isinstance(delta, Delta) and delta.text] == HELLO
    assert all(isinstance(delta, Delta) for delta in deltas)
    assert isinstance(end, End)
    assert end.outcome is Outcome.COMPLETE


def test_many_pieces(client: Client) -> None:
    assert list(client.ask("hi", model="long-3000")) == ["piece "] * 3000


def test_unicode(client: Client) -> None:
    answer = client.ask("é☺😀", model="unicode").text()
    assert answer.startswith("你好，世界！😀")
    assert "\0" in answer


def test_turns(client: Client) -> None:
    for turn in range(1, 4):
        stream = client.ask("hi", model="hello")
        stream.text()
        assert stream.answer is not None
        assert stream.answer.turn == turn
        assert repr(stream).startswith(f"<AnswerStream of turn {turn}: Answer(")
    stream = client.restart(model="hello", temperature=0.5)
    assert stream.text() == "".join(HELLO)
    assert stream.answer is not None
    assert stream.answer.request is RequestType.RESTART
    assert sent(client)[-1] == '> SEND {"type":"restart","model":"hello","temperature":0.5}'


def test_a_request_that_was_made_before(client: Client) -> None:
    request = Request.chat("hi", model="hello")
    for _ in range(2):
        assert client.ask(request).text() == "".join(HELLO)
    with pytest.raises(TypeError, match=r"Request\.chat"):
        client.ask(request, model="other")
    with pytest.raises(TypeError, match="temprature"):
        client.ask("hi", temprature=1)  # type: ignore[call-arg]


def test_requests_that_are_not_answered(client: Client) -> None:
    client.request(Request.mask([("system", "Be brief.")]))
    assert client.ask("hi", model="hello").text() == "".join(HELLO)
    client.request(Request.edit(0, "Be long."))
    client.request(Request.remove(0))
    # Held for a moment after the end; the server could lose them.
    for _ in range(200):
        if "remove" in sent(client)[-1]:
            break
        client.next(0.05)
    assert [line.split('"')[3] for line in sent(client)[1:]] == ["mask", "chat", "edit", "remove"]


def test_by_hand(client: Client) -> None:
    client.request(Request.chat("hi", model="hello"))
    with pytest.raises(BusyError):
        client.ask("again")
    text = ""
    while not isinstance(event := client.next(), End):
        text += event.text if isinstance(event, Delta) else ""
    assert text == "".join(HELLO)
    assert client.next(0) is None


def test_what_cannot_be_asked(client: Client) -> None:
    asks: list[Callable[[], object]] = [
        lambda: client.ask(" "),
        lambda: client.ask(Request.share("")),
        lambda: client.ask("hi", temperature=float("nan")),
        lambda: client.ask("x" * 2**23),
        client.restart,
    ]
    for ask in asks:
        with pytest.raises(InvalidRequestError):
            ask()
    assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_what_has_no_answer_cannot_be_asked(client: Client) -> None:
    for request in (Request.mask([("user", "x")]), Request.share("x"), Request.edit(0, "x"), Request.remove(0)):
        with pytest.raises(InvalidRequestError):
            client.ask(request)
    assert sent(client) == []
    assert client.ask("hi", model="hello").text() == "".join(HELLO)


@pytest.mark.parametrize("generation", ["2023-11", "2024-03", "2026-03"])
def test_every_generation(generation: str) -> None:
    with (
        Loopback(generation=generation, pace=0) as server,  # type: ignore[arg-type]
        Client(server.url, "sk-any") as client,
    ):
        assert list(client.ask("hi", model="hello")) == HELLO
        stream = client.ask("hi", model=ENDLESS)
        for _ in stream:
            break
        # Its end, or both its ends, are not taken for the next answer's.
        assert client.ask("hi", model="hello").text() == "".join(HELLO)
        assert stream.answer is not None
        assert stream.answer.outcome is Outcome.STOPPED


def test_busy(client: Client) -> None:
    stream = opened(client.ask("hi", model="silent"))
    for call in (lambda: client.ask("again"), client.restart, lambda: client.request(Request.share("x"))):
        with pytest.raises(BusyError):
            call()
    stream.close()
    assert stream.answer is not None
    assert stream.answer.outcome is Outcome.STOPPED


@pytest.mark.parametrize(
    ("model", "notice"),
    [
        ("notice", "user quota is not enough"),
        ("paid", "estimated cost exceeds user quota"),
        ("none", "no response"),
        ("err", "bad thing happened"),
        ("err429", "Rate limit reached"),
        ("nosuch", "cannot find channel for model nosuch"),
    ],
)
def test_notices(client: Client, model: str, notice: str) -> None:
    stream = client.ask("hi", model=model)
    with pytest.raises(NoticeError, match=notice) as caught:
        list(stream)
    assert caught.value.answer is stream.answer
    assert caught.value.answer.outcome is Outcome.NOTICE
    assert notice in (caught.value.answer.notice or "")
    assert caught.value.answer.text == ""
    assert caught.value.__cause__ is None
    with pytest.raises(NoticeError):
        client.ask("hi", model=model).text()
    # Events do not raise.
    (*_, end) = client.ask("hi", model=model).events()
    assert isinstance(end, End)
    assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_without_an_account(loopback: Loopback) -> None:
    for auth in (None, "anonymous", Auth()):
        with Client(loopback.url, auth) as client:
            assert client.ask("hi", model="anon").text() == "".join(HELLO)
            with pytest.raises(NoticeError, match="not authenticated"):
                client.ask("hi", model="hello").text()


def test_the_server_cuts_the_connection(client: Client) -> None:
    stream = client.ask("hi", model="drop")
    pieces: list[str] = []
    with pytest.raises(AnswerInterruptedError) as caught:
        for piece in stream:
            pieces.append(piece)
    assert pieces == ["Hello", "!", " How"]
    answer = caught.value.answer
    assert answer is stream.answer
    assert (answer.text, answer.outcome) == ("Hello! How", Outcome.INTERRUPTED)
    assert answer.interruption is Interruption.CONNECTION_LOST
    cause = caught.value.__cause__
    assert isinstance(cause, ConnectionClosedError)
    assert cause.status is Status.END_OF_STREAM
    assert str(caught.value) == str(cause)
    for call in (lambda: client.ask("hi"), client.next, lambda: client.request(Request.share("x"))):
        with pytest.raises(ConnectionClosedError) as closed:
            call()
        assert closed.value.status is Status.END_OF_STREAM
    assert client.stop() is False
    assert client.reconnect() is None
    assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_what_cannot_be_read(client: Client) -> None:
    stream = client.ask("hi", model="garbage")
    events = list(stream.events())
    assert sum(isinstance(event, Malformed) for event in events) == 4
    assert stream.answer is not None
    assert stream.answer.malformed == 4
    assert stream.answer.text == "Hello! How are you?"
    assert client.counters.malformed == 4
    assert client.ask("hi", model="garbage").text() == "Hello! How are you?"


@pytest.mark.parametrize(
    ("config", "interruption"),
    [
        (Config(next_frame=0.05), Interruption.NEXT_FRAME_DEADLINE),
        (Config(max_answer=1, first_frame=60), Interruption.ANSWER_TOO_LONG),
    ],
)
def test_deadlines_and_limits(loopback: Loopback, config: Config, interruption: Interruption) -> None:
    with Client(loopback.url, "sk-any", config=config) as client:
        model = "silent" if interruption is Interruption.NEXT_FRAME_DEADLINE else "hello"
        with pytest.raises(AnswerInterruptedError) as caught:
            client.ask("hi", model=model).text()
        assert caught.value.answer.interruption is interruption
        # The connection goes on.
        assert caught.value.__cause__ is None


def test_a_stop_that_nobody_hears() -> None:
    # A model that is silent cannot be stopped on these.
    config = Config(after_stop=0.1, stop_repeats=[])
    with Loopback(generation="2023-11", pace=0) as server, Client(server.url, "sk-any", config=config) as client:
        stream = client.ask("hi", model="silent")
        stream.close()
        assert stream.answer is not None
        assert stream.answer.interruption is Interruption.AFTER_STOP_DEADLINE
        with pytest.raises(BusyError):
            client.ask("hi")
        client.reconnect()
        assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_an_answer_that_is_not_over_in_time() -> None:
    with Loopback(pace=0) as server, Client(server.url, "sk-any") as client:
        with pytest.raises(AnswerInterruptedError) as caught:
            client.ask("hi", model="silent", answer_within=0.05).text()
        assert caught.value.answer.interruption is Interruption.ANSWER_DEADLINE
        client.reconnect()
        assert client.ask("hi", model="hello", answer_within=PATIENCE).text() == "".join(HELLO)


def test_strays_are_told(client: Client) -> None:
    stream = client.ask("hi", model="silent")
    stream.close()
    # On these servers a stopped answer has two ends.
    assert isinstance(client.next(PATIENCE), Stray)
    assert client.counters.strays == 1
