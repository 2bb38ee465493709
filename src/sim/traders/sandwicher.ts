/**
 * Somebody who sandwiches a share of the script's larger purchases: sees a trade right before it is sent, buys in front of
 * it and sells behind it, with a tip now and then, or a slot later. Seeded like everybody; at share 0 it never acts.
 */
import { type Random, seededRandom } from "#core/random.ts";
import { quoteExactIn } from "#dex/quote.ts";
import { compileMessage } from "#execute/message.ts";
import { transferLamports } from "#execute/plan.ts";
import { signTransaction } from "#execute/transaction.ts";
import { TIP_ACCOUNTS } from "#sim/block-engine/tip-accounts.ts";
import type { Cluster } from "#sim/cluster/cluster.ts";
import type { SimMarket, SimPool, SimWallet } from "#sim/genesis/genesis.ts";
import { MarketView } from "#sim/rival/market-view.ts";
import type { PlannedTrade } from "./flow.ts";
import { swapOf } from "./swap-of.ts";

/** A purchase of less than this part of the pool's SOL does not pay the fees of two more swaps. */
const VICTIM_SHARE_MIN = 0.006;
/** What it buys in front of a victim, as a part of the victim's input. */
const FRONT_SHARE = [0.5, 1.5] as const;
const TIPPED_SHARE = 0.4;
const WIDE_SHARE = 0.2;
const TIP_LAMPORTS = 20_000n;
/** Backs that wait for their slot; a further attack is let go. */
const WAITING_MAX = 16;

type Back = { readonly slot: bigint; readonly pool: number; readonly tokenSide: 0 | 1; readonly amount: bigint };

export class Sandwicher {
  readonly counters = { attacks: 0, failed: 0 };
  readonly #view: MarketView;
  readonly #random: Random;
  #waiting: Back[] = [];

  constructor(
    readonly cluster: Cluster,
    readonly market: SimMarket,
    readonly wallet: SimWallet,
    seed: string,
    /** Of the purchases that are large enough, 0 to 1. */
    readonly share: number,
  ) {
    this.#view = new MarketView(cluster, market.pools);
    this.#random = seededRandom(`${seed}/sandwicher`);
  }

  /** Sends the trade, and perhaps something before and behind it. */
  around(trade: PlannedTrade, send: () => void): void {
    const { pool, inputSide, amountIn } = trade;
    const { facts, tokens } = this.market.pools[pool] as SimPool;
    const reserves = this.#view.reserves(pool);
    const [reserveIn, reserveOut] = inputSide === 0 ? reserves : [reserves[1], reserves[0]];
    const large = Number(amountIn) >= Number(reserveIn) * VICTIM_SHARE_MIN;
    // Token 0 is wrapped SOL: only purchases.
    if (tokens[inputSide] !== 0 || !large || this.#waiting.length >= WAITING_MAX || this.#random.unit() >= this.share) {
      send();
      return;
    }
    const part = FRONT_SHARE[0] + this.#random.unit() * (FRONT_SHARE[1] - FRONT_SHARE[0]);
    const front = BigInt(Math.floor(Number(amountIn) * part));
    const bought = quoteExactIn(facts, reserveIn, reserveOut, front);
    const tokenSide = inputSide === 0 ? 1 : 0;
    this.counters.attacks++;
    const landed = this.#swap(pool, inputSide, front, 0n);
    send();
    if (!landed) return;
    const wide = this.#random.unit() < WIDE_SHARE;
    if (wide) this.#waiting.push({ slot: this.cluster.slot + 1n, pool, tokenSide, amount: bought });
    else this.#swap(pool, tokenSide, bought, this.#random.unit() < TIPPED_SHARE ? TIP_LAMPORTS : 0n);
  }

  /** Sells what waited for this slot; to be called several times a slot. */
  run(): void {
    const due = this.#waiting.filter(({ slot }) => slot <= this.cluster.slot);
    this.#waiting = this.#waiting.filter(({ slot }) => slot > this.cluster.slot);
    for (const { pool, tokenSide, amount } of due) this.#swap(pool, tokenSide, amount, 0n);
  }

  #swap(pool: number, inputSide: 0 | 1, amountIn: bigint, tipLamports: bigint): boolean {
    const { keypair } = this.wallet;
    const swap = swapOf(this.market, this.wallet, { pool, inputSide, amountIn });
    const tip = transferLamports(keypair.address, this.#random.pick(TIP_ACCOUNTS), tipLamports);
    const instructions = tipLamports > 0n ? [swap, tip] : [swap];
    const { blockhash } = this.cluster.latestBlockhash();
    const wire = signTransaction(compileMessage({ payer: keypair.address, blockhash, instructions }), [keypair]);
    const result = this.cluster.submit(wire);
    const landed = result.kind === "executed" && result.executed.error === null;
    if (!landed) this.counters.failed++;
    return landed;
  }
}
