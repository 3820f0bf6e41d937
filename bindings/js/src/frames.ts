/** A stream of bytes, as Node has them. */
export interface ByteStream {
  listeners?(event: "data"): ((this: ByteStream, bytes: Uint8Array) => void)[];
  on(event: "data", listener: (bytes: Uint8Array) => void): unknown;
  on(event: "pause", listener: () => void): unknown;
  off(event: "data" | "pause", listener: (bytes: Uint8Array) => void): unknown;
}

/** What a WebSocket reads. */
export interface Reading {
  readonly stream: ByteStream;
  /** Whether nobody else looks at the WebSocket's messages, or has changed how they come. */
  isAlone(): boolean;
}

/** How the frame of a whole text begins (RFC 6455, section 5.2): final, without reserved bits, a text. And of a ping and a pong. */
const [TEXT, PING, PONG] = [0x81, 0x89, 0x8a];

/** The second byte of a header is a length, below this; this one says that two more bytes are the length. */
const LONG = 126;

/**
 * Reads whole texts, which is what nearly every frame is, where they lie in what has come: to bring each by itself costs a
 * WebSocket more than all that is done with it here. Pings and pongs are given to the WebSocket, and from the first frame on that is
 * anything else (a fragment, compressed, of 64 KiB or more, a Close, what no server may send) everything is; also once it is paused,
 * or no longer alone, which is looked at whenever something has come.
 *
 * Nothing of the stream was read yet. `take` gets a text as a part of bytes that are never written to again, and says whether it
 * was one; else it is the WebSocket's, too. What comes meanwhile waits.
 */
export function readFrames({ stream, isAlone }: Reading, take: (bytes: Uint8Array, begin: number, end: number) => boolean): void {
  const [feed, ...others] = stream.listeners?.("data") ?? [];
  if (feed === undefined || others.length > 0 || !isAlone()) return;
  /** What has come and was not read, and how many bytes are missing at the least until more can be. */
  let held: Uint8Array[] = [];
  let missing = 0;
  let isReading = false;
  /** It is for the WebSocket to read the rest. */
  let isForeign = false;

  const handOver = (): void => {
    stream.off("data", came);
    stream.off("pause", leave);
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
      if (first !== TEXT) {
        feed.call(stream, bytes.subarray(at, end));
      } else if (!take(bytes, begin, end)) {
        isForeign = true;
        break;
      }
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
    isForeign ||= !isAlone();
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
  stream.off("data", feed);
  stream.on("data", came);
  // What is left in a paused stream when that closes, `ws` takes past all listeners.
  stream.on("pause", leave);
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
