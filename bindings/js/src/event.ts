import { EventKind, eventAt, type Pointer } from "./abi.js";
import { type Answer, type Conversation, readAnswer, readConversation } from "./answer.js";
import { type Code, codeOf } from "./errors.js";
import type { Library } from "./library.js";

/**
 * What happened. `raw` is the frame that an event was made from, as it was received: for fields that this package does
 * not know, `JSON.parse(event.raw)`. When thousands wait for who reads `events()`, the pieces among them are made one, with the
 * last one's `raw` and `quota`.
 */
export type Event = Opened | Delta | End | Stray | Malformed | StopRepeated | KeepAlive | Unknown;

/** The turn's opener came: the server has read the question. Servers of 2023 send none. */
export interface Opened {
  readonly kind: "opened";
  readonly turn: number;
  /** The conversation that the server opened. */
  readonly conversation: Conversation;
  /** What the turn has cost so far, in the server's unit. */
  readonly quota: number;
  /** The same as the server wrote it. */
  readonly quotaText: string;
  readonly raw: string;
}

/** A piece of an answer. */
export interface Delta {
  readonly kind: "delta";
  readonly turn: number;
  /** The piece; it may be empty. */
  readonly text: string;
  /** What the turn has cost so far, in the server's unit. */
  readonly quota: number;
  /** The same as the server wrote it. */
  readonly quotaText: string;
  readonly raw: string;
}

/** The turn has ended: exactly one for every chat and restart that was sent. */
export interface End {
  readonly kind: "end";
  readonly turn: number;
  /** The last piece, often empty. */
  readonly text: string;
  /** The whole answer. */
  readonly answer: Answer;
  /** The frame; undefined when the turn was interrupted. */
  readonly raw: string | undefined;
}

/**
 * A frame that belongs to no running turn: what a stop or an interruption left behind. Nothing to do. Only one that nobody
 * asked for also ends the session, because the next answer could be another's: reconnect.
 */
export interface Stray {
  readonly kind: "stray";
  /** The text in it, often empty. */
  readonly text: string;
  /** Its own quota, or 0. */
  readonly quota: number;
  /** The same as the server wrote it, or "0". */
  readonly quotaText: string;
  /** Whether it was an answer's last frame. */
  readonly isEnd: boolean;
  readonly raw: string;
}

/** A message that could not be read; it was skipped and counted. */
export interface Malformed {
  readonly kind: "malformed";
  /** `CHATNIO_MALFORMED` or `CHATNIO_MESSAGE_TOO_LONG`. */
  readonly code: Code;
  /** What is wrong with it, naming field and byte offset. */
  readonly message: string;
  /** The message; undefined for a binary one, and for one over the limit. */
  readonly raw: string | undefined;
}

/** The stop goes out again: the turn's end has not come. */
export interface StopRepeated {
  readonly kind: "stop-repeated";
  readonly turn: number;
}

/** The connection was silent, and a keep-alive goes out. */
export interface KeepAlive {
  readonly kind: "keep-alive";
}

/** Something that a newer module tells and this package does not know: pass it over. */
export interface Unknown {
  readonly kind: "unknown";
  /** The `chatnio_event_kind`. */
  readonly number: number;
}

/**
 * Copies a `chatnio_event`; undefined for one that says that nothing happened.
 *
 * `message` is the message of `length` bytes that has caused it, if one has: unless it holds several frames, the
 * event's frame is that, and need not be copied.
 */
export function readEvent(library: Library, at: Pointer, message?: string | Uint8Array, length?: number): Event | undefined {
  const kind = library.int32(at + eventAt.kind);
  const isWhole = typeof message === "string" && library.lengthOf(at + eventAt.raw) === length;
  const raw = isWhole ? message : library.text(at + eventAt.raw);
  switch (kind) {
    case EventKind.delta:
      return {
        kind: "delta",
        turn: library.uint64(at + eventAt.turn),
        text: library.text(at + eventAt.text) ?? "",
        quota: library.float64(at + eventAt.quota),
        quotaText: library.text(at + eventAt.quota_text) ?? "0",
        raw: raw ?? "",
      };
    case EventKind.none:
      return undefined;
    case EventKind.opened:
      return {
        kind: "opened",
        turn: library.uint64(at + eventAt.turn),
        conversation: readConversation(library, at + eventAt.conversation),
        quota: library.float64(at + eventAt.quota),
        quotaText: library.text(at + eventAt.quota_text) ?? "0",
        raw: raw ?? "",
      };
    case EventKind.end:
      return {
        kind: "end",
        turn: library.uint64(at + eventAt.turn),
        text: library.text(at + eventAt.text) ?? "",
        answer: readAnswer(library, library.pointer(at + eventAt.answer)),
        raw,
      };
    case EventKind.stray:
      return {
        kind: "stray",
        text: library.text(at + eventAt.text) ?? "",
        quota: library.float64(at + eventAt.quota),
        quotaText: library.text(at + eventAt.quota_text) ?? "0",
        isEnd: library.bool(at + eventAt.frame_end),
        raw: raw ?? "",
      };
    case EventKind.malformed:
      return {
        kind: "malformed",
        code: codeOf(library.int32(at + eventAt.status)),
        message: library.text(at + eventAt.text) ?? "",
        raw,
      };
    case EventKind["stop-repeated"]:
      return { kind: "stop-repeated", turn: library.uint64(at + eventAt.turn) };
    case EventKind["keep-alive"]:
      return { kind: "keep-alive" };
    default:
      return { kind: "unknown", number: kind };
  }
}
