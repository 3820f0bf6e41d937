// The tests that run everywhere, in Chromium.

import { after, test } from "node:test";
import { tests } from "../shared/all.js";
import type { Env, Test } from "../shared/check.js";
import { launch } from "./chromium.js";
import { faults } from "../shared/rest.js";
import { answers, root, serve, transcripts } from "./env.js";

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
    const specifiers = ["chatnio", "chatnio/rest", "/dist-tests/shared/all.js"] as const;
    const { load } = (await import(specifiers[0])) as typeof import("chatnio");
    const rest = (await import(specifiers[1])) as typeof import("chatnio/rest");
    // The files as they are here, and the texts that the package carries in Node.
    await Promise.all([load(`${fetched}/chatnio.wasm`), rest.load(`${fetched}/rest.wasm`)]);
    window.tests = ((await import(specifiers[2])) as { tests: readonly Test[] }).tests;
    window.env = { ...env, collect: () => window.gc() };
  },
  {
    env: { fast: fast.url, slow: slow.url, throttling: throttling.url, transcripts: transcripts(), answers: answers() },
    fetched: `${origin}/dist`,
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

// A page may call only its own server: each has the page, too.
for (const fault of Object.keys(faults)) {
  test(`the companion calls of a server that is ${fault}`, { timeout: 60_000 }, async () => {
    const server = await serve("--fault", fault, "--www", `${root}bindings/js`);
    const page = await browser.newPage();
    try {
      await page.goto(`${new URL(server.url.replace(/^ws/, "http")).origin}/tests/page.html`);
      await page.evaluate(
        async ({ fault, url }) => {
          const specifier = "/dist-tests/shared/rest.js";
          const { faults } = (await import(specifier)) as typeof import("../shared/rest.js");
          await faults[fault]?.(url);
        },
        { fault, url: server.url },
      );
    } finally {
      await page.close();
      await server.end();
    }
  });
}
