/** Bytes out and in for recordings: varints, zigzag, text. The reader refuses whatever leads out of its bytes. */
import { SandpiperError } from "#core/error.ts";
import { MARKET_ERROR } from "#market/errors.ts";

const START_BYTES = 4_096;
const utf8 = new TextEncoder();
const text = new TextDecoder();
/** Ten groups of seven bits hold any u64, and a change of a token balance with its sign. */
const VARINT_BYTES_MAX = 10;

export class ByteWriter {
  #buffer = new Uint8Array(START_BYTES);
  #at = 0;

  begin(): void {
    this.#at = 0;
  }

  /** A copy of what was written since `begin`. */
  take(): Uint8Array {
    return this.#buffer.slice(0, this.#at);
  }

  byte(value: number): void {
    this.#room(1);
    this.#buffer[this.#at++] = value;
  }

  bytes(value: Uint8Array): void {
    this.#room(value.length);
    this.#buffer.set(value, this.#at);
    this.#at += value.length;
  }

  text(value: string): void {
    const bytes = utf8.encode(value);
    this.whole(bytes.length);
    this.bytes(bytes);
  }

  /** A whole number from 0 to 2^53 − 1. */
  whole(value: number): void {
    this.#room(VARINT_BYTES_MAX);
    let left = value;
    while (left >= 0x80) {
      this.#buffer[this.#at++] = (left % 128) | 0x80;
      left = Math.floor(left / 128);
    }
    this.#buffer[this.#at++] = left;
  }

  signed(value: bigint): void {
    let left = value < 0n ? -2n * value - 1n : 2n * value;
    if (left <= BigInt(Number.MAX_SAFE_INTEGER)) {
      this.whole(Number(left));
      return;
    }
    this.#room(VARINT_BYTES_MAX);
    for (; left >= 0x80n; left >>= 7n) this.#buffer[this.#at++] = Number(left & 0x7fn) | 0x80;
    this.#buffer[this.#at++] = Number(left);
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#at + bytes));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}

export class ByteReader {
  #at = 0;

  readonly source: Uint8Array;

  constructor(source: Uint8Array) {
    // A Buffer's slices would share its memory.
    this.source = new Uint8Array(source.buffer, source.byteOffset, source.length);
  }

  get done(): boolean {
    return this.#at >= this.source.length;
  }

  byte(): number {
    return this.source[this.#at++] ?? this.fail("more bytes", "the end");
  }

  bytes(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.source.length) return this.fail(`${length} more bytes`, `${this.source.length - this.#at}`);
    const found = this.source.subarray(this.#at, end);
    this.#at = end;
    return found;
  }

  text(): string {
    return text.decode(this.bytes(this.whole()));
  }

  whole(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? value : this.fail("a number below 2^53", `${value}`);
      scale *= 128;
    }
    return this.fail(`a number of at most ${VARINT_BYTES_MAX} bytes`, "more");
  }

  signed(): bigint {
    let value = 0n;
    for (let i = 0n; i < BigInt(VARINT_BYTES_MAX); i++) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << (7n * i);
      if (byte < 0x80) return (value & 1n) === 0n ? value >> 1n : -(value >> 1n) - 1n;
    }
    return this.fail(`a number of at most ${VARINT_BYTES_MAX} bytes`, "more");
  }

  /** A count and so many items, each of at least `itemBytesMin` bytes: a count that the bytes cannot hold is refused first. */
  list<T>(itemBytesMin: number, item: () => T): T[] {
    const count = this.whole();
    if (count * itemBytesMin > this.source.length - this.#at)
      return this.fail("a count that its bytes can hold", `${count}`);
    return Array.from({ length: count }, item);
  }

  fail(want: string, was: string): never {
    throw new SandpiperError(
      MARKET_ERROR.recording,
      `Cannot read a recorded event at byte ${this.#at} of its block: ${want}, was ${was}`,
    );
  }
}
