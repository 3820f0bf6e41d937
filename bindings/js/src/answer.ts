import {
  answerAt,
  ConversationKind as ConversationKinds,
  conversationAt,
  countersAt,
  Interruption as Interruptions,
  Outcome as Outcomes,
  RequestType,
  State as States,
  type Pointer,
} from "./abi.js";
import type { Library } from "./library.js";
import { inverse } from "./names.js";

/**
 * The id of a conversation: a number where JavaScript's numbers are exact, up to 2^53, which is all that servers have
 * given so far; a bigint beyond. It is never rounded. -1 is that of anonymous, which is not stored.
 */
export type ConversationId = number | bigint;

/** How a turn has ended; `none` while it runs. */
export type Outcome = keyof typeof Outcomes | "unknown";

/** Why a turn was interrupted; `none` when it was not. */
export type Interruption = keyof typeof Interruptions | "unknown";

/** What a session is doing. While it is `draining`, a turn was interrupted and the server has not ended it. */
export type State = keyof typeof States | "unknown";

/** What a turn has brought. */
export interface Answer {
  /** The turn's number, from 1, counting a session's chats and restarts. */
  readonly turn: number;
  /** What was asked. */
  readonly request: "chat" | "restart";
  /** How the turn ended. */
  readonly outcome: Outcome;
  /** Why it was interrupted. */
  readonly interruption: Interruption;
  /** The same in English, if it was. */
  readonly reason: string | undefined;
  /** The text. Empty when the settings keep none. Never holds a notice. */
  readonly text: string;
  /** What the server said instead of the model (out of quota, unknown model, ...), if it did. */
  readonly notice: string | undefined;
  /** Words that the web search used (servers of 2023), otherwise empty. */
  readonly keyword: string;
  /** What it costs so far, in the server's unit. Servers charge nothing for an answer without text, whatever this says. */
  readonly quota: number;
  /** The same as the server wrote it; "0" before any. */
  readonly quotaText: string;
  /** The conversation's id from the turn's opener, if one came. */
  readonly conversation: ConversationId | undefined;
  /** Paid for by a subscription. */
  readonly plan: boolean;
  /** How many frames carried text of the answer. */
  readonly chunks: number;
  /** How many messages that could not be read came while the turn ran: each may be a hole in the text. */
  readonly malformed: number;
}

/** The conversation that a connection is in. */
export interface Conversation {
  /**
   * What is known of it: nothing (`unknown`); that it is `new`, as asked; the one that was asked for (`resumed`); or
   * another, because the server does not know that one (`replaced`).
   */
  readonly kind: keyof typeof ConversationKinds;
  /** Its id; 0 while unknown. */
  readonly id: ConversationId;
  /** The id that was asked for, when connecting or by a reconnect; 0 where a new conversation was. */
  readonly asked: ConversationId;
}

/** What a session has counted since it was made; reconnecting goes on counting. */
export interface Counters {
  /** Frames that belonged to no running turn. */
  readonly strays: number;
  /** Messages that could not be read. */
  readonly malformed: number;
  /** Stops that were sent again. */
  readonly repeatedStops: number;
}

const outcomes = /* @__PURE__ */ inverse(Outcomes);
const interruptions = /* @__PURE__ */ inverse(Interruptions);
const conversationKinds = /* @__PURE__ */ inverse(ConversationKinds);
const states = /* @__PURE__ */ inverse(States);

/** Copies a `chatnio_answer`. */
export function readAnswer(library: Library, at: Pointer): Answer {
  return {
    turn: library.uint64(at + answerAt.turn),
    request: library.int32(at + answerAt.request_type) === RequestType.restart ? "restart" : "chat",
    outcome: outcomes.get(library.int32(at + answerAt.outcome)) ?? "unknown",
    interruption: interruptions.get(library.int32(at + answerAt.interruption)) ?? "unknown",
    reason: library.text(at + answerAt.reason),
    text: library.text(at + answerAt.text) ?? "",
    notice: library.text(at + answerAt.notice),
    keyword: library.text(at + answerAt.keyword) ?? "",
    quota: library.float64(at + answerAt.quota),
    quotaText: library.text(at + answerAt.quota_text) ?? "0",
    conversation: library.bool(at + answerAt.has_conversation) ? library.int64(at + answerAt.conversation) : undefined,
    plan: library.bool(at + answerAt.plan),
    chunks: library.uint64(at + answerAt.chunks),
    malformed: library.uint64(at + answerAt.malformed),
  };
}

/** Copies a `chatnio_conversation`. */
export function readConversation(library: Library, at: Pointer): Conversation {
  return {
    kind: conversationKinds.get(library.int32(at + conversationAt.kind)) ?? "unknown",
    id: library.int64(at + conversationAt.id),
    asked: library.int64(at + conversationAt.asked),
  };
}

/** Copies a `chatnio_counters`. */
export function readCounters(library: Library, at: Pointer): Counters {
  return {
    strays: library.uint64(at + countersAt.strays),
    malformed: library.uint64(at + countersAt.malformed),
    repeatedStops: library.uint64(at + countersAt.repeated_stops),
  };
}

/** The name of a state's number. */
export function stateOf(number: number): State {
  return states.get(number) ?? "unknown";
}
