// Over the package `ws`: what its server sends that is no text, and what is read past it.

import assert from "node:assert/strict";
import { type EventEmitter, once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { AnswerError, Client, type Event, load, Session } from "chatnio";
import { WebSocket, WebSocketServer } from "ws";
import { platformWebSocket } from "../../dist/socket.js";
import { frame, numbers } from "./server-frames.js";

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

function message(text: string, end = false): Buffer {
  return Buffer.from(JSON.stringify({ conversation: 1, message: text, quota: 0.5, end }));
}

/** What a server may send within an answer, and pings, and what is none. */
const PARTS: readonly ((below: (limit: number) => number) => Uint8Array)[] = [
  (below) => frame(0x81, message("é".repeat(below(40)))),
  (below) => frame(0x81, message("a".repeat(below(3000)))),
  (below) => frame(0x89, Buffer.alloc(below(126))),
  () => frame(0x81, Buffer.from("{nonsense")),
  () => frame(0x81, Buffer.alloc(0)),
  () => frame(0x82, Buffer.from("binary")),
  () => Buffer.concat([frame(0x01, message("in fragments").subarray(0, 20)), frame(0x80, message("in fragments").subarray(20))]),
  () => frame(0x81, message("b".repeat(66_000))),
  () => frame(0x81, Buffer.from([0xc3])),
  () => frame(0x88, Buffer.from([0x03, 0xe9])),
];
/** So many of them leave a client with the fast way. */
const USUAL = 5;

test("a client makes the same of what comes, whoever reads it", async (t) => {
  const rough = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  t.after(() => rough.close());
  rough.on("connection", (socket, { socket: stream }) => {
    socket.on("message", async (data) => {
      const asked = JSON.parse(String(data)) as { type?: string; message: string };
      if (asked.type !== "chat") return;
      const below = numbers(Number(asked.message));
      const kinds = below(3) === 0 ? PARTS.length : USUAL;
      const parts = Array.from({ length: below(30) }, () => PARTS[below(kinds)]!(below));
      const bytes = Buffer.concat([frame(0x81, message("")), ...parts, frame(0x81, message("z", true))]);
      const most = [10, 300, 100_000][below(3)]!;
      for (let at = 0, end = 0; at < bytes.length; at = end) {
        // Few of the smallest.
        end = at > 4000 ? bytes.length : at + 1 + below(most);
        if (stream.writable) stream.write(bytes.subarray(at, end));
        await new Promise(setImmediate);
      }
    });
  });
  await once(rough, "listening");
  const url = `ws://127.0.0.1:${(rough.address() as AddressInfo).port}`;
  const bystander = new Session();
  let ends = 0;
  for (let seed = 0; seed < 60; seed += 1) {
    const logs = await Promise.all([Showing, Looking].map(async (make) => {
      const log: unknown[] = [];
      const onEvent = (event: Event): void => {
        log.push(event);
        // Another use of the module, in the middle of what was read at once.
        bystander.receive("{another");
      };
      const client = await Client.connect(url, { token: "sk-any", WebSocket: make, close: 0, onEvent });
      const { outcome, text } = await client.ask(String(seed)).result();
      if (outcome === "complete") ends += 1;
      log.push(outcome, text, client.error?.code, client.counters);
      await client.close();
      return log;
    }));
    assert.deepEqual(logs[0], logs[1], `seed ${seed}`);
  }
  assert.ok(ends > 60, `${ends} of 120 are complete`);
});
