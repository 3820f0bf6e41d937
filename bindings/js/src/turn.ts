import type { Answer } from "./answer.js";
import { AnswerError, type ChatNioError } from "./errors.js";
import type { Delta, End, Opened, StopRepeated } from "./event.js";
import type { Question } from "./request.js";

/** The events of one turn. */
export type TurnEvent = Opened | Delta | StopRepeated | End;

/** A question that waits for its turn, or runs, or has ended. The client writes it, one reader reads. */
export class Turn {
  readonly request: Question;
  /** The whole answer, whatever its outcome. */
  readonly result: Promise<Answer>;
  #settle!: { resolve: (answer: Answer) => void; reject: (error: unknown) => void };
  #events: TurnEvent[] = [];
  /** How many of them were taken. */
  #taken = 0;
  #isOver = false;
  /** Nobody wants the rest. */
  #isLeft = false;
  /** Nobody reads the events. */
  #isSkipped = false;
  /** What the reader is told at the end, if anything but that it is the end. */
  #failure: { readonly error: unknown } | undefined;
  /** Wakes the reader up. */
  #wake: (() => void) | undefined;

  constructor(request: Question) {
    this.request = request;
    this.result = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Who does not ask for it need not be told.
    this.result.catch(() => {});
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Adds an event. */
  push(event: TurnEvent): void {
    if (this.#isLeft || this.#isSkipped) return;
    this.#events.push(event);
    this.#awaken();
  }

  /** It has ended; `cause` is what ended the connection with it. */
  finish(answer: Answer, cause?: ChatNioError): void {
    this.#isOver = true;
    const isAsAsked = answer.outcome === "complete" || answer.outcome === "stopped";
    if (!isAsAsked) this.#failure ??= { error: new AnswerError(answer, cause) };
    this.#settle.resolve(answer);
    this.#awaken();
  }

  /** It was never sent, or never ended. */
  fail(error: unknown): void {
    this.#isOver = true;
    this.#failure ??= { error };
    this.#settle.reject(error);
    this.#awaken();
  }

  /** Nobody wants the rest: who reads still is told this error. */
  leave(error?: { readonly error: unknown }): void {
    this.#isLeft = true;
    this.#events = [];
    this.#taken = 0;
    this.#failure ??= error;
    this.#awaken();
  }

  /** Nobody reads the events: the whole is waited for. */
  skip(): void {
    this.#isSkipped = true;
    this.#events = [];
    this.#taken = 0;
  }

  /** Takes the next event, which has come already. */
  take(): TurnEvent | undefined {
    const event = this.#events[this.#taken];
    if (event === undefined) return undefined;
    this.#taken += 1;
    if (this.#taken === this.#events.length) {
      this.#events = [];
      this.#taken = 0;
    }
    return event;
  }

  /** Whether more may come. */
  get isOpen(): boolean {
    return !this.#isOver && !this.#isLeft;
  }

  /** Calls `wake` once, as soon as there is another event, or none can come any more. */
  wait(wake: () => void): void {
    this.#wake = wake;
  }

  /** Throws what the reader is to be told at the end. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #awaken(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
