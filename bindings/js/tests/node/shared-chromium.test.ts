// The tests that run everywhere, in Chromium.

import { after, test } from "node:test";
import { tests } from "../shared/all.js";
import type { Env, Test } from "../shared/check.js";
import { launch } from "./chromium.js";
import { root, serve, transcripts } from "./env.js";

const fast = await serve("--pace", "0", "--www", `${root}bindings/js`);
const slow = await serve();
const throttling = await serve("--throttle", "0");
const browser = await launch("--js-flags=--expose-gc");
after(async () => {
  await browser.close();
  await Promise.all([fast.end(), slow.end(), throttling.end()]);
});

const origin = new URL(fast.url.replace(/^ws/, "http")).origin;
const page = await browser.newPage();
await page.goto(`${origin}/tests/page.html`);

type Window = { tests: readonly Test[]; env: Env; gc: () => void };

await page.evaluate(
  async ({ env, fetched }) => {
    const window = globalThis as unknown as Window;
    const specifiers = ["chatnio", "/dist-tests/shared/all.js"] as const;
    const { load } = (await import(specifiers[0])) as typeof import("chatnio");
    // The file as it is here, and the text that the package carries in Node.
    await load(fetched);
    window.tests = ((await import(specifiers[1])) as { tests: readonly Test[] }).tests;
    window.env = { ...env, collect: () => window.gc() };
  },
  {
    env: { fast: fast.url, slow: slow.url, throttling: throttling.url, transcripts: transcripts() },
    fetched: `${origin}/dist/chatnio.wasm`,
  },
);

for (const [at, { name }] of tests.entries()) {
  test(name, { timeout: 60_000 }, async () => {
    const failure = await page.evaluate(async (at) => {
      const { tests, env } = globalThis as unknown as Window;
      try {
        await tests[at]?.run(env);
        return undefined;
      } catch (error) {
        return error instanceof Error ? `${error.message}\n${error.stack}` : String(error);
      }
    }, at);
    if (failure !== undefined) throw new Error(failure);
  });
}

test("the module that the package carries loads, too", async () => {
  const other = await browser.newPage();
  await other.goto(`${origin}/tests/page.html`);
  const version = await other.evaluate(async () => {
    const specifier = "chatnio";
    const { load, version } = (await import(specifier)) as typeof import("chatnio");
    await load();
    return version();
  });
  if (!/^\d/.test(version)) throw new Error(version);
});
