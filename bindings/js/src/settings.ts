import type { CommonExports, Exports, Pointer } from "./abi.js";
import type { ConversationId } from "./answer.js";
import { ChatNioError } from "./errors.js";
import { Handle, type Library } from "./library.js";

/** Deadlines and limits. Times are in milliseconds, sizes in bytes; 0 switches one off. */
export interface Settings {
  /**
   * Sends the authentication at once instead of with the first request. Off: the server takes a new conversation's id
   * when it reads the authentication and does not reserve it, so two idle connections would share one.
   */
  readonly authAtOnce?: boolean | undefined;
  /** Gathers each answer's text in the answer. On; who only wants the pieces can spare the memory. */
  readonly keepText?: boolean | undefined;
  /** Sends a keep-alive after so long without a message in either direction. 25,000. */
  readonly keepAlive?: number | undefined;
  /** How long a turn's first frame may take. 120,000: a web search comes before it. */
  readonly firstFrame?: number | undefined;
  /**
   * How long each further frame may take. 120,000. A video job sends a frame only when its progress changes, and may take 30
   * minutes: give such a question more.
   */
  readonly nextFrame?: number | undefined;
  /** How long a whole answer may take, counted from when its request goes out. Off: a video job takes up to 30 minutes. */
  readonly answerWithin?: number | undefined;
  /** How long a turn may go on after its stop was sent. 10,000. */
  readonly afterStop?: number | undefined;
  /**
   * How long the server is left in peace after the end of an answer, before a request goes out that it could lose: one
   * that has no answer, and any at all when the stop was repeated. Also before any question once the server has ended a
   * turn by a notice, without the opener that its turns have. Such a request is accepted at once, and held. A connection
   * that is lost or made anew meanwhile loses it. 250.
   */
  readonly settle?: number | undefined;
  /** When a stop is sent again, counted from the first, in rising order. 150, 1,000, 2,000 and 4,000; none: never. */
  readonly stopRepeats?: readonly number[] | undefined;
  /** The longest message to accept from the server. 32 MiB. */
  readonly maxMessage?: number | undefined;
  /** The longest message to send. 8 MiB. */
  readonly maxRequest?: number | undefined;
  /** The longest answer to accept, in bytes of its text. 64 MiB. */
  readonly maxAnswer?: number | undefined;
  /** Records what is sent and received, without tokens: see `transcript`. Off. */
  readonly record?: boolean | undefined;
  /** How much to record; what comes after is left out. 64 MiB. */
  readonly maxRecording?: number | undefined;
}

/** Who asks, and in which conversation. */
export interface Authentication {
  /** An API key `sk-...` or a login token. Without one: asks without an account, as `anonymous`. */
  readonly token?: string | undefined;
  /** The conversation to continue; without one, or by -1, a new one. */
  readonly conversation?: ConversationId | undefined;
  /** Starts a new conversation from a shared one, by the share's hash. */
  readonly share?: string | undefined;
}

/** The setters of the C library that take one value of a type. */
type Setter<Value> = {
  [Name in keyof Exports]: Exports[Name] extends (handle: Pointer, value: Value) => number ? Name : never;
}[keyof Exports];

const FLAGS = {
  authAtOnce: "chatnio_config_set_auth_at_once",
  keepText: "chatnio_config_set_keep_text",
  record: "chatnio_config_set_record",
} as const satisfies Partial<Record<keyof Settings, Setter<number>>>;

const TIMES = {
  keepAlive: "chatnio_config_set_keep_alive",
  firstFrame: "chatnio_config_set_first_frame",
  nextFrame: "chatnio_config_set_next_frame",
  answerWithin: "chatnio_config_set_answer_within",
  afterStop: "chatnio_config_set_after_stop",
  settle: "chatnio_config_set_settle",
} as const satisfies Partial<Record<keyof Settings, Setter<bigint>>>;

const SIZES = {
  maxMessage: "chatnio_config_set_max_message",
  maxRequest: "chatnio_config_set_max_request",
  maxAnswer: "chatnio_config_set_max_answer",
  maxRecording: "chatnio_config_set_max_recording",
} as const satisfies Partial<Record<keyof Settings, Setter<number>>>;

/** The most milliseconds that a timer takes. */
export const MAX_DELAY = 2 ** 31 - 1;

/** The largest size that the module's memory can have. */
const MAX_SIZE = 2 ** 32 - 1;

/** The keys of an object, as its type has them. */
export function keysOf<Key extends string>(object: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(object) as Key[];
}

/**
 * Refuses what no caller can have meant.
 *
 * @throws {ChatNioError} `CHATNIO_INVALID`
 */
export function refuse(name: string, expected: string, value: unknown): never {
  const shown = typeof value === "number" || value === null ? String(value) : typeof value;
  throw new ChatNioError("CHATNIO_INVALID", `${name} must be ${expected}, not ${shown}`);
}

/** A flag as the module takes it. */
export function flag(name: string, value: unknown): number {
  return typeof value === "boolean" ? Number(value) : refuse(name, "true or false", value);
}

/** A number of milliseconds. */
export function time(name: string, value: unknown): bigint {
  const isTime = typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
  return isTime ? BigInt(Math.round(value)) : refuse(name, "a number of milliseconds, 0 or more", value);
}

function size(name: string, value: unknown): number {
  const isSize = Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_SIZE;
  return isSize ? (value as number) : refuse(name, "a number of bytes, 0 or more", value);
}

/** A whole number as the module takes it. */
export function whole(name: string, value: unknown, expected = "a whole number"): bigint {
  const isWhole = typeof value === "bigint" ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value);
  return isWhole ? BigInt(value as number | bigint) : refuse(name, expected, value);
}

/** A text as the module takes it. */
export function textOf(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  // Not which number: in a token's place it may be a secret.
  throw new ChatNioError("CHATNIO_INVALID", `${name} must be a string, not ${value === null ? "null" : typeof value}`);
}

/** Options: no text, which has letters in place of them, so that a token or a model would go unseen. */
export function optionsOf<Options>(value: Options): Options {
  return typeof value === "object" && value !== null ? value : refuse("options", "an object", value);
}

/** A function or a class, where there is one. */
export function functionOf<Value>(name: string, value: Value): Value {
  return value === undefined || typeof value === "function" ? value : refuse(name, "a function", value);
}

/** Bytes, of whichever realm: `instanceof` knows one alone. */
export function bytesOf(name: string, value: Uint8Array, expected = "a string or a Uint8Array"): Uint8Array {
  return ArrayBuffer.isView(value) && value.BYTES_PER_ELEMENT === 1 ? value : refuse(name, expected, value);
}

/** Makes a configuration. */
export function makeConfig(library: Library, settings: Settings): Handle {
  const config = new Handle(
    library,
    "configuration",
    library.construct((exports, out) => exports.chatnio_config_new(out)),
    (exports, pointer) => exports.chatnio_config_free(pointer),
  );
  const set = (body: (exports: Exports, config: Pointer) => number): void =>
    library.check(
      (exports) => body(exports, config.pointer),
      (exports, ...to) => exports.chatnio_config_error(config.pointer, ...to),
    );
  try {
    for (const name of keysOf(FLAGS)) {
      const value = settings[name];
      if (value !== undefined) set((exports, config) => exports[FLAGS[name]](config, flag(name, value)));
    }
    for (const name of keysOf(TIMES)) {
      const value = settings[name];
      if (value !== undefined) set((exports, config) => exports[TIMES[name]](config, time(name, value)));
    }
    for (const name of keysOf(SIZES)) {
      const value = settings[name];
      if (value !== undefined) set((exports, config) => exports[SIZES[name]](config, size(name, value)));
    }
    const repeats = settings.stopRepeats;
    if (repeats !== undefined) {
      if (!Array.isArray(repeats)) refuse("stopRepeats", "an array of times", repeats);
      library.writeUint64s(repeats.map((value) => time("each of stopRepeats", value)));
      set((exports, config) => exports.chatnio_config_set_stop_repeats(config, library.input, repeats.length));
    }
  } catch (error) {
    config.free();
    throw error;
  }
  return config;
}

/** Makes an authentication. */
export function makeAuth<E extends CommonExports>(library: Library<E>, { token, conversation, share }: Authentication): Handle<E> {
  const name = textOf("token", token ?? "anonymous");
  let auth: Handle<E>;
  try {
    const length = library.write(name);
    auth = new Handle(
      library,
      "authentication",
      library.construct((exports, out) => exports.chatnio_auth_new(library.input, length, out)),
      (exports, pointer) => exports.chatnio_auth_free(pointer),
    );
  } finally {
    library.wipe();
  }
  try {
    if (conversation !== undefined) {
      library.check((exports) => exports.chatnio_auth_set_conversation(auth.pointer, whole("conversation", conversation, "the id of a conversation")));
    }
    if (share !== undefined) {
      const length = library.write(textOf("share", share));
      library.check((exports) => exports.chatnio_auth_set_share(auth.pointer, library.input, length));
    }
  } catch (error) {
    auth.free();
    throw error;
  }
  return auth;
}
