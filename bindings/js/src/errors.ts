import { Status } from "./abi.js";
import type { Answer, Interruption } from "./answer.js";
import { inverse } from "./names.js";

/** The names of what calls answer, as in the C header. A newer module may know more: treat those by `isFatal`. */
export type Code = keyof typeof Status | "CHATNIO_UNKNOWN";

const names = /* @__PURE__ */ inverse(Status);

/** The name of a status. */
export function codeOf(status: number): Code {
  return names.get(status) ?? "CHATNIO_UNKNOWN";
}

/**
 * What a call could not do, and why.
 *
 * No text of one ever shows a secret, also where a server repeats it. Otherwise what a *server* said in one is as it came.
 */
export class ChatNioError extends Error {
  override readonly name: string = "ChatNioError";
  /** What kind of error it is. */
  readonly code: Code;
  /** The code that the WebSocket was closed with, where one came. */
  readonly closeCode: number | undefined;
  /**
   * Whether the connection is over, or could not be made: nothing more comes before `reconnect()`. Otherwise everything
   * is as it was before the call.
   */
  readonly isFatal: boolean;
  /**
   * After how many milliseconds the server, or a gateway in front of it, wants to be asked again, where it said so and the
   * platform lets that be seen: of a companion call's answer alone, as no platform shows why it has no WebSocket.
   */
  readonly retryAfter: number | undefined;

  constructor(code: Code, message: string, options: { closeCode?: number; retryAfter?: number | undefined; cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.closeCode = options.closeCode;
    this.retryAfter = options.retryAfter;
    this.isFatal = code !== "CHATNIO_UNKNOWN" && Status[code] >= FATAL;
  }

  /**
   * Whether the same may go well when it is tried again, connected anew: nothing is to be corrected before, and it is not
   * this program that has ended it. What was asked may have been charged all the same.
   */
  get isRetryable(): boolean {
    return RETRYABLE.has(this.code);
  }
}

/** From here on the connection is over: see `chatnio_status`. */
const FATAL = 4900;

/** What may go well when it is tried again. */
const RETRYABLE: ReadonlySet<Code> = /* @__PURE__ */ new Set<Code>([
  "CHATNIO_CLOSED_BY_SERVER",
  "CHATNIO_END_OF_STREAM",
  "CHATNIO_TRUNCATED",
  "CHATNIO_IO",
  "CHATNIO_UNRESPONSIVE",
  "CHATNIO_PROTOCOL",
  "CHATNIO_SERVER_NOT_UTF8",
  "CHATNIO_RESOLVE",
  "CHATNIO_CONNECT",
  "CHATNIO_CONNECT_TIMEOUT",
  "CHATNIO_HANDSHAKE_TIMEOUT",
  "CHATNIO_THROTTLED",
  "CHATNIO_UNAVAILABLE",
  "CHATNIO_NO_RANDOM",
  "CHATNIO_SYSTEM",
]);

/** What would only be so again, or was this program's own doing. */
const NOT_AGAIN: ReadonlySet<Interruption> = /* @__PURE__ */ new Set<Interruption>([
  "closed-by-host",
  "message-too-long",
  "answer-too-long",
  "tls-failed",
]);

/** Why an answer is not the one that was asked for, though the question was sent. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
  /** What has come, and what it cost. Its `outcome` tells the two kinds apart: `notice` and `interrupted`. */
  readonly answer: Answer;

  /** `cause`: how the connection ended, if that has interrupted the answer. */
  constructor(answer: Answer, cause?: ChatNioError) {
    const message = answer.notice ?? cause?.message ?? answer.reason ?? "the answer was interrupted";
    super(message, cause === undefined ? undefined : { cause });
    this.answer = answer;
  }

  /** As of `ChatNioError`: of an answer that was interrupted; not of a notice, nor where the same answer is too long again. */
  get isRetryable(): boolean {
    return this.answer.outcome === "interrupted" && !NOT_AGAIN.has(this.answer.interruption);
  }
}
