/**
 * The blockhashes a transaction may still name, and the signatures that were executed while theirs could be named again.
 * Each slot has one blockhash, a hash of (seed, incarnation, slot): the same cluster always gives the same ones, and a
 * cluster restarted at a higher slot gives others. A blockhash is good for 150 slots after its own, as on mainnet.
 */
import { createHash } from "node:crypto";
import { base58Encode } from "#core/base58.ts";

/** Agave's MAX_PROCESSING_AGE, in blocks; here every slot has a block. */
export const BLOCKHASH_AGE_SLOTS_MAX = 150n;

export class RecentBlockhashes {
  readonly #seed: string;
  readonly #slotOf = new Map<string, bigint>();
  readonly #hashOf = new Map<bigint, string>();

  constructor(seed: string, incarnation: string) {
    this.#seed = `${seed}/${incarnation}`;
  }

  /** Makes the blockhash of a block that is now complete. */
  add(slot: bigint): void {
    const hash = this.hashOf(slot);
    this.#slotOf.set(hash, slot);
    this.#hashOf.set(slot, hash);
    for (const old of this.#hashOf.keys()) {
      if (old + BLOCKHASH_AGE_SLOTS_MAX >= slot) break;
      this.#slotOf.delete(this.#hashOf.get(old) ?? "");
      this.#hashOf.delete(old);
    }
  }

  /** What a transaction made now should name: the blockhash of `slot`, the last complete block. */
  latest(slot: bigint): { readonly blockhash: string; readonly lastValidBlockHeight: bigint } {
    return { blockhash: this.hashOf(slot), lastValidBlockHeight: slot + BLOCKHASH_AGE_SLOTS_MAX };
  }

  /** The blockhash that the block of any slot has or will have. */
  hashOf(slot: bigint): string {
    return this.#hashOf.get(slot) ?? base58Encode(this.bytesOf(slot));
  }

  bytesOf(slot: bigint): Uint8Array {
    return createHash("sha256").update(`blockhash/${this.#seed}/${slot}`).digest();
  }

  /** Whether a transaction that names this blockhash may execute in `slot`. */
  isValid(blockhash: string, slot: bigint): boolean {
    const from = this.#slotOf.get(blockhash);
    return from !== undefined && slot <= from + BLOCKHASH_AGE_SLOTS_MAX;
  }
}

/** Signatures by slot, forgotten when no blockhash they can have used is valid any more. */
export class RecentSignatures {
  readonly #seen = new Set<string>();
  readonly #bySlot = new Map<bigint, string[]>();

  has(signature: string): boolean {
    return this.#seen.has(signature);
  }

  add(slot: bigint, signature: string): void {
    this.#seen.add(signature);
    const list = this.#bySlot.get(slot);
    if (list) list.push(signature);
    else this.#bySlot.set(slot, [signature]);
  }

  /** Takes back the signature that was added last. */
  remove(slot: bigint, signature: string): void {
    this.#seen.delete(signature);
    this.#bySlot.get(slot)?.pop();
  }

  /** Called at the start of a slot. */
  forgetBefore(slot: bigint): void {
    for (const [old, signatures] of this.#bySlot) {
      if (old + BLOCKHASH_AGE_SLOTS_MAX >= slot) break;
      for (const signature of signatures) this.#seen.delete(signature);
      this.#bySlot.delete(old);
    }
  }
}
