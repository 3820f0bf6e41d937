// That what is read where it lies is what `ws` reads, however it is split.

import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Writable } from "node:stream";
import { test } from "node:test";
import * as ws from "ws";
import { type ByteStream, readFrames } from "../../dist/frames.js";
import type { WebSocketLike } from "../../dist/socket.js";

/** Its types leave it out. */
const { Receiver } = ws as unknown as { readonly Receiver: new (options: { readonly skipUTF8Validation: boolean }) => Writable };

/** The same numbers every time (a linear congruential generator): below `limit`. */
function numbers(seed: number): (limit: number) => number {
  let state = BigInt(seed);
  return (limit) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
    return Number((state >> 33n) % BigInt(limit));
  };
}

/** A frame as a server writes it, in the shortest way unless `size` says how many bytes its length has. */
function frame(first: number, payload: Uint8Array, size?: 1 | 3 | 9): Uint8Array {
  const { length } = payload;
  const header = Buffer.alloc(1 + (size ?? (length < 126 ? 1 : length < 65_536 ? 3 : 9)));
  header[0] = first;
  if (header.length === 2) {
    header[1] = length;
  } else if (header.length === 4) {
    header[1] = 126;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = 127;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([header, payload]);
}

const text = (length: number): Uint8Array => Buffer.alloc(length, "0123456789");

/** What a server may send, and then what it may not. Whatever is behind the tenth ends it, or goes to `ws`. */
const FRAMES: readonly (() => Uint8Array)[] = [
  () => frame(0x81, text(0)),
  () => frame(0x81, text(90)),
  () => frame(0x81, text(125)),
  () => frame(0x81, text(126)),
  () => frame(0x81, text(300)),
  () => frame(0x81, text(65_535)),
  () => frame(0x81, text(5), 3),
  () => frame(0x89, text(0)),
  () => frame(0x89, text(125)),
  () => frame(0x8a, text(3)),
  () => frame(0x82, text(4)),
  () => frame(0x81, text(65_536)),
  () => frame(0x81, text(6), 9),
  () => Buffer.concat([frame(0x01, text(7)), frame(0x89, text(2)), frame(0x80, text(8))]),
  () => frame(0x88, Buffer.from([0x03, 0xe8])),
  () => frame(0xc1, text(4)),
  () => frame(0x80, text(4)),
  () => frame(0x83, text(4)),
  () => frame(0x09, text(4)),
  () => frame(0x89, text(126)),
  () => Buffer.from([0x81, 0x81, 1, 2, 3, 4, 0x60]),
];
const WHOLE = 10;

/** A `ws` without a network, and what it tells. */
class Fake extends EventEmitter {
  readonly log: string[] = [];
  /** How many texts have come through `ws`. */
  count = 0;
  readonly stream = new EventEmitter();

  constructor(isRead: boolean) {
    super();
    const receiver = new Receiver({ skipUTF8Validation: true });
    receiver.on("message", (data: Buffer, isBinary: boolean) => this.emit("message", data, isBinary));
    receiver.on("ping", (data: Buffer) => this.log.push(`ping ${data.length}`));
    receiver.on("pong", (data: Buffer) => this.log.push(`pong ${data.length}`));
    receiver.on("conclude", (code: number) => this.log.push(`close ${code}`));
    receiver.on("error", (error: Error) => this.log.push(`error ${error.message}`));
    this.stream.on("data", (bytes: Buffer) => receiver.write(bytes));
    this.on("message", (data: Buffer, isBinary: boolean) => {
      this.count += 1;
      this.log.push(`${isBinary ? "binary" : "text"} ${data.toString()}`);
    });
    if (!isRead) return;
    readFrames(this as unknown as WebSocketLike, this.stream as unknown as ByteStream, (bytes, begin, end) => {
      this.log.push(`text ${Buffer.from(bytes.subarray(begin, end)).toString()}`);
    });
  }

  /** `bytes` come in pieces of these lengths, the rest as a whole. */
  async comes(bytes: Uint8Array, lengths: readonly number[]): Promise<void> {
    let at = 0;
    for (const length of [...lengths, bytes.length]) {
      this.stream.emit("data", Buffer.from(bytes.subarray(at, at + length)));
      at += length;
    }
    // It tells errors at the end of a tick.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("frames are read as `ws` reads them, however they are split", async () => {
  for (let seed = 0; seed < 1500; seed += 1) {
    const below = numbers(seed);
    const kinds = below(3) === 0 ? FRAMES.length : WHOLE;
    const bytes = Buffer.concat(Array.from({ length: 1 + below(12) }, () => FRAMES[below(kinds)]!()));
    const lengths = Array.from({ length: below(20) }, () => below(below(4) === 0 ? 70_000 : 8));
    const [read, alone] = [new Fake(true), new Fake(false)];
    await Promise.all([read.comes(bytes, lengths), alone.comes(bytes, lengths)]);
    assert.deepEqual(read.log, alone.log, `seed ${seed}`);
    if (kinds === WHOLE) assert.equal(read.count, 0, `seed ${seed}: all texts are read where they lie`);
  }
});

test("a WebSocket that shows no stream brings its messages itself", () => {
  for (const nothing of [undefined, {} as ByteStream]) {
    const read = new Fake(false);
    readFrames(read as unknown as WebSocketLike, nothing, () => assert.fail());
    read.stream.emit("data", frame(0x81, text(3)));
    assert.deepEqual(read.log, ["text 012"]);
  }
});

test("one byte at a time", async () => {
  const bytes = Buffer.concat(FRAMES.map((make) => make()).filter(({ length }) => length < 1000));
  const [read, alone] = [new Fake(true), new Fake(false)];
  const lengths = new Array<number>(bytes.length).fill(1);
  await Promise.all([read.comes(bytes, lengths), alone.comes(bytes, lengths)]);
  assert.deepEqual(read.log, alone.log);
});

test("a WebSocket whose messages somebody else looks at brings them all itself", async () => {
  const seen = new Fake(true);
  await seen.comes(frame(0x81, text(3)), []);
  let count = 0;
  seen.on("message", () => (count += 1));
  await seen.comes(Buffer.concat([frame(0x81, text(4)), frame(0x81, text(5))]), [3]);
  assert.deepEqual(seen.log, ["text 012", "text 0123", "text 01234"]);
  assert.equal(count, 2);
});
