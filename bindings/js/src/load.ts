import type { Exports } from "./abi.js";
import type { Library } from "./library.js";
import { Loader, type Source } from "./loader.js";

const session = /* @__PURE__ */ new Loader<Exports>(() => import("./inline.js"), "`await load()`");

/**
 * Loads the WebAssembly module, once for all: a repeated call does nothing. `Client.connect()` does it by itself;
 * everything else needs it done before.
 *
 * Without an argument the module comes from this package, as text in a JavaScript file, which every bundler and every
 * runtime takes. A page that would rather fetch the file as it is, which spares some 20 KB, says where:
 *
 *     await load("/assets/chatnio.wasm"); // where the site serves it
 *
 * A Content-Security-Policy has to allow `script-src 'wasm-unsafe-eval'`.
 *
 * @throws {ChatNioError} `CHATNIO_SYSTEM` when it cannot be had. It may be tried again.
 */
export function load(source?: Source): Promise<void> {
  return session.load(source);
}

/**
 * The instance that new handles are made in.
 *
 * @throws {ChatNioError} `CHATNIO_INVALID` before `load()`.
 */
export function library(): Library {
  return session.library;
}
