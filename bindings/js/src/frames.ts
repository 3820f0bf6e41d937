import type { WebSocketLike } from "./socket.js";

/** The socket that a WebSocket of `ws` reads. */
export interface ByteStream {
  readonly emit: unknown;
  listeners?(event: "data"): ((this: ByteStream, bytes: Uint8Array) => void)[];
  on(event: "data", listener: (bytes: Uint8Array) => void): unknown;
  on(event: "pause", listener: () => void): unknown;
  off(event: "data" | "pause", listener: (bytes: Uint8Array) => void): unknown;
}

/** What a WebSocket of `ws` has beside. */
interface OfWs extends WebSocketLike {
  readonly emit?: unknown;
  /** The socket that it reads. */
  readonly _socket?: unknown;
  listeners?(event: "message"): unknown[];
  off?(event: "newListener", listener: (name: string) => void): unknown;
}

/** How the frame of a whole text begins (RFC 6455, section 5.2): final, without reserved bits, a text. And of a ping and a pong. */
const [TEXT, PING, PONG] = [0x81, 0x89, 0x8a];

/** The second byte of a header is a length, below this; this one says that two more bytes are the length. */
const LONG = 126;

/**
 * Reads whole texts, which is what nearly every frame is, where they lie in what has come: to bring each by itself costs `ws`
 * more than all that is done with it here. Pings and pongs are given to `ws`, and from the first frame on that is anything else
 * (a fragment, compressed, longer than 64 KiB, a Close, what no server may send) everything is; also once it is paused, or
 * somebody else listens to its messages.
 *
 * `stream` is what `ws` shows by its event `upgrade`, and nothing of it was read yet. Left alone are all but `ws` itself: where
 * `listener`, which it gives its messages, was changed on the way, or its events are looked at.
 *
 * `take` gets a text as a part of bytes that are never written to again. What comes meanwhile waits.
 */
export function readFrames(
  socket: OfWs,
  stream: ByteStream | undefined,
  listener: unknown,
  take: (bytes: Uint8Array, begin: number, end: number) => void,
): void {
  const [feed, ...others] = stream?.listeners?.("data") ?? [];
  if (stream === undefined || feed === undefined || others.length > 0) return;
  const listeners = socket.listeners?.("message") ?? [];
  if (socket._socket !== stream || socket.emit !== stream.emit || listeners.length !== 1 || listeners[0] !== listener) return;
  /** What has come and was not read, and how many bytes are missing at the least until more can be. */
  let held: Uint8Array[] = [];
  let missing = 0;
  let isReading = false;
  /** It is for `ws` to read the rest. */
  let isForeign = false;

  const handOver = (): void => {
    stream.off("data", came);
    stream.off("pause", leave);
    socket.off?.("newListener", heard);
    stream.on("data", feed);
    const bytes = joined(held);
    held = [];
    if (bytes.length > 0) feed.call(stream, bytes);
  };
  /** Reads the frames that are there. */
  const read = (): void => {
    const bytes = joined(held);
    held = [];
    let at = 0;
    let end = 2;
    while (end <= bytes.length && !isForeign) {
      const first = bytes[at];
      let length = bytes[at + 1]!;
      if (first === TEXT && length === LONG) {
        end += 2;
        if (end > bytes.length) break;
        length = bytes[at + 2]! * 256 + bytes[at + 3]!;
      } else if (length >= LONG || (first !== TEXT && first !== PING && first !== PONG)) {
        isForeign = true;
        break;
      }
      const begin = end;
      end += length;
      if (end > bytes.length) break;
      if (first === TEXT) take(bytes, begin, end);
      else feed.call(stream, bytes.subarray(at, end));
      at = end;
      end += 2;
    }
    if (at < bytes.length) held.unshift(bytes.subarray(at));
    missing += end - bytes.length;
  };
  const came = (bytes: Uint8Array): void => {
    held.push(bytes);
    missing -= bytes.length;
    if (isReading) return;
    isReading = true;
    while (missing <= 0 && !isForeign) {
      missing = 0;
      read();
    }
    isReading = false;
    if (isForeign) handOver();
  };
  const leave = (): void => {
    isForeign = true;
    if (!isReading) handOver();
  };
  const heard = (name: string): void => {
    if (name === "message") leave();
  };
  stream.off("data", feed);
  stream.on("data", came);
  // What is left in a paused socket when that closes, `ws` takes past all listeners.
  stream.on("pause", leave);
  socket.on?.("newListener", heard);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
