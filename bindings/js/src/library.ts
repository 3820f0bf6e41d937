import { type CommonExports, type Exports, type Pointer, Status, textAt } from "./abi.js";
import { ChatNioError, codeOf } from "./errors.js";

const encoder = /* @__PURE__ */ new TextEncoder();
// A text may begin with a byte order mark, as any other letter.
const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true });

/** Room for the largest struct that a call fills in. */
const OUT = 256;

/** A longer input's room is given back at once. */
export const KEPT_INPUT = 256 * 1024;

/** The longest texts that are decoded letter by letter, which is faster for what is so short. */
const SHORT = 16;

/** Copies the text of a failure: as the functions `X_error` do. */
type Explain<E> = (exports: E, buffer: Pointer, size: number, length: Pointer) => number;

/** The most bytes of UTF-8 that one unit of UTF-16 takes. */
const MAX_UTF8 = 3;

/** One instance of a module: its functions, and its memory. */
export class Library<E extends CommonExports = Exports> {
  readonly #exports: E;
  /** Where calls put what they answer: whatever of the header's structs, and a second word behind it. */
  readonly out: Pointer;
  /** The input that was written last. */
  input: Pointer = 0;
  #inputSize = 0;
  /** The input's room in `#bytes`. */
  #room!: Uint8Array;
  #bytes!: Uint8Array;
  /** What the input is a copy of, where `copy()` has put it there. */
  #source: Uint8Array | undefined;
  #view!: DataView;
  /** Why it takes no calls any more. */
  #broken: ChatNioError | undefined;

  constructor(instance: { readonly exports: object }) {
    this.#exports = instance.exports as unknown as E;
    this.#look();
    this.out = this.allocate(OUT);
  }

  /** Whether it has failed in itself. */
  get isBroken(): boolean {
    return this.#broken !== undefined;
  }

  /**
   * Calls into the module. A bug in there is a trap, after which nothing of this instance is to be trusted.
   *
   * @throws {ChatNioError} `CHATNIO_PANIC`
   */
  call<Result>(body: (exports: E) => Result): Result {
    if (this.#broken !== undefined) throw this.#broken;
    try {
      return body(this.#exports);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError) && !(error instanceof RangeError)) throw error;
      this.#broken = new ChatNioError(
        "CHATNIO_PANIC",
        `the library failed in itself, please report this: ${error.message}. load() makes a new one`,
        { cause: error },
      );
      throw this.#broken;
    }
  }

  /** As `call`, of a function that answers a status, for which `explain` copies the text of a failure. */
  check(body: (exports: E) => number, explain?: Explain<E>): void {
    const status = this.call(body);
    if (status !== Status.CHATNIO_OK) throw this.failure(status, explain);
  }

  /** What a status says. */
  failure(status: number, explain?: Explain<E>): ChatNioError {
    return new ChatNioError(codeOf(status), this.explained(status, explain));
  }

  /** What a status says, in words. */
  explained(status: number, explain?: Explain<E>): string {
    return (explain && this.#explanation(explain)) || this.cString(this.call((exports) => exports.chatnio_status_message(status)));
  }

  /** Calls a constructor, and gives the handle. */
  construct(body: (exports: E, out: Pointer) => number): Pointer {
    this.check((exports) => body(exports, this.out));
    return this.pointer(this.out);
  }

  /** Makes room in the module's memory. */
  allocate(size: number): Pointer {
    // It comes with a sign, and the upper half of a large memory negative.
    const pointer = this.call((exports) => exports.chatnio_wasm_alloc(size)) >>> 0;
    if (pointer === 0) throw new ChatNioError("CHATNIO_SYSTEM", `there is no memory left for ${size} bytes`);
    this.#refresh();
    return pointer;
  }

  /** Gives room back. */
  release(pointer: Pointer, size: number): void {
    this.call((exports) => exports.chatnio_wasm_free(pointer, size));
  }

  /**
   * Writes a text at `input`, or so many bytes behind it, and gives its length in bytes. It stays there until the next
   * one.
   *
   * @throws {ChatNioError} `CHATNIO_NOT_UTF8` for half of a surrogate pair, which has no UTF-8.
   */
  write(text: string, behind = 0): number {
    // The module's memory never shrinks: a long text gets the room that it takes, and not the most that it could take.
    const isLong = text.length > KEPT_INPUT;
    const written = isLong ? this.writeBytes(encoder.encode(text), behind) : this.#encode(text, behind);
    // As many bytes as letters are ASCII alone.
    if (written !== text.length && !isWellFormed(text)) {
      throw new ChatNioError("CHATNIO_NOT_UTF8", "the text holds half of a surrogate pair");
    }
    return written;
  }

  /** Writes two texts at `input`, one behind the other, and gives their lengths in bytes. */
  writeTwo(one: string, two: string): readonly [number, number] {
    // For both, so that the first stays where it is.
    this.reserve((one.length + two.length) * MAX_UTF8);
    const length = this.write(one);
    return [length, this.write(two, length)];
  }

  /** Has bytes at `input`. They are copied once, for all of their parts: as long as they are, they stay as they are. */
  copy(bytes: Uint8Array): void {
    if (this.#source === bytes) return;
    this.writeBytes(bytes);
    this.#source = bytes;
  }

  /** Writes bytes at `input`, or so many behind it, and gives their number. */
  writeBytes(bytes: Uint8Array, behind = 0): number {
    this.reserve(behind + bytes.length);
    this.#refresh();
    this.#bytes.set(bytes, this.input + behind);
    return bytes.length;
  }

  /** Writes times at `input`, as 64-bit numbers. */
  writeUint64s(numbers: readonly bigint[]): void {
    this.reserve(numbers.length * BigUint64Array.BYTES_PER_ELEMENT);
    this.#refresh();
    for (const [at, number] of numbers.entries()) {
      this.#view.setBigUint64(this.input + at * BigUint64Array.BYTES_PER_ELEMENT, number, true);
    }
  }

  /** Makes sure that `input` has room for so many bytes. */
  reserve(size: number): void {
    this.#source = undefined;
    if (size <= this.#inputSize) return;
    this.drop();
    const room = Math.max(size, 4096);
    this.input = this.allocate(room);
    this.#inputSize = room;
    this.#look();
  }

  /** Forgets the input, which was large. */
  tidy(): void {
    if (this.#inputSize > KEPT_INPUT) this.drop();
  }

  /** Wipes the input, which was secret. */
  wipe(): void {
    this.#source = undefined;
    this.#refresh();
    this.#room.fill(0);
  }

  /** Gives the input's room back. */
  drop(): void {
    this.#source = undefined;
    if (this.#inputSize > 0) this.release(this.input, this.#inputSize);
    this.input = this.#inputSize = 0;
    this.#look();
  }

  /** Sets the `size` of a struct at `out`, which is to be filled in. */
  prepare(size: number): Pointer {
    this.#refresh();
    this.#view.setUint32(this.out, size, true);
    return this.out;
  }

  /** The `chatnio_text` at an address; undefined when it is absent. */
  text(at: Pointer): string | undefined {
    const data = this.pointer(at + textAt.data);
    return data === 0 ? undefined : this.#decoded(data, this.#view.getUint32(at + textAt.len, true));
  }

  /** The length of the text that a struct shows at `at`, in bytes. */
  lengthOf(at: Pointer): number {
    return this.pointer(at + textAt.len);
  }

  /** Whether the pointer at an address is NULL. */
  isNull(at: Pointer): boolean {
    return this.pointer(at) === 0;
  }

  pointer(at: Pointer): Pointer {
    this.#refresh();
    return this.#view.getUint32(at, true);
  }

  int32(at: Pointer): number {
    this.#refresh();
    return this.#view.getInt32(at, true);
  }

  bool(at: Pointer): boolean {
    this.#refresh();
    return this.#bytes[at] !== 0;
  }

  float64(at: Pointer): number {
    this.#refresh();
    return this.#view.getFloat64(at, true);
  }

  /** A count or a time, none of which is ever larger than 2^53 except the `UINT64_MAX` that stands for never. */
  uint64(at: Pointer): number {
    this.#refresh();
    return this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 2 ** 32;
  }

  /** An id: exact, whatever it is. */
  int64(at: Pointer): number | bigint {
    this.#refresh();
    const number = this.#view.getUint32(at, true) + this.#view.getInt32(at + 4, true) * 2 ** 32;
    return Number.isSafeInteger(number) ? number : this.#view.getBigInt64(at, true);
  }

  /** A text of the module's that ends with a NUL. */
  cString(at: Pointer): string {
    this.#refresh();
    return this.#decoded(at, this.#bytes.indexOf(0, at) - at);
  }

  #encode(text: string, behind: number): number {
    this.reserve(behind + text.length * MAX_UTF8);
    this.#refresh();
    return encoder.encodeInto(text, behind === 0 ? this.#room : this.#room.subarray(behind)).written;
  }

  #explanation(explain: Explain<E>): string {
    const length = this.out;
    this.call((exports) => explain(exports, 0, 0, length));
    const size = this.pointer(length);
    if (size === 0) return "";
    const room = size + 1;
    const buffer = this.allocate(room);
    this.call((exports) => explain(exports, buffer, room, length));
    this.#refresh();
    const text = this.#decoded(buffer, size);
    this.release(buffer, room);
    return text;
  }

  #decoded(data: Pointer, length: number): string {
    const bytes = this.#bytes;
    const end = data + length;
    if (length <= SHORT) {
      let text = "";
      let all = 0;
      let at = data;
      // Four at a time, for one string each.
      for (; at + 4 <= end; at += 4) {
        const one = bytes[at]!;
        const two = bytes[at + 1]!;
        const three = bytes[at + 2]!;
        const four = bytes[at + 3]!;
        all |= one | two | three | four;
        text += String.fromCharCode(one, two, three, four);
      }
      for (; at < end; at += 1) {
        all |= bytes[at]!;
        text += String.fromCharCode(bytes[at]!);
      }
      if (all < 0x80) return text;
    }
    return decoder.decode(bytes.subarray(data, end));
  }

  /** When the memory has grown, it is another. */
  #refresh(): void {
    if (this.#bytes.length === 0) this.#look();
  }

  #look(): void {
    const { buffer } = this.#exports.memory;
    this.#bytes = new Uint8Array(buffer);
    this.#room = this.#bytes.subarray(this.input, this.input + this.#inputSize);
    this.#view = new DataView(buffer);
  }
}

/** Calls a constructor that leaves an error behind when it fails, and gives the handle. */
export function constructed(library: Library, body: (exports: Exports, out: Pointer, error: Pointer) => number): Pointer {
  const error = library.prepare(0);
  const out = error + Uint32Array.BYTES_PER_ELEMENT;
  const status = library.call((exports) => body(exports, out, error));
  if (status === Status.CHATNIO_OK) return library.pointer(out);
  const reason = library.pointer(error);
  if (reason === 0) throw library.failure(status);
  library.call((exports) => exports.chatnio_error_message(reason, library.out));
  const message = library.text(library.out) ?? "";
  library.call((exports) => exports.chatnio_error_free(reason));
  throw new ChatNioError(codeOf(status), message);
}

function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** What the module has made, and is to be freed once. */
export class Handle<E extends CommonExports = Exports> {
  readonly library: Library<E>;
  readonly #what: string;
  readonly #free: () => void;
  #pointer: Pointer;

  /** `free` is called when this is disposed of, or forgotten. */
  constructor(library: Library<E>, what: string, pointer: Pointer, free: (exports: E, pointer: Pointer) => void) {
    this.library = library;
    this.#what = what;
    this.#pointer = pointer;
    this.#free = () => {
      // What a broken instance holds goes with it.
      if (!library.isBroken) library.call((exports) => free(exports, pointer));
    };
    forgotten.register(this, this.#free, this);
  }

  /**
   * Where it is.
   *
   * @throws {ChatNioError} `CHATNIO_INVALID` once it is freed.
   */
  get pointer(): Pointer {
    if (this.#pointer === 0) throw new ChatNioError("CHATNIO_INVALID", `the ${this.#what} was disposed of`);
    return this.#pointer;
  }

  /** Frees it. A repeated call does nothing. */
  free(): void {
    if (this.#pointer === 0) return;
    this.#pointer = 0;
    forgotten.unregister(this);
    this.#free();
  }
}

const forgotten = /* @__PURE__ */ new FinalizationRegistry<() => void>((free) => free());
