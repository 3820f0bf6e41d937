"""Recorded frames, to unit-test a program by: no network, no clock, the same events every time."""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ._boundary import Owner, constructed, constructed_plain
from ._guard import Guarded
from ._native import ffi, lib
from ._status import Status
from ._text import CData, checked, encoded, present, sized, text_of
from .auth import Auth
from .errors import ChatNioError, error_of
from .events import Event, event_of
from .names import STATE_NUMBERS, STATES, State
from .request import Request

__all__ = ["Replay", "Step", "StepKind", "Transcript"]


class StepKind(enum.IntEnum):
    """The kinds of steps."""

    REQUEST = lib.CHATNIO_STEP_REQUEST
    """Make this request."""
    RECEIVE = lib.CHATNIO_STEP_RECEIVE
    """This message arrives."""
    CLOSED = lib.CHATNIO_STEP_CLOSED
    """The server closes the connection."""
    WARNING = lib.CHATNIO_STEP_WARNING
    """Something on this line cannot be replayed as it stands."""


class Step(NamedTuple):
    """One step of a replay."""

    kind: StepKind
    """What to do."""
    line: int
    """The line of the transcript, from 1."""
    text: str | None
    """The message that arrives, or what the warning says; otherwise `None`."""
    request: Request | None
    """The request to make, which is good until the next step is asked for; otherwise `None`."""


class Transcript(Owner):
    """The frames of one connection, as readable text:

        WEBSOCKET wss://api.chatnio.net/chat

        > SEND {"token":"sk-...","id":-1}
        > SEND {"type":"chat","message":"hi"}  // a comment
        < RECV {"message":"Hello","quota":0.1,"end":false}
        ! CLOSED

    Record one by `Config(record=True)` and `client.transcript()`; `str()` of it is its text.

    Args:
        text: The text.

    Raises:
        TranscriptError: for a text that is none; the error names the line.
        InvalidArgumentError: for one that is not valid Unicode.
    """

    __slots__ = ()

    _release = lib.chatnio_transcript_free

    def __init__(self, text: str) -> None:
        data = encoded(text, "a transcript")
        self._handle = constructed(lib.chatnio_transcript_parse, "chatnio_transcript", data, len(data))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Transcript:
        """Reads the file `path`.

        Raises:
            OSError: when it cannot be read.
            TranscriptError: as above.
        """
        with open(os.fspath(path), encoding="utf-8") as file:
            return cls(file.read())

    @classmethod
    def _adopt(cls, handle: CData) -> Transcript:
        adopted = cls.__new__(cls)
        adopted._handle = handle
        return adopted

    def __str__(self) -> str:
        text = ffi.new("chatnio_text *")
        status = lib.chatnio_transcript_text(self._handle, text)
        if status:
            raise error_of(status)
        return present(text[0])

    def __repr__(self) -> str:
        # A traceback that shows variables may show one whose constructor has failed.
        return f"<Transcript of {len(str(self).splitlines())} lines>" if hasattr(self, "_handle") else "<Transcript>"

    def events(self) -> Iterator[Event]:
        """The events that the client's side makes of it: every question is asked, and every frame received, by a
        session without a network or clock. A turn that does not end in it ends interrupted.

        A request that a session refuses is left out; what the server answered to it is then stray.
        """
        replay = Replay(self)
        player = _Player(replay.auth())
        while (step := replay.next_step(player.state)) is not None:
            event: Event | None = None
            if step.request is not None:
                try:
                    player.call(lib.chatnio_session_request, 0, step.request._handle)
                except ChatNioError:
                    continue
            elif step.kind is StepKind.RECEIVE:
                message = (step.text or "").encode()
                event = player.call(lib.chatnio_session_receive, 0, message, len(message), player.event)
                # The frames behind the first are due at once.
                while event is not None:
                    yield event
                    event = player.due()
            elif step.kind is StepKind.CLOSED:
                event = player.call(lib.chatnio_session_closed, lib.CHATNIO_CLOSE_SERVER, player.event)
            if event is not None:
                yield event
        event = player.call(lib.chatnio_session_closed, lib.CHATNIO_CLOSE_HOST, player.event)
        if event is not None:
            yield event


class _Player(Guarded):
    """The session that a transcript is played through: as a `Session`, which itself knows of transcripts."""

    __slots__ = ("event",)

    _release = lib.chatnio_session_free

    def __init__(self, auth: Auth) -> None:
        super().__init__(constructed(lib.chatnio_session_new, "chatnio_session", ffi.NULL, auth._native(), 0))
        self.event = sized("chatnio_event")

    @property
    def state(self) -> State:
        state = ffi.new("int32_t *")
        return self._use(lib.chatnio_session_state, state, read=lambda: STATES[state[0]])

    def call(self, function: Callable[..., int], *arguments: object) -> Event | None:
        """What has come of it, if something has."""
        self.event.kind = lib.CHATNIO_EVENT_NONE
        self._use(function, *arguments)
        return None if self.event.kind == lib.CHATNIO_EVENT_NONE else event_of(self.event)

    def due(self) -> Event | None:
        """What is due next, if something is."""
        self.event.kind = lib.CHATNIO_EVENT_NONE
        self._use(lib.chatnio_session_handle_timeout, 0, self.event, read=lambda: None, usual=(Status.AGAIN,))
        return None if self.event.kind == lib.CHATNIO_EVENT_NONE else event_of(self.event)


class Replay(Guarded):
    """The client's side of a transcript, step by step: to play one through a session or a connection of your own.

    Args:
        transcript: The transcript.
    """

    __slots__ = ("_step", "_taken")

    _release = lib.chatnio_replay_free

    def __init__(self, transcript: Transcript) -> None:
        checked(transcript, Transcript, "transcript")
        super().__init__(constructed_plain(lib.chatnio_replay_new, "chatnio_replay", transcript._handle))
        self._step = ffi.new("chatnio_step *")
        self._step.size = ffi.sizeof("chatnio_step")
        self._taken: Request | None = None

    def auth(self) -> Auth:
        """The authentication that the session or connection is to be made with."""
        return Auth._adopt(constructed_plain(lib.chatnio_replay_auth, "chatnio_auth", self._handle))

    def next_step(self, state: State) -> Step | None:
        """The next step, given the state that all steps before it have led to; `None` at the end.

        A request that has to wait for the end of a turn is held back, with a warning, until the state is idle.
        """
        step = self._step
        checked(state, State, "state")
        return self._use(self._replay_next, STATE_NUMBERS[state], step, read=self._read_step, usual=(Status.ABSENT,))

    def _replay_next(self, handle: CData, state: int, step: CData) -> int:
        if self._taken is not None:
            # It belongs to the library, and dies with this step.
            self._taken._handle = ffi.NULL
            self._taken = None
        status: int = lib.chatnio_replay_next_step(handle, state, step)
        return status

    def _read_step(self) -> Step:
        step = self._step
        if step.request != ffi.NULL:
            self._taken = Request._over(step.request, self)
        return Step(StepKind(step.kind), step.line, text_of(step.text), self._taken)
