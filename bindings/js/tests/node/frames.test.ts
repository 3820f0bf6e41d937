// That what is read where it lies is what `ws` reads, however it is split.

import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Writable } from "node:stream";
import { test } from "node:test";
import * as ws from "ws";
import { readFrames } from "../../dist/frames.js";
import { watchReading } from "../../dist/reading.js";
import type { WebSocketLike } from "../../dist/socket.js";
import { frame, numbers } from "./server-frames.js";

/** Its types leave it out. */
const { Receiver } = ws as unknown as { readonly Receiver: new (options: { readonly skipUTF8Validation: boolean }) => Writable };

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
  readonly binaryType = "nodebuffer";
  readonly _socket = new EventEmitter();
  readonly listener = (data: Buffer, isBinary: boolean): void => {
    this.count += 1;
    this.log.push(`${isBinary ? "binary" : "text"} ${data.toString()}`);
  };

  constructor() {
    super();
    const receiver = new Receiver({ skipUTF8Validation: true });
    receiver.on("message", (data: Buffer, isBinary: boolean) => this.emit("message", data, isBinary));
    receiver.on("ping", (data: Buffer) => this.log.push(`ping ${data.length}`));
    receiver.on("pong", (data: Buffer) => this.log.push(`pong ${data.length}`));
    receiver.on("conclude", (code: number) => this.log.push(`close ${code}`));
    receiver.on("error", (error: Error) => this.log.push(`error ${error.message}`));
    this._socket.on("data", (bytes: Buffer) => receiver.write(bytes));
    this.on("message", this.listener);
  }

  /** Texts are read past it; `taken` is told after each, and says whether it was one. */
  isRead(taken: () => boolean = () => true): this {
    return this.readFrom(this._socket, taken);
  }

  readFrom(socket: unknown, taken: () => boolean = () => true, listener: unknown = this.listener): this {
    const watch = watchReading(this as unknown as WebSocketLike);
    this.emit("upgrade", { socket });
    watch.opened(listener, (reading) =>
      readFrames(reading, (bytes, begin, end) => {
        if (!taken()) return false;
        this.log.push(`text ${Buffer.from(bytes.subarray(begin, end)).toString()}`);
        return true;
      }),
    );
    return this;
  }

  /** `bytes` come in pieces of these lengths, the rest as a whole. */
  async comes(bytes: Uint8Array, lengths: readonly number[] = []): Promise<void> {
    let at = 0;
    for (const length of [...lengths, bytes.length]) {
      this._socket.emit("data", Buffer.from(bytes.subarray(at, at + length)));
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
    const [read, alone] = [new Fake().isRead(), new Fake()];
    await Promise.all([read.comes(bytes, lengths), alone.comes(bytes, lengths)]);
    assert.deepEqual(read.log, alone.log, `seed ${seed}`);
    if (kinds === WHOLE) assert.equal(read.count, 0, `seed ${seed}: all texts are read where they lie`);
  }
});

test("one byte at a time", async () => {
  const bytes = Buffer.concat(FRAMES.map((make) => make()).filter(({ length }) => length < 1000));
  const [read, alone] = [new Fake().isRead(), new Fake()];
  const lengths = new Array<number>(bytes.length).fill(1);
  await Promise.all([read.comes(bytes, lengths), alone.comes(bytes, lengths)]);
  assert.deepEqual(read.log, alone.log);
});

test("a WebSocket that shows no socket, or not its own, or has changed its listener, brings its messages itself", async () => {
  const cases: ((fake: Fake) => void)[] = [
    (fake) => fake.readFrom(undefined),
    (fake) => fake.readFrom({}),
    (fake) => fake.readFrom(new EventEmitter().on("data", () => {})),
    (fake) => fake.readFrom(fake._socket, undefined, () => {}),
    (fake) => fake._socket.on("data", () => {}) && fake.isRead(),
  ];
  for (const begin of cases) {
    const fake = new Fake();
    begin(fake);
    await fake.comes(frame(0x81, text(3)));
    assert.deepEqual([fake.log, fake.count], [["text 012"], 1]);
  }
});

test("who begins to listen to its messages gets what comes then", async () => {
  let seen = 0;
  const fake = new Fake().isRead(() => {
    if (seen === 0) fake.on("message", () => (seen += 1));
    return true;
  });
  await fake.comes(Buffer.concat([frame(0x81, text(3)), frame(0x81, text(4)), frame(0x81, text(5))]), [8]);
  assert.deepEqual([fake.log, seen], [["text 012", "text 0123", "text 01234"], 2]);
});

test("once it is paused `ws` has all that was held, and what comes then", async () => {
  for (const isPausedByFeed of [false, true]) {
    const fake = new Fake().isRead(() => {
      if (isPausedByFeed) fake._socket.emit("pause");
      return true;
    });
    const bytes = Buffer.concat([frame(0x81, text(3)), frame(0x81, text(20)), frame(0x81, text(5))]);
    await fake.comes(bytes.subarray(0, 12));
    fake._socket.emit("pause");
    await fake.comes(bytes.subarray(12));
    assert.deepEqual([fake.log, fake.count], [["text 012", "text 01234567890123456789", "text 01234"], 2]);
  }
});

test("what is not taken, and all behind it, the WebSocket has", async () => {
  let left = 1;
  const fake = new Fake().isRead(() => (left -= 1) >= 0);
  await fake.comes(Buffer.concat([frame(0x81, text(3)), frame(0x81, text(4)), frame(0x81, text(5))]), [8]);
  assert.deepEqual([fake.log, fake.count], [["text 012", "text 0123", "text 01234"], 2]);
});

test("what comes while a text is taken waits for its turn", async () => {
  let left = 2;
  const fake = new Fake().isRead(() => {
    left -= 1;
    if (left >= 0) fake._socket.emit("data", Buffer.from(frame(0x81, text(7 + left))));
    return true;
  });
  await fake.comes(Buffer.concat([frame(0x81, text(1)), frame(0x81, text(2)), frame(0x81, text(3))]));
  assert.deepEqual(fake.log, [1, 2, 3, 8, 7].map((length) => `text ${Buffer.from(text(length)).toString()}`));
  assert.equal(fake.count, 0);
});
