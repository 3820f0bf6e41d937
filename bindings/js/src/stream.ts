import type { Answer } from "./answer.js";
import { asyncDispose } from "./dispose.js";
import { ChatNioError } from "./errors.js";
import type { Turn, TurnEvent } from "./turn.js";

/**
 * An answer as it comes: its pieces, none of them empty.
 *
 *     for await (const piece of client.ask("hi")) process.stdout.write(piece);
 *
 * Leaving the loop early, by `break` or an error, stops the answer at the server, so that nobody pays for text that was
 * thrown away. It has one reader: read the pieces, or the events, or wait for the whole.
 *
 * The loop ends when the answer is complete or was stopped. Otherwise it throws, when it has given all that came:
 * `AnswerError` when the server answered instead of the model, or the answer was interrupted; `ChatNioError` when the
 * question could not be sent; the signal's reason when that was aborted.
 */
export class AnswerStream implements AsyncIterable<string> {
  readonly #turn: Turn;
  readonly #stop: (turn: Turn) => boolean;
  #isRead = false;

  /** @internal */
  constructor(turn: Turn, stop: (turn: Turn) => boolean) {
    this.#turn = turn;
    this.#stop = stop;
  }

  /** The pieces. */
  [Symbol.asyncIterator](): AsyncIterator<string, undefined> & AsyncIterable<string> {
    return this.#read("pieces", (event) => (typeof event === "string" ? event : event.kind === "end" ? event.text : ""));
  }

  /**
   * The turn's events, the empty pieces included, instead of the pieces: those that come from this call on. The text of what came
   * before is in the answer of the `end`.
   */
  events(): AsyncIterable<TurnEvent> {
    return this.#read("events", (event) => event as TurnEvent);
  }

  /**
   * Waits for the whole text, which is what has come by then when it was stopped. Empty when the settings keep none.
   *
   * @throws what the loop throws.
   */
  async text(): Promise<string> {
    if (!this.#isRead) {
      this.#isRead = true;
      this.#turn.read("nothing");
    }
    const answer = await this.result();
    this.#turn.check();
    return answer.text;
  }

  /**
   * Waits for the whole answer, whatever its outcome: what one that was left or aborted has cost, for instance.
   *
   * @throws {ChatNioError} when the question could not be sent; an AbortError, or the signal's reason, when it was stopped
   * before it was.
   */
  result(): Promise<Answer> {
    return this.#turn.result;
  }

  /**
   * Stops the answer at the server: its end comes to who reads it. One that waits to be asked is never asked.
   *
   * @returns whether there was anything to be stopped.
   */
  stop(): boolean {
    return this.#stop(this.#turn);
  }

  /** Stops it, and waits for its end. */
  async [asyncDispose](): Promise<void> {
    this.#leave();
    await this.#turn.result.catch(() => {});
  }

  #leave(): void {
    if (this.#turn.isOver) return;
    this.#stop(this.#turn);
    this.#turn.leave();
  }

  #read<Item extends TurnEvent | string>(
    what: "events" | "pieces",
    item: (event: TurnEvent | string) => Item,
  ): Reader<Item> {
    if (this.#isRead) throw new ChatNioError("CHATNIO_INVALID", "the answer has a reader already");
    this.#isRead = true;
    this.#turn.read(what);
    return new Reader(this.#turn, item, () => this.#leave());
  }
}

/** The reader of an answer. */
class Reader<Item extends TurnEvent | string> implements AsyncIterator<Item, undefined> {
  readonly #turn: Turn;
  readonly #item: (event: TurnEvent | string) => Item;
  readonly #leave: () => void;
  #isLeft = false;
  /** Who has asked for the next before it was there, in this order. */
  #waiting: { resolve: (result: IteratorResult<Item, undefined>) => void; reject: (error: unknown) => void }[] = [];

  /** `item` makes an item of an event or a piece; an empty one is left out. */
  constructor(turn: Turn, item: (event: TurnEvent | string) => Item, leave: () => void) {
    this.#turn = turn;
    this.#item = item;
    this.#leave = leave;
  }

  /** As the platform's iterators have it: who has read the first piece by hand may loop over the rest. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    if (this.#isLeft) return Promise.resolve({ value: undefined, done: true });
    if (this.#waiting.length === 0) {
      try {
        const result = this.#ready();
        if (result !== undefined) return Promise.resolve(result);
      } catch (error) {
        return Promise.reject(error as Error);
      }
      this.#turn.wait(() => this.#serve());
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async return(): Promise<IteratorResult<Item, undefined>> {
    this.#isLeft = true;
    this.#leave();
    return { value: undefined, done: true };
  }

  /** What there is to be told; undefined while nothing is. */
  #ready(): IteratorResult<Item, undefined> | undefined {
    for (let event = this.#turn.take(); event !== undefined; event = this.#turn.take()) {
      const value = this.#item(event);
      if (value !== "") return { value, done: false };
    }
    if (this.#turn.isOpen) return undefined;
    this.#turn.check();
    return { value: undefined, done: true };
  }

  /** Something has come: tells those who wait. */
  #serve(): void {
    for (let who = this.#waiting[0]; who !== undefined; who = this.#waiting[0]) {
      try {
        const result = this.#ready();
        if (result === undefined) {
          this.#turn.wait(() => this.#serve());
          return;
        }
        who.resolve(result);
      } catch (error) {
        who.reject(error);
      }
      this.#waiting.shift();
    }
  }
}
