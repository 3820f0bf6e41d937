"""The blocking client, against the loopback server."""

from __future__ import annotations

import contextlib
import gc
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from urllib.parse import urlsplit

import pytest
from support import ENDLESS, HELLO, PATIENCE, RECORD, sent, state_of

from pychatnio import (
    Answer,
    AnswerInterruptedError,
    AnswerStream,
    AsyncClient,
    Auth,
    BusyError,
    Client,
    Config,
    ConnectError,
    Connection,
    ConnectionClosedError,
    ConnectTimeoutError,
    ConversationKind,
    Delta,
    End,
    Interruption,
    InvalidArgumentError,
    InvalidRequestError,
    KeepAlive,
    Loopback,
    Malformed,
    NoticeError,
    Opened,
    Outcome,
    RefusedError,
    Request,
    RequestType,
    State,
    Status,
    Stray,
    ThrottledError,
    TLSError,
)


@pytest.fixture
def client(loopback: Loopback) -> Iterator[Client]:
    with Client(loopback.url, "sk-any", config=RECORD) as client:
        yield client


def opened(stream: AnswerStream) -> AnswerStream:
    """Waits until the server has read the question."""
    assert isinstance(next(iter(stream._client.next, None)), Opened)
    return stream


# Answers.


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


def test_what_another_thread_is_told_that_comes_between_a_close(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    settle = Client._settle

    def between(of: Client) -> object:
        with pytest.raises(ConnectionClosedError, match="the client was closed"):
            of.request(Request.chat("hi"))
        return settle(of)

    monkeypatch.setattr(Client, "_settle", between)
    client.close()
    monkeypatch.undo()
    client.reconnect()
    assert client.ask("hi", model="hello").text() == "".join(HELLO)


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
        lambda: client.ask("x" * 2**20),
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


# Leaving an answer.


def leave_by_break(stream: AnswerStream) -> None:
    for _ in stream:
        break


def leave_by_an_exception(stream: AnswerStream) -> None:
    with contextlib.suppress(LookupError):
        for _ in stream:
            raise LookupError


def leave_by_dropping_the_iterator(stream: AnswerStream) -> None:
    pieces = iter(stream)
    next(pieces)
    del pieces
    gc.collect()


def leave_the_events(stream: AnswerStream) -> None:
    for event in stream.events():
        if isinstance(event, Delta):
            break


def leave_a_with_block(stream: AnswerStream) -> None:
    with stream:
        next(iter(stream))


def leave_a_with_block_by_an_exception(stream: AnswerStream) -> None:
    with contextlib.suppress(LookupError), stream:
        raise LookupError


def leave_by_close(stream: AnswerStream) -> None:
    stream.close()


def leave_by_stop(stream: AnswerStream) -> None:
    for at, _ in enumerate(stream):
        if at == 3:
            assert stream.stop() is True
            assert stream.stop() is False


def leave_by_the_clients_stop(stream: AnswerStream) -> None:
    for at, _ in enumerate(stream):
        if at == 3:
            assert stream._client.stop() is True
            assert stream._client.stop() is False


@pytest.mark.parametrize(
    "leave",
    [
        leave_by_break,
        leave_by_an_exception,
        leave_by_dropping_the_iterator,
        leave_the_events,
        leave_a_with_block,
        leave_a_with_block_by_an_exception,
        leave_by_close,
        leave_by_stop,
        leave_by_the_clients_stop,
    ],
)
def test_leaving_an_answer_stops_it(client: Client, leave: Callable[[AnswerStream], None]) -> None:
    stream = client.ask("hi", model=ENDLESS)
    leave(stream)
    stream.close()
    # The server has seen it: otherwise the answer would be interrupted, by `after_stop`.
    answer = stream.answer
    assert answer is not None
    assert answer.outcome is Outcome.STOPPED
    assert sent(client).count('> SEND {"type":"stop"}') >= 1
    assert state_of(client) is State.IDLE
    assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_dropping_the_stream_stops_it(client: Client) -> None:
    client.ask("hi", model=ENDLESS)
    gc.collect()
    assert sent(client)[-1] == '> SEND {"type":"stop"}'
    # It is waited for, and its end is not taken for the next one's.
    assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_what_a_left_answer_has_cost(client: Client) -> None:
    stream = client.ask("hi", model=ENDLESS)
    for at, _ in enumerate(stream):
        if at == 10:
            break
    assert client.ask("hi", model="hello").text() == "".join(HELLO)
    assert stream.answer is not None
    assert stream.answer.quota > 0
    assert stream.answer.chunks > 10
    assert stream.answer.text.startswith("piece " * 10)
    assert stream.answer.turn == 1


def test_a_left_answer_may_be_taken_up_again(client: Client) -> None:
    stream = client.ask("hi", model=ENDLESS)
    for _ in stream:
        break
    assert "".join(stream) != ""
    assert stream.answer is not None
    assert stream.answer.outcome is Outcome.STOPPED


def test_an_answer_that_has_ended_is_not_stopped(client: Client) -> None:
    stream = client.ask("hi", model="hello")
    for _ in stream:
        pass
    stream.close()
    assert stream.stop() is False
    assert client.stop() is False
    stream = client.ask("hi", model="hello")
    stream.text()
    del stream
    gc.collect()
    assert not any("stop" in line for line in sent(client))


def test_an_old_stream_does_not_stop_a_new_answer(client: Client) -> None:
    old = client.ask("hi", model=ENDLESS)
    for _ in old:
        break
    new = client.ask("hi", model="hello")
    old.close()
    assert old.stop() is False
    del old
    gc.collect()
    assert list(new) == HELLO
    assert new.answer is not None
    assert new.answer.outcome is Outcome.COMPLETE


def test_the_end_of_the_with_block_of_a_client(loopback: Loopback) -> None:
    with Client(loopback.url, "sk-any") as client:
        stream = client.ask("hi", model=ENDLESS)
        for _ in stream:
            break
    # Nobody waits for its end any more.
    assert stream.answer is None or stream.answer.outcome in (Outcome.STOPPED, Outcome.INTERRUPTED)
    with pytest.raises(InvalidArgumentError, match="freed"):
        client.ask("hi")
    assert client.stop() is False
    client.close()


def test_busy(client: Client) -> None:
    stream = opened(client.ask("hi", model="silent"))
    for call in (lambda: client.ask("again"), client.restart, lambda: client.request(Request.share("x"))):
        with pytest.raises(BusyError):
            call()
    stream.close()
    assert stream.answer is not None
    assert stream.answer.outcome is Outcome.STOPPED


# Other threads.


def test_stop_from_other_threads(client: Client) -> None:
    stream = opened(client.ask("hi", model="silent"))
    together = threading.Barrier(8)
    results: list[bool] = []

    def stop(way: Callable[[], bool]) -> None:
        together.wait(PATIENCE)
        results.append(way())

    threads = [threading.Thread(target=stop, args=[way]) for way in [stream.stop, client.stop] * 4]
    for thread in threads:
        thread.start()
    # Nothing comes but the end.
    assert list(stream) == []
    for thread in threads:
        thread.join(PATIENCE)
    assert stream.answer is not None
    assert stream.answer.outcome is Outcome.STOPPED
    assert sorted(results) == [False] * 7 + [True]


def test_close_from_another_thread(client: Client) -> None:
    stream = opened(client.ask("hi", model="silent"))
    waiting = threading.Event()

    def close() -> None:
        waiting.wait(PATIENCE)
        client.close()

    thread = threading.Thread(target=close)
    thread.start()
    with pytest.raises((AnswerInterruptedError, ConnectionClosedError)):
        waiting.set()
        while True:
            # Until it is there, it may be closed between two waits, in an orderly way.
            for _ in stream:
                pass
    thread.join(PATIENCE)
    assert stream.answer is not None
    assert stream.answer.interruption is Interruption.CLOSED_BY_HOST
    with pytest.raises(ConnectionClosedError) as caught:
        client.next()
    assert caught.value.status is Status.CLOSED
    client.reconnect()
    assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_a_second_thread_is_refused(client: Client) -> None:
    stream = opened(client.ask("hi", model="silent"))
    refused: list[Exception] = []
    started = threading.Event()

    def wait() -> None:
        started.set()
        # One wait, in which nobody else gets in.
        client._next(PATIENCE)

    thread = threading.Thread(target=wait)
    thread.start()
    started.wait(PATIENCE)
    calls: list[Callable[[], object]] = [
        lambda: client.ask("hi"),
        lambda: client.request(Request.share("x")),
        lambda: client.next(0),
        client.reconnect,
        client.transcript,
        lambda: client.state,
        lambda: client.answer,
        lambda: client.memory,
    ]
    # It may not be inside yet.
    while not client._guard.busy:
        pass
    for call in calls:
        with pytest.raises(InvalidArgumentError, match="another thread") as caught:
            call()
        refused.append(caught.value)
    assert stream.stop() is True
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert len(refused) == len(calls)
    assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_other_threads_run_while_it_waits(client: Client) -> None:
    stream = opened(client.ask("hi", model="silent"))
    counted = 0

    def count() -> None:
        nonlocal counted
        for _ in range(1000):
            counted += 1
        stream.stop()

    thread = threading.Thread(target=count)
    thread.start()
    # A single call of the library. If no thread could run in it, nobody would stop the answer.
    event = client._next(PATIENCE)
    assert isinstance(event, End)
    assert event.outcome is Outcome.STOPPED
    assert counted == 1000
    thread.join(PATIENCE)


def test_one_client_after_the_other_thread(client: Client) -> None:
    texts: list[str] = []
    for _ in range(3):
        thread = threading.Thread(target=lambda: texts.append(client.ask("hi", model="hello").text()))
        thread.start()
        thread.join(PATIENCE)
    assert texts == ["".join(HELLO)] * 3


def test_a_with_block_ends_while_another_thread_waits(loopback: Loopback) -> None:
    ends: list[Exception] = []
    waiting = threading.Event()

    def wait(stream: AnswerStream) -> None:
        try:
            waiting.set()
            stream.text()
        except (AnswerInterruptedError, ConnectionClosedError) as error:
            ends.append(error)

    with Client(loopback.url, "sk-any") as client:
        thread = threading.Thread(target=wait, args=[opened(client.ask("hi", model="silent"))])
        thread.start()
        waiting.wait(PATIENCE)
    thread.join(PATIENCE)
    assert len(ends) == 1


# Answers that fail.


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
    assert str(caught.value) == answer.reason
    cause = caught.value.__cause__
    assert isinstance(cause, ConnectionClosedError)
    assert cause.status is Status.END_OF_STREAM
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


# Connections.


def test_close(client: Client) -> None:
    stream = opened(client.ask("hi", model="silent"))
    client.close()
    assert stream.answer is not None
    assert stream.answer.interruption is Interruption.CLOSED_BY_HOST
    with pytest.raises(AnswerInterruptedError):
        stream.text()
    client.close()
    assert state_of(client) is State.CLOSED
    assert client.stop() is False
    for call in (lambda: client.ask("hi"), client.next):
        with pytest.raises(ConnectionClosedError) as caught:
            call()
        assert caught.value.status is Status.CLOSED
    assert client.reconnect() is None
    assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_reconnect_continues_the_conversation(loopback: Loopback) -> None:
    with Client(loopback.url, "sk-reconnect", config=RECORD) as client:
        client.ask("hi", model="hello").text()
        kind, conversation, _ = client.conversation
        assert (kind, conversation > 0) == (ConversationKind.NEW, True)
        stream = client.ask("hi", model=ENDLESS)
        for _ in stream:
            break
        answer = client.reconnect()
        # It may have ended before.
        assert stream.answer is not None
        if answer is not None:
            assert answer is stream.answer
            assert answer.interruption is Interruption.RECONNECTED
        assert client.ask("hi", model="hello").text() == "".join(HELLO)
        assert client.conversation == (ConversationKind.RESUMED, conversation, 0)
        # A recording starts afresh.
        assert sent(client)[0] == f'> SEND {{"token":"sk-...","id":{conversation}}}'
    with Client(loopback.url, Auth("sk-reconnect", conversation=conversation)) as client:
        client.ask("hi", model="hello").text()
        assert client.conversation == (ConversationKind.RESUMED, conversation, 0)


def test_a_failed_reconnect() -> None:
    with Loopback(pace=0) as server:
        client = Client(server.url, "sk-any")
        stream = opened(client.ask("hi", model="silent"))
    with client:
        with pytest.raises(ConnectError) as caught:
            client.reconnect()
        assert caught.value.status is Status.CONNECT
        with pytest.raises((AnswerInterruptedError, ConnectError, ConnectionClosedError)):
            stream.text()


def test_idle(loopback: Loopback) -> None:
    with Client(loopback.url, config=Config(keep_alive=0.02, record=True)) as client:
        assert client.next(0) is None
        assert isinstance(client.next(), KeepAlive)
        assert isinstance(client.next(PATIENCE), KeepAlive)
        assert sent(client)[-1] == '> SEND {"type":"ping"}'


def test_timeouts(client: Client) -> None:
    for timeout in (0, 0.001, 0.02, 0.15):
        assert client.next(timeout) is None


def test_what_may_be_looked_at(client: Client) -> None:
    assert state_of(client) is State.IDLE
    assert client.answer is None
    assert client.counters == (0, 0, 0)
    memory = client.memory
    stream = client.ask("hi", model=ENDLESS)
    for at, _ in enumerate(stream):
        if at == 100:
            running = client.answer
            assert isinstance(running, Answer)
            assert running.outcome is Outcome.NONE
            assert running.chunks >= 100
            assert state_of(client) is State.ANSWERING
            assert client.memory > memory
            break
    assert state_of(client) is State.STOPPING
    assert repr(client) == "<Client stopping>"
    client.close()
    assert repr(client) == "<Client closed>"


def connected(loopback: Loopback) -> socket.socket:
    server = urlsplit(loopback.url)
    return socket.create_connection((server.hostname, server.port))


def test_a_given_socket(loopback: Loopback) -> None:
    with connected(loopback) as sock:
        client = Client(loopback.url, "sk-any", sock=sock)
    with client:
        assert client.ask("hi", model="hello").text() == "".join(HELLO)
        with pytest.raises(InvalidArgumentError) as caught:
            client.reconnect()
        assert caught.value.status is Status.GIVEN_SOCKET
        with connected(loopback) as sock:
            client.reconnect(sock)
        assert client.ask("hi", model="hello").text() == "".join(HELLO)
        assert client.conversation.kind is ConversationKind.RESUMED


def test_sockets_that_cannot_be(loopback: Loopback) -> None:
    sock = connected(loopback)
    sock.close()
    with pytest.raises(InvalidArgumentError):
        Client(loopback.url, sock=sock)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as unconnected, pytest.raises((OSError, ValueError)):
        Client(loopback.url, sock=unconnected)


def test_throttled() -> None:
    with Loopback(throttle=0) as server:
        with pytest.raises(ThrottledError, match="too many requests") as caught:
            Client(server.url)
        assert (caught.value.status, caught.value.code) == (Status.THROTTLED, 200)
    with Loopback(throttle=1, pace=0) as server:
        clients: list[Client] = []
        with pytest.raises(ThrottledError):
            for _ in range(100):
                clients.append(Client(server.url))
        # Who is in stays in.
        assert clients[0].ask("hi", model="anon").text() == "".join(HELLO)
        for client in clients:
            client.close()


@pytest.mark.parametrize(
    ("certificate", "status"),
    [("expired", Status.TLS_EXPIRED), ("wrong-name", Status.TLS_WRONG_NAME)],
)
def test_certificates_that_are_refused(certificate: str, status: Status) -> None:
    with Loopback(tls=True, certificate=certificate) as server:  # type: ignore[arg-type]
        with pytest.raises(TLSError) as caught:
            Client(server.url, "sk-any", config=server.config)
        assert caught.value.status is status


def test_tls() -> None:
    with Loopback(tls=True, pace=0) as server:
        for _ in range(2):
            with Client(server.url, "sk-any", config=server.config) as client:
                assert client.ask("hi", model="hello").text() == "".join(HELLO)
                stream = client.ask("hi", model=ENDLESS)
                for _ in stream:
                    break
        with pytest.raises(TLSError) as caught:
            Client(server.url, "sk-any")
        assert caught.value.status is Status.TLS_UNKNOWN_ISSUER
        with Client(server.url, config=Config(dangerous_accept_any_certificate=True)) as client:
            assert client.ask("hi", model="anon").text() == "".join(HELLO)


@contextlib.contextmanager
def answering(answer: bytes) -> Generator[str, None, None]:
    """A server that answers to whatever comes in, as often as it is asked; gives where it is."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(10_000)
                        connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield "{}:{}".format(*server.getsockname())
        server.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)


def test_a_server_that_speaks_no_tls() -> None:
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as where:
        with pytest.raises(TLSError) as caught:
            Client(f"wss://{where}")
        assert caught.value.status is Status.TLS_NOT_TLS


@pytest.mark.parametrize(
    ("answer", "status", "code", "body"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone", Status.HTTP, 404, "none"),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", Status.HTTP, 302, None),
        (
            b'HTTP/1.1 200 OK\r\nContent-Length: 43\r\n\r\n{"error":"x","reason":"No.","status":false}',
            Status.REFUSED,
            200,
            '{"error":"x","reason":"No.","status":false}',
        ),
        (b"SSH-2.0-OpenSSH\r\n\r\n", Status.BAD_HTTP, None, None),
        (b"HTTP/1.1 429 x\r\nContent-Length: 4\r\n\r\nslow", Status.THROTTLED, 429, "slow"),
        (b"HTTP/1.1 502 x\r\nContent-Length: 4\r\n\r\naway", Status.UNAVAILABLE, 502, "away"),
    ],
)
def test_refused(answer: bytes, status: Status, code: int | None, body: str | None) -> None:
    with answering(answer) as where:
        with pytest.raises(RefusedError) as caught:
            Client(f"ws://{where}")
        assert caught.value.status is status
        assert (caught.value.code, caught.value.body or None) == (code, body)


def test_a_reconnect_that_is_refused(loopback: Loopback) -> None:
    # A proxy on the way that lets nobody through any more.
    with connected(loopback) as sock, Client(loopback.url, "sk-any", sock=sock) as client:
        with answering(b"HTTP/1.1 503 Gone\r\nContent-Length: 4\r\n\r\nlate") as where:
            host, _, port = where.partition(":")
            with socket.create_connection((host, int(port))) as other, pytest.raises(RefusedError) as caught:
                client.reconnect(other)
        assert (caught.value.status, caught.value.code, caught.value.body) == (Status.UNAVAILABLE, 503, "late")
        # What is asked now is told the same.
        with pytest.raises(RefusedError) as again:
            client.ask("hi")
        assert (again.value.code, again.value.body) == (503, "late")
        with connected(loopback) as sock_again:
            client.reconnect(sock_again)
        assert client.ask("hi", model="hello").text() == "".join(HELLO)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ConnectError) as caught:
        Client(f"ws://127.0.0.1:{port}")
    assert caught.value.status is Status.CONNECT
    assert isinstance(caught.value, ConnectionError)


def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"ws://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(ConnectTimeoutError) as caught:
            Client(url, config=Config(handshake=0.05))
        assert caught.value.status is Status.HANDSHAKE_TIMEOUT
        assert isinstance(caught.value, TimeoutError)


def test_a_server_that_takes_nobody() -> None:
    with contextlib.ExitStack() as sockets:
        server = sockets.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        # Its queue is full then, and further attempts are not answered.
        for _ in range(8):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        with pytest.raises(ConnectTimeoutError) as caught:
            Client(f"ws://127.0.0.1:{server.getsockname()[1]}", config=Config(connect=0.1))
        assert caught.value.status is Status.CONNECT_TIMEOUT


def test_a_host_that_is_not_there() -> None:
    # No name server is asked about a label that is too long.
    with pytest.raises(ConnectError) as caught:
        Client(f"ws://{'x' * 64}.invalid")
    assert caught.value.status is Status.RESOLVE


@pytest.mark.parametrize("url", ["", "ftp://x", "ws://a b", "ws://\ud800"])
def test_urls_that_cannot_be(url: str) -> None:
    with pytest.raises(InvalidArgumentError):
        Client(url)


def test_strays_are_told(client: Client) -> None:
    stream = client.ask("hi", model="silent")
    stream.close()
    # On these servers a stopped answer has two ends.
    assert isinstance(client.next(PATIENCE), Stray)
    assert client.counters.strays == 1


def test_what_is_left_without_a_goodbye(loopback: Loopback) -> None:
    client = Client(loopback.url, "sk-any")
    stream = client.ask("hi", model=ENDLESS)
    next(iter(stream))
    # The stream keeps its client.
    del client
    gc.collect()
    stream.close()
    assert stream.answer is not None
    assert stream.answer.outcome is Outcome.STOPPED
