import type { Answer } from "./answer.js";
import { AnswerError, type ChatNioError } from "./errors.js";
import type { Delta, End, Opened, StopRepeated } from "./event.js";
import type { Question } from "./request.js";

/** The events of one turn. */
export type TurnEvent = Opened | Delta | StopRepeated | End;

/** What is read of a turn: its events, the text in them alone, or nothing but the whole answer. */
export type Reads = "events" | "pieces" | "nothing";

/** So many items may wait for who reads before those side by side are made one. */
const MANY = 4096;

/** A question that waits for its turn, or runs, or has ended. The client writes it, one reader reads. */
export class Turn {
  readonly request: Question;
  /** The whole answer, whatever its outcome. */
  readonly result: Promise<Answer>;
  #settle!: { resolve: (answer: Answer) => void; reject: (error: unknown) => void };
  /** What has come: events, and text where that is all that is read. */
  #queue: (TurnEvent | string)[] = [];
  /** How many of them were taken. */
  #taken = 0;
  /** Pieces, until somebody begins to read anything else. */
  #reads: Reads = "pieces";
  #isOver = false;
  /** Nobody wants the rest. */
  #isLeft = false;
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

  /** What is read of it: what is not need not be made. */
  get reads(): Reads {
    return this.#reads;
  }

  /** Adds an event, or a piece where only those are read. */
  push(event: TurnEvent | string): void {
    if (this.#reads === "nothing") return;
    const item = this.#reads === "pieces" && isDelta(event) ? event.text : event;
    if (item === "") return;
    this.#queue.push(item);
    if (this.#queue.length - this.#taken > MANY) this.#merge();
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
    this.read("nothing");
    this.#failure ??= error;
    this.#awaken();
  }

  /** From now on only this is read. What has come stays, where it is that. */
  read(what: Reads): void {
    this.#reads = what;
    if (what === "pieces") return;
    this.#queue = what === "events" ? this.#queue.filter((item) => typeof item !== "string") : [];
    this.#taken = 0;
  }

  /** Takes the next event or piece, which has come already. */
  take(): TurnEvent | string | undefined {
    const event = this.#queue[this.#taken];
    if (event === undefined) return undefined;
    this.#taken += 1;
    // Also where the reader is never quite there.
    if (this.#taken === this.#queue.length || this.#taken === MANY) {
      this.#queue = this.#queue.slice(this.#taken);
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

  /** Makes one of what waits side by side: so it takes the memory of its text, however many frames that came in. */
  #merge(): void {
    const merged: (TurnEvent | string)[] = [];
    let alike: (TurnEvent | string)[] = [];
    for (const item of this.#queue.slice(this.#taken)) {
      if (alike.length > 0 && !isAlike(alike[0]!, item)) {
        merged.push(joined(alike));
        alike = [];
      }
      alike.push(item);
    }
    merged.push(joined(alike));
    this.#queue = merged;
    this.#taken = 0;
  }

  #awaken(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

function isDelta(item: TurnEvent | string): item is Delta {
  return typeof item === "object" && item.kind === "delta";
}

/** Whether they can be one. */
function isAlike(a: TurnEvent | string, b: TurnEvent | string): boolean {
  return (typeof a === "string" && typeof b === "string") || (isDelta(a) && isDelta(b));
}

function joined(items: (TurnEvent | string)[]): TurnEvent | string {
  const last = items.at(-1)!;
  if (items.length === 1) return last;
  const [first = "", ...texts] = items.map((item) => (isDelta(item) ? item.text : String(item)));
  // The first is long, if it was made so before: it is not copied each time.
  const text = first + texts.join("");
  return isDelta(last) ? { ...last, text } : text;
}
