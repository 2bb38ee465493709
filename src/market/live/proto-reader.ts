/**
 * Protobuf's wire format, read forward without copying: enough for Yellowstone's messages, where the general decoder
 * costs more than all that the feed does behind it. Past the end it answers zeros and says so in `broken`.
 *
 *   field = varint key (number << 3 | type), then by type: 0 varint │ 1 eight bytes │ 2 varint length, bytes │ 5 four bytes
 */
import { SandpiperError } from "#core/error.ts";
import { MARKET_ERROR } from "#market/errors.ts";

const VARINT_BYTES_MAX = 10;

export class ProtoReader {
  broken = false;
  #at: number;
  readonly #end: number;

  constructor(
    readonly bytes: Uint8Array,
    start = 0,
    end = bytes.length,
  ) {
    this.#at = start;
    this.#end = end;
  }

  /** The next field's key, or 0 at the end. */
  key(): number {
    return this.#at < this.#end && !this.broken ? this.number() : 0;
  }

  /** A varint that fits a double; larger ones lose their low bits, which no field read this way has. */
  number(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      if (this.#at >= this.#end) return this.#fail(0);
      const byte = this.bytes[this.#at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    return this.#fail(0);
  }

  /** The bytes of a length-delimited field: a view, good as long as the message is. */
  view(): Uint8Array {
    const length = this.number();
    const start = this.#at;
    if (length > this.#end - start) return this.#fail(EMPTY);
    this.#at = start + length;
    return this.bytes.subarray(start, this.#at);
  }

  /** A reader over an embedded message. */
  inner(): ProtoReader {
    const length = this.number();
    const start = this.#at;
    if (length > this.#end - start) return this.#fail(new ProtoReader(EMPTY));
    this.#at = start + length;
    return new ProtoReader(this.bytes, start, this.#at);
  }

  text(): string {
    return Buffer.from(this.view()).toString("utf8");
  }

  skip(key: number): void {
    const type = key & 7;
    if (type === 0) this.number();
    else if (type === 1) this.#pass(8);
    else if (type === 2) this.#pass(this.number());
    else if (type === 5) this.#pass(4);
    else this.#fail(0);
  }

  #pass(length: number): void {
    if (length > this.#end - this.#at) this.#fail(0);
    else this.#at += length;
  }

  #fail<T>(answer: T): T {
    this.broken = true;
    this.#at = this.#end;
    return answer;
  }
}

const EMPTY = new Uint8Array(0);

/** Refuses a message that ended before its last field did. */
export function whole(reader: ProtoReader, what: string): void {
  if (reader.broken) refuse(`${what} to the last byte`, "one cut short");
}

export function sized(bytes: Uint8Array, length: number, what: string): Uint8Array {
  return bytes.length === length ? bytes : refuse(`${what} of ${length} bytes`, `${bytes.length}`);
}

export function refuse(want: string, was: string): never {
  throw new SandpiperError(MARKET_ERROR.message, `Cannot read a Yellowstone update: ${want}, was ${was}`, "later");
}
