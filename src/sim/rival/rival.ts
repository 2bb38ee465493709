/**
 * A competitor: looks at the market now and then, is slow to react, gives away a share of what it finds as tip, and sends
 * through the same auction as everybody. It wins where the agent is slow or stingy, and loses where it is not.
 */
import { type Random, seededRandom } from "#core/random.ts";
import { compileMessage } from "#execute/message.ts";
import { transferLamports } from "#execute/plan.ts";
import { signTransaction } from "#execute/transaction.ts";
import type { BlockEngine } from "#sim/block-engine/block-engine.ts";
import { TIP_LAMPORTS_MIN } from "#sim/block-engine/bundle.ts";
import { TIP_ACCOUNTS } from "#sim/block-engine/tip-accounts.ts";
import type { SimMarket, SimWallet } from "#sim/genesis/genesis.ts";
import { CycleSearch, type Opportunity } from "./cycle-search.ts";
import { cycleSwaps } from "./cycle-swaps.ts";
import { MarketView } from "./market-view.ts";

/** From seeing to sending, in ms. */
const REACTION_MS = [5, 80] as const;
/** Between two looks, in ms. */
const LOOK_EVERY_MS = [10, 110] as const;
/** Share of the changes it pays attention to. */
const ATTENTION = 0.8;
const TIP_SHARE = [0.2, 0.6] as const;
/** Smaller finds are left alone. */
const PROFIT_LAMPORTS_MIN = 200_000n;
const INPUT_LAMPORTS_MAX = 100_000_000_000n;
/** Decided and not yet sent; a further one is let go, and counted. */
const DECIDED_MAX = 4;

export type RivalCounters = { readonly sent: number; readonly refused: number; readonly letGo: number };
type Decided = { readonly sendAtMs: number; readonly opportunity: Opportunity };

export class Rival {
  readonly #view: MarketView;
  readonly #search: CycleSearch;
  readonly #random: Random;
  readonly #counters = { sent: 0, refused: 0, letGo: 0 };
  #lookAtMs = 0;
  #decided: Decided[] = [];

  constructor(
    readonly engine: BlockEngine,
    readonly market: SimMarket,
    readonly wallet: SimWallet,
    seed: string,
  ) {
    this.#view = new MarketView(engine.cluster, market.pools);
    this.#search = new CycleSearch(market.pools);
    this.#random = seededRandom(`${seed}/${wallet.keypair.address}`);
  }

  get counters(): RivalCounters {
    return this.#counters;
  }

  /** Looks and sends as its temper says; to be called every few tens of milliseconds. */
  run(nowMs: number): void {
    for (const { opportunity } of this.#decided.filter(({ sendAtMs }) => sendAtMs <= nowMs)) this.#send(opportunity);
    this.#decided = this.#decided.filter(({ sendAtMs }) => sendAtMs > nowMs);
    if (nowMs < this.#lookAtMs) return;
    this.#lookAtMs = nowMs + this.#random.between(...LOOK_EVERY_MS);
    const noticed = this.#view.takeChanged().filter(() => this.#random.unit() < ATTENTION);
    const opportunity = this.#search.best(noticed, (pool) => this.#view.reserves(pool), INPUT_LAMPORTS_MAX);
    if (opportunity === undefined || opportunity.profitLamports < PROFIT_LAMPORTS_MIN) return;
    if (this.#decided.length >= DECIDED_MAX) this.#counters.letGo++;
    else this.#decided.push({ sendAtMs: nowMs + this.#random.between(...REACTION_MS), opportunity });
  }

  stop(): void {
    this.#view.stop();
  }

  #send({ cycle, amountIn, profitLamports }: Opportunity): void {
    const share = TIP_SHARE[0] + this.#random.unit() * (TIP_SHARE[1] - TIP_SHARE[0]);
    const wanted = BigInt(Math.floor(Number(profitLamports) * share));
    const tipLamports = wanted > TIP_LAMPORTS_MIN ? wanted : TIP_LAMPORTS_MIN;
    const { keypair } = this.wallet;
    const { blockhash } = this.engine.cluster.latestBlockhash();
    // Priced again on what is known now; the last hop must pay back input and tip, or the whole fails.
    const amounts = this.#search.amounts(cycle, (pool) => this.#view.reserves(pool), amountIn);
    amounts[cycle.length] = amountIn + tipLamports;
    const instructions = [
      ...cycleSwaps(this.market, this.wallet, cycle, amounts),
      transferLamports(keypair.address, this.#random.pick(TIP_ACCOUNTS), tipLamports),
    ];
    const message = compileMessage({ payer: keypair.address, blockhash, instructions });
    const sent = this.engine.send([signTransaction(message, [keypair])]);
    if (sent.ok) this.#counters.sent++;
    else this.#counters.refused++;
  }
}
