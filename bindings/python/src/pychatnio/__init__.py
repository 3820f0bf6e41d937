"""The Chat Nio (CoAI) streaming chat protocol: blocking, on asyncio, or over a transport of your own.

Take the highest level that fits:

| you have | take |
| --- | --- |
| nothing of the kind | `Client`: connects, and waits |
| asyncio | `AsyncClient`: the same, without blocking |
| a socket and an event loop | `Connection`: bytes in, bytes out; TLS and WebSocket are inside |
| a WebSocket | `Session`: messages in, messages out |

`pychatnio.rest` has the companion HTTP calls: stored conversations, the quota, models, whether a key is good.

```python
from pychatnio import Client, Loopback

with Loopback() as server, Client(server.url, "sk-any") as client:
    for piece in client.ask("hi", model="gpt-4"):
        print(piece, end="", flush=True)
```

All of it is one C library, with what turns, strays and outcomes are in common; nothing of the protocol is done in
Python. Every event is a copy, so nothing that was handed out ever becomes invalid. The one exception is the request of a
replay's step.

One object, one thread at a time: a second one is refused with an `InvalidArgumentError`. `Client.stop()` and
`Client.close()` are for any thread. `Config`, `Auth`, `Request` and `Transcript` never change, and may be shared. After
`os.fork()` the child refuses to use its parent's sessions, connections and clients.
"""

from __future__ import annotations

from ._handle import Handle
from ._native import ffi as _ffi
from ._native import lib as _lib
from ._status import Status
from .aio import AsyncAnswerStream, AsyncClient
from .answer import Answer, Conversation, Counters
from .auth import Auth
from .client import Client
from .config import Config
from .connection import Connection, Wants
from .errors import (
    AnswerError,
    AnswerInterruptedError,
    AnswerTimeoutError,
    BusyError,
    CallError,
    CallRefusedError,
    CallThrottledError,
    ChatNioError,
    ConnectError,
    ConnectionClosedError,
    ConnectTimeoutError,
    InternalError,
    InvalidArgumentError,
    InvalidRequestError,
    KeyRejectedError,
    NoSuchCallError,
    NotFoundError,
    NoticeError,
    ProxyError,
    RefusedError,
    SystemFailureError,
    ThrottledError,
    TLSError,
    TranscriptError,
    UnavailableError,
    UndrainedError,
    UnsentError,
)
from .events import (
    Closed,
    Delta,
    End,
    Event,
    KeepAlive,
    Malformed,
    Open,
    Opened,
    Priced,
    StopRepeated,
    Stray,
)
from .loopback import Loopback, program
from .names import ConversationKind, Interruption, Outcome, RequestType, State
from .request import Parameters, Request
from .session import CloseReason, Session
from .stream import AnswerStream
from .transcript import Replay, Step, StepKind, Transcript

__version__: str = _ffi.string(_lib.chatnio_version()).decode()
"""The version of the library inside, and of this package."""

__all__ = [
    "Answer",
    "AnswerError",
    "AnswerInterruptedError",
    "AnswerStream",
    "AnswerTimeoutError",
    "AsyncAnswerStream",
    "AsyncClient",
    "Auth",
    "BusyError",
    "CallError",
    "CallRefusedError",
    "CallThrottledError",
    "ChatNioError",
    "Client",
    "CloseReason",
    "Closed",
    "Config",
    "ConnectError",
    "ConnectTimeoutError",
    "Connection",
    "ConnectionClosedError",
    "Conversation",
    "ConversationKind",
    "Counters",
    "Delta",
    "End",
    "Event",
    "Handle",
    "InternalError",
    "Interruption",
    "InvalidArgumentError",
    "InvalidRequestError",
    "KeepAlive",
    "KeyRejectedError",
    "Loopback",
    "Malformed",
    "NoSuchCallError",
    "NotFoundError",
    "NoticeError",
    "Open",
    "Opened",
    "Outcome",
    "Parameters",
    "Priced",
    "ProxyError",
    "RefusedError",
    "Replay",
    "Request",
    "RequestType",
    "Session",
    "State",
    "Status",
    "Step",
    "StepKind",
    "StopRepeated",
    "Stray",
    "SystemFailureError",
    "TLSError",
    "ThrottledError",
    "Transcript",
    "TranscriptError",
    "UnavailableError",
    "UndrainedError",
    "UnsentError",
    "Wants",
    "program",
]
