// Measures this package: `ours.mjs URL`.

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

globalThis.WebSocket ??= WebSocket;
const client = await Client.connect(process.argv[2], { token: "sk-any" });
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

// What neither can go below: the same WebSocket, its messages thrown away.
const socket = new WebSocket(process.argv[2]);
await new Promise((resolve) => socket.on("open", resolve));
await measure("ws", () =>
  new Promise((resolve) => {
    let left = CHUNKS + 2;
    socket.onmessage = () => {
      left -= 1;
      if (left === 0) resolve();
    };
    socket.send('{"type":"chat","message":"hi"}');
  }),
);
socket.close();
