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

for (const make of new Set([WebSocket, await platformWebSocket()])) {
  test(`text that is not UTF-8 ends the connection: ${make === WebSocket ? "ws" : "the platform's"}`, async () => {
    const client = await Client.connect(url, { token: "sk-any", WebSocket: make });
    const running = client.ask("hi");
    await assert.rejects(running.text(), (error) => error instanceof AnswerError && error.isRetryable);
    assert.equal((await running.result()).text, "a");
    assert.equal(client.error?.code, "CHATNIO_SERVER_NOT_UTF8");
    await client.close();
  });
}
