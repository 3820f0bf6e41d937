import type { RestExports } from "../abi.js";
import type { Library } from "../library.js";
import { Loader, type Source } from "../loader.js";

const rest = /* @__PURE__ */ new Loader<RestExports>(() => import("./inline.js"), "`await load()` of chatnio/rest");

/**
 * Loads the WebAssembly module of the companion calls, once for all, as the `load()` of `chatnio` does that of the chat: a
 * repeated call does nothing. `RestClient.call()` does it by itself; `Call.request()` and `Call.decode()` need it done
 * before.
 *
 * Without an argument the module comes from this package, as text. A page that would rather fetch the file says where:
 *
 *     await load("/assets/rest.wasm"); // where the site serves it
 *
 * @throws {ChatNioError} `CHATNIO_SYSTEM` when it cannot be had. It may be tried again.
 */
export function load(source?: Source): Promise<void> {
  return rest.load(source);
}

/**
 * The instance that calls are made in.
 *
 * @throws {ChatNioError} `CHATNIO_INVALID` before `load()`.
 */
export function library(): Library<RestExports> {
  return rest.library;
}
