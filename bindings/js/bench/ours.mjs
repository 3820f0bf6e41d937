// Measures this package: `ours.mjs URL ws|own`.

import { Client, load, Session } from "../dist/index.js";
import { WebSocket } from "ws";
import { CHUNKS, chunks, measure, opener } from "./answer.mjs";

await load();
await measure("Session", () => {
  const session = new Session({}, 0);
  session.request({ type: "chat", message: "hi" }, 0);
  while (session.nextMessage() !== undefined);
  session.receive(opener, 0);
  let length = 0;
  for (const text of chunks) length += session.receive(text, 1).text.length;
  if (length !== CHUNKS * 5) throw new Error("not all was read");
  session.closed("host");
});

// The client takes the platform's WebSocket, and where there is none `ws`, by itself.
const [, , url, socketOf] = process.argv;
const client = await Client.connect(url, { token: "sk-any", ...(socketOf === "ws" ? { WebSocket } : {}) });
await measure("pieces", async () => {
  let count = 0;
  for await (const _piece of client.ask("hi")) count += 1;
  if (count !== CHUNKS) throw new Error(`${count} pieces`);
});
await measure("text", async () => {
  const { length } = await client.ask("hi").text();
  if (length !== CHUNKS * 5) throw new Error(`${length} letters`);
});
await client.close();

// What neither can go below: the same WebSocket, its messages thrown away. With handlers that are given events, and strings;
// and as `ws` has them.
const isWs = socketOf === "ws" || globalThis.WebSocket === undefined;
const socket = new (isWs ? WebSocket : globalThis.WebSocket)(url);
await new Promise((resolve) => (socket.onopen = resolve));
const thrownAway = (listen) => () =>
  new Promise((resolve) => {
    let left = CHUNKS + 2;
    listen(() => {
      left -= 1;
      if (left === 0) resolve();
    });
    socket.send('{"type":"chat","message":"hi"}');
  });
await measure("socket", thrownAway((take) => (socket.onmessage = take)));
if (isWs) {
  socket.onmessage = null;
  await measure("bytes", thrownAway((take) => socket.removeAllListeners("message").on("message", take)));
}
socket.close();
