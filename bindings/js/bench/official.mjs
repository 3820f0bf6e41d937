// Measures the official package: `official.mjs URL ws|own`.

import official from "chatnio-official";
import { WebSocket } from "ws";
import { CHUNKS, chunks, measure } from "./answer.mjs";

const parsed = () => {
  let length = 0;
  for (const text of chunks) length += JSON.parse(text).message.length;
  if (length !== CHUNKS * 5) throw new Error("not all was read");
};
await measure("JSON.parse", parsed);

// It expects a browser's.
if (process.argv[3] === "ws") globalThis.WebSocket = WebSocket;
globalThis.WebSocket ??= WebSocket;
official.setEndpoint(process.argv[2].replace(/^ws/, "http"));
official.setKey("sk-any");
const chat = new official.Chat();
await measure("stream", () => {
  let count = 0;
  return new Promise((resolve) => {
    chat.askStream({ message: "hi" }, ({ end }) => {
      count += 1;
      // It hands out the opener and the end, too.
      if (end) resolve(count === CHUNKS + 2 ? undefined : Promise.reject(new Error(`${count} pieces`)));
    });
  });
});
await measure("whole", async () => {
  const { message } = await chat.ask({ message: "hi" });
  if (message.length !== CHUNKS * 5) throw new Error(`${message.length} letters`);
});
process.exit();
