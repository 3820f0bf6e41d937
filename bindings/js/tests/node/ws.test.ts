// Over the package `ws`: what its server sends that is no text.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { AnswerError, Client, load } from "chatnio";
import { WebSocket, WebSocketServer } from "ws";
import { platformWebSocket } from "../../dist/socket.js";

const piece = JSON.stringify({ message: "a", quota: 0, end: false });
const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
server.on("connection", (socket) => {
  socket.on("message", (data) => {
    if (!String(data).includes('"chat"')) return;
    socket.send(piece);
    socket.send(Buffer.from([0x22, 0xff, 0x22]), { binary: false });
    socket.send(piece);
  });
});
await once(server, "listening");
after(() => server.close());
const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
await load();

const platform = await platformWebSocket();
for (const [name, make] of Object.entries({ "its own class": WebSocket, "that of the platform": platform })) {
  test(`text that is not UTF-8 ends the connection: ${name}`, async (context) => {
    if (make === globalThis.WebSocket) return context.skip("this Node has one of its own");
    const client = await Client.connect(url, { token: "sk-any", WebSocket: make });
    const running = client.ask("hi");
    await assert.rejects(running.text(), (error) => error instanceof AnswerError && error.isRetryable);
    assert.equal((await running.result()).text, "a");
    assert.equal(client.error?.code, "CHATNIO_SERVER_NOT_UTF8");
    await client.close();
  });
}

test("its own class need not look whether text is UTF-8: the module does", async () => {
  const told: unknown[] = [];
  class Own extends WebSocket {
    constructor(...given: [string, object?]) {
      super(...given);
      told.push(given[1]);
    }
  }
  const itself = new Proxy(WebSocket, {
    construct(make, given: [string, object?]) {
      told.push(given[1]);
      return new make(...given);
    },
  });
  for (const make of [itself, Own]) await (await Client.connect(url, { WebSocket: make })).close();
  // One that was made of it may have options of its own, behind what would be ours.
  assert.deepEqual(told, [{ skipUTF8Validation: true }, undefined]);
});
