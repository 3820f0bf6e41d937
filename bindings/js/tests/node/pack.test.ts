// What npm packs is enough: a fresh project installs it, chats, runs the examples, compiles against its types, and is
// bundled.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { root, serve } from "./env.js";

const run = promisify(execFile);
const here = `${root}bindings/js`;
const fresh = `${root}target/js/fresh`;
rmSync(fresh, { recursive: true, force: true });
mkdirSync(fresh, { recursive: true });
const slow = await serve();
after(() => slow.end());

const env = { ...process.env, CHATNIO_URL: slow.url, CHATNIO_TOKEN: "sk-0123456789abcdef" };

test("it is packed whole, and installed", { timeout: 120_000 }, async () => {
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", fresh], { cwd: here });
  const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  const files = packed?.files.map(({ path }) => path) ?? [];
  const modules = ["dist/inline.js", "dist/chatnio.wasm", "dist/rest/inline.js", "dist/rest.wasm"];
  for (const name of ["dist/index.js", "dist/index.d.ts", "dist/testing.js", "dist/rest/index.js", "dist/rest/index.d.ts", "README.md", "LICENSE-MIT", ...modules]) {
    assert.ok(files.includes(name), `${name} is packed`);
  }
  assert.ok(!files.some((name) => name.startsWith("src/") || name.startsWith("tests/")), files.join());
  writeFileSync(`${fresh}/package.json`, '{"type":"module","private":true}');
  const ws = `file:${here}/node_modules/ws`;
  await run("npm", ["install", "--no-audit", "--no-fund", "--install-links", `./${packed?.filename}`, ws], { cwd: fresh });
  for (const name of readdirSync(`${root}examples/js`).filter((name) => name.endsWith(".mjs"))) {
    cpSync(`${root}examples/js/${name}`, `${fresh}/${name}`);
  }
});

test("the command line asks, and Ctrl-C stops it", { timeout: 60_000 }, async () => {
  const { stdout, stderr } = await run("node", ["ask.mjs", "hi"], { cwd: fresh, env: { ...env, CHATNIO_MODEL: "hello" } });
  assert.equal(stdout, "Hello! How can I help?");
  assert.match(stderr, /^\ncost: [\d.]+\n$/);
  const child = spawn("node", ["ask.mjs", "tell me"], { cwd: fresh, env: { ...env, CHATNIO_MODEL: "slow" } });
  let said = "";
  child.stderr.on("data", (data) => {
    said += data;
  });
  await once(child.stdout, "data");
  child.kill("SIGINT");
  assert.deepEqual((await once(child, "exit"))[0], 1);
  assert.equal(said, "interrupted\n");
  await assert.rejects(run("node", ["ask.mjs", "hi"], { cwd: fresh, env: { ...env, CHATNIO_MODEL: "notice" } }), { code: 3 });
});

test("stored conversations are listed, and one of them is continued", { timeout: 60_000 }, async () => {
  const mine = { ...env, CHATNIO_TOKEN: `sk-${Date.now()}`, CHATNIO_MODEL: "hello" };
  const go = (name: string, ...given: string[]): ReturnType<typeof run> => run("node", [name, ...given], { cwd: fresh, env: mine });
  await go("ask.mjs", "hi");
  const { stdout: listed } = await go("continue.mjs");
  const [, id = ""] = /^quota: 500\n(\d+): hi\n$/.exec(String(listed)) ?? [];
  assert.notEqual(id, "", String(listed));
  const { stdout, stderr } = await go("continue.mjs", id, "and now?");
  assert.equal(stdout, "Hello! How can I help?\n");
  assert.equal(stderr, "hi, 2 messages so far\n");
  assert.equal((await go("continue.mjs", id, "again")).stderr, "hi, 4 messages so far\n");
  await assert.rejects(go("continue.mjs", "77", "hi"), { code: 1, stderr: /conversation not found/ });
});

/** The files of the package that a file of it imports, and they do, sooner or later. */
function reached(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, other = ""] of readFileSync(`${here}/dist/${file}`, "utf8").matchAll(/(?:from |import\()"(\.[^"]*)"/g)) {
    reached(join(dirname(file), other), found);
  }
  return found;
}

test("who imports one half gets nothing of the other", () => {
  const [chat, rest] = [reached("index.js"), reached("rest/index.js")];
  assert.ok(chat.has("inline.js") && rest.has("rest/inline.js"));
  assert.deepEqual([...chat].filter((file) => file.startsWith("rest/")), []);
  for (const file of ["inline.js", "load.js", "session.js", "client.js"]) assert.ok(!rest.has(file), file);
});

test("the relay streams events, and a browser that leaves stops the answer", { timeout: 60_000 }, async (context) => {
  const child = spawn("node", ["relay.mjs", "0"], { cwd: fresh, env, stdio: ["ignore", "pipe", "pipe"] });
  context.after(() => child.kill());
  const [url] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const whole = await (await fetch(`${url}/ask?question=hi&model=hello`)).text();
  assert.match(whole, /^id: asked\n\nevent: piece\ndata: "/);
  assert.match(whole, /event: end\ndata: \{"cost":"[\d.]+"\}\n\n$/);
  const again = await fetch(`${url}/ask?question=hi&model=hello`, { headers: { "Last-Event-ID": "asked" } });
  assert.equal(again.status, 204, "who comes again by itself asks nothing");
  const foreign = await fetch(`${url}/ask?question=hi&model=hello`, { headers: { "Sec-Fetch-Site": "cross-site" } });
  assert.equal(foreign.status, 403, "nor does another site's page");
  assert.equal((await fetch(`${url}//`)).status, 404, "and what is no URL ends nothing");
  const said = createInterface({ input: child.stderr })[Symbol.asyncIterator]();
  const response = await fetch(`${url}/ask?question=hi&model=slow`);
  const reader = response.body!.getReader();
  let read = "";
  while (!read.includes("piece")) read += Buffer.from((await reader.read()).value ?? []).toString();
  await reader.cancel();
  assert.equal((await said.next()).value, "the browser has left");
  assert.match((await said.next()).value ?? "", /^stopped; cost: [\d.]+$/);
});

test("the bot's unit tests pass", { timeout: 60_000 }, async () => {
  const { NODE_TEST_CONTEXT: _, ...plain } = env as Record<string, string>;
  const { stdout } = await run("node", ["--test", "--test-reporter=tap", "bot.test.mjs"], { cwd: fresh, env: plain });
  assert.match(stdout, /# pass 2\n# fail 0/);
});

test("its types are strict", { timeout: 60_000 }, async () => {
  writeFileSync(
    `${fresh}/types.ts`,
    `import { Client, type Event, type Answer, ChatNioError } from "chatnio";
import { type Call, CallError, conversations, deleteConversation, load, RestClient, type StoredConversation } from "chatnio/rest";
import { transcriptWebSocket } from "chatnio/testing";
await load();
const server = new RestClient("ws://h", { token: "sk-", retries: 2, timeout: 1000 });
const stored: readonly StoredConversation[] = await server.call(conversations(), { signal: new AbortController().signal });
const deletion: Call<void> = deleteConversation(stored[0]?.id ?? 1n);
const words: string | undefined = new Error() instanceof CallError ? deletion.name : undefined;
// @ts-expect-error
server.call(conversations(5));
const client: Client = await Client.connect("ws://h", { token: undefined, WebSocket: transcriptWebSocket("") });
for await (const piece of client.ask("hi", { model: "m", signal: new AbortController().signal })) piece.toUpperCase();
await using other = await Client.connect("ws://h");
function said(event: Event): string | Answer {
  switch (event.kind) {
    case "delta": return event.text;
    case "end": return event.answer;
    default: return event.kind;
  }
}
const code: ChatNioError["code"] = "CHATNIO_BUSY";
// @ts-expect-error
const wrong: ChatNioError["code"] = "BUSY";
// @ts-expect-error
client.ask("hi", { temprature: 1 });
// @ts-expect-error
client.send({ type: "chat", message: "x" });
export { said, code, wrong, other, words };
`,
  );
  const options = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--module", "nodenext", "--target", "es2022"];
  // A page has no types of Node, and Node none of a page. Neither need know of `using`.
  const page = ["--lib", "es2022,dom", "--types", ""];
  const node = ["--lib", "es2022", "--typeRoots", `${here}/node_modules/@types`, "--types", "node"];
  for (const where of [page, node]) {
    await run(`${here}/node_modules/.bin/tsc`, [...options, ...where, "types.ts"], { cwd: fresh }).catch((error: { stdout: string }) => {
      assert.fail(error.stdout);
    });
  }
});

test("the main page's program runs as it stands there", { timeout: 60_000 }, async () => {
  const program = /^```js\n(.*?)^```$/ms.exec(readFileSync(`${root}README.md`, "utf8"))?.[1] ?? "";
  // It asks a server of the reader's, which listens there.
  assert.ok(program.includes("ws://127.0.0.1:8094"));
  writeFileSync(`${fresh}/readme.mjs`, program.replaceAll("ws://127.0.0.1:8094", slow.url));
  const { stdout } = await run("node", ["readme.mjs"], { cwd: fresh, env });
  assert.match(stdout, /^Hello! This is the loopback server.*\n$/s);
});
