/**
 * Who else was there: transactions with a tip in the blocks around an auction, by the accounts they touch. Each block is
 * read once and only what tipped is kept.
 */
import type { Address } from "#core/units.ts";
import type { Rpc } from "./rpc.ts";
import { field, list, whole } from "./rpc.ts";

export type Rival = {
  readonly signature: string;
  readonly slot: number;
  readonly tipLamports: bigint;
  readonly payer: Address;
};
type Tipped = Rival & { readonly accounts: ReadonlySet<unknown> };

/** Blocks looked at for one bundle, from the slot it was decided in. */
const BLOCKS_MAX = 6;
/** Blocks remembered. */
const CACHE_MAX = 64;

export class RivalFinder {
  readonly #blocks = new Map<number, readonly Tipped[]>();

  constructor(
    private readonly rpc: Rpc,
    private readonly tipAccounts: ReadonlySet<string>,
  ) {}

  /**
   * The highest tip that landed on any of the pools in the slots `from` to `to`, by another transaction than `own`.
   * Another bundle of our own wallet counts only when no stranger is found.
   */
  async find(
    pools: readonly Address[],
    from: number,
    to: number,
    own: { readonly signature: string; readonly wallet: Address },
  ): Promise<Rival | undefined> {
    let best: Rival | undefined;
    const isBetter = (rival: Rival) => {
      if (best === undefined) return true;
      const [ours, bestOurs] = [rival.payer === own.wallet, best.payer === own.wallet];
      return ours === bestOurs ? rival.tipLamports > best.tipLamports : bestOurs;
    };
    for (let slot = from; slot <= Math.min(to, from + BLOCKS_MAX - 1); slot++)
      for (const rival of await this.#tippedIn(slot)) {
        if (rival.signature === own.signature || !pools.some((pool) => rival.accounts.has(pool))) continue;
        if (isBetter(rival)) best = rival;
      }
    return best;
  }

  async #tippedIn(slot: number): Promise<readonly Tipped[]> {
    const known = this.#blocks.get(slot);
    if (known !== undefined) return known;
    const answer = await this.rpc("getBlock", [
      slot,
      {
        encoding: "json",
        transactionDetails: "full",
        rewards: false,
        commitment: "confirmed",
        maxSupportedTransactionVersion: 0,
      },
    ]);
    // A skipped slot, or one that is not there yet: nothing to learn from it, and it may be there the next time.
    if (!answer.ok) return [];
    const tipped = list(field(answer.value, "transactions")).flatMap((entry) => this.#tipped(entry, slot));
    if (this.#blocks.size >= CACHE_MAX) this.#blocks.delete(this.#blocks.keys().next().value as number);
    this.#blocks.set(slot, tipped);
    return tipped;
  }

  #tipped(entry: unknown, slot: number): Tipped[] {
    const meta = field(entry, "meta");
    const signature = list(field(entry, "transaction", "signatures"))[0];
    if ((field(meta, "err") ?? null) !== null || typeof signature !== "string") return [];
    const accounts = [
      ...list(field(entry, "transaction", "message", "accountKeys")),
      ...list(field(meta, "loadedAddresses", "writable")),
      ...list(field(meta, "loadedAddresses", "readonly")),
    ];
    const before = list(field(meta, "preBalances"));
    const after = list(field(meta, "postBalances"));
    let tip = 0;
    accounts.forEach((account, i) => {
      if (typeof account === "string" && this.tipAccounts.has(account))
        tip += Math.max(0, (whole(after[i]) ?? 0) - (whole(before[i]) ?? 0));
    });
    if (tip === 0) return [];
    // The first account pays the fee.
    const payer = String(accounts[0]) as Address;
    return [{ signature, slot, tipLamports: BigInt(tip), payer, accounts: new Set(accounts) }];
  }
}
