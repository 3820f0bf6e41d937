"""What sessions, connections and clients have in common."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

from ._boundary import error_text
from ._guard import Guarded
from ._native import ffi, lib
from ._status import Status
from ._text import CData, sized
from .answer import Answer, Conversation, Counters, answer_of, conversation_of
from .config import Config
from .errors import ChatNioError, error_of
from .events import Event, event_of
from .names import STATES, State
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


class Handle(Guarded):
    """A session, a connection or a client: one handle of the library, and what may be asked of it.

    One thread at a time may use it. It is freed with the last reference to it.
    """

    __slots__ = ("__weakref__", "_config", "_event", "_left")

    _level: ClassVar[Level]

    def __init__(self, handle: CData, config: Config | None) -> None:
        super().__init__(handle)
        # The wall clock's callback must live as long as the handle.
        self._config = config
        self._event = sized("chatnio_event")
        #: The conversation that it was in when it was freed.
        self._left: Conversation | None = None

    def _error(self, status: int) -> ChatNioError:
        return error_of(status, error_text(self._level.error, self._handle))

    def _read_event(self) -> Event | None:
        """A copy of the event that was handed out; `None` if it is none."""
        return None if self._event.kind == lib.CHATNIO_EVENT_NONE else event_of(self._event)

    @property
    def state(self) -> State:
        """What the session is doing."""
        state = ffi.new("int32_t *")
        return self._use(self._level.state, state, read=lambda: STATES[state[0]])

    @property
    def answer(self) -> Answer | None:
        """A copy of the running turn's answer so far; `None` when no turn runs."""
        answer = sized("chatnio_answer")
        return self._use(self._level.answer, answer, read=lambda: answer_of(answer), usual=(Status.ABSENT,))

    @property
    def conversation(self) -> Conversation:
        """Which conversation the connection is in, as far as the server has said; also after its end."""
        if self._left is not None:
            return self._left
        conversation = ffi.new("chatnio_conversation *")
        return self._use(self._level.conversation, conversation, read=lambda: conversation_of(conversation))

    @property
    def counters(self) -> Counters:
        """What was counted since it was made; reconnecting goes on counting."""
        counters = sized("chatnio_counters")
        self._use(self._level.counters, counters)
        return Counters(counters.strays, counters.malformed, counters.repeated_stops)

    @property
    def memory(self) -> int:
        """About how many bytes it holds in the library."""
        size = ffi.new("size_t *")
        self._use(self._level.memory, size)
        return int(size[0])

    def transcript(self) -> Transcript | None:
        """What was sent and received so far, without tokens; `None` unless `Config.record` is on. Of this connection: a
        reconnect begins a new one, so take it before."""
        made = ffi.new("chatnio_transcript **")
        return self._use(
            self._level.transcript, made, read=lambda: Transcript._adopt(made[0]), usual=(Status.ABSENT,)
        )

    def _free(self) -> None:
        if not self._guard.is_shut:
            with suppress(ChatNioError):
                self._left = self.conversation
        super()._free()

    def __repr__(self) -> str:
        # A traceback that shows variables may show one whose constructor has failed.
        guard = getattr(self, "_guard", None)
        if guard is None or guard.is_shut:
            return f"<{type(self).__name__} freed>"
        return f"<{type(self).__name__} {'in use' if guard.busy else self.state}>"
