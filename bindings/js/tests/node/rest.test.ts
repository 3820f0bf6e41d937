// The companion calls over Node's `fetch` and real sockets, and what is said of them in other languages.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { AnswerError, ChatNioError, type Answer } from "chatnio";
import { type Call, CallError, conversations, deleteConversation, quota, RestClient } from "chatnio/rest";
import { Interruption, Outcome, Status } from "../../dist/abi.js";
import { retryWait } from "../../dist/rest/retry.js";
import { faults } from "../shared/rest.js";
import { root } from "./env.js";

/** A server that says this on each connection, and ends it; nothing: never. */
async function saying(answer: string | undefined): Promise<{ url: string; connections: () => number; end: () => Promise<void> }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    if (answer !== undefined) socket.once("data", () => socket.end(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => sockets.length,
    async end() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

async function failing(answer: string | undefined, call: Call<unknown> = quota(), options = {}): Promise<[ChatNioError, number]> {
  const server = await saying(answer);
  const error = await new RestClient(server.url, { token: "sk-of-the-test", ...options }).call(call).catch((error: unknown) => error);
  await server.end();
  assert.ok(error instanceof ChatNioError, String(error));
  assert.ok(!error.message.includes("sk-of-the-test"), error.message);
  return [error, server.connections()];
}

test("what goes wrong on the way", { timeout: 60_000 }, async () => {
  for (const [answer, code] of [
    ["HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "CHATNIO_IO"],
    ["", "CHATNIO_CONNECT"],
    ["SSH-2.0-OpenSSH\r\n", "CHATNIO_CONNECT"],
    ["HTTP/1.1 429 x\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", "CHATNIO_REST_HTTP"],
  ] as const) {
    const [error] = await failing(answer);
    assert.equal(error.code, code, error.message);
    assert.equal(error.isRetryable, true);
    assert.equal(error.retryAfter, code === "CHATNIO_REST_HTTP" ? 7000 : undefined);
    assert.equal(error instanceof CallError ? error.httpStatus : undefined, code === "CHATNIO_REST_HTTP" ? 429 : undefined);
  }
});

test("nobody answers, and nobody listens", { timeout: 60_000 }, async () => {
  const [late] = await failing(undefined, quota(), { timeout: 50 });
  assert.equal(late.code, "CHATNIO_UNRESPONSIVE");
  // Port 2 is nobody's. One that was free a moment ago may be another test's by now; and to 1, `fetch` connects never.
  await assert.rejects(new RestClient("ws://127.0.0.1:2").call(quota()), { code: "CHATNIO_CONNECT", message: /ECONNREFUSED/ });
});

test("a redirect is not followed with the key", { timeout: 60_000 }, async () => {
  const other = await saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  const location = other.url.replace("ws:", "http:");
  const [error] = await failing(`HTTP/1.1 307 x\r\nLocation: ${location}/quota\r\nContent-Length: 0\r\n\r\n`);
  assert.equal(error.code, "CHATNIO_REST_HTTP");
  assert.match(error.message, /307.*not followed/);
  await other.end();
  assert.equal(other.connections(), 0);
});

test("a delete is sent once, whatever becomes of it", { timeout: 60_000 }, async () => {
  const [, deletes] = await failing("", deleteConversation(1), { retries: 3 });
  assert.equal(deletes, 1);
  const [, lists] = await failing("", conversations(), { retries: 1 });
  assert.equal(lists, 2);
});

test("the faults are all that the loopback server has for the calls", () => {
  const kinds = /^pub enum Fault \{(.*?)^\}/ms.exec(readFileSync(`${root}loopback/src/rest/mod.rs`, "utf8"))?.[1] ?? "";
  const names = [...kinds.matchAll(/^ {4}(\w+),$/gm)].map(([, name = ""]) => name.replace(/(?<=.)[A-Z]/g, (letter) => `-${letter}`).toLowerCase());
  assert.ok(names.length >= 6);
  assert.deepEqual(names.sort(), Object.keys(faults).sort());
});

test("what may be tried again is so in the other languages, too", () => {
  const c = readFileSync(`${root}ffi/src/status.rs`, "utf8");
  const list = /const AGAIN: .*? = \[(.*?)\];/s.exec(c)?.[1] ?? "";
  const retryable = [...list.matchAll(/CHATNIO_\w+/g)].map(([name]) => name);
  assert.ok(retryable.length > 10);
  const found = (Object.keys(Status) as (keyof typeof Status)[]).filter((code) => new ChatNioError(code, "").isRetryable);
  assert.deepEqual(found.sort(), retryable.sort());
  assert.equal(new ChatNioError("CHATNIO_UNKNOWN", "").isRetryable, false);
  // The interruptions that are not, which the others ask the core about.
  const rust = readFileSync(`${root}core/src/answer.rs`, "utf8");
  const never = [...(/=> true,\n([^>]*?)=> false/.exec(rust)?.[1] ?? "").matchAll(/Self::(\w+)/g)].map(([, name = ""]) =>
    name.replace(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase(),
  );
  assert.ok(never.length > 2);
  const of = (outcome: string, interruption: string): boolean => new AnswerError({ outcome, interruption } as Answer).isRetryable;
  for (const interruption of Object.keys(Interruption)) {
    assert.equal(of("interrupted", interruption), !never.includes(interruption), interruption);
  }
  for (const outcome of Object.keys(Outcome)) assert.equal(of(outcome, "connection-lost"), outcome === "interrupted");
});

test("a number of retries that cannot be is refused", () => {
  for (const retries of [-1, 0.5, NaN]) {
    assert.throws(() => new RestClient("wss://h", { retries }), { code: "CHATNIO_INVALID", message: /^retries must be/ });
  }
});

test("the waits are those of the other languages", () => {
  const rust = readFileSync(`${root}core/src/retry.rs`, "utf8");
  const ms = (name: string): number => {
    const [, unit, number] = new RegExp(`const ${name}: Duration = Duration::from_(millis|secs)\\((\\d+)\\)`).exec(rust) ?? [];
    return Number(number) * (unit === "secs" ? 1000 : 1);
  };
  const throttled = new ChatNioError("CHATNIO_REST_THROTTLED", "");
  const lost = new ChatNioError("CHATNIO_IO", "");
  assert.equal(retryWait(throttled, 0, Infinity, 0), ms("AFTER_THROTTLING"));
  const http = (status: number): CallError => new CallError("CHATNIO_REST_HTTP", "", undefined, true, undefined, status);
  assert.equal(retryWait(http(429), 0, Infinity, 0), ms("AFTER_THROTTLING"));
  assert.equal(retryWait(http(503), 0, Infinity, 0), ms("FIRST"));
  assert.equal(retryWait(lost, 0, Infinity, 0), ms("FIRST"));
  assert.equal(retryWait(lost, 2, Infinity, 0), 4 * ms("FIRST"));
  assert.equal(retryWait(lost, 50, Infinity, 0), ms("LONGEST"));
  assert.equal(retryWait(lost, 0, Infinity, 1), 1.5 * ms("FIRST"));
  assert.equal(retryWait(lost, 0, 600, 1), ms("FIRST"), "the jitter alone is no reason to give up");
  assert.equal(retryWait(lost, 0, 500, 0), undefined);
  const asked = (retryAfter: number, left: number): number | undefined =>
    retryWait(new ChatNioError("CHATNIO_REST_HTTP", "", { retryAfter }), 0, left, 0);
  assert.equal(asked(30_000, 29_000), undefined);
  assert.equal(asked(ms("LONGEST_ASKED"), Infinity), ms("LONGEST_ASKED"));
  assert.equal(asked(ms("LONGEST_ASKED") + 1, Infinity), undefined);
});
