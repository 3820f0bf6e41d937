import type { Answer, Conversation, Counters, State } from "./answer.js";
import { asyncDispose } from "./dispose.js";
import { type Endpoint, endpoint, refusePlainToken } from "./endpoint.js";
import { ChatNioError } from "./errors.js";
import type { End, Event } from "./event.js";
import { load } from "./load.js";
import { redacted } from "./redacted.js";
import type { ChatRequest, Command, Parameters, Question, RestartRequest } from "./request.js";
import { Session, type SessionOptions } from "./session.js";
import { flag, functionOf, MAX_DELAY, optionsOf, time } from "./settings.js";
import { onAbort, signalOf } from "./signal.js";
import { closeCode, closeSocket, openSocket, platformWebSocket } from "./socket.js";
import type { Listen, WebSocketConstructor, WebSocketLike } from "./socket.js";
import { AnswerStream } from "./stream.js";
import type { Transcript } from "./transcript.js";
import { Turn } from "./turn.js";

/** What a client is made with. */
export interface ClientOptions extends Omit<SessionOptions, "replay"> {
  /** How long opening the WebSocket may take, in milliseconds. 20,000; 0: as long as the platform lets it. */
  readonly connect?: number | undefined;
  /** How long the server may take to answer a closing, in milliseconds. 3,000; 0: its answer is not waited for. */
  readonly close?: number | undefined;
  /** Lets a token go over plain ws:// to another machine, where everybody on the way can read it. Off. */
  readonly allowTokenOverPlainWs?: boolean | undefined;
  /** The class of WebSockets. The platform's own; in Node before version 22 that of the package `ws`. */
  readonly WebSocket?: WebSocketConstructor | undefined;
  /** Ends the wait for the connection. */
  readonly signal?: AbortSignal | undefined;
  /** Gets every event, strays and malformed messages too, before who reads the answer. It may call the client. */
  readonly onEvent?: ((event: Event) => void) | undefined;
}

/** What a question is asked with. */
export interface AskOptions extends Parameters {
  /** Stops the answer: at the server, if it was asked. Who reads it is told the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A command that waits to be sent. */
interface Sending {
  readonly request: Command;
  readonly done: () => void;
  readonly fail: (error: unknown) => void;
}

/** How a message begins that is a `Sending`'s. */
const COMMAND = /^\{"type":"(?:share|mask|edit|remove)"/;

const NOT_CONNECTED = "the client is not connected";

/** `afterStop`, where it is not set. */
const AFTER_STOP = 10_000;

const NEVER = Number.POSITIVE_INFINITY;

/** A Close's code (RFC 6455, section 7.4.1). */
const NOT_UTF8 = 1007;

/** A timer that is later than this was held up, by a page that was frozen or a machine that slept. */
const LATE = 1000;

/** How long messages that came meanwhile have to be taken in, before a deadline counts. */
const GRACE = 1000;

/** While more bytes than this wait in the WebSocket, what is to be sent waits in the session, which has a limit. */
const FULL = 1024 * 1024;

/** How many events are taken at once: a server may send millions of frames in one message. Then others have their turn. */
const STEP = 1000;

/** When to look whether the WebSocket has room again. */
const LOOK_AGAIN = 50;

/**
 * A client over the platform's WebSocket.
 *
 *     const client = await Client.connect("wss://api.chatnio.net", { token: "sk-..." });
 *     for await (const piece of client.ask("hi", { model: "gpt-4" })) process.stdout.write(piece);
 *     await client.close();
 *
 * It asks one question at a time, as the server does; more wait, in the order in which they were asked. An answer that was
 * interrupted by a deadline or a limit is stopped at the server, which may send its end later: what is asked waits for that,
 * too, at most `afterStop`, and then is `CHATNIO_BUSY`; or `reconnect()`. Leaving a loop
 * over an answer, or aborting its signal, stops the answer at the server. While nothing is asked, the connection is kept
 * alive.
 *
 * Deadlines count by timers. In a page that is frozen, or on a machine that sleeps, they stand still: what has come
 * meanwhile is taken in first, and only then a deadline counts. A connection that was lost meanwhile is said to be, as
 * soon as the platform says it: `reconnect()`.
 */
export class Client {
  readonly #endpoint: Endpoint;
  readonly #options: ClientOptions;
  readonly #session: Session;
  readonly #closeLimit: number;
  readonly #connectLimit: number;
  /** How long a question waits for the server to end an answer that was interrupted. */
  readonly #patience: number;
  #socket: WebSocketLike | undefined;
  /** Why it is not connected; undefined while it is. */
  #over: ChatNioError | undefined = new ChatNioError("CHATNIO_CLOSED", NOT_CONNECTED);
  /** Ends an attempt to connect. */
  #attempt: AbortController | undefined;
  /** The turn that runs. */
  #turn: Turn | undefined;
  /** Until when the last one that was interrupted may be ended by the server. */
  #drainedBy = 0;
  #waiting: (Turn | Sending)[] = [];
  /** What the session has taken, and holds. */
  #held: Sending[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When that fires. */
  #due = 0;
  /** When the messages came that come at once. */
  #cameAt: number | undefined;
  /** A piece has come, and nothing since. */
  #isFlowing = false;
  /** What is due has waited for messages. */
  #hasWaited = false;

  private constructor(endpoint: Endpoint, options: ClientOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#connectLimit = Number(time("connect", options.connect ?? 20_000));
    this.#closeLimit = Number(time("close", options.close ?? 3000));
    this.#patience = (options.afterStop ?? AFTER_STOP) || NEVER;
    functionOf("WebSocket", options.WebSocket);
    functionOf("onEvent", options.onEvent);
    this.#session = new Session(options);
  }

  /**
   * Connects, and waits until the WebSocket is open. `url` is as in `chatUrl()`.
   *
   * @throws {ChatNioError} those of `chatUrl()` and `Session`; `CHATNIO_PLAIN_TOKEN` when a token would go over plain
   * ws:// to another machine; `CHATNIO_CONNECT`, `CHATNIO_CONNECT_TIMEOUT`; the signal's reason.
   */
  static async connect(url: string, options: ClientOptions = {}): Promise<Client> {
    const server = endpoint(url);
    const signal = signalOf(optionsOf(options).signal);
    refusePlainToken(server, options.token, flag("allowTokenOverPlainWs", options.allowTokenOverPlainWs ?? false) === 1);
    await load();
    const client = new Client(server, options);
    const attempt = new AbortController();
    client.#attempt = attempt;
    await client.#open(attempt, signal);
    return client;
  }

  /**
   * Asks a question, by its text or a request, and streams the answer.
   *
   * @throws {TypeError} for what is neither.
   * @throws {ChatNioError} `CHATNIO_INVALID` for options or a signal that are none. What else is wrong is told who reads.
   */
  ask(question: string | Question, options: AskOptions = {}): AnswerStream {
    if (typeof question !== "string" && (typeof question !== "object" || question === null)) {
      const what = question === null || question === undefined ? String(question) : `a ${typeof question}`;
      throw new TypeError(`a question is a text or a request, and this is ${what}`);
    }
    const { signal, ...parameters } = optionsOf(options);
    const asked: Question = typeof question === "string" ? { type: "chat", message: question } : question;
    return this.#ask({ ...asked, ...parameters } as ChatRequest | RestartRequest, signalOf(signal));
  }

  /** Asks the last question again, with these parameters, and streams the answer. */
  restart(options: AskOptions = {}): AnswerStream {
    return this.ask({ type: "restart" }, options);
  }

  /**
   * Sends a request that is not answered, behind what was asked before, and waits until it is on its way: soon
   * after the end of an answer until the server loses nothing any more (`settle`).
   *
   * @throws {ChatNioError} those of `Session.request()`; why the connection is over.
   */
  send(request: Command): Promise<void> {
    return new Promise((done, fail) => {
      if (!["share", "mask", "edit", "remove"].includes(request.type)) {
        const message = "only a share, a mask, an edit or a remove is sent so: see ask(), restart() and stop()";
        throw new ChatNioError("CHATNIO_BAD_PARAMETERS", message);
      }
      this.#enqueue({ request, done, fail });
    });
  }

  /**
   * Stops the answer that runs: its end comes to who reads it.
   *
   * @returns whether a stop was sent: not when none runs, or it has had its stop.
   */
  stop(): boolean {
    if (this.#socket === undefined) return false;
    let isSent = false;
    try {
      isSent = this.#session.stop(this.#now());
    } catch (error) {
      this.#broken(error);
    }
    this.#pump();
    return isSent;
  }

  /**
   * Connects anew to the same URL, and continues the conversation that the server opened. Works in any state. What waited
   * to be asked is asked then. Turn numbers and counters go on, a recording starts afresh.
   *
   * What the server loads is what it saved last: the question, perhaps not the answer.
   *
   * @returns the answer that ran, interrupted, if one did; who reads it gets it too.
   * @throws {ChatNioError} why it could not be made; it may be tried again.
   */
  async reconnect(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Answer | undefined> {
    if (this.#attempt !== undefined) throw new ChatNioError("CHATNIO_INVALID", "the client is connecting already");
    const signal = signalOf(optionsOf(options).signal);
    const over = new ChatNioError("CHATNIO_CLOSED", "the client is connecting anew");
    const socket = this.#letGo(over);
    if (socket !== undefined) void closeSocket(socket, this.#closeLimit);
    let event: Event | undefined;
    try {
      event = this.#session.reconnect(this.#now());
    } catch (error) {
      this.#broken(error);
      throw error;
    }
    this.#failHeld(over);
    // Before `onEvent`, which may reconnect or close, too.
    const attempt = new AbortController();
    this.#attempt = attempt;
    const end = this.#ended(event);
    await this.#open(attempt, signal);
    return end?.answer;
  }

  /**
   * Closes the connection in an orderly way. A running answer ends interrupted, and what waits is never asked. A repeated
   * call does nothing. `reconnect()` opens it again.
   *
   * @returns the answer that ran, interrupted, if one did; who reads it gets it too.
   */
  async close(): Promise<Answer | undefined> {
    const over = new ChatNioError("CHATNIO_CLOSED", "the client was closed");
    this.#attempt?.abort(over);
    this.#attempt = undefined;
    const socket = this.#letGo(over);
    let event: Event | undefined;
    try {
      event = this.#session.closed("host");
      // What is held: before `onEvent`, which may reconnect.
      if (socket !== undefined) this.#send(socket);
      this.#failWaiting(over);
    } catch (error) {
      this.#broken(error);
    }
    const end = this.#ended(event);
    if (socket !== undefined) await closeSocket(socket, this.#closeLimit);
    return end?.answer;
  }

  /** As `close()`. */
  async [asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Why it is not connected; undefined while it is. */
  get error(): ChatNioError | undefined {
    return this.#over;
  }

  /** What the session is doing. */
  get state(): State {
    return this.#session.state;
  }

  /** The running turn's answer so far; undefined when no turn runs. */
  get answer(): Answer | undefined {
    return this.#session.answer;
  }

  /** Which conversation the connection is in, as far as the server has said. */
  get conversation(): Conversation {
    return this.#session.conversation;
  }

  /** What the session has counted. */
  get counters(): Counters {
    return this.#session.counters;
  }

  /** About how many bytes of the module's memory it holds. */
  get memory(): number {
    return this.#session.memory;
  }

  /** What was sent and received so far, without tokens; undefined unless `record` is set. Of this connection. */
  get transcript(): Transcript | undefined {
    return this.#session.transcript;
  }

  #ask(request: Question, signal: AbortSignal | undefined): AnswerStream {
    const turn = new Turn(request);
    const stream = new AnswerStream(turn, (turn) => this.#stopTurn(turn, undefined));
    if (request.type !== "chat" && request.type !== "restart") {
      const message = "only a chat or a restart is asked so: see send() and stop()";
      turn.fail(new ChatNioError("CHATNIO_BAD_PARAMETERS", message));
      return stream;
    }
    if (signal?.aborted) {
      turn.fail(signal.reason);
      return stream;
    }
    if (signal !== undefined) {
      const abort = (): void => {
        this.#stopTurn(turn, { error: signal.reason });
      };
      const settled = onAbort(signal, abort);
      turn.result.then(settled, settled);
    }
    this.#enqueue(turn);
    return stream;
  }

  /** Stops a turn, for a reason that its reader is told, if there is one. */
  #stopTurn(turn: Turn, reason: { readonly error: unknown } | undefined): boolean {
    if (turn.isOver) return false;
    if (this.#turn === turn) {
      const isSent = this.stop();
      if (reason !== undefined) turn.leave(reason);
      return isSent;
    }
    this.#waiting = this.#waiting.filter((waiting) => waiting !== turn);
    turn.fail(reason?.error ?? new DOMException("the question was stopped before it was sent", "AbortError"));
    return true;
  }

  #enqueue(task: Turn | Sending): void {
    if (this.#over !== undefined && this.#attempt === undefined) {
      task.fail(this.#over);
      return;
    }
    this.#waiting.push(task);
    this.#next();
  }

  /** Whether the server has yet to end an answer that was interrupted, and is given the time for it. */
  #isDraining(): boolean {
    return this.#session.state === "draining" && this.#now() < this.#drainedBy;
  }

  /** Begins what waits, if nothing runs. */
  #next(): void {
    while (this.#turn === undefined && this.#over === undefined && !this.#isDraining()) {
      const task = this.#waiting.shift();
      if (task === undefined) break;
      try {
        this.#session.request(task.request, this.#now());
      } catch (error) {
        task.fail(error);
        continue;
      }
      if (task instanceof Turn) this.#turn = task;
      else this.#held.push(task);
    }
    this.#pump();
  }

  async #open(attempt: AbortController, signal: AbortSignal | undefined): Promise<void> {
    const heard = onAbort(signal, () => attempt.abort(signal?.reason));
    try {
      attempt.signal.throwIfAborted();
      signal?.throwIfAborted();
      const make = this.#options.WebSocket ?? (await platformWebSocket());
      await openSocket(make, this.#endpoint, this.#connectLimit, attempt.signal, (socket, listen) => {
        this.#socket = socket;
        this.#over = undefined;
        this.#watch(socket, listen);
      });
    } catch (error) {
      // Otherwise it was closed, which has told who waits.
      if (this.#attempt === attempt) {
        this.#over = error instanceof ChatNioError ? error : new ChatNioError("CHATNIO_CLOSED", NOT_CONNECTED);
        this.#failWaiting(error);
      }
      throw error;
    } finally {
      heard();
      if (this.#attempt === attempt) this.#attempt = undefined;
    }
    this.#next();
  }

  #watch(socket: WebSocketLike, listen: Listen): void {
    let detail = "";
    let hasFailed = false;
    let isNotUtf8 = false;
    listen((message, begin, end) => {
      // That of `ws` goes on after it was given up, and Node's own after a message that it could not read.
      if (this.#socket !== socket || hasFailed) return true;
      const isTaken = this.#receive(message, begin, end);
      if (!isTaken) isNotUtf8 = true;
      return isTaken;
    });
    const closed = (event: { code?: unknown; reason?: unknown; wasClean?: unknown } = {}): void => {
      // It says it once, and nothing of the connection that came after it.
      if (this.#socket !== socket) return;
      const reason = event.reason ? `: ${this.#withoutSecrets(event.reason)}` : "";
      if (isNotUtf8) {
        this.#notUtf8();
      } else if (event.wasClean) {
        const code = closeCode(event);
        const message = `the server closed the connection (${code.closeCode ?? "no code"}${reason})`;
        this.#lost("server", new ChatNioError("CHATNIO_CLOSED_BY_SERVER", message, code));
      } else {
        const message = `the connection was lost${reason || detail}`;
        this.#lost("lost", new ChatNioError("CHATNIO_END_OF_STREAM", message, closeCode(event)));
      }
    };
    // Only those of `ws` and of Node say more.
    socket.onerror = (event) => {
      hasFailed = true;
      detail = event?.message ? `: ${this.#withoutSecrets(event.message)}` : "";
      if (/invalid UTF-8/i.test(detail)) isNotUtf8 = true;
      // That of `ws` tells that it is closed when the server has answered its Close, or in half a minute.
      if (socket.terminate === undefined) return;
      closed();
      void closeSocket(socket, this.#closeLimit);
    };
    socket.onclose = closed;
  }

  /** What a server says of why it ends, without what it was told. */
  #withoutSecrets(text: unknown): string {
    const token = (this.#options.token ?? "").trim().replace(/^Bearer /, "").trim();
    return redacted(String(text), new URL(this.#endpoint.url).search.slice(1), token === "anonymous" ? "" : token);
  }

  /** Takes a message, as `Take` says. */
  #receive(message: string | Uint8Array | undefined, begin = 0, end?: number): boolean {
    const session = this.#session;
    const now = typeof message === "string" ? this.#now() : this.#nowOfMany();
    try {
      let isFlowing = false;
      if (message === undefined) {
        this.#take(session.receiveBinary(now));
      } else {
        const isWhole = typeof message === "string" || end === undefined;
        isFlowing = isWhole ? session.put(message, now) : session.putPart(message, begin, end, now);
        const turn = this.#turn;
        // Nearly every message: an event that nobody looks at is not made.
        if (!isFlowing || turn === undefined || turn.reads === "events" || this.#options.onEvent !== undefined) {
          this.#received(session.event(message));
        } else if (turn.reads === "pieces") {
          turn.push(session.piece);
        }
      }
      // A piece behind a piece brings nothing to be sent, and a deadline that is only later: the timer looks. Frames
      // behind the first of a message are due at once.
      if (!isFlowing || !this.#isFlowing) this.#pump();
      this.#isFlowing = isFlowing;
    } catch (error) {
      if (!(error instanceof ChatNioError && error.code === "CHATNIO_NOT_UTF8")) {
        this.#broken(error);
        return true;
      }
      // The WebSocket ends the connection because of it.
      if (end !== undefined) return false;
      const socket = this.#socket;
      this.#notUtf8();
      if (socket !== undefined) void closeSocket(socket, this.#closeLimit, NOT_UTF8);
    }
    return true;
  }

  /** Takes what messages have brought, by which the session may have ended by itself. */
  #received(event: Event): void {
    const isOver = (event.kind === "end" || event.kind === "stray") && this.#session.state === "closed";
    if (!isOver) {
      this.#take(event);
      return;
    }
    const message =
      "the server answered what was not asked, and which answer is whose cannot be known any more: reconnect";
    const over = new ChatNioError("CHATNIO_PROTOCOL", message);
    const socket = this.#letGo(over);
    if (socket !== undefined) void closeSocket(socket, this.#closeLimit);
    this.#failWaiting(over);
    this.#take(event);
  }

  #take(event: Event): void {
    // Before `onEvent`, which may end the turn, or the connection. Who reads hears of it later than that, by promises.
    const turn = this.#turn;
    switch (event.kind) {
      case "opened":
      case "delta":
      case "stop-repeated":
        turn?.push(event);
        break;
      case "end":
        this.#turn = undefined;
        this.#drainedBy = this.#now() + this.#patience;
        turn?.push(event);
        turn?.finish(event.answer, this.#over);
        break;
      default:
        break;
    }
    try {
      this.#options.onEvent?.(event);
    } catch (error) {
      // It is the host's, and none of who reads the answer.
      queueMicrotask(() => {
        throw error;
      });
    }
    // A stray may be the end that was waited for.
    if (event.kind === "end" || event.kind === "stray") this.#next();
  }

  /** Takes the end of a turn that the connection's end has brought. */
  #ended(event: Event | undefined): End | undefined {
    if (event !== undefined) this.#take(event);
    return event?.kind === "end" ? event : undefined;
  }

  /** Sends what is to be sent, and waits for what is due. */
  #pump(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    const session = this.#session;
    this.#isFlowing = false;
    try {
      const failure = this.#send(socket);
      if (failure !== undefined && this.#socket === socket) {
        this.#lost("lost", failure);
        void closeSocket(socket, this.#closeLimit);
      }
      // What was sent may have been answered at once, by anything.
      if (this.#socket !== socket) return;
      const now = this.#now();
      // What waits while nothing runs, waits for that.
      const drainedBy = this.#turn === undefined && this.#waiting.length > 0 ? this.#drainedBy : NEVER;
      const deadline = Math.min(socket.bufferedAmount > FULL ? now + LOOK_AGAIN : (session.deadline ?? NEVER), drainedBy);
      if (deadline === NEVER) this.#disarm();
      else if (this.#timer === undefined || deadline < this.#due) this.#arm(deadline, now);
    } catch (error) {
      this.#broken(error);
    }
  }

  /** Sends what is to be sent, as far as the WebSocket takes it. Gives why it takes nothing, if it throws. */
  #send(socket: WebSocketLike): ChatNioError | undefined {
    const current = this.#socket;
    while (this.#socket === current) {
      const message = this.#nextMessage(socket);
      if (message === undefined) break;
      const held = COMMAND.test(message) ? this.#held.shift() : undefined;
      try {
        socket.send(message);
      } catch (error) {
        const said = this.#withoutSecrets(error instanceof Error ? error.message : error);
        const failure = new ChatNioError("CHATNIO_IO", `the WebSocket cannot send: ${said}`);
        held?.fail(failure);
        return failure;
      }
      held?.done();
    }
    return undefined;
  }

  #nextMessage(socket: WebSocketLike): string | undefined {
    return socket.bufferedAmount > FULL ? undefined : this.#session.nextMessage();
  }

  #arm(due: number, now: number): void {
    this.#disarm();
    this.#due = due;
    this.#timer = setTimeout(() => this.#fire(), Math.min(Math.max(Math.ceil(due - now), 0), MAX_DELAY));
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #fire(): void {
    this.#timer = undefined;
    const now = this.#now();
    if (now - this.#due > LATE && !this.#hasWaited) {
      this.#hasWaited = true;
      this.#arm(now + GRACE, now);
      return;
    }
    this.#hasWaited = false;
    try {
      // Anew: among very many frames a deadline may pass.
      this.#tellDue(() => this.#now());
      this.#next();
    } catch (error) {
      this.#broken(error);
    }
  }

  /** Tells a bounded part of what is due. */
  #tellDue(now: () => number): void {
    for (let count = 0; count < STEP; count += 1) {
      const event = this.#session.handleTimeout(now());
      if (event === undefined) break;
      this.#received(event);
    }
  }

  /** The connection is gone. */
  #lost(why: "server" | "lost", over: ChatNioError): void {
    const socket = this.#socket;
    try {
      // The frames that came in one message with others. Time stands still: nothing is late because of them.
      this.#tellDue(() => 0);
      // Who was told may have closed it, or have gone on to another one.
      if (this.#socket !== socket) return;
      this.#letGo(over);
      const event = this.#session.closed(why);
      // Before `onEvent`, which may reconnect, and ask.
      this.#failWaiting(over);
      this.#ended(event);
    } catch (error) {
      this.#broken(error);
    }
  }

  #notUtf8(): void {
    this.#lost("lost", new ChatNioError("CHATNIO_SERVER_NOT_UTF8", "the server sent text that is not UTF-8"));
  }

  /** The library has failed in itself. */
  #broken(error: unknown): void {
    const over = error instanceof ChatNioError ? error : new ChatNioError("CHATNIO_PANIC", String(error), { cause: error });
    const socket = this.#letGo(over);
    if (socket !== undefined) void closeSocket(socket, this.#closeLimit);
    this.#turn?.fail(over);
    this.#turn = undefined;
    this.#failWaiting(over);
  }

  /** Gives up the WebSocket, for a reason. */
  #letGo(over: ChatNioError): WebSocketLike | undefined {
    const socket = this.#socket;
    this.#disarm();
    this.#hasWaited = false;
    this.#socket = undefined;
    this.#over = over;
    return socket;
  }

  #failHeld(error: unknown): void {
    const held = this.#held;
    this.#held = [];
    for (const task of held) task.fail(error);
  }

  #failWaiting(error: unknown): void {
    this.#failHeld(error);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const task of waiting) task.fail(error);
  }

  #now(): number {
    return performance.now();
  }

  /** The same time for all that comes at once: `ws` gives every message of what it has read, one behind the other. */
  #nowOfMany(): number {
    if (this.#cameAt === undefined) {
      this.#cameAt = this.#now();
      queueMicrotask(() => {
        this.#cameAt = undefined;
      });
    }
    return this.#cameAt;
  }
}
