// The companion calls: every recorded answer, what the loopback server says, and clients whose `fetch` is the test.

import { Client } from "chatnio";
import * as rest from "chatnio/rest";
import { type Env, equal, failure, ok, rejects, type Test, throws } from "./check.js";
import { withClock } from "./clock.js";

const token = "sk-0123456789abcdef";

/** The functions that make calls, by their names in the file of recorded answers. */
const calls = new Map<string, (...values: unknown[]) => rest.Call<unknown>>();
for (const [name, value] of Object.entries(rest)) {
  const isCall = typeof value === "function" && /^[a-z]/.test(name) && name !== "load" && name !== "prefixOf";
  if (isCall) calls.set(snake(name), value as (...values: unknown[]) => rest.Call<unknown>);
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The call of that name, with the arguments of the file. */
function made(name: string, given: Record<string, unknown>): rest.Call<unknown> {
  if (name === "save_mask") {
    const pairs = given["messages"] as [string, string][];
    return rest.saveMask({ name: given["name"] as string, context: pairs.map(([role, content]) => ({ role, content })) });
  }
  const make = calls.get(name);
  ok(make, `there is no call ${name}`);
  return make(...Object.values(given));
}

/** A value in an order of its own. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [two]) => (one < two ? -1 : 1)).map(([name, of]) => [name, sorted(of)]));
}

/** A result as the file has it: the fields that are not known beside those that are. */
function plain(value: unknown): unknown {
  if (value === undefined) return null;
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, of]) => [name, plain(of)]));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null || !("other" in value)) return value;
  const { other, ...known } = value;
  return { ...Object.fromEntries(Object.entries(known).map(([name, of]) => [snake(name), plain(of)])), ...(other as object) };
}

/** What is made of an answer, as the file writes it, and as the file's JSON says it. */
function outcome(call: rest.Call<unknown>, status: number, body: string): { line: string; result?: unknown } {
  try {
    const result = call.decode(status, new TextEncoder().encode(body));
    return { line: `= ${call.json(status, body)}`, result };
  } catch (error) {
    ok(error instanceof rest.CallError && error.message.length > 5, String(error));
    const code = error.code.replace("CHATNIO_REST_", "").toLowerCase();
    return { line: `! ${code}${error.words === undefined ? "" : ` ${error.words}`}` };
  }
}

/** What a fake server answers: at once, when the test says so, or never. */
type Reply = Response | Error | Promise<Response>;

interface Answering {
  readonly fetch: typeof fetch;
  readonly asked: { url: string; init: RequestInit; at: number }[];
  heard(): number;
}

/** A `fetch` whose server is the test, what it was asked, and how often somebody began to listen to the signal of the first. */
function answering(...replies: Reply[]): Answering {
  const asked: Answering["asked"] = [];
  let heard = 0;
  return {
    asked,
    heard: () => heard,
    fetch: (async (url: string, init: RequestInit) => {
      asked.push({ url, init, at: performance.now() });
      const { signal } = init;
      if (asked.length === 1 && signal) {
        signal.addEventListener = (...what: unknown[]) => {
          heard += 1;
          Reflect.apply(EventTarget.prototype.addEventListener, signal, what);
        };
      }
      init.signal?.throwIfAborted();
      const reply = replies.length > 1 ? replies.shift() : replies[0];
      if (reply instanceof Error) throw reply;
      const aborted = new Promise<never>((_, fail) => init.signal?.addEventListener("abort", () => fail(init.signal?.reason)));
      // A body is read once.
      return Promise.race([Promise.resolve(reply).then((response) => response?.clone()), aborted]);
    }) as typeof fetch,
  };
}

const json = (body: string, status = 200, headers: Record<string, string> = {}): Response => new Response(body, { status, headers });
const good = json('{"quota":499.49142,"status":true}');
const throttled = json('{"error":"request_throttled","reason":"You have sent too many requests.","status":false}');
const never = new Promise<Response>(() => {});

/** The milliseconds between the tries of a call, and how often it began to listen whether it is broken off, once it was tried. */
async function waits(
  replies: Reply[],
  call: rest.Call<unknown>,
  options: rest.RestClientOptions,
): Promise<{ waits: number[]; error: unknown; heard: number }> {
  const { fetch, asked, heard } = answering(...replies);
  const client = new rest.RestClient("ws://localhost", { timeout: 0, ...options, fetch });
  let error: unknown;
  await withClock(async (clock) => {
    let isOver = false;
    const end = (reason?: unknown): void => {
      error = reason;
      isOver = true;
    };
    client.call(call).then(() => end(), end);
    const limits = options.timeout === undefined ? 0 : 1;
    for (;;) {
      // A try has ended when all is over, or a timer runs until the next.
      await clock.until((timers) => isOver || timers > limits);
      if (isOver) break;
      await clock.pass(50);
    }
  });
  return { waits: asked.slice(1).map(({ at }, index) => at - (asked[index]?.at ?? 0)), error, heard: heard() };
}

/** What a server with a fault answers the calls, and is made of it. */
export const faults: Readonly<Record<string, (url: string) => Promise<void>>> = {
  async throttled(url) {
    const error = await ofCall("CHATNIO_REST_THROTTLED", url, rest.quota());
    ok(error.isRetryable && (error.words ?? "").includes("too many requests"), error.message);
  },
  async "two-objects"(url) {
    const client = new rest.RestClient(url, { token });
    equal(await client.call(rest.quota()), 500);
    equal((await client.call(rest.subscription())).isSubscribed, false);
    equal(await client.call(rest.conversations()), []);
  },
  async "null-data"(url) {
    const client = new rest.RestClient(url, { token });
    for (const call of [rest.conversations(), rest.shares(), rest.masks(), rest.models()]) equal(await client.call<unknown>(call), []);
    await ofCall("CHATNIO_REST_MALFORMED", url, rest.shareConversation(1));
  },
  async "bad-key"(url) {
    const error = await ofCall("CHATNIO_REST_BAD_KEY", url, rest.quota());
    ok(!error.isRetryable && !error.message.includes(token), error.message);
    equal((await new rest.RestClient(url).call(rest.models())).some(({ id }) => id === "hello"), true);
  },
  async "black-listed"(url) {
    const error = await ofCall("CHATNIO_REST_BLACK_LISTED", url, rest.quota());
    ok(!error.isRetryable && !error.isFatal, "it lasts");
  },
  async "web-page"(url) {
    // The chat's URL says where the calls are; its origin has the page.
    const { origin } = new URL(url);
    equal(await new rest.RestClient(url, { token }).call(rest.quota()), 500);
    equal(await new rest.RestClient(`${origin}/api`, { token }).call(rest.quota()), 500);
    const error = await ofCall("CHATNIO_REST_WEB_PAGE", origin, rest.quota());
    ok(error.message.includes("/api"), error.message);
  },
  async "bad-gateway"(url) {
    const error = await ofCall("CHATNIO_REST_HTTP", url, rest.quota());
    ok(error.isRetryable && error.message.includes("502"), error.message);
  },
};

/** The error of a call to a server. */
async function ofCall(code: rest.Code, url: string, call: rest.Call<unknown>): Promise<rest.CallError> {
  const error = await rejects(code, new rest.RestClient(url, { token }).call(call));
  ok(error instanceof rest.CallError, "it is one of a call");
  return error;
}

/** A test of the calls, once their module is there. */
function withModule(name: string, body: (env: Env) => void | Promise<void>): Test {
  return {
    name,
    async run(env) {
      await rest.load();
      await body(env);
    },
  };
}

export const tests: Test[] = [
  withModule("every recorded answer is read as in every language", ({ answers }) => {
    const names = new Set<string>();
    for (const section of answers.split("\n\n")) {
      const [first = "", ...lines] = section.split("\n").filter((line) => line !== "" && !line.startsWith("//"));
      const [, name, given] = /^CALL (\w+) (.*)$/.exec(first) ?? [];
      if (name === undefined || given === undefined) continue;
      names.add(name);
      const call = made(name, JSON.parse(given) as Record<string, unknown>);
      equal(snake(call.name), name);
      let found: ReturnType<typeof outcome> = { line: "" };
      for (const line of lines) {
        if (line.startsWith("> ")) {
          const request = call.request();
          equal(["> " + request.toString(), ...(request.body === undefined ? [] : [request.body])].join(" "), line);
        } else if (line.startsWith("< ")) {
          found = outcome(call, Number(line.slice(2, 5)), line.slice(6));
        } else {
          equal(found.line, line, name);
          if (line.startsWith("= ")) equal(sorted(plain(found.result)), sorted(JSON.parse(line.slice(2))), name);
        }
      }
    }
    equal([...names].sort(), [...calls.keys()].sort());
    equal(names.size, 27);
  }),
  withModule("a request has the key in a header, and shows it nowhere else", () => {
    const request = rest.renameConversation(7, "n").request({ token, prefix: "/api" });
    equal([request.method, request.path, request.body], ["POST", "/api/conversation/rename", '{"id":7,"name":"n"}']);
    equal(request.headers, { Accept: "application/json", "Content-Type": "application/json", Authorization: `Bearer ${token}` });
    ok(!`${request} ${JSON.stringify(request)} ${Object.values(request)}`.includes(token), "it is not shown");
    equal(rest.quota().request().headers, { Accept: "application/json" });
    equal(rest.quota().request({ token: "anonymous" }).headers, { Accept: "application/json" });
    equal(["/chat", "/api/chat", "/é/chat", "/"].map(rest.prefixOf), ["", "/api", "/é", ""]);
    throws("CHATNIO_EMPTY_TOKEN", () => rest.quota().request({ token: "" }));
    const bad = throws("CHATNIO_BAD_TOKEN", () => rest.quota().request({ token: `${token}\r\nX: y` }));
    ok(!bad.message.includes(token), bad.message);
    throws("CHATNIO_BAD_URL", () => rest.quota().request({ prefix: "https://h" }));
  }),
  withModule("only what reads alone is sent again", () => {
    const given: Record<string, unknown[]> = { subscribe: [1, 2], rename_conversation: [1, "n"], save_mask: [{ name: "n", context: [] }] };
    const byText = ["shared_conversation", "delete_share", "invite", "redeem"];
    const repeatable = [...calls].filter(([name, make]) => make(...(given[name] ?? [byText.includes(name) ? "x" : 1])).isRepeatable);
    equal(repeatable.map(([name]) => name).sort(), [
      "api_key", "billing_limits", "billing_usage", "charges", "conversation", "conversations", "info", "market", "masks",
      "models", "package", "plans", "quota", "shared_conversation", "shares", "subscription", "user",
    ]);
  }),
  withModule("ids are exact, whatever they are", () => {
    const id = 9_007_199_254_740_993n;
    equal(rest.conversation(id).request().path, `/conversation/load?id=${id}`);
    const listed = rest.conversations().decode(200, `{"data":[{"id":1,"name":"a"},{"id":${id},"name":"b"}],"status":true}`);
    equal(listed.map((of) => of.id), [1, id]);
    equal(rest.conversation(id).decode(200, `{"data":{"id":-${id},"message":[]},"status":true}`).id, -id);
    const shares = rest.shares().decode(200, `{"data":[{"hash":"h","conversation_id":${id},"name":"n","time":"t"}]}`);
    equal(shares[0]?.conversationId, id);
    const masks = (of: bigint | number): string => `{"status":true,"data":[{"id":${of},"name":"n","context":[]}]}`;
    equal(rest.masks().decode(200, masks(7))[0]?.id, 7);
    throws("CHATNIO_REST_MALFORMED", () => rest.masks().decode(200, masks(id)));
  }),
  withModule("a mask is stored with all that it has", () => {
    const mask = { id: 3, name: "é", description: "x".repeat(300), avatar: "🎭", context: [{ role: "system", content: "y".repeat(70_000) }] };
    equal(sorted(JSON.parse(rest.saveMask(mask).request().body ?? "")), sorted(mask));
    equal(rest.shareConversation(5, [0, 2]).request().body, '{"id":5,"refs":[0,2]}');
  }),
  withModule("what cannot be meant is refused", () => {
    for (const wrong of [
      () => rest.conversation("29" as never),
      () => rest.conversation(2n ** 63n),
      () => rest.conversation(1.5),
      () => rest.invite(5 as never),
      () => rest.saveMask({ name: "n", context: [{ role: "system", content: 5 as never }] }),
      () => rest.quota().decode(-1, ""),
      () => rest.quota().decode(200, {} as never),
      () => rest.quota().request({ prefix: 5 as never }),
      () => new rest.RestClient(5 as never),
      () => new rest.RestClient("ws://localhost", { timeout: -1 }),
      () => new rest.RestClient("ws://localhost", { retries: 0.5 }),
    ]) {
      throws("CHATNIO_INVALID", wrong);
    }
    throws("CHATNIO_BAD_URL", () => new rest.RestClient("ftp://example.com"));
    throws("CHATNIO_PLAIN_TOKEN", () => new rest.RestClient("http://example.com", { token }));
    new rest.RestClient("http://example.com", { token, allowTokenOverPlainWs: true });
    new rest.RestClient("http://example.com");
  }),
  withModule("what was asked is listed, loaded, continued, shared and deleted", async ({ fast }) => {
    const key = `sk-${Math.random().toString(36).slice(2)}`;
    const ask = async (question: string, conversation?: rest.ConversationId): Promise<void> => {
      const chat = await Client.connect(fast, { token: key, conversation });
      await chat.ask(question, { model: "hello" }).text();
      await chat.close();
    };
    await ask("hi");
    const client = new rest.RestClient(fast, { token: key });
    const [listed, ...more] = await client.call(rest.conversations());
    ok(listed, "it is there");
    equal([listed.name, listed.messages, more], ["hi", undefined, []]);
    await client.call(rest.renameConversation(listed.id, "é"));
    const loaded = await client.call(rest.conversation(listed.id));
    equal([loaded.name, loaded.messages?.map(({ role }) => role)], ["é", ["user", "assistant"]]);
    await ask("again", listed.id);
    equal((await client.call(rest.conversation(listed.id))).messages?.length, 4);
    const hash = await client.call(rest.shareConversation(listed.id));
    equal((await client.call(rest.sharedConversation(hash))).messages.length, 4);
    await client.call(rest.saveMask({ name: "n", context: [{ role: "system", content: "x" }], description: "d" }));
    equal((await client.call(rest.masks()))[0]?.description, "d");
    await client.call(rest.deleteConversation(listed.id));
    const gone = await rejects("CHATNIO_REST_NOT_FOUND", client.call(rest.deleteConversation(listed.id)));
    equal((gone as rest.CallError).words, "conversation not found");
    equal((await client.call(rest.user())).name, "root");
    equal((await client.call(rest.charges()))[0]?.type, "token-billing");
    await rejects("CHATNIO_REST_REFUSED", client.call(rest.buy(1)));
    const nobody = new rest.RestClient(fast);
    ok((await nobody.call(rest.models())).some(({ id }) => id === "hello"), "models need no key");
    await rejects("CHATNIO_REST_NO_KEY", nobody.call(rest.quota()));
  }),
  withModule("a request goes out as it should", async () => {
    const { fetch, asked } = answering(good);
    const client = new rest.RestClient("https://example.com/api/chat?key=SECRET&a=b", { token, fetch, headers: { "X-Team": "7" } });
    equal(await client.call(rest.quota()), 499.49142);
    await client.call(rest.conversation(29)).catch(() => {});
    equal(asked.map(({ url }) => url), [
      "https://example.com/api/quota?key=SECRET&a=b",
      "https://example.com/api/conversation/load?id=29&key=SECRET&a=b",
    ]);
    const init = asked[0]?.init;
    equal([init?.method, init?.redirect, init?.credentials, init?.body], ["GET", "manual", "omit", null]);
    equal(init?.headers, { "X-Team": "7", Accept: "application/json", Authorization: `Bearer ${token}` });
  }),
  withModule("a gateway that repeats its key is not quoted", async () => {
    const said = json('{"message":"no access with SECRET%2F1%3C or SECRET/1< or SECRET/1\\u003c or SECRET/1&lt;","status":false}');
    const { fetch } = answering(said);
    const client = new rest.RestClient("wss://example.com?key=SECRET%2F1%3C", { fetch });
    const refused = (await rejects("CHATNIO_REST_REFUSED", client.call(rest.quota()))) as rest.CallError;
    equal(refused.words, "no access with ... or ... or ... or ...");
    const lost = answering(new TypeError("cannot reach https://example.com/quota?key=SECRET%2F1"));
    const other = new rest.RestClient("wss://example.com?key=SECRET%2F1", { fetch: lost.fetch });
    const error = await rejects("CHATNIO_CONNECT", other.call(rest.quota()));
    ok(!error.message.includes("SECRET") && error.message.includes("wss://example.com/chat?..."), error.message);
  }),
  withModule("a server that repeats the key is not quoted", async () => {
    const said = json(`{"message":"no access with ${token}, ${token}","status":false}`);
    const client = new rest.RestClient("wss://example.com", { token, fetch: answering(said).fetch });
    const refused = (await rejects("CHATNIO_REST_REFUSED", client.call(rest.quota()))) as rest.CallError;
    equal(refused.words, "no access with sk-..., sk-...");
    ok(!refused.message.includes(token), refused.message);
  }),
  withModule("a server that repeats a header is not quoted", async () => {
    const said = json('{"message":"no access with Basic s3cr&t, s3cr\\\\u0026t, s3cr&amp;t","status":false}');
    const headers = { "X-Gate": "Basic s3cr&t" };
    const client = new rest.RestClient("wss://example.com", { headers, fetch: answering(said).fetch });
    const refused = (await rejects("CHATNIO_REST_REFUSED", client.call(rest.quota()))) as rest.CallError;
    equal(refused.words, "no access with ..., ..., ...");
  }),
  withModule("a query changes no answer, and a secret is one however it is written", async () => {
    const query = "wss://example.com?user=false&status=message&data=SECRET%2F1";
    const said = (message: string): Promise<unknown> =>
      new rest.RestClient(query, { fetch: answering(json(`{"status":false,"message":"${message}"}`)).fetch }).call(rest.conversations());
    await rejects("CHATNIO_REST_NO_KEY", said("user not found"));
    for (const [message, words] of [
      ["no SEC\\u0052ET\\/1", "no ..."],
      [`${"x".repeat(4088)}SECRET/1`, `${"x".repeat(4088)}...`],
      [`${"x".repeat(4090)}SECRET/1`, `${"x".repeat(4090)}...`],
    ] as const) {
      const error = (await rejects("CHATNIO_REST_REFUSED", said(message))) as rest.CallError;
      equal(error.words, words);
      ok(error.message.endsWith(words) && error.httpStatus === 200, error.message);
    }
  }),
  withModule("a redirect is not followed", async () => {
    const hidden = { type: "opaqueredirect", status: 0, clone: () => hidden } as unknown as Response;
    for (const reply of [hidden, new Response(null, { status: 302, headers: { location: "https://example.org" } })]) {
      const client = new rest.RestClient("wss://example.com", { token, fetch: answering(reply).fetch });
      const error = await rejects("CHATNIO_REST_HTTP", client.call(rest.quota()));
      ok(error.message.includes("the key would go along") && !error.isRetryable, error.message);
    }
  }),
  withModule("when the server wants to be asked again is told", () => {
    const fails = (headers: Record<string, string>): unknown => {
      const error = throws("CHATNIO_REST_HTTP", () => rest.quota().decode(429, "", new Headers(headers)));
      ok(error.isRetryable, "it may be");
      return error.retryAfter;
    };
    equal(fails({ "Retry-After": "7" }), 7000);
    const date = "Sun, 06 Nov 1994 08:49:37 GMT";
    equal(fails({ "Retry-After": "Sun, 06 Nov 1994 08:50:07 GMT", Date: date }), 30_000);
    equal(fails({ "Retry-After": "Sun, 06 Nov 1994 08:49:07 GMT", Date: date }), 0);
    equal(fails({ "Retry-After": "Sun Nov  6 08:50:07 1994", Date: date }), 30_000);
    for (const long of ["9999999999", "9".repeat(400)]) equal(fails({ "Retry-After": long }), 999_999_999_000);
    equal(fails({ "Retry-After": "Sun, 06 Nov 1994 08:50:07 GMT" }), undefined);
    for (const none of ["soon", "soon 1", "-1", "+7", "7, 8", "1994-11-06"]) equal(fails({ "Retry-After": none, Date: date }), undefined);
    equal(throws("CHATNIO_REST_HTTP", () => rest.quota().decode(429, "")).retryAfter, undefined);
  }),
  withModule("a call that reads is tried again, later and later", async () => {
    const retries = 6;
    const often = await waits([throttled], rest.quota(), { retries });
    equal((often.error as rest.CallError).code, "CHATNIO_REST_THROTTLED");
    equal(often.waits.length, retries);
    for (const [index, least] of [1100, 2200, 4400, 8000, 8000, 8000].entries()) {
      const wait = often.waits[index] ?? 0;
      ok(wait >= least && wait <= 1.5 * least + 50, `${wait} is not about ${least}`);
    }
    const lost = await waits([new TypeError("no network"), json("", 503), good], rest.quota(), { retries });
    equal([lost.error, lost.waits.length], [undefined, 2]);
    ok((lost.waits[0] ?? 0) < 800, "less after anything else");
    const offline = await waits([new TypeError("no network")], rest.quota(), { retries: 20 });
    equal([offline.waits.length, offline.heard], [20, 0], "Node warns of more than ten listeners");
    const asked = await waits([json("", 429, { "Retry-After": "20" }), good], rest.quota(), { retries });
    ok((asked.waits[0] ?? 0) >= 20_000, "not before the server wants it");
  }),
  withModule("what cannot help, or change something, or has no time left, is not tried again", async () => {
    const tries = async (reply: Reply, call: rest.Call<unknown>, options: rest.RestClientOptions): Promise<number> =>
      (await waits([reply], call, options)).waits.length;
    equal(await tries(throttled, rest.quota(), {}), 2, "as elsewhere");
    equal(await tries(throttled, rest.quota(), { retries: 0 }), 0, "unless it is switched off");
    for (const call of [rest.deleteConversation(1), rest.deleteShare("h"), rest.buy(1), rest.renameConversation(1, "n"), rest.redeem("c")]) {
      equal(await tries(throttled, call, { retries: 5 }), 0, call.name);
      equal(await tries(new TypeError("lost"), call, { retries: 5 }), 0, call.name);
    }
    equal(await tries(json('{"code":401,"message":"no"}', 401), rest.quota(), { retries: 5 }), 0, "a bad key");
    equal(await tries(throttled, rest.quota(), { retries: 5, timeout: 1000 }), 0, "no time");
    equal(await tries(json("", 429, { "Retry-After": "20" }), rest.quota(), { retries: 5, timeout: 19_000 }), 0, "nor until then");
  }),
  withModule("a try that runs out of time does not hide what the one before failed by", async () => {
    await withClock(async (clock) => {
      const { fetch, asked } = answering(json("", 503), never);
      const client = new rest.RestClient("ws://localhost", { fetch, timeout: 2000 });
      const away = rejects("CHATNIO_REST_HTTP", client.call(rest.quota()));
      await clock.until((timers) => timers === 2);
      await clock.pass(1000);
      await clock.until((timers) => timers === 1);
      await clock.pass(1000);
      equal([((await away) as rest.CallError).httpStatus, asked.length], [503, 2]);
    });
  }),
  withModule("a call has a limit, and can be broken off", async () => {
    await withClock(async (clock) => {
      const client = new rest.RestClient("ws://localhost", { fetch: answering(never).fetch });
      const late = rejects("CHATNIO_UNRESPONSIVE", client.call(rest.quota()));
      await clock.until((timers) => timers === 1);
      await clock.pass(30_000);
      ok((await late).message.includes("within 30000 ms"), "it says how long");
      await clock.until((timers) => timers === 0);
    });
    const control = new AbortController();
    const client = new rest.RestClient("ws://localhost", { fetch: answering(never).fetch });
    const broken = failure(client.call(rest.quota(), { signal: control.signal }));
    control.abort(new Error("enough"));
    equal(((await broken) as Error).message, "enough");
    equal(((await failure(client.call(rest.quota(), { signal: control.signal }))) as Error).message, "enough");
  }),
  withModule("an answer that is cut or endless is told", async () => {
    const cut = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"quota":'));
        controller.error(new TypeError("terminated"));
      },
    });
    const answered = async (body: ReadableStream): Promise<number> =>
      new rest.RestClient("ws://localhost", { retries: 0, fetch: (async () => new Response(body)) as typeof fetch }).call(rest.quota());
    const lost = await rejects("CHATNIO_IO", answered(cut));
    ok(lost.isRetryable && lost.message.includes("terminated"), lost.message);
    let isCancelled = false;
    const chunk = new Uint8Array(1 << 20).fill(0x20);
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(chunk),
      cancel() {
        isCancelled = true;
      },
    });
    ok(!(await rejects("CHATNIO_OVERSIZED", answered(endless))).isRetryable, "it would be again");
    ok(isCancelled, "it is not read on");
  }),
];
