import { type Endpoint, endpoint, refusePlainToken } from "../endpoint.js";
import { ChatNioError, type Code } from "../errors.js";
import { ofHeaders, redacted } from "../redacted.js";
import { flag, functionOf, MAX_DELAY, optionsOf, refuse, time, whole } from "../settings.js";
import { onAbort, signalOf } from "../signal.js";
import { Call, prefixOf } from "./call.js";
import { CallError } from "./errors.js";
import { load } from "./load.js";
import { retryWait } from "./retry.js";

/** What a client is made with. */
export interface RestClientOptions {
  /** An API key `sk-...` or a login token; without one, or by `anonymous`, none is sent. */
  readonly token?: string | undefined;
  /** How long a call may take in all, with every try, in milliseconds. 30,000; 0: as long as it takes. */
  readonly timeout?: number | undefined;
  /** How often a call that only reads is tried again, when that may help: see `ChatNioError.isRetryable`. 2. */
  readonly retries?: number | undefined;
  /** Lets a token go over plain http:// to another machine, where everybody on the way can read it. Off. */
  readonly allowTokenOverPlainWs?: boolean | undefined;
  /** Further headers, for a gateway. */
  readonly headers?: Readonly<Record<string, string>> | Headers | undefined;
  /** What sends the requests. The platform's own `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** What one call is made with. */
export interface CallOptions {
  /** Breaks the call off. Whether the server has heard of it is open then. Its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** The longest answer, in bytes: a conversation with many long messages, and pictures in them. */
const MAX_ANSWER = 64 * 1024 * 1024;

/**
 * Makes the companion calls of one server, by the platform's `fetch`.
 *
 *     const client = new RestClient("wss://api.chatnio.net", { token: "sk-..." });
 *     console.log(await client.call(quota()), "left");
 *     for (const { id, name } of await client.call(conversations())) console.log(id, name);
 *
 * No redirect is followed, and no cookie is sent. A page that comes from elsewhere than the server can call it only where
 * the server allows that (CORS).
 */
export class RestClient {
  readonly #server: Endpoint;
  readonly #token: string | undefined;
  readonly #timeout: number;
  readonly #retries: number;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #fetch: typeof globalThis.fetch;

  /**
   * For the server whose chat is at `url`, as in `chatUrl()`; the calls' prefix follows from its path.
   *
   * @throws {ChatNioError} those of `chatUrl()`; `CHATNIO_PLAIN_TOKEN`; `CHATNIO_INVALID` for an option that cannot be.
   */
  constructor(url: string, options: RestClientOptions = {}) {
    this.#server = endpoint(url);
    this.#token = optionsOf(options).token;
    refusePlainToken(this.#server, options.token, flag("allowTokenOverPlainWs", options.allowTokenOverPlainWs ?? false) === 1);
    this.#timeout = Number(time("timeout", options.timeout ?? 30_000));
    this.#retries = Number(whole("retries", options.retries ?? 2));
    if (this.#retries < 0) refuse("retries", "a whole number, 0 or more", options.retries);
    this.#headers = headersOf(options.headers);
    this.#fetch = functionOf("fetch", options.fetch) ?? globalThis.fetch.bind(globalThis);
  }

  /**
   * Makes a call, and waits for its answer. The first one loads the module, if nothing else has: see `load()`.
   *
   * @throws {CallError} when there is no result.
   * @throws {ChatNioError} `CHATNIO_CONNECT` when there is no answer, for which the platform has words or not;
   * `CHATNIO_IO` when the answer was cut; `CHATNIO_UNRESPONSIVE` when it did not come in time; `CHATNIO_OVERSIZED`; those of
   * `Call.request()` and `load()`.
   * @throws the signal's reason.
   */
  async call<Result>(call: Call<Result>, options: CallOptions = {}): Promise<Result> {
    if (!(call instanceof Call)) refuse("call", "a call, such as quota()", call);
    const signal = signalOf(optionsOf(options).signal);
    signal?.throwIfAborted();
    await load();
    const limit = new Limit(this.#timeout, signal);
    let before: unknown;
    try {
      for (let failures = 0; ; failures += 1) {
        try {
          return await limit.within(this.#once(call, limit.signal));
        } catch (error) {
          // What the try before failed by says more than that this one ran out of time.
          if (limit.signal.aborted) throw limit.isLate ? (before ?? limit.signal.reason) : limit.signal.reason;
          const isAgain = error instanceof ChatNioError && error.isRetryable && failures < this.#retries && call.isRepeatable;
          const wait = isAgain ? retryWait(error, failures, limit.left) : undefined;
          if (wait === undefined) throw error;
          before = error;
          await limit.pause(wait);
        }
      }
    } finally {
      limit.end();
    }
  }

  async #once<Result>(call: Call<Result>, signal: AbortSignal): Promise<Result> {
    const { url, shown } = this.#server;
    const { origin, pathname, search } = new URL(url.replace(/^ws/, "http"));
    const { method, path, headers, body = null } = call.request({ token: this.#token, prefix: prefixOf(pathname) });
    const key = headers.Authorization?.replace("Bearer ", "");
    const redact = (text: string): string => redacted(text, search.slice(1), key, ofHeaders(this.#headers));
    // Gateways want their keys in the query.
    const target = search === "" ? path : `${path}${path.includes("?") ? "&" : "?"}${search.slice(1)}`;
    let response: Response;
    try {
      response = await this.#fetch(`${origin}${target}`, {
        method,
        headers: { ...this.#headers, ...headers },
        body,
        signal,
        redirect: "manual",
        credentials: "omit",
        cache: "no-store",
        referrerPolicy: "no-referrer",
      });
    } catch (error) {
      throw failed("CHATNIO_CONNECT", `${shown} does not answer`, error, redact);
    }
    if (response.type === "opaqueredirect") {
      throw new CallError("CHATNIO_REST_HTTP", `${REDIRECTED}; use the URL that it points to`);
    }
    const bytes = await read(response, redact);
    try {
      return call.decode(response.status, bytes, response.headers);
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      // Some servers repeat what they were asked, and with it its secrets. What was read, and not the bytes: in JSON a secret
      // can be written in many ways, and a field be called as it is.
      throw saying(error, redact(error.words ?? ""));
    }
  }
}

/** Headers that can be sent. Whoever refuses them later repeats them. */
function headersOf(headers: RestClientOptions["headers"]): Readonly<Record<string, string>> {
  let known: Headers;
  try {
    known = new Headers(headers);
  } catch {
    throw new ChatNioError("CHATNIO_INVALID", "headers must be names and values that HTTP can carry: one holds a line break, say");
  }
  // Of an object of that class, and of pairs, nothing is its own property.
  if (headers !== undefined && Symbol.iterator in headers) return Object.fromEntries(known);
  return { ...(headers as Readonly<Record<string, string>> | undefined) };
}

/** The same with other words of the server's. */
function saying(error: CallError, words: string): CallError {
  if (error.words === undefined || words === error.words) return error;
  const message = error.message.replaceAll(error.words, words);
  return new CallError(error.code, message, words, error.isRetryable, error.retryAfter, error.httpStatus);
}

const REDIRECTED = "the server answered with a redirect, which is not followed, since the key would go along";

/** Reads the body, up to a limit. */
async function read(response: Response, redact: (text: string) => string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    const reader = response.body?.getReader();
    for (let next = await reader?.read(); next !== undefined && !next.done; next = await reader?.read()) {
      chunks.push(next.value);
      size += next.value.length;
      if (size > MAX_ANSWER) {
        reader?.cancel().catch(() => {});
        throw new ChatNioError("CHATNIO_OVERSIZED", `the server's answer is longer than ${MAX_ANSWER} bytes`);
      }
    }
  } catch (error) {
    if (error instanceof ChatNioError) throw error;
    throw failed("CHATNIO_IO", "the connection was lost before the answer was complete", error, redact);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** What a failed `fetch` says: Node says it in the cause, and a browser nowhere. An error that repeats a secret is no cause. */
function failed(code: Code, what: string, error: unknown, redact: (text: string) => string): ChatNioError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const said = cause instanceof Error ? cause.message : String(cause);
  const message = `${what}: ${redact(said) || "the platform does not say why"}`;
  const all = `${error instanceof Error ? error.message : ""} ${said}`;
  return new ChatNioError(code, message, redact(all) === all ? { cause: error } : {});
}

/** How long a call may take in all, and who may break it off. */
class Limit {
  readonly #control = new AbortController();
  readonly #until: number;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #forget: () => void;
  /** Rejects by why. One listener for all tries, since Node warns of more than ten. */
  readonly #brokenOff: Promise<never>;
  /** Whether it is the time that has broken the call off. */
  isLate = false;

  constructor(timeout: number, from: AbortSignal | undefined) {
    this.#brokenOff = new Promise((_, reject) => {
      this.signal.addEventListener("abort", () => reject(this.signal.reason as Error));
    });
    // It may be in no try.
    this.#brokenOff.catch(() => {});
    const abort = (): void => this.#control.abort(from?.reason);
    this.#forget = onAbort(from, abort);
    if (from?.aborted) abort();
    this.#until = timeout === 0 ? Infinity : performance.now() + timeout;
    if (timeout === 0) return;
    const late = new ChatNioError("CHATNIO_UNRESPONSIVE", `the server did not answer within ${timeout} ms`);
    this.#timer = setTimeout(() => {
      this.isLate = !this.signal.aborted;
      this.#control.abort(late);
    }, Math.min(timeout, MAX_DELAY));
  }

  get signal(): AbortSignal {
    return this.#control.signal;
  }

  /** Waits for it, unless the call is broken off before: a `fetch` of the host's may not look at the signal. */
  within<Result>(result: Promise<Result>): Promise<Result> {
    return Promise.race([result, this.#brokenOff]);
  }

  /** How many milliseconds are left. */
  get left(): number {
    return this.#until - performance.now();
  }

  /** Waits, unless the call is broken off. */
  async pause(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await this.within(over).finally(() => clearTimeout(timer));
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#forget();
  }
}
