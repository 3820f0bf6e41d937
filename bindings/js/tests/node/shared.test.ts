// The tests that run everywhere, in Node.

import { after, test } from "node:test";
import { load } from "chatnio";
import { tests } from "../shared/all.js";
import { serve, transcripts } from "./env.js";

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
  collect: () => void collect(),
};

await load();
for (const { name, run } of tests) test(name, { timeout: 60_000 }, () => run(env));
