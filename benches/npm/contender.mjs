// The official package of npm over a firehose: `contender.mjs URL QUESTION CHUNKS`.
//
// It works on one batch for each line of its input, and writes what that took as a line of JSON.
import { createInterface } from "node:readline";
import chatnio from "chatnio";
import { WebSocket } from "ws";

// It is written for browsers.
globalThis.WebSocket = WebSocket;

const [url, question, chunks] = process.argv.slice(2);
const count = Number(chunks);
// It appends the path, and makes wss of what begins with https.
chatnio.setEndpoint(url.replace(/^ws/, "http").replace(/\/chat$/, ""));
const chat = new chatnio.Chat();
await new Promise((resolve) => chat.connection.addEventListener("open", resolve));

/** One question, as its documentation has it. */
function ask() {
  return new Promise((resolve) => {
    let seen = 0;
    chat.askStream({ message: question }, (chunk) => {
      seen += 1;
      if (chunk.end) resolve(seen);
    });
  });
}

for await (const _line of createInterface({ input: process.stdin })) {
  const [cpu, began] = [process.cpuUsage(), process.hrtime.bigint()];
  const seen = await ask();
  const elapsed = Number(process.hrtime.bigint() - began);
  const { user, system } = process.cpuUsage(cpu);
  // It hands out the opener and the end, too.
  if (seen !== count + 2) throw new Error(`${seen} of ${count} chunks`);
  console.log(JSON.stringify({ cpu: (user + system) * 1000, elapsed, chunks: count }));
}
process.exit(0);
