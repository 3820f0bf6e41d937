// What a WebSocket of `ws`, and Node's own, sends that is no text, and what is read past it. In Node 20 with --experimental-websocket.

import assert from "node:assert/strict";
import { subscribe } from "node:diagnostics_channel";
import { EventEmitter, once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { after, test } from "node:test";
import { AnswerError, Client, type Event, load, Session } from "chatnio";
import { WebSocket, WebSocketServer } from "ws";
import type { WebSocketLike } from "../../dist/socket.js";
import { frame, numbers } from "./server-frames.js";

const piece = JSON.stringify({ message: "a", quota: 0, end: false });
const last = JSON.stringify({ message: "", quota: 0, end: true });

/** A server until the test has ended. */
async function serving(
  test: { after(end: () => void): void },
  connected: (socket: WebSocket, stream: Socket) => void,
): Promise<{ server: WebSocketServer; url: string }> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  server.on("connection", (socket, { socket: stream }) => connected(socket, stream));
  test.after(() => server.close());
  await once(server, "listening");
  return { server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** How the last connection was closed. */
let closed: number | undefined;
const { server, url } = await serving({ after }, (socket) => {
  socket.on("close", (code) => (closed = code));
  socket.on("message", (data) => {
    if (!String(data).includes('"chat"')) return;
    if (String(data).includes("well")) {
      socket.send(piece);
      if (String(data).includes("in fragments")) {
        socket.send(piece.slice(0, 5), { fin: false });
        socket.send(piece.slice(5));
      }
      socket.send(last);
      return;
    }
    socket.send(piece);
    socket.send(Buffer.from([0x22, 0xff, 0x22]), { binary: false });
    socket.send(piece);
  });
});
await load();

/** What the WebSocket reads that has connected last. */
let stream: EventEmitter = new EventEmitter();
/** Who reads that: this package, or the WebSocket. */
const reader = (): unknown => stream.listeners("data")[0];
/** How many messages those have brought who count them. */
let count = 0;

class OfWs extends WebSocket {
  constructor(url: string) {
    super(url);
    this.once("upgrade", ({ socket }: IncomingMessage) => (stream = socket));
  }
}
class LookingOfWs extends OfWs {
  override emit(name: string | symbol, ...values: any[]): boolean {
    if (name === "message") count += 1;
    return super.emit(name, ...values);
  }
}

const Own = globalThis.WebSocket;
if (Own === undefined) throw new Error("run node with --experimental-websocket");
subscribe("undici:client:sendHeaders", (message) => {
  const { request, socket } = message as { request: { upgrade?: string }; socket: EventEmitter };
  if (request.upgrade === "websocket") stream = socket;
});
class LookingOfNode extends Own {
  override dispatchEvent(event: globalThis.Event): boolean {
    if (event.type === "message") count += 1;
    return super.dispatchEvent(event);
  }
}

type Make = new (url: string) => WebSocketLike & { addEventListener(event: "message", listener: () => void): void };

/** The WebSockets that are read past, and one of each that looks at its messages. */
const KINDS: readonly { readonly name: string; readonly make: Make; readonly looking: Make }[] = [
  { name: "ws", make: OfWs, looking: LookingOfWs },
  { name: "Node's own", make: Own, looking: LookingOfNode },
];

for (const { name, make, looking } of KINDS) {
  test(`text that is not UTF-8 ends the connection: ${name}`, async () => {
    for (const each of [make, looking]) {
      const client = await Client.connect(url, { token: "sk-any", WebSocket: each });
      const running = client.ask("hi");
      await assert.rejects(running.text(), (error) => error instanceof AnswerError && error.isRetryable);
      assert.equal((await running.result()).text, "a");
      // What Node 24 reads itself it does not tell, nor does Node 22 tell the server.
      if (each !== LookingOfNode) assert.equal(client.error?.code, "CHATNIO_SERVER_NOT_UTF8");
      while (server.clients.size > 0) await new Promise(setImmediate);
      assert.ok(closed === 1007 || (make === Own && closed === 1006), String(closed));
      await client.close();
    }
  });

  test(`up to the first fragment texts are read past it: ${name}`, async () => {
    const client = await Client.connect(url, { token: "sk-any", WebSocket: make });
    const first = reader();
    assert.equal(await client.ask("well").text(), "a");
    assert.equal(reader(), first);
    assert.equal(await client.ask("well, in fragments").text(), "aa");
    assert.notEqual(reader(), first);
    assert.equal(await client.ask("well").text(), "a");
    await client.close();
  });

  class Listening extends make {
    constructor(url: string) {
      super(url);
      this.addEventListener("message", () => (count += 1));
    }
  }
  for (const each of [looking, Listening]) {
    test(`who looks at its messages sees all of them: ${name}, ${each.name}`, async () => {
      count = 0;
      const client = await Client.connect(url, { token: "sk-any", WebSocket: each });
      assert.equal(await client.ask("well").text(), "a");
      assert.equal(count, 2);
      assert.equal(await client.ask("well, in fragments").text(), "aa");
      assert.equal(count, 5);
      await client.close();
    });
  }

  test(`who begins to listen sees what comes then: ${name}`, async () => {
    count = 0;
    let socket: InstanceType<Make> | undefined;
    class Kept extends make {
      constructor(url: string) {
        super(url);
        socket = this;
      }
    }
    const client = await Client.connect(url, { token: "sk-any", WebSocket: Kept });
    assert.equal(await client.ask("well").text(), "a");
    assert.equal(count, 0);
    socket?.addEventListener("message", () => (count += 1));
    assert.equal(await client.ask("well").text(), "a");
    assert.equal(count, 2);
    await client.close();
  });
}

for (const { name, make } of KINDS) test(`who hears late that it is open has nothing read past it: ${name}`, async (t) => {
  // A ping, whose payload looks like a text.
  const ping = frame(0x89, frame(0x81, Buffer.from("{nonsense")));
  let sent = 0;
  const { url } = await serving(t, (socket, server) => {
    server.write(ping.subarray(0, 2), () => (sent = server.bytesWritten));
    socket.on("message", (data) => {
      if (!String(data).includes('"chat"')) return;
      server.write(ping.subarray(2));
      socket.send(piece);
      socket.send(last);
    });
  });
  class Late extends make {
    override set onopen(handler: ((event: unknown) => void) | null) {
      const opened = async (event: unknown): Promise<void> => {
        while (sent === 0 || (stream as Socket).bytesRead < sent) await new Promise(setImmediate);
        // It is read, and given to who listens in a later step.
        await new Promise(setImmediate);
        handler?.(event);
      };
      super.onopen = handler === null ? null : opened;
    }
  }
  const client = await Client.connect(url, { WebSocket: Late });
  const { text, malformed } = await client.ask("hi").result();
  assert.deepEqual([text, malformed], ["a", 0]);
  await client.close();
});

for (const { name, make } of KINDS) test(`a server that answers no Close keeps nothing open: ${name}`, { timeout: 20_000 }, async (t) => {
  const { url } = await serving(t, (_, socket) => {
    socket.pause();
    t.after(() => socket.destroy());
  });
  const client = await Client.connect(url, { WebSocket: make, close: 1 });
  const ended = once(stream, "close");
  await client.close();
  await ended;
});

for (const { name, make } of KINDS) test(`a stop is heard, also when the client reconnects at once: ${name}`, { timeout: 20_000 }, async (t) => {
  const rounds = 5;
  let stops = 0;
  let peer: Duplex | undefined;
  // More than is read at once: a connection that is cut with the rest unread is one that the server cannot write to any more.
  const much = Buffer.concat(new Array<Buffer>(20_000).fill(frame(0x81, Buffer.from(piece)) as Buffer));
  const { url } = await serving(t, (socket, stream) => {
    socket.on("error", () => {});
    socket.on("message", (data) => {
      if (String(data).includes('"stop"')) stops += 1;
      if (!String(data).includes('"chat"')) return;
      peer = stream;
      stream.write(much);
    });
  });
  const client = await Client.connect(url, { WebSocket: make, close: 60_000 });
  for (let round = 0; round < rounds; round += 1) {
    const running = client.ask("hi");
    await running[Symbol.asyncIterator]().next();
    client.stop();
    const reconnected = client.reconnect();
    // Before it reads the stop.
    peer?.write(much);
    await reconnected;
  }
  while (stops < rounds) await new Promise(setImmediate);
  await client.close();
});

for (const { name, make } of KINDS) test(`what is no frame ends the connection, whatever the server does: ${name}`, { timeout: 20_000 }, async (t) => {
  const { url } = await serving(t, (socket, stream) => {
    socket.on("message", (data) => {
      if (!String(data).includes('"chat"')) return;
      stream.write(Buffer.concat([frame(0x81, Buffer.from(piece)), frame(0x83, Buffer.from(piece))]));
      stream.pause();
      t.after(() => stream.destroy());
    });
  });
  const client = await Client.connect(url, { WebSocket: make, close: 1 });
  const result = await client.ask("hi").result();
  assert.deepEqual([result.outcome, result.text, client.error?.code], ["interrupted", "a", "CHATNIO_END_OF_STREAM"]);
  await client.close();
});

test("of many that connect at once each reads its own", async () => {
  const makes = Array.from({ length: 40 }, (_, at) => KINDS[at % 2]!.make);
  await Promise.all(
    makes.map(async (make) => {
      const client = await Client.connect(url, { token: "sk-any", WebSocket: make });
      const asked = Array.from({ length: 5 }, () => client.ask("well").text());
      assert.deepEqual(await Promise.all(asked), new Array<string>(5).fill("a"));
      await client.close();
    }),
  );
});

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

for (const { name, make, looking } of KINDS) test(`a client makes the same of what comes, whoever reads it: ${name}`, async (t) => {
  const { url } = await serving(t, (socket, stream) => {
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
  const bystander = new Session();
  let ends = 0;
  for (let seed = 0; seed < 60; seed += 1) {
    const logs = await Promise.all([make, looking].map(async (make) => {
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
