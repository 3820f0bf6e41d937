// The tests that run everywhere, in Node.

import { after, test } from "node:test";
import { load } from "chatnio";
import { tests } from "../shared/all.js";
import { faults } from "../shared/rest.js";
import { answers, serve, transcripts } from "./env.js";

const fast = await serve("--pace", "0");
const slow = await serve();
const throttling = await serve("--throttle", "0");
after(() => Promise.all([fast.end(), slow.end(), throttling.end()]));

const collect = globalThis.gc;
if (collect === undefined) throw new Error("run node with --expose-gc");
const env = {
  fast: fast.url,
  slow: slow.url,
  throttling: throttling.url,
  transcripts: transcripts(),
  answers: answers(),
  collect: () => void collect(),
};

await load();
for (const { name, run } of tests) test(name, { timeout: 60_000 }, () => run(env));

for (const [fault, run] of Object.entries(faults)) {
  test(`the companion calls of a server that is ${fault}`, { timeout: 60_000 }, async () => {
    const server = await serve("--fault", fault);
    await run(server.url).finally(server.end);
  });
}
