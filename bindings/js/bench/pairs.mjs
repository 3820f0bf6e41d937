// Measures this package and the official one in turns, in one process: `pairs.mjs URL ws|own`.

import { Client, load, Session } from "../dist/index.js";
import official from "chatnio-official";
import { WebSocket } from "ws";
import { CHUNKS, chunks, measure, opener } from "./answer.mjs";

const [, , url, socketOf] = process.argv;
const check = (seen, wanted) => {
  if (seen !== wanted) throw new Error(`${seen} instead of ${wanted}`);
};

// The official package takes the global one, and `Client` by itself, too.
if (socketOf === "ws") globalThis.WebSocket = WebSocket;
official.setEndpoint(url.replace(/^ws/, "http"));
official.setKey("sk-any");
const chat = new official.Chat();
await load();
const client = await Client.connect(url, { token: "sk-any" });

await measure({
  "JSON.parse"() {
    let length = 0;
    for (const text of chunks) length += JSON.parse(text).message.length;
    check(length, CHUNKS * 5);
  },
  Session() {
    const session = new Session({}, 0);
    session.request({ type: "chat", message: "hi" }, 0);
    while (session.nextMessage() !== undefined);
    session.receive(opener, 0);
    let length = 0;
    for (const text of chunks) length += session.receive(text, 1).text.length;
    check(length, CHUNKS * 5);
    session.closed("host");
  },
});
await measure({
  async stream() {
    let count = 0;
    await new Promise((resolve) => {
      chat.askStream({ message: "hi" }, ({ end }) => {
        count += 1;
        if (end) resolve();
      });
    });
    // It hands out the opener and the end, too.
    check(count, CHUNKS + 2);
  },
  async pieces() {
    let count = 0;
    for await (const _piece of client.ask("hi")) count += 1;
    check(count, CHUNKS);
  },
});
await measure({
  async whole() {
    const { message } = await chat.ask({ message: "hi" });
    check(message.length, CHUNKS * 5);
  },
  async text() {
    check((await client.ask("hi").text()).length, CHUNKS * 5);
  },
});
await client.close();

// What neither can go below without reading past it: the same WebSocket, its messages thrown away.
const socket = new globalThis.WebSocket(url);
await new Promise((resolve) => (socket.onopen = resolve));
await measure({
  socket() {
    let left = CHUNKS + 2;
    return new Promise((resolve) => {
      socket.onmessage = () => {
        left -= 1;
        if (left === 0) resolve();
      };
      socket.send('{"type":"chat","message":"hi"}');
    });
  },
});
process.exit();
