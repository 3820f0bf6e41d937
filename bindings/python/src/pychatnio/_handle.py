"""What sessions, connections and clients have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ._boundary import CData, Guard, Owner, error_text
from ._native import ffi, lib
from ._status import Status
from .errors import ChatNioError, error_of
from .events import Answer, Conversation, Counters, State, answer_of, conversation_of
from .transcript import Transcript


class Level:
    """The functions of one level of the library, without its name."""

    def __init__(self, name: str) -> None:
        self._prefix = f"chatnio_{name}_"

    def __getattr__(self, function: str) -> Any:
        found = getattr(lib, self._prefix + function)
        # Looked up once.
        setattr(self, function, found)
        return found


class Handle(Owner):
    """A session, a connection or a client: one handle of the library, and what may be asked of it.

    One thread at a time may use it. It is freed with the last reference to it.
    """

    __slots__ = ("__weakref__", "_config", "_event", "_guard")

    _level: ClassVar[Level]

    def __init__(self, handle: CData, config: object) -> None:
        self._handle = handle
        # The wall clock's callback must live as long as the handle.
        self._config = config
        self._guard = Guard()
        self._event = ffi.new("chatnio_event *")
        self._event.size = ffi.sizeof("chatnio_event")

    def _use(self, function: Callable[..., int], *arguments: object) -> None:
        """Calls a function on the handle.

        Raises:
            ChatNioError: for any other status than `CHATNIO_OK`.
        """
        guard = self._guard
        if guard.busy:
            raise guard.refusal()
        guard.busy = True
        try:
            status = function(self._handle, *arguments)
            if status:
                raise self._error(status)
        finally:
            guard.busy = guard.is_shut

    def _error(self, status: int) -> ChatNioError:
        return error_of(status, error_text(self._level.error, self._handle))

    @property
    def state(self) -> State:
        """What the session is doing."""
        state = ffi.new("int32_t *")
        self._use(self._level.state, state)
        return State(state[0])

    @property
    def answer(self) -> Answer | None:
        """A copy of the running turn's answer so far; `None` when no turn runs."""
        answer = ffi.new("chatnio_answer *")
        answer.size = ffi.sizeof("chatnio_answer")
        guard = self._guard
        if guard.busy:
            raise guard.refusal()
        guard.busy = True
        try:
            status = self._level.answer(self._handle, answer)
            if status == Status.ABSENT:
                return None
            if status:
                raise self._error(status)
            return answer_of(answer)
        finally:
            guard.busy = guard.is_shut

    @property
    def conversation(self) -> Conversation:
        """Which conversation the connection is in, as far as the server has said."""
        conversation = ffi.new("chatnio_conversation *")
        self._use(self._level.conversation, conversation)
        return conversation_of(conversation)

    @property
    def counters(self) -> Counters:
        """What was counted since it was made; reconnecting goes on counting."""
        counters = ffi.new("chatnio_counters *")
        counters.size = ffi.sizeof("chatnio_counters")
        self._use(self._level.counters, counters)
        return Counters(counters.strays, counters.malformed, counters.repeated_stops)

    @property
    def memory(self) -> int:
        """About how many bytes it holds in the library."""
        size = ffi.new("size_t *")
        self._use(self._level.memory, size)
        return int(size[0])

    def transcript(self) -> Transcript | None:
        """What was sent and received so far, without tokens; `None` unless `Config.record` is on."""
        made = ffi.new("chatnio_transcript **")
        guard = self._guard
        if guard.busy:
            raise guard.refusal()
        guard.busy = True
        try:
            status = self._level.transcript(self._handle, made)
            if status == Status.ABSENT:
                return None
            if status:
                raise self._error(status)
        finally:
            guard.busy = guard.is_shut
        return Transcript._adopt(made[0])

    def _free(self) -> None:
        """Frees the handle now; a repeated call does nothing.

        Raises:
            InvalidArgumentError: while another thread uses it.
        """
        guard = self._guard
        if not guard.is_shut:
            if guard.busy:
                raise guard.refusal()
            guard.busy = True
            try:
                guard.shut("this object was closed and freed: make another")
                self._free_handle()
            finally:
                guard.busy = guard.is_shut
