import { ChatNioError, type Code } from "../errors.js";

/**
 * A companion call that has no result. Its `code` says why: `CHATNIO_REST_BAD_KEY`, `CHATNIO_REST_NO_KEY`,
 * `CHATNIO_REST_BLACK_LISTED`, `CHATNIO_REST_THROTTLED`, `CHATNIO_REST_NOT_FOUND`, `CHATNIO_REST_REFUSED`,
 * `CHATNIO_REST_NO_SUCH_CALL`, `CHATNIO_REST_WEB_PAGE`, `CHATNIO_REST_HTTP`, `CHATNIO_REST_MALFORMED`.
 */
export class CallError extends ChatNioError {
  override readonly name = "CallError";
  /** What the server said, where it said something in words: as it came from `Call.decode()`, without secrets from a client. */
  readonly words: string | undefined;
  /** The HTTP status, which is 200 for most of what the server itself refuses; undefined where the platform hides it. */
  readonly httpStatus: number | undefined;
  readonly #isRetryable: boolean;

  /** Made by `Call.decode()`; public for the unit tests of programs. */
  constructor(code: Code, message: string, words?: string, isRetryable = false, retryAfter?: number, httpStatus?: number) {
    super(code, message, { retryAfter });
    this.words = words;
    this.httpStatus = httpStatus;
    this.#isRetryable = isRetryable;
  }

  /** Whether a call that may be repeated may go better a second later: the server throttled, or was not there. */
  override get isRetryable(): boolean {
    return this.#isRetryable;
  }
}
