"""A server in memory, by the package `websockets`, which knows nothing of this one; and a connection to it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator

from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from support import Certificates
from websockets.server import ServerProtocol

from pychatnio import Closed, Config, Connection, Event, Open, Status

#: When it begins, in seconds. Not 0, so that a deadline without its start shows.
START = 1000.0


class Server:
    """A server's end of one connection: bytes in, bytes out.

    Args:
        tls: Speaks TLS by this.
        respond: What to answer to the client's handshake; by default it opens the WebSocket.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        respond: Callable[[ServerProtocol, Request], Response] = ServerProtocol.accept,
    ) -> None:
        self._protocol = ServerProtocol(max_size=None)
        self._respond = respond
        self._tls = None if tls is None else _TLS(tls)
        #: The client's handshake.
        self.handshake: Request | None = None
        #: The messages of the client.
        self.messages: list[str] = []
        #: The close code of the client, once it has closed.
        self.closed: int | None = None

    def receive(self, data: bytes) -> None:
        """Takes bytes of the client, and answers what the WebSocket wants answered."""
        protocol = self._protocol
        plain = data if self._tls is None else self._tls.decrypt(data)
        if plain:
            protocol.receive_data(plain)
        for event in protocol.events_received():
            if isinstance(event, Request):
                self.handshake = event
                protocol.send_response(self._respond(protocol, event))
            elif isinstance(event, Frame):
                if event.opcode is Opcode.TEXT:
                    self.messages.append(bytes(event.data).decode())
                elif event.opcode is Opcode.CLOSE:
                    self.closed = Close.parse(bytes(event.data)).code

    def send(self, message: str | bytes) -> None:
        """Says something: a ``str`` as text, ``bytes`` as a binary message."""
        if isinstance(message, str):
            self._protocol.send_text(message.encode())
        else:
            self._protocol.send_binary(message)

    def close(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """Closes the WebSocket."""
        self._protocol.send_close(code, reason)

    def data_to_send(self) -> bytes:
        """The bytes for the client."""
        plain = b"".join(self._protocol.data_to_send())
        return plain if self._tls is None else self._tls.encrypt(plain)


class _TLS:
    """TLS in memory: the server's end."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def decrypt(self, data: bytes) -> bytes:
        self._incoming.write(data)
        plain = b""
        try:
            while piece := self._object.read():
                plain += piece
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            # The client has hung up on the certificate.
            pass
        return plain

    def encrypt(self, plain: bytes) -> bytes:
        if plain:
            self._object.write(plain)
        return self._outgoing.read()


class Link:
    """A connection and its server, and the bytes between them.

    Args:
        connection: The connection, made at :data:`START`.
        server: Its server.
        cuts: Where the server's stream is split, in bytes of it, in rising order; ``None`` splits it at every byte.
    """

    def __init__(self, connection: Connection, server: Server, cuts: Iterable[int] | None = ()) -> None:
        self.connection = connection
        self.server = server
        self.now = START
        #: How many bytes the server has sent.
        self.received = 0
        self._cuts = None if cuts is None else iter((*cuts, 2**63))
        self._next_cut = 0 if self._cuts is None else next(self._cuts)

    def exchange(self) -> list[Event]:
        """Moves bytes both ways, until nothing is left to move, and takes the events."""
        events = list(self.connection.events())
        idle = False
        while not idle:
            idle = True
            if sent := self.connection.data_to_send():
                self.server.receive(sent)
                idle = False
            if answer := self.server.data_to_send():
                events += self.deliver(answer)
                idle = False
        return events

    def deliver(self, data: bytes) -> list[Event]:
        """Gives the connection bytes of the server."""
        events: list[Event] = []
        for piece in self._split(data):
            self.connection.receive(piece, now=self.now)
            events += self.connection.events()
        return events

    def say(self, *messages: str | bytes) -> list[Event]:
        """Lets the server say something, and the connection hear it."""
        for message in messages:
            self.server.send(message)
        return self.exchange()

    def _split(self, data: bytes) -> Iterator[bytes]:
        start, length = self.received, len(data)
        self.received += length
        if self._cuts is None:
            for at in range(length):
                yield data[at : at + 1]
            return
        at = 0
        while self._next_cut - start < length:
            cut = self._next_cut - start
            if cut > at:
                yield data[at:cut]
                at = cut
            self._next_cut = next(self._cuts)
        yield data[at:]


def tls_end(config: Config | None, certificates: Certificates, name: str = "localhost") -> Status | None:
    """How a TLS connection to a server of that name ends; ``None`` when its WebSocket opens."""
    link = Link(Connection("wss://localhost", config=config, now=START), Server(certificates.server(name)))
    (event,) = link.exchange()
    if isinstance(event, Open):
        return None
    assert isinstance(event, Closed)
    assert event.message
    return event.status
