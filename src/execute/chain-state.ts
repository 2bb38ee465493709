/**
 * What the io thread must know about the chain before it can sign: a recent blockhash, how long it lives, the newest
 * slot, and what the wallet holds. Asked for about once a slot; what it has may be old, and it says how old.
 */
import type { Clock } from "#core/clock.ts";
import type { Address } from "#core/units.ts";
import { field, type Rpc, whole } from "./rpc.ts";

export type Blockhash = {
  readonly blockhash: string;
  readonly lastValidBlockHeight: number;
  /** Slot it was read at. */
  readonly slot: number;
  readonly ageNs: number;
};

/** Blocks that a blockhash lives: the height now is its last valid height minus this. */
const BLOCKHASH_LIFE_BLOCKS = 150;

export class ChainState {
  #blockhash = "";
  #lastValidBlockHeight = 0;
  #slot = 0;
  #readNs = 0;
  #baseUnits: bigint | undefined;
  /** Refreshes that failed in a row. */
  failures = 0;

  constructor(
    private readonly rpc: Rpc,
    private readonly clock: Pick<Clock, "monotonicNs">,
    /** The wallet's wSOL account. */
    private readonly baseAccount: Address,
  ) {}

  /** Reads blockhash and wallet; keeps what it had where the cluster does not answer. */
  async refresh(): Promise<void> {
    const [latest, balance] = await Promise.all([
      this.rpc("getLatestBlockhash", [{ commitment: "processed" }]),
      this.rpc("getTokenAccountBalance", [this.baseAccount, { commitment: "processed" }]),
    ]);
    const blockhash = latest.ok ? field(latest.value, "value", "blockhash") : undefined;
    const height = latest.ok ? whole(field(latest.value, "value", "lastValidBlockHeight")) : undefined;
    if (typeof blockhash === "string" && height !== undefined && latest.ok) {
      this.#blockhash = blockhash;
      this.#lastValidBlockHeight = height;
      this.#slot = whole(field(latest.value, "context", "slot")) ?? this.#slot;
      this.#readNs = this.clock.monotonicNs();
      this.failures = 0;
    } else this.failures++;
    const amount = balance.ok ? field(balance.value, "value", "amount") : undefined;
    if (typeof amount === "string" && /^\d{1,20}$/.test(amount)) this.#baseUnits = BigInt(amount);
  }

  /** Undefined before the first successful refresh. */
  blockhash(): Blockhash | undefined {
    if (this.#blockhash === "") return undefined;
    return {
      blockhash: this.#blockhash,
      lastValidBlockHeight: this.#lastValidBlockHeight,
      slot: this.#slot,
      ageNs: this.clock.monotonicNs() - this.#readNs,
    };
  }

  get slot(): number {
    return this.#slot;
  }

  /** The cluster's block height at the last refresh; 0 before. */
  get blockHeight(): number {
    return Math.max(0, this.#lastValidBlockHeight - BLOCKHASH_LIFE_BLOCKS);
  }

  /** wSOL in the wallet; undefined before it was read. */
  get baseUnits(): bigint | undefined {
    return this.#baseUnits;
  }
}
