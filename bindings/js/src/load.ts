import { ChatNioError } from "./errors.js";
import { Library } from "./library.js";

/** Where the module is to be had from: an address, what `fetch` gave for it, its bytes, or compiled already. */
export type Source = string | URL | Response | PromiseLike<Response> | BufferSource | WebAssembly.Module;

let loading: Promise<WebAssembly.Module> | undefined;
let current: Library | undefined;

/**
 * Loads the WebAssembly module, once for all: a repeated call does nothing. `Client.connect()` does it by itself;
 * everything else needs it done before.
 *
 * Without an argument the module comes from this package, as text in a JavaScript file, which every bundler and every
 * runtime takes. A page that would rather fetch the file as it is, which spares some 20 KB, says where:
 *
 *     await load(new URL("chatnio/chatnio.wasm", import.meta.url));
 *
 * A Content-Security-Policy has to allow `script-src 'wasm-unsafe-eval'`.
 *
 * @throws {ChatNioError} `CHATNIO_SYSTEM` when it cannot be had. It may be tried again.
 */
export async function load(source?: Source): Promise<void> {
  if (current !== undefined && !current.isBroken) return;
  const attempt = (loading ??= compiled(source));
  try {
    const instance = await WebAssembly.instantiate(await attempt, {});
    if (current === undefined || current.isBroken) current = new Library(instance);
  } catch (error) {
    if (loading === attempt) loading = undefined;
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
export function library(): Library {
  if (current === undefined) {
    throw new ChatNioError("CHATNIO_INVALID", "the WebAssembly module is not loaded: `await load()` first");
  }
  return current;
}

async function compiled(source?: Source): Promise<WebAssembly.Module> {
  if (source === undefined) return WebAssembly.compile(await inlined());
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source);
  const response = typeof source === "string" || source instanceof URL ? await fetch(source) : await source;
  if (!response.ok) {
    throw new ChatNioError("CHATNIO_SYSTEM", `${response.url} answered with HTTP status ${response.status}`);
  }
  const isTyped = response.headers.get("content-type")?.startsWith("application/wasm") ?? false;
  return isTyped ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

/** The module as this package carries it. */
async function inlined(): Promise<ArrayBuffer> {
  const { default: text } = await import("./inline.js");
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(unpacked).arrayBuffer();
}
