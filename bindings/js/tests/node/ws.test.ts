// Over the package `ws`: what its server sends that is no text, and what is read past it.

import assert from "node:assert/strict";
import { type EventEmitter, once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { AnswerError, Client, load } from "chatnio";
import { WebSocket, WebSocketServer } from "ws";
import { platformWebSocket } from "../../dist/socket.js";

const piece = JSON.stringify({ message: "a", quota: 0, end: false });
const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
/** How the last connection was closed. */
let closed: number | undefined;
server.on("connection", (socket) => {
  socket.on("close", (code) => (closed = code));
  socket.on("message", (data) => {
    if (!String(data).includes('"chat"')) return;
    if (String(data).includes("well")) {
      socket.send(piece);
      if (String(data).includes("in fragments")) {
        socket.send(piece.slice(0, 5), { fin: false });
        socket.send(piece.slice(5));
      }
      socket.send(JSON.stringify({ message: "", quota: 0, end: true }));
      return;
    }
    socket.send(piece);
    socket.send(Buffer.from([0x22, 0xff, 0x22]), { binary: false });
    socket.send(piece);
  });
});
await once(server, "listening");
after(() => server.close());
const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
await load();

for (const make of new Set([WebSocket, await platformWebSocket()])) {
  test(`text that is not UTF-8 ends the connection: ${make === WebSocket ? "ws" : "the platform's"}`, async () => {
    const client = await Client.connect(url, { token: "sk-any", WebSocket: make });
    const running = client.ask("hi");
    await assert.rejects(running.text(), (error) => error instanceof AnswerError && error.isRetryable);
    assert.equal((await running.result()).text, "a");
    assert.equal(client.error?.code, "CHATNIO_SERVER_NOT_UTF8");
    while (server.clients.size > 0) await new Promise(setImmediate);
    // Node's own says nothing.
    assert.equal(closed, make === WebSocket ? 1007 : 1006);
    await client.close();
  });
}

/** One that shows what it reads. */
class Showing extends WebSocket {
  static stream: EventEmitter;

  constructor(url: string) {
    super(url);
    this.once("upgrade", ({ socket }: IncomingMessage) => (Showing.stream = socket));
  }

  /** Who reads that. */
  static get reader(): unknown {
    return this.stream.listeners("data")[0];
  }
}

/** How many messages those have brought who count them. */
let count = 0;
class Looking extends Showing {
  override emit(name: string | symbol, ...values: any[]): boolean {
    if (name === "message") count += 1;
    return super.emit(name, ...values);
  }
}
class Listening extends Showing {
  constructor(url: string) {
    super(url);
    this.on("message", () => (count += 1));
  }
}

test("up to the first fragment texts are read past `ws`", async () => {
  const client = await Client.connect(url, { token: "sk-any", WebSocket: Showing });
  const { reader } = Showing;
  assert.equal(await client.ask("well").text(), "a");
  assert.equal(Showing.reader, reader);
  assert.equal(await client.ask("well, in fragments").text(), "aa");
  assert.notEqual(Showing.reader, reader);
  assert.equal(await client.ask("well").text(), "a");
  await client.close();
});

for (const make of [Looking, Listening]) {
  test(`who looks at the messages of a WebSocket sees all of them: ${make.name}`, async () => {
    count = 0;
    const client = await Client.connect(url, { token: "sk-any", WebSocket: make });
    assert.equal(await client.ask("well").text(), "a");
    assert.equal(count, 2);
    assert.equal(await client.ask("well, in fragments").text(), "aa");
    assert.equal(count, 5);
    await client.close();
  });
}
