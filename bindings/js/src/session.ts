import {
  answerAt,
  CloseReason,
  conversationAt,
  countersAt,
  EventKind,
  type Exports,
  eventAt,
  State as States,
  Status,
} from "./abi.js";
import {
  type Answer,
  type Conversation,
  type Counters,
  readAnswer,
  readConversation,
  readCounters,
  type State,
  stateOf,
} from "./answer.js";
import { ChatNioError } from "./errors.js";
import { dispose } from "./dispose.js";
import { type Event, readEvent } from "./event.js";
import { constructed, Handle, KEPT_INPUT, type Library } from "./library.js";
import { library as loaded } from "./load.js";
import { type Request, withRequest } from "./request.js";
import { type Authentication, bytesOf, makeAuth, makeConfig, optionsOf, refuse, type Settings } from "./settings.js";
import type { Replay, ReplayedRequest } from "./replay.js";
import { takeOver, type Transcript } from "./transcript.js";

/** What a session is made with. */
export interface SessionOptions extends Authentication, Settings {
  /** The replay that it is for, whose authentication goes before all that is said here. */
  readonly replay?: Replay | undefined;
}

/** The largest time that is one; beyond is never. */
const NEVER = 2 ** 63;

/**
 * The chat protocol on one connection, at message level: the host has the WebSocket.
 *
 * Text messages of the server go in by `receive()`. After every call that takes `now` the host sends what
 * `nextMessage()` hands out until that is undefined, and arms its timer anew by `deadline`.
 *
 * `now` is the time in milliseconds on a monotonic clock of the host's, since any origin; that of `performance.now()`,
 * if it is left out. Going back is standing still.
 *
 * The host connects its WebSocket by itself, to what `chatUrl()` gives: without a sub-protocol, and without the token
 * in any header. `load()` comes first.
 */
export class Session {
  readonly #handle: Handle;
  readonly #library: Library;
  /** Where in the input the last message is, how many bytes it has, and when it came. */
  #begin = 0;
  #length = 0;
  #at = 0n;
  /** Made once: nearly every call is this one. */
  readonly #takeIn = (exports: Exports): number =>
    exports.chatnio_session_receive(this.#handle.pointer, this.#at, this.#library.input + this.#begin, this.#length, this.#library.out);

  /**
   * For a WebSocket that is open or being opened.
   *
   * @throws {ChatNioError} `CHATNIO_EMPTY_TOKEN`, `CHATNIO_BAD_CONVERSATION`, `CHATNIO_EMPTY_SHARE`,
   * `CHATNIO_REQUEST_TOO_LONG`; `CHATNIO_INVALID` for a setting that cannot be, and before `load()`.
   */
  constructor(options: SessionOptions = {}, now: number = performance.now()) {
    const library = loaded();
    const auth = optionsOf(options).replay?.auth() ?? makeAuth(library, options);
    try {
      this.#handle = makeSession(library, options, auth, now);
    } finally {
      auth.free();
    }
    this.#library = library;
  }

  /**
   * Sends a request. A chat or a restart begins a turn; a stop is `stop()`; the others are not answered.
   *
   * @throws {ChatNioError} after which nothing has changed: `CHATNIO_BUSY`, `CHATNIO_UNSENT`; `CHATNIO_INVALID`,
   * `CHATNIO_EMPTY_MESSAGE`, `CHATNIO_EMPTY_SHARE`, `CHATNIO_BAD_MASK`, `CHATNIO_NOT_FINITE`,
   * `CHATNIO_REQUEST_TOO_LONG`, `CHATNIO_NOTHING_TO_RESTART`; `CHATNIO_CLOSED`.
   */
  request(request: Request | ReplayedRequest, now: number = performance.now()): void {
    const at = clock(now);
    const send = (pointer: number): void =>
      this.#check((exports) => exports.chatnio_session_request(this.#handle.pointer, at, pointer));
    if (typeof request !== "object" || request === null) refuse("request", "an object with a type", request);
    if (isReplayed(request)) request.use(send);
    else withRequest(this.#library, request, send);
  }

  /**
   * Asks the server to end the running answer; its end, and with it what it cost, still comes, and pieces may come
   * before it. The stop is repeated by itself.
   *
   * @returns whether a stop goes out: not when no turn runs, nor when this turn has had its stop.
   * @throws {ChatNioError} `CHATNIO_CLOSED`
   */
  stop(now: number = performance.now()): boolean {
    const library = this.#library;
    this.#check((exports) => exports.chatnio_session_stop(this.#handle.pointer, clock(now), library.out));
    return library.bool(library.out);
  }

  /**
   * Takes one text message of the server, which means exactly one event. One that cannot be read is a `malformed`. Of one
   * that holds several frames it is the first: the others are due at once, by `handleTimeout()`.
   *
   * `message` is a string, or its UTF-8 as bytes, which is what `ws` has.
   *
   * @throws {ChatNioError} `CHATNIO_CLOSED`; `CHATNIO_NOT_UTF8`, after which nothing has changed.
   */
  receive(message: string | Uint8Array, now: number = performance.now()): Event {
    this.put(message, now);
    return this.event(message);
  }

  /**
   * The first half of `receive()`: the other is `event()`, or `piece`, before anything else is called.
   *
   * @internal
   * @returns whether it is a piece that is alone in its message, as nearly every one is.
   */
  put(message: string | Uint8Array, now: number): boolean {
    const library = this.#library;
    this.#begin = 0;
    this.#length = typeof message === "string" ? library.write(message) : library.writeBytes(bytesOf("message", message));
    return this.#put(now);
  }

  /** @internal As `put()`, of a part of bytes that are never written to again. */
  putPart(bytes: Uint8Array, begin: number, end: number, now: number): boolean {
    if (bytes.length > KEPT_INPUT) return this.put(bytes.subarray(begin, end), now);
    this.#library.copy(bytes);
    this.#begin = begin;
    this.#length = end - begin;
    return this.#put(now);
  }

  #put(now: number): boolean {
    const library = this.#library;
    const out = library.prepare(eventAt.sizeof);
    this.#at = clock(now);
    this.#check(this.#takeIn);
    return library.int32(out + eventAt.kind) === EventKind.delta && library.lengthOf(out + eventAt.raw) === this.#length;
  }

  /** @internal What `put()` has brought, of that message: its texts lie where the message was put. */
  event(message: string | Uint8Array): Event {
    const event = readEvent(this.#library, this.#library.out, message, this.#length) as Event;
    this.#library.tidy();
    return event;
  }

  /** @internal The text of the piece that `put()` has brought. */
  get piece(): string {
    const text = this.#library.text(this.#library.out + eventAt.text) ?? "";
    this.#library.tidy();
    return text;
  }

  /**
   * Takes a binary message of the server. The protocol has none: it is a `malformed`.
   *
   * @throws {ChatNioError} `CHATNIO_CLOSED`
   */
  receiveBinary(now: number = performance.now()): Event {
    const out = this.#library.prepare(eventAt.sizeof);
    this.#check((exports) => exports.chatnio_session_receive_binary(this.#handle.pointer, clock(now), out));
    return readEvent(this.#library, out) as Event;
  }

  /**
   * Hands out the next text message to send, exactly once; undefined when there is none. The first one holds the token.
   */
  nextMessage(): string | undefined {
    const library = this.#library;
    const status = library.call((exports) =>
      exports.chatnio_session_next_transmit(this.#handle.pointer, library.out),
    );
    if (status === Status.CHATNIO_AGAIN) return undefined;
    if (status !== Status.CHATNIO_OK) throw this.#failure(status);
    return library.text(library.out);
  }

  /** When `handleTimeout()` wants to be called, on the clock of `now`; undefined for never. */
  get deadline(): number | undefined {
    const library = this.#library;
    this.#check((exports) => exports.chatnio_session_deadline(this.#handle.pointer, library.out));
    const deadline = library.uint64(library.out);
    return deadline < NEVER ? deadline : undefined;
  }

  /**
   * Does what is due at `now`, one thing at a time. Call it, at or after the deadline, until it gives undefined; calling
   * it early does nothing.
   */
  handleTimeout(now: number = performance.now()): Event | undefined {
    const out = this.#library.prepare(eventAt.sizeof);
    const status = this.#library.call((exports) =>
      exports.chatnio_session_handle_timeout(this.#handle.pointer, clock(now), out),
    );
    if (status === Status.CHATNIO_AGAIN) return undefined;
    if (status !== Status.CHATNIO_OK) throw this.#failure(status);
    return readEvent(this.#library, out);
  }

  /**
   * Tells the session that its connection is gone, and why: the host closed it, the server did in an orderly way, or it
   * was lost. Afterwards nothing works until `reconnect()`; a repeated call does nothing. Frames that wait behind the first
   * of their message count before, a thousand at most: the turn may come to its end by them.
   *
   * A host that closes the WebSocket itself calls this before, with `host`, and sends what `nextMessage()` then still gives:
   * what was held would be lost.
   *
   * @returns the running turn's end, interrupted, if one ran.
   */
  closed(why: keyof typeof CloseReason): Event | undefined {
    const out = this.#library.prepare(eventAt.sizeof);
    this.#check((exports) => exports.chatnio_session_closed(this.#handle.pointer, CloseReason[why], out));
    return readEvent(this.#library, out);
  }

  /**
   * Starts afresh for a new WebSocket, which continues the conversation that the server opened. Works in any state. Turn
   * numbers and counters go on, a recording starts afresh.
   *
   * What the server loads is what it saved last: the question, perhaps not the answer.
   *
   * @returns the running turn's end, interrupted, if one ran.
   */
  reconnect(now: number = performance.now()): Event | undefined {
    const out = this.#library.prepare(eventAt.sizeof);
    this.#check((exports) => exports.chatnio_session_reconnect(this.#handle.pointer, clock(now), out));
    return readEvent(this.#library, out);
  }

  /** What it is doing. */
  get state(): State {
    return stateOf(this.#state());
  }

  /** The running turn's answer so far; undefined when no turn runs. */
  get answer(): Answer | undefined {
    const out = this.#library.prepare(answerAt.sizeof);
    const status = this.#library.call((exports) => exports.chatnio_session_answer(this.#handle.pointer, out));
    if (status === Status.CHATNIO_ABSENT) return undefined;
    if (status !== Status.CHATNIO_OK) throw this.#failure(status);
    return readAnswer(this.#library, out);
  }

  /** Which conversation it is in, as far as the server has said. */
  get conversation(): Conversation {
    const out = this.#library.prepare(conversationAt.sizeof);
    this.#check((exports) => exports.chatnio_session_conversation(this.#handle.pointer, out));
    return readConversation(this.#library, out);
  }

  /** What it has counted. */
  get counters(): Counters {
    const out = this.#library.prepare(countersAt.sizeof);
    this.#check((exports) => exports.chatnio_session_counters(this.#handle.pointer, out));
    return readCounters(this.#library, out);
  }

  /** About how many bytes of the module's memory it holds. */
  get memory(): number {
    this.#check((exports) => exports.chatnio_session_memory(this.#handle.pointer, this.#library.out));
    return this.#library.pointer(this.#library.out);
  }

  /**
   * What was sent and received so far, without tokens; undefined unless `record` is set. Of this connection: a reconnect
   * begins a new one.
   */
  get transcript(): Transcript | undefined {
    const out = this.#library.out;
    const status = this.#library.call((exports) => exports.chatnio_session_transcript(this.#handle.pointer, out));
    if (status === Status.CHATNIO_ABSENT) return undefined;
    if (status !== Status.CHATNIO_OK) throw this.#failure(status);
    return takeOver(this.#library, this.#library.pointer(out));
  }

  /** Frees it, and wipes its token; otherwise that is done when nobody holds it any more. */
  [dispose](): void {
    this.#handle.free();
  }

  #state(): number {
    const library = this.#library;
    this.#check((exports) => exports.chatnio_session_state(this.#handle.pointer, library.out));
    return library.int32(library.out);
  }

  #check(body: (exports: Exports) => number): void {
    const status = this.#library.call(body);
    if (status !== Status.CHATNIO_OK) throw this.#failure(status);
  }

  #failure(status: number): ChatNioError {
    return this.#library.failure(status, (exports, ...to) =>
      exports.chatnio_session_error(this.#handle.pointer, ...to),
    );
  }
}

function isReplayed(request: Request | ReplayedRequest): request is ReplayedRequest {
  return Object.hasOwn(request, "use");
}

/** The number of a state, as a replay wants it. */
export function stateNumber(state: State): number {
  return state === "unknown" ? 0 : States[state];
}

let lastTime = 0;
let lastClock = 0n;

/** A time as the module takes it. Many calls come within one millisecond. */
function clock(now: number): bigint {
  const time = Math.floor(now);
  if (time === lastTime) return lastClock;
  if (!(time <= Number.MAX_SAFE_INTEGER)) {
    throw new ChatNioError("CHATNIO_INVALID", `now must be a time in milliseconds, not ${now}`);
  }
  lastClock = BigInt(Math.max(time, 0));
  lastTime = time;
  return lastClock;
}

function makeSession(library: Library, settings: Settings, auth: Handle, now: number): Handle {
  const config = makeConfig(library, settings);
  try {
    return new Handle(
      library,
      "session",
      constructed(library, (exports, out, error) =>
        exports.chatnio_session_new(config.pointer, auth.pointer, clock(now), out, error),
      ),
      (exports, pointer) => exports.chatnio_session_free(pointer),
    );
  } finally {
    config.free();
  }
}
