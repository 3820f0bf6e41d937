import type { Pointer } from "./abi.js";
import { dispose } from "./dispose.js";
import { constructed, Handle, type Library } from "./library.js";
import { library as loaded } from "./load.js";
import { textOf } from "./settings.js";

/**
 * The frames of one connection, as readable text, which is never changed:
 *
 *     WEBSOCKET wss://api.chatnio.net/chat
 *
 *     > SEND {"token":"sk-...","id":-1}
 *     > SEND {"type":"chat","message":"hi"}  // a comment
 *     < RECV {"message":"Hello","quota":0.1,"end":false}
 *     ! CLOSED
 *
 * To unit-test a program of yours, let `replay()` play it one, or `transcriptWebSocket()` of `chatnio/testing`.
 */
export class Transcript {
  readonly #handle: Handle;

  /**
   * Reads a transcript. Its messages are not decoded: a recording may hold malformed ones. `load()` comes first.
   *
   * @throws {ChatNioError} `CHATNIO_BAD_TRANSCRIPT`, whose message names the line.
   */
  constructor(text: string);
  /** @internal */
  constructor(made: Handle);
  constructor(from: string | Handle) {
    this.#handle = from instanceof Handle ? from : parse(from);
  }

  /** The transcript as text, in the form that the constructor reads. */
  get text(): string {
    const { library, pointer } = this.#handle;
    library.check((exports) => exports.chatnio_transcript_text(pointer, library.out));
    return library.text(library.out) ?? "";
  }

  /** The text. */
  toString(): string {
    return this.text;
  }

  /** @internal Lends the handle. */
  get handle(): Handle {
    return this.#handle;
  }

  /** Frees it; otherwise that is done when nobody holds it any more. */
  [dispose](): void {
    this.#handle.free();
  }
}

/** Makes a transcript of what the module has handed over. */
export function takeOver(library: Library, pointer: Pointer): Transcript {
  return new Transcript(wrapped(library, pointer));
}

function parse(text: string): Handle {
  const library = loaded();
  const length = library.write(textOf("text", text));
  try {
    return wrapped(
      library,
      constructed(library, (exports, out, error) => exports.chatnio_transcript_parse(library.input, length, out, error)),
    );
  } finally {
    library.tidy();
  }
}

function wrapped(library: Library, pointer: Pointer): Handle {
  return new Handle(library, "transcript", pointer, (exports, of) => exports.chatnio_transcript_free(of));
}
