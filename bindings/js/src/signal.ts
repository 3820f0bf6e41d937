import { refuse } from "./settings.js";

/** Who wants to be told, of each signal: one listener for all of them, since Node warns of more than ten. */
const waiting = /* @__PURE__ */ new WeakMap<AbortSignal, { readonly all: Set<() => void>; readonly listener: () => void }>();

/** Calls `tell` when the signal is aborted. Gives what ends that. */
export function onAbort(signal: AbortSignal | undefined, tell: () => void): () => void {
  if (signal === undefined) return () => {};
  let about = waiting.get(signal);
  if (about === undefined) {
    const all = new Set<() => void>();
    about = { all, listener: () => all.forEach((one) => one()) };
    waiting.set(signal, about);
    signal.addEventListener("abort", about.listener);
  }
  const { all, listener } = about;
  all.add(tell);
  return () => {
    all.delete(tell);
    if (all.size > 0 || waiting.get(signal)?.all !== all) return;
    waiting.delete(signal);
    signal.removeEventListener("abort", listener);
  };
}

/** A signal, where there is one: of whatever realm, and whoever made it. */
export function signalOf(value: AbortSignal | undefined): AbortSignal | undefined {
  const isSignal = value === undefined || typeof (value as Partial<AbortSignal> | null)?.throwIfAborted === "function";
  return isSignal ? value : refuse("signal", "an AbortSignal", value);
}
