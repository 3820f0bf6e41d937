import { type Pointer, RequestType, Status, StepKind, stepAt } from "./abi.js";
import type { State } from "./answer.js";
import { dispose } from "./dispose.js";
import { ChatNioError } from "./errors.js";
import type { Event } from "./event.js";
import { Handle, type Library } from "./library.js";
import { inverse } from "./names.js";
import { Session, stateNumber } from "./session.js";
import type { Settings } from "./settings.js";
import type { Transcript } from "./transcript.js";

/** One step of a replay, of a line of the transcript, from 1. */
export type Step =
  /** Make this request, by `Session.request()`, before the next step. */
  | { readonly kind: "request"; readonly line: number; readonly request: ReplayedRequest }
  /** This message arrives. */
  | { readonly kind: "receive"; readonly line: number; readonly text: string }
  /** The server closes the connection. */
  | { readonly kind: "closed"; readonly line: number }
  /** Something on this line cannot be replayed as it stands: what, and what becomes of it. */
  | { readonly kind: "warning"; readonly line: number; readonly text: string };

/** A request of a transcript. It belongs to its replay, until the next step. */
export interface ReplayedRequest {
  readonly type: keyof typeof RequestType | "unknown";
  /** @internal Lends it. */
  use<Result>(body: (request: Pointer) => Result): Result;
}

const requestTypes = /* @__PURE__ */ inverse(RequestType);

/**
 * The client's side of a transcript, step by step: for tests that play it through a `Session` by themselves, which is
 * made by `new Session({ replay })`. For most `replay()` is enough.
 */
export class Replay {
  readonly #handle: Handle;
  readonly #library: Library;
  /** How many steps were taken. */
  #steps = 0;

  constructor(transcript: Transcript) {
    const { library, pointer } = transcript.handle;
    this.#library = library;
    this.#handle = new Handle(
      library,
      "replay",
      library.construct((exports, out) => exports.chatnio_replay_new(pointer, out)),
      (exports, of) => exports.chatnio_replay_free(of),
    );
  }

  /** @internal The transcript's authentication, or anonymous where it has none. */
  auth(): Handle {
    const library = this.#library;
    return new Handle(
      library,
      "authentication",
      library.construct((exports, out) => exports.chatnio_replay_auth(this.#handle.pointer, out)),
      (exports, pointer) => exports.chatnio_auth_free(pointer),
    );
  }

  /**
   * Gets the next step; undefined at the end of the transcript.
   *
   * `state` is what all steps before have led to. A request that has to wait for the end of a turn is held back, with a
   * warning, until the state is idle.
   */
  nextStep(state: State): Step | undefined {
    const library = this.#library;
    const at = library.prepare(stepAt.sizeof);
    const status = library.call((exports) =>
      exports.chatnio_replay_next_step(this.#handle.pointer, stateNumber(state), at),
    );
    this.#steps += 1;
    if (status === Status.CHATNIO_ABSENT) return undefined;
    if (status !== Status.CHATNIO_OK) throw library.failure(status);
    const line = library.pointer(at + stepAt.line);
    const text = library.text(at + stepAt.text) ?? "";
    const kind = library.int32(at + stepAt.kind);
    switch (kind) {
      case StepKind.request:
        return { kind: "request", line, request: this.#request(library.pointer(at + stepAt.request)) };
      case StepKind.receive:
        return { kind: "receive", line, text };
      case StepKind.closed:
        return { kind: "closed", line };
      case StepKind.warning:
        return { kind: "warning", line, text };
      default:
        return { kind: "warning", line, text: `this package cannot replay a step of the kind ${kind}` };
    }
  }

  /** Frees it; otherwise that is done when nobody holds it any more. */
  [dispose](): void {
    this.#handle.free();
  }

  #request(pointer: Pointer): ReplayedRequest {
    const library = this.#library;
    const step = this.#steps;
    library.check((exports) => exports.chatnio_request_get_type(pointer, library.out));
    return {
      type: requestTypes.get(library.int32(library.out)) ?? "unknown",
      use: (body) => {
        if (step !== this.#steps || this.#handle.pointer === 0) {
          throw new ChatNioError("CHATNIO_INVALID", "the request belongs to a step that is over");
        }
        return body(pointer);
      },
    };
  }
}

/** What a replay has brought: an event, or that something of a line cannot be replayed as it stands. */
export type Replayed =
  | { readonly event: Event; readonly line: number | undefined; readonly warning?: undefined }
  | { readonly warning: string; readonly line: number; readonly event?: undefined };

/**
 * Plays a transcript through a session, from its first frame to its last, and closes that: all that happened, in order.
 * The end of a turn that was still running then is of no line. No time passes in a replay.
 */
export function replay(transcript: Transcript, settings: Settings = {}): Replayed[] {
  const replayed: Replayed[] = [];
  const add = (event: Event | undefined, line?: number): void => {
    if (event !== undefined) replayed.push({ event, line });
  };
  const steps = new Replay(transcript);
  const session = new Session({ ...settings, replay: steps }, 0);
  try {
    for (let step = steps.nextStep(session.state); step !== undefined; step = steps.nextStep(session.state)) {
      switch (step.kind) {
        case "request":
          try {
            session.request(step.request, 0);
          } catch (error) {
            if (!(error instanceof ChatNioError) || error.code === "CHATNIO_PANIC") throw error;
            replayed.push({ warning: `skipped: ${error.message}`, line: step.line });
          }
          while (session.nextMessage() !== undefined);
          break;
        case "receive":
          // The frames behind the first are due at once.
          for (let event: Event | undefined = session.receive(step.text, 0); event; event = session.handleTimeout(0)) {
            add(event, step.line);
          }
          break;
        case "closed":
          add(session.closed("server"), step.line);
          break;
        case "warning":
          replayed.push({ warning: step.text, line: step.line });
          break;
      }
    }
    add(session.closed("host"));
  } finally {
    session[dispose]();
    steps[dispose]();
  }
  return replayed;
}
