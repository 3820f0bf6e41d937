// What the tests need of an assertion library, in every runtime.

import { AnswerError, ChatNioError, type Code } from "chatnio";

/** What a test is run with. */
export interface Env {
  /** Servers on this machine: one whose models answer at once, and one at their own pace. */
  readonly fast: string;
  readonly slow: string;
  /** One that refuses every connection. */
  readonly throttling: string;
  readonly transcripts: readonly { readonly name: string; readonly text: string; readonly log: string }[];
  /** The recorded answers to the companion calls. */
  readonly answers: string;
  /** Collects garbage. */
  readonly collect: () => void;
}

/** A test. */
export interface Test {
  readonly name: string;
  readonly run: (env: Env) => void | Promise<void>;
}

export function ok(value: unknown, message: string): asserts value {
  if (!value) throw new Error(message);
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, of) => (of === undefined ? "undefined" : typeof of === "bigint" ? `${of}n` : of)) ?? "undefined";
}

/** Whether two values are the same, as far as they are written down. */
export function equal(found: unknown, expected: unknown, what = ""): void {
  const [one, other] = [shown(found), shown(expected)];
  if (one !== other) throw new Error(`${what}\nfound:    ${one}\nexpected: ${other}`);
}

/** The error that is thrown with this code. */
export function throws(code: Code, body: () => unknown): ChatNioError {
  try {
    body();
  } catch (error) {
    return coded(code, error);
  }
  throw new Error(`nothing was thrown instead of ${code}`);
}

/** The error that is rejected with this code. */
export async function rejects(code: Code, promise: Promise<unknown>): Promise<ChatNioError> {
  return coded(code, await failure(promise));
}

/** What a promise is rejected with. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** The error, which is one of an answer. */
export function ofAnswer(error: unknown): AnswerError {
  if (!(error instanceof AnswerError)) throw error;
  return error;
}

function coded(code: Code, error: unknown): ChatNioError {
  if (!(error instanceof ChatNioError)) throw error;
  equal(error.code, code, error.message);
  ok(error.message.length > 5, `${code} says too little: ${error.message}`);
  return error;
}

/** Lets everything go on that can. */
export function pause(ms = 0): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until something is so; what never comes fails by the runner's limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(5);
}
