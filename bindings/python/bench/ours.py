"""Measures this package: `ours.py URL`."""

from __future__ import annotations

import asyncio
import socket
import sys

import answer
from stopwatch import TIMES, Stopwatch
from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.server import ServerProtocol

from pychatnio import AsyncClient, Client, Connection, Delta, Request, Session

#: How much is decoded at once, in bytes: what `AsyncClient` reads of a socket.
READ = 32 * 1024


def asked() -> Connection:
    """A connection that has asked a question, and was answered by an opener."""
    connection = Connection("ws://127.0.0.1", "sk-any")
    connection.request(Request.chat("hi"))
    server = ServerProtocol()
    server.receive_data(connection.data_to_send())
    handshake = server.events_received()[0]
    assert isinstance(handshake, Handshake)
    server.send_response(server.accept(handshake))
    for data in server.data_to_send():
        connection.receive(data)
    # The question goes out with the first: what came before it would be no answer.
    list(connection.events())
    connection.data_to_send()
    connection.receive(answer.frames([answer.opener()]))
    list(connection.events())
    return connection


def decode_frames(name: str, *, quota: bool = False) -> None:
    """By `Connection`: bytes of a socket to events, with the WebSocket's part of it; also with a look at each quota."""
    data = memoryview(answer.frames(answer.chunks()))
    pieces = [data[at : at + READ] for at in range(0, len(data), READ)]
    watch = Stopwatch()
    for _ in range(TIMES):
        connection = asked()
        count = 0
        with watch:
            for piece in pieces:
                connection.receive(piece)
                events = list(connection.events())
                count += len(events)
                if quota:
                    for event in events:
                        assert isinstance(event, Delta)
                        event.quota  # noqa: B018  (the official object has it at once)
        assert count == answer.CHUNKS, count
    watch.report(name)


def decode_messages() -> None:
    """By `Session`: one message after the other."""
    messages = answer.chunks()
    watch = Stopwatch()
    for _ in range(TIMES):
        session = Session("sk-any")
        session.request(Request.chat("hi"))
        session.receive(answer.opener())
        with watch:
            for message in messages:
                session.receive(message)
    watch.report("Session")


async def ask_async(url: str) -> None:
    """By `AsyncClient`: one question after the other on one connection, its pieces and then its events."""
    async with AsyncClient(url, "sk-any") as client:
        watch = Stopwatch()
        for _ in range(TIMES):
            count = 0
            with watch:
                async for _piece in client.ask("hi"):
                    count += 1
            assert count == answer.CHUNKS, count
        watch.report("AsyncClient")
        watch = Stopwatch()
        for _ in range(TIMES):
            count = 0
            with watch:
                async for _event in client.ask("hi").events():
                    count += 1
            assert count == answer.CHUNKS + 2, count
        watch.report("AsyncClient.events")


def ask(url: str) -> None:
    """By `Client`."""
    with Client(url, "sk-any") as client:
        watch = Stopwatch()
        for _ in range(TIMES):
            count = 0
            with watch:
                for _piece in client.ask("hi"):
                    count += 1
            assert count == answer.CHUNKS, count
        watch.report("Client")


def only_receive(url: str) -> None:
    """The same bytes, received and thrown away: what neither package can go below, and that the server is no limit."""
    length = len(answer.frames([answer.opener(), *answer.chunks(), answer.end()]))
    question = Frame(Opcode.TEXT, b'{"type":"chat","message":"hi"}').serialize(mask=True)
    connection = Connection(url, "sk-any")
    buffer = bytearray(READ)
    watch = Stopwatch()
    with socket.create_connection((connection.host, connection.port)) as sock:
        sock.sendall(connection.data_to_send())
        while not any(connection.events()):
            connection.receive(sock.recv(READ))
        for _ in range(TIMES):
            left = length
            with watch:
                sock.sendall(question)
                while left > 0:
                    left -= sock.recv_into(buffer)
    watch.report("bytes")


if __name__ == "__main__":
    decode_frames("Connection")
    decode_frames("Connection, quotas", quota=True)
    decode_messages()
    asyncio.run(ask_async(sys.argv[1]))
    ask(sys.argv[1])
    only_receive(sys.argv[1])
