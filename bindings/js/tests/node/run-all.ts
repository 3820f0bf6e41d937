// Runs the tests that run everywhere without a test runner: for Deno and Bun. See ../../test-runtimes.

import { load, version } from "chatnio";
import { tests } from "../shared/all.js";
import { serve, transcripts } from "./env.js";

const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(force: boolean): void } };
const collect = Bun ? () => Bun.gc(true) : gc;
if (collect === undefined) throw new Error("there is no way to collect garbage");

const servers = [await serve("--pace", "0"), await serve(), await serve("--throttle", "0")] as const;
const [fast, slow, throttling] = servers.map(({ url }) => url) as [string, string, string];
await load();
let failed = 0;
for (const { name, run } of tests) {
  try {
    await run({ fast, slow, throttling, transcripts: transcripts(), collect });
  } catch (error) {
    failed += 1;
    console.error(`FAILED: ${name}\n${error instanceof Error ? error.stack : error}`);
  }
}
await Promise.all(servers.map((server) => server.end()));
console.log(`${tests.length - failed} of ${tests.length} tests passed, with the module ${version()}`);
process.exit(failed > 0 ? 1 : 0);
