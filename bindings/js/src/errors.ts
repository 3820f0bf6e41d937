import { Status } from "./abi.js";
import type { Answer } from "./answer.js";
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
 * No text of one ever holds a token. What a *server* said in one is as it came.
 */
export class ChatNioError extends Error {
  override readonly name = "ChatNioError";
  /** What kind of error it is. */
  readonly code: Code;
  /** The WebSocket's close code, or the HTTP status that came instead of a WebSocket, where there was one. */
  readonly closeCode: number | undefined;
  /**
   * Whether the connection is over, or could not be made: nothing more comes before `reconnect()`. Otherwise everything
   * is as it was before the call.
   */
  readonly isFatal: boolean;

  constructor(code: Code, message: string, options: { closeCode?: number; cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.closeCode = options.closeCode;
    this.isFatal = code !== "CHATNIO_UNKNOWN" && Status[code] >= FATAL;
  }
}

/** From here on the connection is over: see `chatnio_status`. */
const FATAL = 4900;

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
}
