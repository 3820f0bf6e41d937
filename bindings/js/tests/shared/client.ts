// Clients, over the platform's WebSocket against the loopback server, and over WebSockets that do what a test says.

import { ChatNioError, Client, type ClientOptions, type Event, type TurnEvent } from "chatnio";
import { asyncDispose } from "../../dist/dispose.js";
import { equal, failure, ofAnswer, ok, pause, rejects, type Test, until } from "./check.js";
import { withClock } from "./clock.js";
import { Puppet } from "./puppet.js";

const token = "sk-0123456789abcdef";

/** A client for the time of a test. */
async function using(url: string, options: ClientOptions, body: (client: Client) => Promise<void>): Promise<void> {
  const client = await Client.connect(url, { token, ...options });
  try {
    await body(client);
  } finally {
    await client.close();
  }
}

/** One like those of `ws`, which gives texts as bytes. */
class Bytes extends Puppet {
  readonly binaryType = "nodebuffer";
  #listener: ((data: unknown, isBinary: boolean | undefined) => void) | undefined;

  on(_event: "message", listener: (data: unknown, isBinary?: boolean) => void): void {
    this.#listener = listener;
  }

  gives(data: Uint8Array | string, isBinary: boolean | undefined): void {
    this.#listener?.(data, isBinary);
  }

  override says(message: object): void {
    this.gives(new TextEncoder().encode(JSON.stringify({ quota: 0, end: false, ...message })), false);
  }
}

/** The error of a connection that cannot be made: some platforms wait for the rest of a refusal. */
async function refusal(promise: Promise<unknown>): Promise<ChatNioError> {
  const error = await failure(promise);
  if (!(error instanceof ChatNioError)) throw error;
  ok(error.code === "CHATNIO_CONNECT" || error.code === "CHATNIO_CONNECT_TIMEOUT", error.code);
  return error;
}

export const tests: Test[] = [
  {
    name: "pieces, text, events and the whole answer",
    async run({ fast }) {
      await using(fast, {}, async (client) => {
        const pieces: string[] = [];
        for await (const piece of client.ask("hi", { model: "hello" })) pieces.push(piece);
        equal(pieces.join(""), "Hello! How can I help?");
        ok(pieces.length > 1 && !pieces.includes(""), "they come one by one");
        equal(await client.ask("hi", { model: "hello" }).text(), "Hello! How can I help?");
        const kinds: string[] = [];
        const answer = client.ask({ type: "chat", message: "hi", model: "hello" });
        for await (const event of answer.events()) kinds.push(event.kind);
        equal([kinds[0], kinds[1], kinds.at(-1)], ["opened", "delta", "end"]);
        equal((await answer.result()).outcome, "complete");
        equal((await client.restart({ model: "hello" }).result()).request, "restart");
        ok((await client.ask("hi", { model: "unicode" }).text()).length > 5, "all kinds of text");
        equal((await client.ask("hi", { model: "long-2000" }).result()).chunks, 2000);
      });
    },
  },
  {
    name: "leaving the loop stops the answer, and the next question is asked",
    async run({ slow }) {
      await using(slow, { record: true }, async (client) => {
        const answer = client.ask("tell me", { model: "slow" });
        for await (const piece of answer) {
          ok(piece, "a piece");
          break;
        }
        const next = client.ask("hi", { model: "hello" });
        equal((await answer.result()).outcome, "stopped");
        equal(await next.text(), "Hello! How can I help?");
        ok(client.transcript?.text.includes('> SEND {"type":"stop"}'), "the stop was sent");
      });
    },
  },
  {
    name: "an error in the loop stops the answer",
    async run({ slow }) {
      await using(slow, {}, async (client) => {
        const answer = client.ask("tell me", { model: "slow" });
        const thrown = await failure(
          (async () => {
            for await (const piece of answer) throw new Error(`enough after ${piece.length > 0}`);
          })(),
        );
        equal((thrown as Error).message, "enough after true");
        equal((await answer.result()).outcome, "stopped");
      });
    },
  },
  {
    name: "aborting the signal stops the answer, and tells its reason",
    async run({ slow }) {
      await using(slow, {}, async (client) => {
        const control = new AbortController();
        const answer = client.ask("tell me", { model: "slow", signal: control.signal });
        let pieces = 0;
        const thrown = await failure(
          (async () => {
            for await (const piece of answer) {
              pieces += piece.length;
              control.abort(new Error("no more"));
            }
          })(),
        );
        equal((thrown as Error).message, "no more");
        ok(pieces > 0, "there were some");
        equal((await answer.result()).outcome, "stopped");
        equal(((await failure(answer.text())) as Error).message, "no more");
        // Before it is asked, and while another runs.
        equal(((await failure(client.ask("x", { signal: control.signal }).text())) as Error).message, "no more");
        const first = client.ask("tell me", { model: "slow" });
        const later = new AbortController();
        const waiting = client.ask("never", { signal: later.signal });
        later.abort(new Error("changed my mind"));
        equal(((await failure(waiting.result())) as Error).message, "changed my mind");
        ok(first.stop(), "it is stopped");
        equal(first.stop(), false);
        equal((await first.result()).outcome, "stopped");
        equal(first.stop(), false);
      });
    },
  },
  {
    name: "stop() ends the answer with what has come, and one that waits is never asked",
    async run({ slow }) {
      await using(slow, {}, async (client) => {
        equal(client.stop(), false);
        const answer = client.ask("tell me", { model: "slow" });
        const waiting = client.ask("never", { model: "slow" });
        let text = "";
        for await (const piece of answer) {
          if (text === "") {
            ok(client.stop(), "it runs");
            ok(waiting.stop(), "it waits");
          }
          text += piece;
        }
        equal(await answer.text(), text);
        const thrown = await failure(waiting.text());
        ok(thrown instanceof DOMException && thrown.name === "AbortError", String(thrown));
        equal((await client.ask("hi", { model: "hello" }).result()).turn, 2);
      });
    },
  },
  {
    name: "questions are asked in order, and commands between them",
    async run({ fast }) {
      await using(fast, { record: true }, async (client) => {
        const [one, , two] = [
          client.ask("one", { model: "hello" }),
          client.send({ type: "mask", messages: [{ role: "system", content: "Be brief" }] }),
          client.ask("two", { model: "hello" }),
        ];
        equal([(await one.result()).turn, (await two.result()).turn], [1, 2]);
        const sent = (client.transcript?.text ?? "").split("\n").filter((line) => line.startsWith("> SEND"));
        equal(sent.map((line) => JSON.parse(line.slice(7)).type), [undefined, "chat", "mask", "chat"]);
        await rejects("CHATNIO_BAD_PARAMETERS", client.send({ type: "stop" } as never));
        await rejects("CHATNIO_EMPTY_MESSAGE", client.ask(" ").text());
        await rejects("CHATNIO_INVALID", client.ask("x", { web: "no" as never }).result());
        await client.send({ type: "edit", index: 0, message: "else" });
        await client.send({ type: "remove", index: 0 });
        equal(client.state, "idle");
      });
    },
  },
  {
    name: "a notice and an interruption are errors that know the answer",
    async run({ fast }) {
      await using(fast, {}, async (client) => {
        const notice = ofAnswer(await failure(client.ask("hi", { model: "notice" }).text()));
        equal(notice.answer.outcome, "notice");
        equal(notice.message, notice.answer.notice);
        const answer = client.ask("hi", { model: "drop" });
        let text = "";
        const lost = ofAnswer(await failure((async () => {
          for await (const piece of answer) text += piece;
        })()));
        ok(text.length > 0 && text === lost.answer.text, "what came was given");
        equal(lost.answer.outcome, "interrupted");
        ok(client.error !== undefined && lost.cause === client.error, "the connection's end is the cause");
        ok(client.error.isFatal, "it is over");
        equal(client.state, "closed");
        equal(await rejects(client.error.code, client.ask("more").text()), client.error);
        const { id } = client.conversation;
        equal(await client.reconnect(), undefined);
        equal(await client.ask("hi", { model: "hello" }).text(), "Hello! How can I help?");
        equal(client.conversation, { kind: "resumed", id, asked: id });
      });
    },
  },
  {
    name: "a reconnect interrupts what runs, and asks what waits",
    async run({ slow }) {
      await using(slow, {}, async (client) => {
        const running = client.ask("tell me", { model: "slow" });
        const waiting = client.ask("hi", { model: "hello" });
        await running[Symbol.asyncIterator]().next();
        equal((await client.reconnect())?.interruption, "reconnected");
        equal((await running.result()).outcome, "interrupted");
        equal(await waiting.text(), "Hello! How can I help?");
      });
    },
  },
  {
    name: "closing ends what runs and what waits",
    async run({ slow }) {
      const client = await Client.connect(slow, { token });
      const running = client.ask("tell me", { model: "slow" });
      const waiting = client.ask("never");
      await running[Symbol.asyncIterator]().next();
      equal((await client.close())?.interruption, "closed-by-host");
      equal((await running.result()).outcome, "interrupted");
      await rejects("CHATNIO_CLOSED", waiting.text());
      equal(await client.close(), undefined);
      await rejects("CHATNIO_CLOSED", client.ask("more").result());
      await client[asyncDispose]();
    },
  },
  {
    name: "what cannot be connected to says so",
    async run({ throttling, fast }) {
      const refused = await refusal(Client.connect(throttling, { token, connect: 3000 }));
      ok(refused.isFatal && !refused.message.includes(token), refused.message);
      await rejects("CHATNIO_CONNECT", Client.connect("ws://127.0.0.1:1"));
      await rejects("CHATNIO_BAD_URL", Client.connect("ftp://example.com"));
      await rejects("CHATNIO_BAD_URL", Client.connect(token));
      await rejects("CHATNIO_PLAIN_TOKEN", Client.connect("ws://example.com", { token }));
      await rejects("CHATNIO_EMPTY_TOKEN", Client.connect(fast, { token: "" }));
      await rejects("CHATNIO_INVALID", Client.connect(fast, { connect: -1 }));
      await rejects("CHATNIO_INVALID", Client.connect(7 as never));
      equal(((await failure(Client.connect(fast, { signal: AbortSignal.abort(new Error("not now")) }))) as Error).message, "not now");
    },
  },
  {
    name: "fifty clients at once",
    async run({ fast }) {
      const texts = await Promise.all(
        Array.from({ length: 50 }, async () => {
          const client = await Client.connect(fast, { token });
          const text = await client.ask("hi", { model: "long-100" }).text();
          await client.close();
          return text;
        }),
      );
      equal(new Set(texts).size, 1);
    },
  },
  {
    name: "every event is told, and an error in the host's function is the host's",
    async run({ fast }) {
      const events: Event[] = [];
      await using(fast, { onEvent: (event) => events.push(event) }, async (client) => {
        await client.ask("hi", { model: "garbage" }).text();
      });
      ok(events.some(({ kind }) => kind === "malformed"), "what could not be read is told");
      ok(events.some(({ kind }) => kind === "end"), "and the end");
    },
  },
  {
    name: "many questions listen to one signal once, and no longer than they last",
    async run() {
      const client = await Client.connect("ws://localhost", { WebSocket: Puppet });
      const control = new AbortController();
      const { signal } = control;
      const called: string[] = [];
      for (const name of ["addEventListener", "removeEventListener"] as const) {
        const real = signal[name].bind(signal) as (type: string, listener: () => void) => void;
        signal[name] = (type: string, listener: unknown): void => {
          called.push(name);
          real(type, listener as () => void);
        };
      }
      const two = [client.ask("1", { signal }), client.ask("2", { signal })];
      for (const _ of two) Puppet.last.says({ message: "a", quota: 0.1, end: true });
      equal(await Promise.all(two.map((answer) => answer.text())), ["a", "a"]);
      equal(called, ["addEventListener", "removeEventListener"]);
      const answers = Array.from({ length: 20 }, () => client.ask("again", { signal }));
      control.abort(new Error("all of them"));
      Puppet.last.says({ end: true });
      for (const answer of answers) equal(((await failure(answer.text())) as Error).message, "all of them");
      equal(called.length, 4);
      await client.close();
    },
  },
  {
    name: "who has read the first piece by hand may loop over the rest",
    async run({ fast }) {
      await using(fast, {}, async (client) => {
        const answer = client.ask("hi", { model: "hello" });
        const reader = answer[Symbol.asyncIterator]();
        let text = (await reader.next()).value ?? "";
        for await (const piece of reader) text += piece;
        equal(text, "Hello! How can I help?");
      });
    },
  },
  {
    name: "an answer has one reader",
    async run({ fast }) {
      await using(fast, {}, async (client) => {
        const answer = client.ask("hi", { model: "hello" });
        const reader = answer[Symbol.asyncIterator]();
        equal((await failure((async () => answer.events()[Symbol.asyncIterator]())())) instanceof Error, true);
        while (!(await reader.next()).done);
        equal(await reader.next(), { value: undefined, done: true });
      });
    },
  },
  {
    name: "who reads gets all that has come before, and who asks for several at once gets them in order",
    async run() {
      for (const WebSocket of [Puppet, Bytes]) {
        const client = await Client.connect("ws://localhost", { WebSocket });
        const says = (message: string, end = false): void => Puppet.last.says({ message, quota: 0.1, end });
        const early = client.ask("one");
        for (const piece of ["a", "", "\ufeff", "b"]) says(piece);
        await pause();
        const reader = early[Symbol.asyncIterator]();
        const first = [reader.next(), reader.next(), reader.next(), reader.next(), reader.next()];
        says("");
        says("c");
        await pause();
        says("d", true);
        equal((await Promise.all(first)).map(({ value }) => value), ["a", "\ufeff", "b", "c", "d"]);
        equal(await reader.next(), { value: undefined, done: true });
        equal((await early.result()).text, "a\ufeffbcd");
        const lost = client.ask("two")[Symbol.asyncIterator]();
        const [one, two] = [failure(lost.next()), failure(lost.next())];
        Puppet.last.breaks();
        equal([ofAnswer(await one).answer.turn, ofAnswer(await two).answer.turn], [2, 2]);
      }
    },
  },
  {
    name: "what waits for a slow reader takes the memory of its text",
    async run() {
      const client = await Client.connect("ws://localhost", { WebSocket: Puppet });
      const count = 30_000;
      const answer = (): void => {
        Puppet.last.says({ conversation: 29, message: "" });
        for (let at = 1; at <= count; at += 1) Puppet.last.says({ message: at % 2 === 0 ? "ab" : "", quota: at });
        Puppet.last.says({ message: "z", quota: count + 1, end: true });
      };
      const text = `${"ab".repeat(count / 2)}z`;
      const asked = client.ask("hi");
      const reading = asked.events();
      answer();
      const events: TurnEvent[] = [];
      for await (const event of reading) events.push(event);
      ok(events.length < 5000, `${events.length} events wait`);
      equal(events.map((event) => ("text" in event ? event.text : "")).join(""), text);
      equal([events[0]?.kind, events.at(-1)?.kind], ["opened", "end"]);
      const last = events.at(-2);
      equal(last?.kind === "delta" && [last.quota, last.raw.includes(`"quota":${count},`)], [count, true]);
      const unread = client.ask("hi");
      answer();
      equal((await unread.result()).text, text);
      const pieces: string[] = [];
      for await (const piece of unread) pieces.push(piece);
      ok(pieces.length < 5000, `${pieces.length} pieces wait`);
      equal(pieces.join(""), text);
      await client.close();
    },
  },
  {
    name: "events are those from when they are asked for, and pieces all",
    async run() {
      const client = await Client.connect("ws://localhost", { WebSocket: Puppet });
      for (const read of ["events", "pieces"]) {
        const answer = client.ask("hi");
        Puppet.last.says({ conversation: 29, message: "" });
        Puppet.last.says({ message: "a", quota: 0.5 });
        const reading: AsyncIterable<TurnEvent | string> = read === "events" ? answer.events() : answer;
        Puppet.last.says({ message: "b", quota: 0.5 });
        Puppet.last.says({ message: "c", quota: 0.5, end: true });
        const seen: string[] = [];
        for await (const item of reading) seen.push(typeof item === "string" ? item : "text" in item ? item.text : item.kind);
        equal(seen, read === "events" ? ["opened", "b", "c"] : ["a", "b", "c"]);
        equal((await answer.result()).text, "abc");
      }
      await client.close();
    },
  },
  {
    name: "messages that come as bytes are the same as texts",
    async run() {
      const told: string[] = [];
      for (const WebSocket of [Puppet, Bytes]) {
        const seen: unknown[] = [];
        for (const options of [{}, { onEvent: (event: Event) => seen.push(event) }]) {
          const client = await Client.connect("ws://localhost", { WebSocket, ...options });
          const answer = (): void => {
            Puppet.last.says({ conversation: 29, message: "" });
            for (const message of ["a", "\u00fc\ud83d\ude00", "", "x".repeat(70)]) Puppet.last.says({ message, quota: 0.5 });
            Puppet.last.says({ message: "z", quota: 0.75, end: true });
          };
          const text = client.ask("hi").text();
          answer();
          const pieces = client.ask("hi");
          const read = (async () => {
            for await (const piece of pieces) seen.push(piece);
          })();
          answer();
          const events = client.ask("hi").events();
          answer();
          await read;
          for await (const event of events) seen.push(event);
          seen.push(await text, (await pieces.result()).quotaText, client.counters);
          await client.close();
        }
        told.push(JSON.stringify(seen));
      }
      ok(told[0]?.includes('"raw":') && told[0].includes('"z"'), String(told[0]));
      equal(told[1], told[0]);
    },
  },
  {
    name: "a host that closes what is gone already waits for nothing",
    run: () =>
      withClock(async (clock) => {
        let isClosed = false;
        const onEvent = (event: Event): void => {
          if (event.kind === "delta" && event.text === "b") void client.close().then(() => (isClosed = true));
        };
        const client = await Client.connect("ws://localhost", { WebSocket: Puppet, onEvent });
        const error = failure(client.ask("hi").text());
        const frame = (message: string): string => JSON.stringify({ message, quota: 0, end: false });
        // The second is told as the connection's end is heard.
        Puppet.last.onmessage?.({ data: `${frame("a")}\n${frame("b")}` });
        Puppet.last.breaks();
        await clock.pass(0);
        equal([isClosed, ofAnswer(await error).answer.interruption], [true, "closed-by-host"]);
      }),
  },
  {
    name: "a WebSocket that has failed brings nothing more of an answer",
    async run() {
      for (const [message, code] of [
        ["Received invalid UTF-8 in text frame.", "CHATNIO_SERVER_NOT_UTF8"],
        ["something else", "CHATNIO_END_OF_STREAM"],
      ] as const) {
        const client = await Client.connect("ws://localhost", { WebSocket: Puppet });
        const running = client.ask("hi");
        Puppet.last.says({ message: "a" });
        // As Node's own does: what came behind in the same read is told all the same.
        Puppet.last.onerror?.({ message });
        Puppet.last.says({ message: "b", end: true });
        Puppet.last.breaks();
        const error = ofAnswer(await failure(running.text()));
        equal([error.answer.text, error.answer.outcome, client.error?.code], ["a", "interrupted", code]);
        await client.close();
      }
    },
  },
  {
    name: "texts that come as strings beside binary bytes, as from old versions of ws",
    async run() {
      const client = await Client.connect("ws://localhost", { WebSocket: Bytes });
      const server = Puppet.last as Bytes;
      const running = client.ask("hi");
      server.gives(new TextEncoder().encode('{"message":"b"}'), undefined);
      server.gives('{"message":"a","quota":0.5,"end":true}', undefined);
      equal([await running.text(), client.counters.malformed], ["a", 1]);
      await client.close();
    },
  },
  {
    name: "bytes that are binary, and those that are no text",
    async run() {
      const client = await Client.connect("ws://localhost", { WebSocket: Bytes });
      const server = Puppet.last as Bytes;
      const running = client.ask("hi");
      server.says({ message: "a" });
      server.gives(Uint8Array.of(1, 2), true);
      equal(client.counters.malformed, 1);
      server.gives(Uint8Array.of(0x22, 0xff, 0x22), false);
      ok(client.error?.code === "CHATNIO_SERVER_NOT_UTF8" && server.isClosed, String(client.error));
      // It may go on.
      server.says({ message: "b", end: true });
      const error = ofAnswer(await failure(running.text()));
      equal([error.answer.text, error.answer.malformed, error.cause === client.error], ["a", 1, true]);
      await rejects("CHATNIO_SERVER_NOT_UTF8", client.ask("more").text());
      await client.reconnect();
      const again = client.ask("hi");
      Puppet.last.says({ message: "c", quota: 0.1, end: true });
      equal(await again.text(), "c");
      await client.close();
    },
  },
  {
    name: "what waits for the end of an interrupted answer waits no longer than afterStop",
    run: () =>
      withClock(async (clock) => {
        const settings = { keepAlive: 0, stopRepeats: [], firstFrame: 100, afterStop: 700 };
        const client = await Client.connect("ws://localhost", { WebSocket: Puppet, ...settings });
        const silent = client.ask("hi").result();
        await clock.pass(100);
        equal((await silent).interruption, "first-frame-deadline");
        const waiting = [client.ask("late").text(), client.send({ type: "share", hash: "a" })];
        const stopped = client.ask("stopped");
        ok(stopped.stop(), "it waits");
        await clock.pass(699);
        const refused = Promise.all(waiting.map((one) => rejects("CHATNIO_BUSY", one)));
        equal(Puppet.last.types, ["auth", "chat", "stop"]);
        await clock.pass(1);
        await refused;
        await client.close();
      }),
  },
  {
    name: "deadlines and keep-alives come by timers",
    run: () =>
      withClock(async (clock) => {
        const client = await Client.connect("ws://localhost", { WebSocket: Puppet, keepAlive: 1000, firstFrame: 5000, nextFrame: 2000 });
        const server = Puppet.last;
        await clock.pass(2500);
        equal(server.types, ["ping", "ping"]);
        const answer = client.ask("hi");
        await clock.pass(900);
        // The next frame's deadline is earlier than that which the timer was set for.
        server.says({ message: "a" });
        await clock.pass(1999);
        equal(client.state, "answering");
        await clock.pass(1);
        equal((await answer.result()).interruption, "next-frame-deadline");
        equal(client.state, "draining");
        const more = client.ask("more").text();
        await clock.pass(9999);
        equal(client.state, "draining");
        server.says({ end: true });
        equal(client.state, "asking");
        // The stop was repeated, so the question is held until the server loses nothing.
        await clock.pass(250);
        server.says({ message: "b" });
        server.says({ end: true });
        equal(await more, "b");
        const silent = client.ask("again");
        await clock.pass(5000);
        equal((await silent.result()).interruption, "first-frame-deadline");
        const late = client.ask("late").text();
        await clock.pass(9999);
        equal(client.state, "draining");
        const refused = rejects("CHATNIO_BUSY", late);
        await clock.pass(1);
        await refused;
        await rejects("CHATNIO_BUSY", client.ask("more").text());
        server.says({ end: true });
        equal(client.state, "idle");
        const closing = client.close();
        await clock.pass(1);
        await closing;
        ok(server.isClosed, "it is closed");
      }),
  },
  {
    name: "an answer to what was not asked ends the connection, within a turn and between turns",
    async run() {
      const client = await Client.connect("ws://localhost", { WebSocket: Puppet });
      const [answer, waiting] = [client.ask("hi"), client.ask("next").text()];
      const refused = rejects("CHATNIO_PROTOCOL", waiting);
      Puppet.last.says({ conversation: 29, message: "" });
      Puppet.last.says({ message: "whose?" });
      Puppet.last.says({ conversation: 29, message: "" });
      const { interruption, text } = await answer.result();
      equal([interruption, text, client.error?.code], ["protocol-broken", "whose?", "CHATNIO_PROTOCOL"]);
      ok(Puppet.last.isClosed, "it is let go");
      await refused;
      await client.reconnect();
      equal(client.error, undefined);
      Puppet.last.says({ conversation: 29, message: "" });
      await rejects("CHATNIO_PROTOCOL", client.ask("hi").text());
      await client.close();
    },
  },
  {
    name: "send() waits for what is held after an end; a close lets it go, and a reconnect says that it is lost",
    run: () =>
      withClock(async (clock) => {
        const client = await Client.connect("ws://localhost", { WebSocket: Puppet });
        const answered = async (): Promise<void> => {
          const answer = client.ask("hi");
          Puppet.last.says({ message: "a", quota: 0.1, end: true });
          await answer.result();
        };
        let sent = 0;
        const send = async (): Promise<void> => {
          await client.send({ type: "remove", index: 0 });
          sent += 1;
        };
        await answered();
        const first = send();
        await clock.pass(249);
        equal([sent, Puppet.last.types], [0, ["auth", "chat"]]);
        await clock.pass(1);
        await first;
        equal([sent, Puppet.last.types], [1, ["auth", "chat", "remove"]]);
        await answered();
        const second = send();
        await Promise.all([rejects("CHATNIO_CLOSED", second), client.reconnect()]);
        await answered();
        equal(Puppet.last.types, ["auth", "chat"], "it is not sent to another connection");
        const third = send();
        const closing = client.close();
        equal(Puppet.last.types, ["auth", "chat", "remove"]);
        await third;
        await clock.pass(1);
        await closing;
        equal(sent, 2);
      }),
  },
  {
    name: "a page that was frozen takes in what has come before a deadline counts",
    run: () =>
      withClock(async (clock) => {
        const client = await Client.connect("ws://localhost", { WebSocket: Puppet, firstFrame: 5000, nextFrame: 5000 });
        const answer = client.ask("hi");
        await clock.pass(100);
        clock.freeze(60_000);
        await clock.pass(10);
        equal(client.state, "asking", "the deadline has passed, but what came was not looked at");
        Puppet.last.says({ message: "in time" });
        await clock.pass(4000);
        Puppet.last.says({ message: "", end: true });
        equal(await answer.text(), "in time");
        const lost = client.ask("hi");
        await clock.pass(100);
        clock.freeze(60_000);
        await clock.pass(1500);
        equal((await lost.result()).interruption, "first-frame-deadline");
        await client.close();
      }),
  },
  {
    name: "very many frames of one message hold up neither others nor a deadline",
    run: () =>
      withClock(async (clock) => {
        let [count, ofOthers, ofEnd] = [0, 0, 0];
        const onEvent = (event: Event): void => {
          if (event.kind === "end") ofEnd = count;
          if (event.kind !== "malformed") return;
          count += 1;
          // Each takes its time.
          clock.freeze(1);
        };
        const client = await Client.connect("ws://localhost", { WebSocket: Puppet, nextFrame: 2000, onEvent });
        const answer = client.ask("hi");
        Puppet.last.says({ message: "a" });
        Puppet.last.onmessage?.({ data: '{"end":1}'.repeat(10_000) });
        setTimeout(() => {
          ofOthers = count;
        });
        await clock.pass(20_000);
        ok(ofOthers > 0 && ofOthers < 2000, `${ofOthers} before others`);
        equal((await answer.result()).interruption, "next-frame-deadline");
        ok(ofEnd > 2000 && ofEnd < 4000, `${ofEnd} before what is late`);
        await client.close();
      }),
  },
  {
    name: "what the WebSocket has no room for waits in the session",
    run: () =>
      withClock(async (clock) => {
        const client = await Client.connect("ws://localhost", { WebSocket: Puppet });
        const server = Puppet.last;
        server.bufferedAmount = 1 << 21;
        const answer = client.ask("hi");
        equal(server.sent, []);
        server.bufferedAmount = 0;
        await clock.pass(60);
        equal(server.types, ["auth", "chat"]);
        server.says({ message: "x" });
        server.says({ message: "", end: true });
        equal(await answer.text(), "x");
        await client.close();
      }),
  },
  {
    name: "how the server ends the connection is told",
    async run() {
      for (const [event, code, closeCode] of [
        [{ code: 1011, reason: "restart", wasClean: true }, "CHATNIO_CLOSED_BY_SERVER", 1011],
        [{ code: 1006, reason: "", wasClean: false }, "CHATNIO_END_OF_STREAM", undefined],
      ] as const) {
        const client = await Client.connect("ws://localhost", { WebSocket: Puppet });
        const [running, waiting] = [client.ask("one"), client.ask("two")];
        Puppet.last.onclose?.(event);
        const error = await rejects(code, waiting.text());
        equal(error.closeCode, closeCode);
        ok(error.message.includes(event.reason), error.message);
        const { interruption } = await running.result();
        equal(interruption, code === "CHATNIO_END_OF_STREAM" ? "connection-lost" : "closed-by-server");
      }
    },
  },
  {
    name: "what is no question is refused at once",
    async run() {
      const client = await Client.connect("ws://localhost", { WebSocket: Puppet });
      for (const [question, what] of [[5, "a number"], [null, "null"], [undefined, "undefined"]] as const) {
        let refused: unknown;
        try {
          client.ask(question as unknown as string);
        } catch (error) {
          refused = error;
        }
        equal(String(refused), `TypeError: a question is a text or a request, and this is ${what}`);
      }
    },
  },
  {
    name: "a server that repeats what it was told when it closes is not quoted",
    async run() {
      const client = await Client.connect("ws://localhost?key=in-the-query", { WebSocket: Puppet, token: "Bearer sk-t0ken" });
      const asked = client.ask("one");
      const waiting = client.ask("two");
      Puppet.last.onclose?.({ code: 1008, reason: "invalid key sk-t0ken of in-the-query", wasClean: true });
      const error = await rejects("CHATNIO_CLOSED_BY_SERVER", waiting.text());
      equal(error.message, "the server closed the connection (1008: invalid key sk-... of ...)");
      await asked.result();
    },
  },
  {
    name: "connecting has a limit, and can be given up",
    async run() {
      class Silent extends Puppet {
        constructor(url: string) {
          super(url, true);
        }
      }
      await rejects("CHATNIO_CONNECT_TIMEOUT", Client.connect("ws://localhost", { WebSocket: Silent, connect: 20 }));
      ok(Puppet.last.isClosed, "it is let go");
      const control = new AbortController();
      const connecting = Client.connect("ws://localhost", { WebSocket: Silent, signal: control.signal });
      await pause(5);
      control.abort(new Error("enough"));
      equal(((await failure(connecting)) as Error).message, "enough");
      class Throwing {
        constructor() {
          throw new Error("blocked");
        }
      }
      await rejects("CHATNIO_CONNECT", Client.connect("ws://localhost", { WebSocket: Throwing as never }));
      class Unclosed extends Puppet {
        constructor(url: string) {
          super(url, true);
          queueMicrotask(() => this.onerror?.({ message: "no network" }));
        }
      }
      const unclosed = await rejects("CHATNIO_CONNECT", Client.connect("ws://localhost", { WebSocket: Unclosed }));
      ok(unclosed.message.includes("no network"), unclosed.message);
      const client = await Client.connect("ws://localhost", { WebSocket: Puppet });
      await client.close();
      const again = client.reconnect();
      await rejects("CHATNIO_INVALID", client.reconnect());
      await again;
      await until(() => client.error === undefined);
      await client.close();
    },
  },
];
