import type { WebSocketLike } from "./socket.js";

/** The socket that a WebSocket of `ws` reads. */
export interface ByteStream {
  readonly emit: unknown;
  listeners?(event: "data"): ((this: ByteStream, bytes: Uint8Array) => void)[];
  on(event: "data", listener: (bytes: Uint8Array) => void): unknown;
  off(event: "data", listener: (bytes: Uint8Array) => void): unknown;
}

/** What those of `ws` have beside. */
type Emitter = WebSocketLike & { readonly emit?: unknown; listenerCount?(event: "message"): number };

/** How the frame of a whole text begins (RFC 6455, section 5.2): final, without reserved bits, a text. And of a ping and a pong. */
const [TEXT, PING, PONG] = [0x81, 0x89, 0x8a];

/** The second byte of a header is a length, below this; this one says that two more bytes are the length. */
const LONG = 126;

/**
 * Reads whole texts, which is what nearly every frame is, where they lie in what has come: to bring each by itself costs `ws`
 * more than all that is done with it here. Pings and pongs are given to `ws`, and from the first frame on that is anything else
 * (a fragment, compressed, longer than 64 KiB, a Close, what no server may send) everything is.
 *
 * `take` gets a text as a part of bytes that are never written to again. `stream` is what `ws` has shown by its event
 * `upgrade` (in Bun nothing). A WebSocket whose messages somebody else looks at, too, is left alone.
 */
export function readFrames(
  socket: Emitter,
  stream: ByteStream | undefined,
  take: (bytes: Uint8Array, begin: number, end: number) => void,
): void {
  if (stream === undefined) return;
  const isShared = (): boolean => socket.emit !== stream.emit || socket.listenerCount?.("message") !== 1;
  const [feed, ...others] = stream.listeners?.("data") ?? [];
  if (feed === undefined || others.length > 0 || isShared()) return;
  /** The beginning of a frame, and how many bytes are missing at the least until more of it can be read. */
  let rest: Uint8Array[] = [];
  let missing = 0;

  const handOver = (bytes: Uint8Array): void => {
    stream.off("data", read);
    stream.on("data", feed);
    feed.call(stream, bytes);
  };
  const read = (came: Uint8Array): void => {
    rest.push(came);
    missing -= came.length;
    if (isShared()) return handOver(joined(rest));
    if (missing > 0) return;
    const bytes = joined(rest);
    let at = 0;
    let end = 2;
    while (end <= bytes.length) {
      const first = bytes[at];
      let length = bytes[at + 1]!;
      if (first === TEXT && length === LONG) {
        end += 2;
        if (end > bytes.length) break;
        length = bytes[at + 2]! * 256 + bytes[at + 3]!;
      } else if (length >= LONG || (first !== TEXT && first !== PING && first !== PONG)) {
        return handOver(bytes.subarray(at));
      }
      const begin = end;
      end += length;
      if (end > bytes.length) break;
      if (first === TEXT) take(bytes, begin, end);
      else feed.call(stream, bytes.subarray(at, end));
      at = end;
      end += 2;
    }
    rest = at < bytes.length ? [bytes.subarray(at)] : [];
    missing = end - bytes.length;
  };
  stream.off("data", feed);
  stream.on("data", read);
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
