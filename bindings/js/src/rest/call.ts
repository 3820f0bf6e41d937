import { type Pointer, type RestExports, RestType, Status } from "../abi.js";
import { codeOf } from "../errors.js";
import { Handle, type Library } from "../library.js";
import { makeAuth, refuse, textOf } from "../settings.js";
import { CallError } from "./errors.js";
import { library as loaded } from "./load.js";

/** An HTTP request to send. */
export class HttpRequest {
  /** The method. */
  readonly method: "GET" | "POST";
  /** The path, with its query where there is one: what goes behind `https://HOST`. */
  readonly path: string;
  /** The body, which is JSON; only with `POST`. */
  readonly body: string | undefined;
  // Private, so that nothing that logs a request shows them.
  readonly #headers: Readonly<Record<string, string>>;

  /** @internal */
  constructor(method: "GET" | "POST", path: string, headers: Readonly<Record<string, string>>, body: string | undefined) {
    this.method = method;
    this.path = path;
    this.body = body;
    this.#headers = headers;
  }

  /** The headers to send beside those that every HTTP client sets itself. The key's is among them: a secret. */
  get headers(): Readonly<Record<string, string>> {
    return this.#headers;
  }

  /** Method and path, without the key. */
  toString(): string {
    return `${this.method} ${this.path}`;
  }
}

/** What a request is made with. */
export interface RequestOptions {
  /** An API key `sk-...` or a login token; without one, or by `anonymous`, none is sent. */
  readonly token?: string | undefined;
  /** What goes before the path: nothing, or `/api` as a rule where the server also serves its web page. See `prefixOf()`. */
  readonly prefix?: string | undefined;
}

/** What is used of the headers of an answer: those of `fetch`, for instance. */
export interface AnswerHeaders {
  get(name: string): string | null;
}

/** An answer in the module's memory. */
export interface Found {
  readonly library: Library<RestExports>;
  readonly pointer: Pointer;
}

/** Sets something that a call needs. */
export type Setting = (library: Library<RestExports>, call: Pointer) => void;

/**
 * One companion call: what is asked, and how its answer is read. Made by the functions of `chatnio/rest`, used any number of
 * times. It does no I/O, and holds no key.
 */
export class Call<Result> {
  /** That of the function that made it. */
  readonly name: string;
  readonly #type: keyof typeof RestType;
  readonly #settings: readonly Setting[];
  readonly #read: (json: unknown, found: Found) => Result;

  /** @internal */
  constructor(
    name: string,
    type: keyof typeof RestType,
    read: (json: unknown, found: Found) => Result,
    settings: readonly Setting[] = [],
  ) {
    this.name = name;
    this.#type = type;
    this.#read = read;
    this.#settings = settings;
  }

  /**
   * The request to send. Follow no redirect with it: the key would go along.
   *
   * @throws {ChatNioError} `CHATNIO_EMPTY_TOKEN`, `CHATNIO_BAD_TOKEN`; `CHATNIO_BAD_URL` for the prefix.
   */
  request({ token, prefix = "" }: RequestOptions = {}): HttpRequest {
    return this.#made((library, call) => {
      const auth = makeAuth(library, { token });
      try {
        const length = library.write(textOf("prefix", prefix));
        check(library, call, (exports) => exports.chatnio_rest_call_prepare(call, auth.pointer, library.input, length));
      } finally {
        auth.free();
      }
      const text = (get: (exports: RestExports, out: Pointer) => number): string | undefined => {
        check(library, call, (exports) => get(exports, library.out));
        return library.text(library.out);
      };
      return new HttpRequest(
        text((exports, out) => exports.chatnio_rest_call_method(call, out)) === "GET" ? "GET" : "POST",
        text((exports, out) => exports.chatnio_rest_call_target(call, out)) ?? "",
        headersOf(library, call),
        text((exports, out) => exports.chatnio_rest_call_body(call, out)),
      );
    });
  }

  /**
   * Reads the answer: its HTTP status and its whole body. Of its `headers`, if they are given, `Retry-After` is read.
   *
   * @throws {CallError} whatever says that there is no result.
   */
  decode(status: number, body: string | Uint8Array | ArrayBuffer, headers?: AnswerHeaders): Result {
    return this.#decoded(status, body, headers, (json, found) => this.#read(JSON.parse(json), found));
  }

  /**
   * As `decode()`, and gives the result as JSON, the same in every language: with all that the server sent.
   *
   * @throws {CallError} as `decode()`.
   */
  json(status: number, body: string | Uint8Array | ArrayBuffer, headers?: AnswerHeaders): string {
    return this.#decoded(status, body, headers, (json) => json);
  }

  /** Whether it may be sent again when nobody knows whether it has arrived: it only reads. */
  get isRepeatable(): boolean {
    return this.#made((library, call) => {
      check(library, call, (exports) => exports.chatnio_rest_call_is_repeatable(call, library.out));
      return library.bool(library.out);
    });
  }

  #decoded<Read>(
    status: number,
    body: string | Uint8Array | ArrayBuffer,
    headers: AnswerHeaders | undefined,
    read: (json: string, found: Found) => Read,
  ): Read {
    const code = Number.isInteger(status) && status >= 0 && status <= 999 ? status : refuse("status", "an HTTP status", status);
    return this.#made((library, call) => {
      const length = writeBody(library, body);
      let answered: number;
      let pointer: Pointer;
      try {
        answered = library.call((exports) => exports.chatnio_rest_call_decode(call, code, library.input, length, library.out));
        pointer = library.pointer(library.out);
      } finally {
        // It may hold a key.
        library.wipe();
        library.tidy();
      }
      if (answered !== Status.CHATNIO_OK) throw callError(library, call, answered, code, headers);
      const answer = new Handle(library, "answer", pointer, (exports, of) => exports.chatnio_rest_answer_free(of));
      try {
        library.check((exports) => exports.chatnio_rest_answer_json(pointer, library.out));
        return read(library.text(library.out) ?? "null", { library, pointer });
      } finally {
        answer.free();
      }
    });
  }

  /** Makes it in the module, for one use. */
  #made<Used>(use: (library: Library<RestExports>, call: Pointer) => Used): Used {
    const library = loaded();
    const handle = new Handle(
      library,
      "call",
      library.construct((exports, out) => exports.chatnio_rest_call_new(RestType[this.#type], out)),
      (exports, pointer) => exports.chatnio_rest_call_free(pointer),
    );
    try {
      for (const set of this.#settings) set(library, handle.pointer);
      return use(library, handle.pointer);
    } finally {
      handle.free();
    }
  }
}

/** As `Library.check`, with what the call says of its failure. */
export function check(library: Library<RestExports>, call: Pointer, body: (exports: RestExports) => number): void {
  library.check(body, (exports, ...to) => exports.chatnio_rest_call_error(call, ...to));
}

/**
 * The prefix of the companion calls of the server whose chat is at this path: of `/chat` none, of `/api/chat` `/api`.
 * `load()` comes first.
 */
export function prefixOf(path: string): string {
  const library = loaded();
  const length = library.write(textOf("path", path));
  library.check((exports) => exports.chatnio_rest_prefix_len(library.input, length, library.out));
  return new TextDecoder().decode(new TextEncoder().encode(path).subarray(0, library.pointer(library.out)));
}

function headersOf(library: Library<RestExports>, call: Pointer): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  const name = library.out;
  const value = name + 8;
  for (let index = 0; ; index += 1) {
    const status = library.call((exports) => exports.chatnio_rest_call_header(call, index, name, value));
    if (status === Status.CHATNIO_ABSENT) return headers;
    if (status !== Status.CHATNIO_OK) throw library.failure(status);
    headers[library.text(name) ?? ""] = library.text(value) ?? "";
  }
}

function writeBody(library: Library<RestExports>, body: unknown): number {
  if (typeof body === "string") return library.write(body);
  const isBytes = body instanceof ArrayBuffer || body instanceof Uint8Array;
  const bytes = isBytes ? new Uint8Array(body) : refuse("body", "a string, a Uint8Array or an ArrayBuffer", body);
  library.writeBytes(bytes);
  return bytes.length;
}

/** What a call has failed with. */
function callError(
  library: Library<RestExports>,
  call: Pointer,
  status: number,
  httpStatus: number,
  headers: AnswerHeaders | undefined,
): Error {
  const code = codeOf(status);
  const explain = (exports: RestExports, buffer: Pointer, size: number, length: Pointer): number =>
    exports.chatnio_rest_call_error(call, buffer, size, length);
  if (!code.startsWith("CHATNIO_REST_")) return library.failure(status, explain);
  const message = library.explained(status, explain);
  library.check((exports) => exports.chatnio_rest_call_words(call, library.out));
  const words = library.text(library.out);
  library.check((exports) => exports.chatnio_rest_call_is_retryable(call, library.out));
  return new CallError(code, message, words, library.bool(library.out), headers && retryAfter(headers), httpStatus);
}

/** After how many milliseconds to ask again (RFC 9110, section 10.2.3). A date counts from the answer's own. */
function retryAfter(headers: AnswerHeaders): number | undefined {
  const told = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+$/.test(told)) return Math.min(Number(told), MAX_WAIT) * 1000;
  const wait = timeOf(told) - timeOf(headers.get("date") ?? "");
  return Number.isNaN(wait) ? undefined : Math.max(wait, 0);
}

/** The longest wait that is believed, in seconds. */
const MAX_WAIT = 999_999_999;

/** A date of HTTP, in milliseconds. `Date.parse()` finds dates in anything, and takes one without a zone, the oldest form, as local. */
function timeOf(date: string): number {
  if (/ GMT$/.test(date)) return Date.parse(date);
  return /^[A-Z][a-z]{2} .* \d{4}$/.test(date) ? Date.parse(`${date} GMT`) : NaN;
}
