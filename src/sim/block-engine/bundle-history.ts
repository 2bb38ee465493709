/**
 * What became of the bundles of the last five minutes, as long as Jito answers for them. Bounded by count too: the oldest
 * are forgotten first, and counted.
 */
import type { Signature } from "#core/units.ts";

export type BundleRecord = {
  readonly id: string;
  readonly signatures: readonly Signature[];
  readonly tipLamports: bigint;
  readonly receivedNs: number;
  /** Landed: the slot. Failed: why the last attempt did not land. */
  readonly state:
    | { readonly kind: "pending" }
    | { readonly kind: "landed"; readonly slot: bigint }
    | { readonly kind: "failed"; readonly why: string };
};

const KEPT_NS = 300_000_000_000;
const RECORDS_MAX = 65_536;

export class BundleHistory {
  readonly #records = new Map<string, BundleRecord>();
  #forgottenEarly = 0;

  constructor(
    readonly keptNs = KEPT_NS,
    readonly recordsMax = RECORDS_MAX,
  ) {}

  /** Records dropped before their five minutes were over, because there were too many. */
  get forgottenEarly(): number {
    return this.#forgottenEarly;
  }

  get size(): number {
    return this.#records.size;
  }

  find(id: string): BundleRecord | undefined {
    return this.#records.get(id);
  }

  add(record: BundleRecord): void {
    // A bundle sent again goes to the end: the map stays in order of receipt.
    this.#records.delete(record.id);
    this.#records.set(record.id, record);
    if (this.#records.size <= this.recordsMax) return;
    const oldest = this.#records.keys().next();
    if (oldest.done) return;
    this.#records.delete(oldest.value);
    this.#forgottenEarly++;
  }

  /** Records what became of a bundle, if it is still remembered. */
  settle(id: string, state: BundleRecord["state"]): void {
    const record = this.#records.get(id);
    if (record !== undefined) this.#records.set(id, { ...record, state });
  }

  forgetBefore(nowNs: number): void {
    for (const [id, { receivedNs }] of this.#records) {
      if (nowNs - receivedNs <= this.keptNs) return;
      this.#records.delete(id);
    }
  }
}
