import { library } from "./load.js";

/** The version of the module, such as "0.1.0", which is that of this package. `load()` comes first. */
export function version(): string {
  const loaded = library();
  return loaded.cString(loaded.call((exports) => exports.chatnio_version()));
}
