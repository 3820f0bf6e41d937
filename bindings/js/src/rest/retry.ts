import type { ChatNioError } from "../errors.js";
import { CallError } from "./errors.js";

/** Milliseconds before a call is tried again, as the chat's connects are in other languages: after a throttling ... */
const AFTER_THROTTLING = 1100;

/** ... and after anything else. It doubles with each further failure ... */
const FIRST = 500;

/** ... up to this. */
const LONGEST = 8000;

/** The longest wait that the server may ask for. */
const LONGEST_ASKED = 60_000;

/**
 * How many milliseconds to wait before a call is tried again that has failed so often before; undefined when there is no time
 * left for it, or the server asks for too much. `jitter` is from 0 to 1, so that many clients do not come back together.
 */
export function retryWait(error: ChatNioError, failures: number, left: number, jitter = Math.random()): number | undefined {
  // A gateway's 429 is one, too.
  const isThrottled = error.code === "CHATNIO_REST_THROTTLED" || (error instanceof CallError && error.httpStatus === 429);
  const first = isThrottled ? AFTER_THROTTLING : FIRST;
  if ((error.retryAfter ?? 0) > LONGEST_ASKED) return undefined;
  const wait = Math.max(Math.min(first * 2 ** failures, LONGEST), error.retryAfter ?? 0);
  const longer = wait * (1 + jitter / 2);
  // The jitter alone is no reason to give up.
  return [longer, wait].find((ms) => ms < left);
}
