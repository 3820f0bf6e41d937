import type { CommonExports } from "./abi.js";
import { ChatNioError } from "./errors.js";
import { Library } from "./library.js";
import { refuse } from "./settings.js";

/**
 * Where the module is to be had from: an address, what `fetch` gave for it, its bytes, or a `WebAssembly.Module`, whose type has
 * no members: for TypeScript every object is one.
 */
export type Source = string | URL | Response | PromiseLike<Response> | ArrayBuffer | ArrayBufferView | object;

/** Loads one of the modules, once for all. */
export class Loader<E extends CommonExports> {
  readonly #inlined: () => Promise<{ readonly default: string }>;
  readonly #how: string;
  #loading: Promise<WebAssembly.Module> | undefined;
  #current: Library<E> | undefined;

  /** Who comes too early is told `how` to load it. */
  constructor(inlined: () => Promise<{ readonly default: string }>, how: string) {
    this.#inlined = inlined;
    this.#how = how;
  }

  /** As the function `load()` of each module. */
  async load(source?: Source): Promise<void> {
    if (this.#current !== undefined && !this.#current.isBroken) return;
    const attempt = (this.#loading ??= this.#compiled(source));
    try {
      const instance = await WebAssembly.instantiate(await attempt, {});
      if (this.#current === undefined || this.#current.isBroken) this.#current = new Library(instance);
    } catch (error) {
      if (this.#loading === attempt) this.#loading = undefined;
      if (error instanceof ChatNioError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new ChatNioError("CHATNIO_SYSTEM", `the WebAssembly module cannot be loaded: ${reason}`, { cause: error });
    }
  }

  /**
   * The instance that new handles are made in.
   *
   * @throws {ChatNioError} `CHATNIO_INVALID` before `load()`.
   */
  get library(): Library<E> {
    if (this.#current === undefined) {
      throw new ChatNioError("CHATNIO_INVALID", `the WebAssembly module is not loaded: ${this.#how} first`);
    }
    return this.#current;
  }

  async #compiled(source?: Source): Promise<WebAssembly.Module> {
    if (source === undefined) return WebAssembly.compile(await unpacked((await this.#inlined()).default));
    if (source instanceof WebAssembly.Module) return source;
    if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source as BufferSource);
    const given = typeof source === "string" || source instanceof URL ? await fetch(source) : await source;
    const response = given as Response;
    if (typeof (given as Partial<Response> | null)?.arrayBuffer !== "function") {
      refuse("the module's source", "a URL, a response, bytes or a WebAssembly.Module", given);
    }
    if (!response.ok) {
      throw new ChatNioError("CHATNIO_SYSTEM", `${response.url} answered with HTTP status ${response.status}`);
    }
    const isTyped = response.headers.get("content-type")?.startsWith("application/wasm") ?? false;
    return isTyped ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
  }
}

/** A module as this package carries it. */
async function unpacked(text: string): Promise<ArrayBuffer> {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const bytes = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(bytes).arrayBuffer();
}
