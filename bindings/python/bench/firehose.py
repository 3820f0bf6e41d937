"""A server on 127.0.0.1 that sends an answer of 20,000 chunks as fast as the socket takes them, so that it is never the
limit.

It speaks just enough: the WebSocket handshake (by `websockets`), and for each chat message the answer, which is made
once and sent as one piece. It prints its URL, and ends with its standard input.
"""

from __future__ import annotations

import json
import socket
import sys
import threading

import answer
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol


def is_chat(message: bytes | bytearray | memoryview) -> bool:
    """Whether a message is to be answered: the first one is the authentication."""
    return bool(json.loads(bytes(message)).get("type") == "chat")


def serve(connection: socket.socket, data: bytes) -> None:
    """Answers every chat message on one connection by `data`, until the client goes."""
    protocol = ServerProtocol()
    try:
        while received := connection.recv(65536):
            protocol.receive_data(received)
            for event in protocol.events_received():
                if isinstance(event, Request):
                    protocol.send_response(protocol.accept(event))
                elif isinstance(event, Frame) and event.opcode is Opcode.TEXT and is_chat(event.data):
                    connection.sendall(data)
            for out in protocol.data_to_send():
                if out:
                    connection.sendall(out)
                else:
                    # The end, after a closing.
                    connection.shutdown(socket.SHUT_WR)
    except ConnectionError:
        # A client that has seen enough.
        pass
    finally:
        connection.close()


def accept(listener: socket.socket) -> None:
    """Serves every connection, in a thread of its own."""
    data = answer.frames([answer.opener(), *answer.chunks(), answer.end()])
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, data), daemon=True).start()


def main() -> None:
    """Serves until the standard input ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        print(f"ws://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
