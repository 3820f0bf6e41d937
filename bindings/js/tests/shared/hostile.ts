// What nobody should do, and somebody will: calls from within `onEvent`, WebSockets that misbehave, arguments that are none.

import { type Answer, chatUrl, Client, type ClientOptions, type Event, type Request, Session } from "chatnio";
import { quota, RestClient, type RestClientOptions } from "chatnio/rest";
import { transcriptWebSocket } from "chatnio/testing";
import { Loader } from "../../dist/loader.js";
import { equal, failure, ofAnswer, ok, pause, rejects, type Test, throws } from "./check.js";
import { Puppet } from "./puppet.js";

const LOST = { code: 1006, reason: "", wasClean: false };

/** A WebSocket that is lost, once its server is told to. */
class Losable extends Puppet {
  lose(): void {
    this.onclose?.(LOST);
  }
}

/** A client that calls back with itself, and the WebSockets that it makes. */
async function telling(onEvent: (event: Event, client: Client) => void, options: ClientOptions = {}): Promise<{ client: Client; sockets: Losable[] }> {
  const sockets: Losable[] = [];
  class Counted extends Losable {
    constructor(url: string) {
      super(url);
      sockets.push(this);
    }
  }
  const client: Client = await Client.connect("ws://localhost", { WebSocket: Counted, onEvent: (event) => onEvent(event, client), ...options });
  return { client, sockets };
}

/** Asks a question, which is answered by "a". */
async function answered(client: Client, question: Parameters<Client["ask"]>[0]): Promise<Answer> {
  const answer = client.ask(question).result();
  Puppet.last.says({ message: "a", quota: 0.1, end: true });
  return answer;
}

export const tests: Test[] = [
  {
    name: "a client that is closed in onEvent gives its reader what has come",
    async run() {
      const { client, sockets } = await telling((event, client) => {
        if (event.kind === "delta") void client.close();
      });
      const answer = client.ask("hi");
      const pieces: string[] = [];
      const read = failure((async () => {
        for await (const piece of answer) pieces.push(piece);
      })());
      sockets[0]?.says({ message: "abc" });
      ofAnswer(await read);
      equal(pieces, ["abc"]);
    },
  },
  {
    name: "the frames of one message are told before the close that comes with it",
    async run() {
      const frames = ["a", "b", "c"].map((message) => JSON.stringify({ message, quota: 0.1, end: message === "c" })).join("\n");
      const { client, sockets } = await telling(() => undefined);
      const answer = client.ask("hi");
      sockets[0]?.onmessage?.({ data: frames });
      sockets[0]?.lose();
      const pieces: string[] = [];
      for await (const piece of answer) pieces.push(piece);
      equal(pieces, ["a", "b", "c"]);
      equal((await answer.result()).outcome, "complete");
    },
  },
  {
    name: "a reconnect in onEvent is the only one, and the reader is told why the connection was lost",
    async run() {
      const refused: unknown[] = [];
      const { client, sockets } = await telling((event, client) => {
        if (event.kind === "end" && event.answer.outcome === "interrupted") client.reconnect().catch((error: unknown) => refused.push(error));
      });
      const asked = client.ask("hi").text();
      sockets[0]?.lose();
      const lost = ofAnswer(await failure(asked));
      ok((lost.cause as { code?: string }).code === "CHATNIO_END_OF_STREAM", String(lost.cause));
      await pause();
      equal([client.error, sockets.length, refused.length], [undefined, 2, 0]);
      // Beside a reconnect of the host's own.
      void client.ask("hi");
      await client.reconnect();
      await pause();
      equal([client.error, sockets.length, refused.length], [undefined, 3, 1]);
      await client.close();
    },
  },
  {
    name: "a reconnect in the onEvent of a close sends its token on its own connection, and is asked what is asked then",
    async run() {
      let again: Promise<Answer> | undefined;
      const { client, sockets } = await telling(
        (event, client) => {
          if (event.kind !== "end" || again !== undefined) return;
          void client.reconnect();
          again = client.ask("again").result();
        },
        { authAtOnce: true },
      );
      void client.ask("hi");
      await client.close();
      await pause();
      sockets[1]?.says({ message: "a", quota: 0.1, end: true });
      equal((await again)?.text, "a");
      equal(sockets.map(({ types }) => types), [["auth", "chat"], ["auth", "chat"]]);
      await client.close();
    },
  },
  {
    name: "a close while it connects can be followed by a reconnect at once",
    async run() {
      const client = await Client.connect("ws://localhost", { WebSocket: Puppet });
      await client.close();
      const connecting = rejects("CHATNIO_CLOSED", client.reconnect());
      void client.close();
      await client.reconnect();
      await connecting;
      equal((await answered(client, "hi")).text, "a");
      equal(client.error, undefined);
      await client.close();
      await failure(client.reconnect({ signal: AbortSignal.abort(new Error("no")) }));
      equal(client.error?.message, "the client is not connected");
    },
  },
  {
    name: "what is not answered cannot be asked",
    async run() {
      const client = await Client.connect("ws://localhost", { WebSocket: Puppet });
      const others = [{ type: "stop" }, { type: "remove", index: 0 }, { type: "share", hash: "abc" }, { type: "toString" }, {}, []];
      for (const other of others) await rejects("CHATNIO_BAD_PARAMETERS", client.ask(other as never).result());
      equal(Puppet.last.sent, []);
      equal((await answered(client, "hi")).text, "a");
      await client.close();
    },
  },
  {
    name: "a WebSocket that throws instead of sending, or of closing, is one that is lost",
    async run() {
      class Throwing extends Puppet {
        throws = true;
        override send(message: string): void {
          if (this.throws) throw new Error(`cannot send ${message}`);
          super.send(message);
        }
        override close(): void {
          super.close();
          throw new Error("cannot close");
        }
      }
      const client = await Client.connect("ws://localhost", { WebSocket: Throwing, token: "sk-0123456789abcdef" });
      const lost = ofAnswer(await failure(client.ask("hi").text()));
      equal([lost.answer.interruption, client.error?.code], ["connection-lost", "CHATNIO_IO"]);
      ok(!lost.message.includes("sk-0"), lost.message);
      await client.reconnect();
      (Puppet.last as Throwing).throws = false;
      await answered(client, "hi");
      const held = rejects("CHATNIO_IO", client.send({ type: "remove", index: 0 }));
      (Puppet.last as Throwing).throws = true;
      await client.close();
      await held;
      ok(Puppet.last.isClosed && client.error?.code === "CHATNIO_CLOSED", String(client.error));
    },
  },
  {
    name: "events that come twice, too late, or without anything in them",
    async run() {
      const client = await Client.connect("ws://localhost", { WebSocket: Losable });
      const old = Puppet.last as Losable;
      const { onclose } = old;
      const asked = client.ask("hi").result();
      old.onmessage?.(undefined);
      equal(client.counters.malformed, 1);
      onclose?.(undefined);
      equal((await asked).interruption, "connection-lost");
      old.onopen?.({});
      equal(client.error?.code, "CHATNIO_END_OF_STREAM", "what is over stays so");
      await client.reconnect();
      onclose?.(LOST);
      equal(client.error, undefined, "it was another connection");
      equal((await answered(client, "hi")).text, "a");
      await client.close();
      class Odd extends Puppet {
        constructor() {
          super("", true);
          this.bufferedAmount = NaN;
          queueMicrotask(() => {
            this.onerror?.(undefined);
            this.onerror?.({});
            this.onopen?.(undefined);
          });
        }
      }
      const odd = await Client.connect("ws://localhost", { WebSocket: Odd });
      // A timer of those errors would have ended it.
      await pause(5);
      equal((await answered(odd, "hi")).text, "a");
      await odd.close();
      class Closing extends Puppet {
        constructor() {
          super("", true);
          queueMicrotask(() => this.onclose?.(undefined));
        }
      }
      await rejects("CHATNIO_CONNECT", Client.connect("ws://localhost", { WebSocket: Closing }));
    },
  },
  {
    name: "a limit that no timer takes is a long one",
    async run() {
      class Slow extends Puppet {
        constructor() {
          super("", true);
          setTimeout(() => this.onopen?.({}), 20);
        }
        override close(): void {
          setTimeout(() => super.close(), 20);
        }
      }
      const client = await Client.connect("ws://localhost", { WebSocket: Slow, connect: 2 ** 40, close: 2 ** 40 });
      await client.close();
      ok(Puppet.last.isClosed, "it was waited for");
    },
  },
  {
    name: "no error, nor the cause of one, repeats a key of the URL or a header",
    async run() {
      const url = "ws://localhost?key=in-the-query";
      class Blocked {
        constructor(url: string) {
          throw new Error(`Refused to connect to '${url}'`);
        }
      }
      const blocked = await rejects("CHATNIO_CONNECT", Client.connect(url, { WebSocket: Blocked as never }));
      const client = await Client.connect(url, { WebSocket: Puppet });
      Puppet.last.onerror?.({ message: `lost ${url}` });
      Puppet.last.onclose?.(LOST);
      const header = throws("CHATNIO_INVALID", () => new RestClient("https://localhost", { headers: { "X-Key": "in-a-\nheader" } }));
      for (const error of [blocked, client.error, header]) {
        const texts = `${error} ${error?.stack} ${error?.cause}`;
        ok(!/in-the-query|in-a-/.test(texts), texts);
      }
    },
  },
  {
    name: "a fetch that misbehaves ends in time, in words, and without a secret",
    async run() {
      const by = (fetch: unknown, options: RestClientOptions = {}): RestClient =>
        new RestClient("http://localhost?key=in-the-query", { token: "sk-t0ken", retries: 0, fetch: fetch as typeof globalThis.fetch, ...options });
      throws("CHATNIO_INVALID", () => by(5));
      const never = (): Promise<never> => new Promise(() => {});
      const endless = async (): Promise<Response> => new Response(new ReadableStream());
      for (const fetch of [never, endless]) {
        await rejects("CHATNIO_UNRESPONSIVE", by(fetch, { timeout: 20 }).call(quota()));
        const control = new AbortController();
        const broken = failure(by(fetch).call(quota(), { signal: control.signal }));
        setTimeout(() => control.abort(new Error("enough")), 5);
        equal(((await broken) as Error).message, "enough");
      }
      const secrets = "Bearer sk-t0ken to ?key=in-the-query";
      const repeating = async (): Promise<never> => {
        throw new TypeError("failed", { cause: new Error(secrets) });
      };
      const cut = async (): Promise<Response> => new Response(new ReadableStream({ start: (to) => to.error(new Error(secrets)) }));
      for (const [fetch, code] of [[repeating, "CHATNIO_CONNECT"], [cut, "CHATNIO_IO"]] as const) {
        const error = await rejects(code, by(fetch).call(quota()));
        ok(error.message.endsWith(": Bearer sk-... to ?..."), error.message);
        equal(error.cause, undefined);
      }
      const harmless = await rejects("CHATNIO_CONNECT", by(async () => Promise.reject(new TypeError("no network"))).call(quota()));
      ok(harmless.cause instanceof TypeError, String(harmless.cause));
      // As pairs, which JavaScript's own class of headers is, too.
      let sent: unknown;
      const noting = async (_: unknown, { headers }: RequestInit): Promise<Response> => {
        sent = (headers as Record<string, string>)["x-team"];
        return new Response("{}");
      };
      for (const headers of [new Headers({ "X-Team": "a" }), [["X-Team", "a"]]] as unknown as Record<string, string>[]) {
        sent = undefined;
        await failure(by(noting, { headers }).call(quota()));
        equal(sent, "a");
      }
    },
  },
  {
    name: "a reader that was left is told nothing more",
    async run() {
      const client = await Client.connect("ws://localhost", { WebSocket: Puppet });
      const reader = client.ask("hi")[Symbol.asyncIterator]();
      for (const message of ["a", "b"]) Puppet.last.says({ message });
      Puppet.last.says({ end: true });
      equal((await reader.next()).value, "a");
      await reader.return?.();
      equal(await reader.next(), { value: undefined, done: true });
      await client.close();
    },
  },
  {
    name: "arguments that are none are refused in words",
    async run() {
      const session = new Session({}, 0);
      const given = [5, {}, [1], null, undefined, new ArrayBuffer(8), new Uint16Array(2), new DataView(new ArrayBuffer(2))];
      for (const message of given) throws("CHATNIO_INVALID", () => session.receive(message as never));
      equal(session.counters.malformed, 0);
      for (const request of [5, null, { type: "toString" }, { type: "mask" }, { type: "mask", messages: [null] }]) {
        throws("CHATNIO_INVALID", () => session.request(request as unknown as Request));
      }
      throws("CHATNIO_INVALID", () => new Session({ stopRepeats: 5 as never }));
      const prototype = Object.prototype as { use?: unknown };
      try {
        prototype.use = "anything";
        session.request({ type: "chat", message: "hi" });
      } finally {
        delete prototype.use;
      }
      throws("CHATNIO_NOT_UTF8", () => session.request({ type: "chat", message: "half \ud83d of a pair" }));
      for (const option of [{ onEvent: 5 }, { WebSocket: "ws" }, { signal: new AbortController() }] as unknown as ClientOptions[]) {
        await rejects("CHATNIO_INVALID", Client.connect("ws://localhost", { WebSocket: Puppet, ...option }));
      }
      throws("CHATNIO_INVALID", () => chatUrl(new URL("ws://localhost") as never));
      const numbered = await rejects("CHATNIO_INVALID", Client.connect("ws://localhost", { WebSocket: Puppet, token: 12345678 as never }));
      equal(numbered.message, "token must be a string, not number");
      const nowhere = new Loader<never>(() => Promise.reject(new Error("not that one")), "load");
      for (const source of [5, {}, null]) await rejects("CHATNIO_INVALID", nowhere.load(source as never));
    },
  },
  {
    name: "a token or a model where the options belong is not passed over",
    async run() {
      const text = "sk-0123456789" as never;
      for (const options of [text, null as never]) {
        const said = await rejects("CHATNIO_INVALID", Client.connect("ws://localhost", options));
        equal(said.message, `options must be an object, not ${options === null ? "null" : "string"}`);
        throws("CHATNIO_INVALID", () => new RestClient("ws://localhost", options));
        throws("CHATNIO_INVALID", () => new Session(options));
        const client = await Client.connect("ws://localhost", { WebSocket: Puppet });
        throws("CHATNIO_INVALID", () => client.ask("hi", options));
        await rejects("CHATNIO_INVALID", client.reconnect(options));
        equal([client.error, client.state, Puppet.last.isClosed], [undefined, "idle", false]);
        await client.close();
      }
    },
  },
  {
    name: "what is no call, no signal and no fetch is refused before anything is sent, and headers of any kind are sent",
    async run() {
      let isFetched = false;
      const fetch = async (): Promise<never> => {
        isFetched = true;
        throw new Error("sent");
      };
      throws("CHATNIO_INVALID", () => new RestClient("ws://localhost", { fetch: 5 as never }));
      const client = new RestClient("ws://localhost", { fetch, retries: 0 });
      await rejects("CHATNIO_INVALID", client.call(quota as never));
      await rejects("CHATNIO_INVALID", client.call(quota(), { signal: "x" as never }));
      await rejects("CHATNIO_INVALID", client.call(quota(), null as never));
      equal(isFetched, false);
      await rejects("CHATNIO_CONNECT", client.call(quota()));
      ok(isFetched, "a call that is one is sent");
      for (const headers of [new Headers({ "x-team": "7" }), [["x-team", "7"]], new Map([["x-team", "7"]])]) {
        let sent: unknown;
        const hearing = async (_: unknown, init?: RequestInit): Promise<never> => {
          sent = new Headers(init?.headers).get("x-team");
          throw new Error("heard");
        };
        await rejects("CHATNIO_CONNECT", new RestClient("ws://localhost", { fetch: hearing, headers: headers as Headers, retries: 0 }).call(quota()));
        equal(sent, "7");
      }
      const asking = await Client.connect("ws://localhost", { WebSocket: Puppet });
      throws("CHATNIO_INVALID", () => asking.ask("hi", { signal: new AbortController() as never }));
      equal(asking.state, "idle");
      await asking.close();
    },
  },
  {
    name: "a transcript that is none is said to be, and not that the server is away",
    async run() {
      for (const text of ["nonsense", "> SEND nonsense"]) {
        const error = await rejects("CHATNIO_BAD_TRANSCRIPT", Client.connect("ws://localhost", { WebSocket: transcriptWebSocket(text) }));
        equal(error.isRetryable, false);
      }
      throws("CHATNIO_INVALID", () => transcriptWebSocket(undefined as never));
    },
  },
];
