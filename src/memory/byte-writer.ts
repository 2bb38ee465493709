/**
 * Whole records into a byte ring, with a policy for when it is full. `drop` is for what the next record makes good (the
 * market's state); `wait` is for what must arrive, up to a limit, after which the caller knows that it did not. Overwriting
 * what the reader has not seen is no policy here: it would tear records.
 */
import type { ByteProducer } from "./byte-ring.ts";
import { backoffIdle } from "./idle.ts";

export type BackPressure = { readonly kind: "drop" } | { readonly kind: "wait"; readonly turnsMax: number };

export class ByteWriter {
  /** Records that found no room. */
  dropped = 0;
  readonly #idle = backoffIdle();

  constructor(
    private readonly producer: ByteProducer,
    private readonly policy: BackPressure,
  ) {}

  /** Writes and publishes one record; false when it was dropped, which is counted. */
  write(payload: Uint8Array, kind: number): boolean {
    const turnsMax = this.policy.kind === "drop" ? 1 : this.policy.turnsMax;
    for (let turn = 0; turn < turnsMax; turn++) {
      const at = this.producer.claim(payload.length, kind);
      if (at >= 0) {
        this.producer.u8.set(payload, at);
        this.producer.advance();
        this.producer.publish();
        this.#idle(1);
        return true;
      }
      if (turn + 1 < turnsMax) this.#idle(0);
    }
    this.dropped++;
    return false;
  }
}
