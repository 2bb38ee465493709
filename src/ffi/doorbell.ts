/**
 * A doorbell lets the consumer of a ring sleep without cost and wakes it within microseconds, between threads and between
 * processes (futex on the shared word, so it works where Atomics.wait does not).
 *
 *   byteOffset - 128  i32 published   written by the producer before it rings
 *   byteOffset -  64  i32 released    written by the consumer before it waits
 *   byteOffset        i32 parked      1 while the consumer sleeps or is about to
 *
 * That is the header of #memory/slot-ring.ts. No wake is lost: the consumer raises `parked` and then looks at
 * `published` once more, the producer stores `published` and then looks at `parked`, all in one total order, so at least
 * one of them sees the other. A producer pays one atomic load while nobody is parked. One consumer per doorbell.
 */
import { type Pointer, ptr } from "bun:ffi";
import { SandpiperError } from "#core/error.ts";
import { FFI_ERROR } from "./errors.ts";
import { libc, SYS_FUTEX } from "./libc.ts";

const PUBLISHED_BEFORE = 128 >> 2;
const RELEASED_BEFORE = 64 >> 2;
const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
/** Longest single wait: a bound on what a bug in a producer can cost. */
const WAIT_MS_MAX = 60_000;

export interface Doorbell {
  /** Wakes the consumer if it is parked. Call after `publish`. */
  ring(): void;
  /** Sleeps until rung, at most `timeoutMs`; returns at once while published slots are not released. */
  wait(timeoutMs: number): void;
}

/** `buffer` is a SharedArrayBuffer or a mapped region; `byteOffset` of the parked word, as drawn above. */
export function createDoorbell(buffer: ArrayBufferLike, byteOffset: number): Doorbell {
  if (byteOffset % 4 !== 0 || byteOffset < 128 || byteOffset + 4 > buffer.byteLength)
    throw new SandpiperError(
      FFI_ERROR.doorbell,
      `Cannot use a doorbell: a multiple of 4 from 128 inside ${buffer.byteLength} bytes, was ${byteOffset}`,
    );
  return new FutexDoorbell(buffer, byteOffset);
}

class FutexDoorbell implements Doorbell {
  /** Over the whole buffer: keeps it, and with it the address below, alive. */
  readonly #words: Int32Array;
  readonly #parked: number;
  readonly #address: Pointer;
  readonly #timeout = new BigInt64Array(new ArrayBuffer(16));
  readonly #timeoutAddress = ptr(this.#timeout);

  constructor(buffer: ArrayBufferLike, byteOffset: number) {
    this.#words = new Int32Array(buffer, 0, buffer.byteLength >> 2);
    this.#parked = byteOffset >> 2;
    this.#address = ptr(this.#words, byteOffset);
  }

  ring(): void {
    if (Atomics.load(this.#words, this.#parked) === 0) return;
    Atomics.store(this.#words, this.#parked, 0);
    libc.syscall(SYS_FUTEX, this.#address, FUTEX_WAKE, 1, null, null, 0);
  }

  wait(timeoutMs: number): void {
    const words = this.#words;
    const parked = this.#parked;
    Atomics.store(words, parked, 1);
    if (Atomics.load(words, parked - PUBLISHED_BEFORE) === Atomics.load(words, parked - RELEASED_BEFORE)) {
      const boundedMs = Math.max(0, Math.min(timeoutMs, WAIT_MS_MAX));
      this.#timeout[0] = BigInt(Math.floor(boundedMs / 1_000));
      this.#timeout[1] = BigInt(Math.floor((boundedMs % 1_000) * 1_000_000));
      // Any outcome (rung, timeout, signal, word already changed) means the same: the caller looks again.
      libc.syscall(SYS_FUTEX, this.#address, FUTEX_WAIT, 1, this.#timeoutAddress, null, 0);
    }
    Atomics.store(words, parked, 0);
  }
}
