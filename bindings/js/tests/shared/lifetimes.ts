// Handles: freed when they are disposed of, or forgotten; many at once; and a module that has failed.

import { load, Session, Transcript } from "chatnio";
import { dispose } from "../../dist/dispose.js";
import type { Exports } from "../../dist/abi.js";
import type { Library } from "../../dist/library.js";
import { library } from "../../dist/load.js";
import { Loader } from "../../dist/loader.js";
import { type Env, equal, ok, pause, type Test, throws } from "./check.js";

/** The size of the module's memory, which never shrinks. */
function memory(): number {
  return library().call((exports) => exports.memory.buffer.byteLength);
}

/** An instance of its own, whose memory may grow. */
async function another(): Promise<Library> {
  const loader = new Loader<Exports>(() => import("../../dist/inline.js"), "");
  await loader.load();
  return loader.library;
}

/** A session that holds 64 KiB of an answer. */
function heavy(): Session {
  const session = new Session({}, 0);
  session.request({ type: "chat", message: "hi" }, 0);
  while (session.nextMessage() !== undefined);
  session.receive(`{"message":"${"x".repeat(64 * 1024)}","quota":0,"end":false}`, 0);
  return session;
}

/** How many are made one after the other: 256 MiB, if none was freed. */
const MANY = 4096;

/** What may be alive of them. */
const ROOM = 64 * 1024 * 1024;

async function forgetting(env: Env): Promise<void> {
  for (let batch = 0; batch < MANY / 64; batch += 1) {
    for (let number = 0; number < 64; number += 1) heavy();
    env.collect();
    // Finalizers run between tasks.
    await pause();
  }
}

export const tests: Test[] = [
  {
    name: "what is disposed of is freed at once",
    run() {
      heavy()[dispose]();
      const before = memory();
      for (let number = 0; number < MANY; number += 1) heavy()[dispose]();
      ok(memory() - before < 1024 * 1024, `the memory has grown from ${before} to ${memory()}`);
      const session = new Session();
      session[dispose]();
      session[dispose]();
      throws("CHATNIO_INVALID", () => session.state);
    },
  },
  {
    name: "what is forgotten is freed by and by",
    async run(env) {
      const before = memory();
      await forgetting(env);
      ok(memory() - before < ROOM, `the memory has grown from ${before} to ${memory()}`);
    },
  },
  {
    name: "a thousand sessions side by side keep their texts apart",
    run() {
      const sessions = Array.from({ length: 1000 }, () => {
        const session = new Session({}, 0);
        session.request({ type: "chat", message: "hi" }, 0);
        while (session.nextMessage() !== undefined);
        return session;
      });
      for (let piece = 0; piece < 3; piece += 1) {
        for (const [number, session] of sessions.entries()) {
          const event = session.receive(`{"message":"${number}.${piece};","quota":0,"end":false}`, piece);
          equal("text" in event && event.text, `${number}.${piece};`);
        }
      }
      for (const [number, session] of sessions.entries()) {
        const event = session.receive('{"message":"","quota":0,"end":true}', 3);
        ok(event.kind === "end", event.kind);
        equal(event.answer.text, `${number}.0;${number}.1;${number}.2;`);
        session[dispose]();
      }
    },
  },
  {
    name: "memory that grows while a call runs is no other",
    run() {
      const session = new Session({ maxMessage: 0, maxAnswer: 0 }, 0);
      session.request({ type: "chat", message: "hi" }, 0);
      while (session.nextMessage() !== undefined);
      // Room for the message is made before, and for its text while it is taken in.
      const event = session.receive(`{"message":"${"\u00fc".repeat(8 << 20)}","quota":0,"end":false}`, 0);
      ok(event.kind === "delta" && event.text.length === 8 << 20 && event.text.endsWith("\u00fc"), "it has come whole");
      session[dispose]();
    },
  },
  {
    name: "a long text takes the memory that it needs, and no more",
    async run() {
      const large = await another();
      equal(large.write("x".repeat(32 << 20)), 32 << 20);
      const size = large.call((exports) => exports.memory.buffer.byteLength);
      ok(size < 40 << 20, `the memory has grown to ${size}`);
      equal(large.write("\u00fc".repeat(1 << 20)), 2 << 20);
      equal(large.write("\ufffd".repeat(1 << 20)), 3 << 20);
      throws("CHATNIO_NOT_UTF8", () => large.write("\ud83d".repeat(1 << 20)));
    },
  },
  {
    name: "the upper half of a memory is as good as the lower",
    async run() {
      const large = await another();
      // Not touched, and so no memory of the machine's.
      for (let number = 0; number < 2; number += 1) large.allocate(2 ** 30);
      large.reserve(2 ** 20);
      ok(large.input > 2 ** 31, String(large.input));
      large.write("text");
      equal(large.call((exports) => new Uint8Array(exports.memory.buffer)[large.input + 3]), "t".charCodeAt(0));
    },
  },
  {
    name: "a module that has failed is told, and made anew",
    async run() {
      const old = new Session({}, 0);
      const transcript = new Transcript("");
      const loaded = library();
      const error = throws("CHATNIO_PANIC", () => loaded.call((exports) => exports.chatnio_session_state(0xffff_fff0, 8)));
      ok(error.isFatal && error.cause instanceof WebAssembly.RuntimeError, String(error.cause));
      throws("CHATNIO_PANIC", () => old.state);
      throws("CHATNIO_PANIC", () => transcript.text);
      throws("CHATNIO_PANIC", () => new Session());
      await load();
      equal(new Session({}, 0).state, "idle");
      throws("CHATNIO_PANIC", () => old.state);
      old[dispose]();
    },
  },
];
