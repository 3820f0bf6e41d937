// Runs the tests that run everywhere without a test runner: for Deno and Bun. See ../../test-runtimes.

import { load, version } from "chatnio";
import { tests } from "../shared/all.js";
import { faults } from "../shared/rest.js";
import { answers, serve, transcripts } from "./env.js";

const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };
const collect = Bun ? () => Bun.gc(true) : gc;
if (collect === undefined) throw new Error("there is no way to collect garbage");

const servers = [await serve("--pace", "0"), await serve(), await serve("--throttle", "0")] as const;
const [fast, slow, throttling] = servers.map(({ url }) => url) as [string, string, string];
await load();
let failed = 0;
const faulty = Object.entries(faults).map(([fault, run]) => ({
  name: `the companion calls of a server that is ${fault}`,
  async run() {
    const server = await serve("--fault", fault);
    await run(server.url).finally(server.end);
  },
}));
const all = [...faulty, ...tests];
for (const { name, run } of all) {
  try {
    await run({ fast, slow, throttling, transcripts: transcripts(), answers: answers(), collect });
  } catch (error) {
    failed += 1;
    console.error(`FAILED: ${name}\n${error instanceof Error ? error.stack : error}`);
  }
}
await Promise.all(servers.map((server) => server.end()));
console.log(`${all.length - failed} of ${all.length} tests passed, with the module ${version()}`);
process.exit(failed > 0 ? 1 : 0);
