/**
 * For unit tests of programs that use this package, without a network.
 *
 * @packageDocumentation
 */

import { ChatNioError } from "./errors.js";
import { textOf } from "./settings.js";
import type { WebSocketConstructor, WebSocketLike } from "./socket.js";
import { Transcript } from "./transcript.js";

/** A class of WebSockets whose server plays a transcript. */
export interface TranscriptWebSocket extends WebSocketConstructor {
  /** What was sent on each connection so far, in order: the first message holds the token. */
  readonly sent: readonly (readonly string[])[];
}

/** What the server does. */
type Reply = { readonly message: string } | "closed";

/** What the client sends, and what the server answers it with. */
interface Exchange {
  readonly kind: string;
  readonly replies: Reply[];
}

/**
 * Makes a WebSocket class for the option `WebSocket` of a client: each connection plays the transcript from its
 * beginning.
 *
 *     const Fake = transcriptWebSocket(`
 *     > SEND {"token":"sk-...","id":-1}
 *     > SEND {"type":"chat","message":"hi"}
 *     < RECV {"message":"Hello","quota":0.1,"end":true}
 *     `);
 *     const client = await Client.connect("ws://localhost", { WebSocket: Fake });
 *
 * Messages are matched by their order and type, not by their text, which `sent` holds. A keep-alive, a stop and an
 * authentication that are not due change nothing; what the client leaves out is passed over. A question that nothing is
 * left for ends the connection with code 1011. With a transcript that is none `Client.connect()` throws a
 * `CHATNIO_BAD_TRANSCRIPT`.
 */
export function transcriptWebSocket(text: string): TranscriptWebSocket {
  textOf("text", text);
  const sent: string[][] = [];
  class FakeWebSocket implements WebSocketLike {
    static readonly sent: readonly (readonly string[])[] = sent;
    readonly bufferedAmount = 0;
    onopen: ((event: unknown) => void) | null = null;
    onmessage: ((event: unknown) => void) | null = null;
    onerror: ((event: unknown) => void) | null = null;
    onclose: ((event: unknown) => void) | null = null;
    readonly #sent: string[] = [];
    readonly #exchanges: Exchange[];
    #isClosed = false;

    constructor(readonly url: string) {
      sent.push(this.#sent);
      const [greeting, ...exchanges] = exchangesOf(text);
      this.#exchanges = exchanges;
      queueMicrotask(() => {
        if (!this.#isClosed) this.onopen?.({});
        this.#play(greeting?.replies ?? []);
      });
    }

    send(message: string): void {
      if (this.#isClosed) return;
      this.#sent.push(message);
      const kind = kindOf(message);
      if (kind === "ping") return;
      const at = this.#exchanges.findIndex((exchange) => exchange.kind === kind);
      if (at < 0) {
        if (isQuestion(kind)) this.#end(1011, `the transcript has no ${kind} left`);
        return;
      }
      const isSkipped = this.#exchanges.slice(0, at).some((exchange) => isQuestion(exchange.kind));
      if (isSkipped && !isQuestion(kind)) return;
      const [exchange] = this.#exchanges.splice(0, at + 1).slice(-1);
      this.#play(exchange?.replies ?? []);
    }

    close(code = 1005, reason = ""): void {
      this.#end(code, reason);
    }

    /** As a network does it: later, and one by one. */
    #play(replies: readonly Reply[]): void {
      const [reply, ...rest] = replies;
      if (reply === undefined) return;
      setTimeout(() => {
        if (this.#isClosed) return;
        if (reply === "closed") this.#end(1000, "");
        else this.onmessage?.({ data: reply.message });
        this.#play(rest);
      }, 0);
    }

    #end(code: number, reason: string): void {
      if (this.#isClosed) return;
      this.#isClosed = true;
      setTimeout(() => this.onclose?.({ code, reason, wasClean: true }), 0);
    }
  }
  return FakeWebSocket;
}

/** What a transcript holds: what comes before anything is sent, and then each message and its answers. */
function exchangesOf(text: string): Exchange[] {
  const exchanges: Exchange[] = [{ kind: "", replies: [] }];
  for (const line of new Transcript(text).text.split("\n")) {
    const [, direction, message = ""] = /^(> SEND|< RECV|! CLOSED) ?(.*)$/.exec(line) ?? [];
    const replies = exchanges.at(-1)?.replies;
    if (direction === "< RECV") replies?.push({ message });
    else if (direction === "! CLOSED") replies?.push("closed");
    else if (direction === "> SEND" && kindOf(message) !== "ping") exchanges.push({ kind: kindOf(message), replies: [] });
  }
  return exchanges;
}

function isQuestion(kind: string): boolean {
  return kind === "chat" || kind === "restart";
}

function kindOf(message: string): string {
  let fields: { token?: unknown; type?: unknown };
  try {
    fields = JSON.parse(message) as typeof fields;
  } catch (error) {
    throw new ChatNioError("CHATNIO_BAD_TRANSCRIPT", "a SEND of the transcript is not JSON", { cause: error });
  }
  return fields.token === undefined ? String(fields.type ?? "chat") : "auth";
}
