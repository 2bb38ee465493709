/**
 * Plays the script on the cluster: signs each trade when its time in the slot has come and submits it. A trade whose slot
 * ended before its time was noticed is skipped and counted, so that a busy machine never builds up a debt of trades.
 */
import { compileMessage } from "#execute/message.ts";
import { signTransaction } from "#execute/transaction.ts";
import type { Cluster } from "#sim/cluster/cluster.ts";
import type { SimMarket, SimWallet } from "#sim/genesis/genesis.ts";
import type { Flow, PlannedTrade } from "./flow.ts";
import { swapOf } from "./swap-of.ts";

export type TraderCounters = {
  readonly landed: number;
  /** Executed and failed, or refused: the flow does not look at the market, so some may. */
  readonly failed: number;
  /** Not sent, because their slot was over. */
  readonly skipped: number;
};

export class Traders {
  readonly #counters = { landed: 0, failed: 0, skipped: 0 };
  #slot = -1n;
  #planned: readonly PlannedTrade[] = [];
  #next = 0;

  constructor(
    readonly cluster: Cluster,
    readonly flow: Flow,
    readonly slotMs: number,
    /** The signed transaction of a planned trade. */
    readonly transactionOf: (trade: PlannedTrade, blockhash: string) => Uint8Array,
    /** Sees a trade right before it is sent, and has to send it. */
    readonly watcher: (trade: PlannedTrade, send: () => void) => void = (_, send) => send(),
  ) {}

  get counters(): TraderCounters {
    return this.#counters;
  }

  /** Sends what is due; to be called several times a slot. */
  run(nowMs: number): void {
    if (this.cluster.slot !== this.#slot) {
      this.#counters.skipped += this.#planned.length - this.#next;
      this.#slot = this.cluster.slot;
      this.#planned = this.flow.tradesOf(this.#slot);
      this.#next = 0;
    }
    const share = (nowMs - this.cluster.slotStartMs) / this.slotMs;
    for (; this.#next < this.#planned.length; this.#next++) {
      const trade = this.#planned[this.#next] as PlannedTrade;
      if (trade.atShare > share) return;
      this.watcher(trade, () => this.#submit(trade));
    }
  }

  #submit(trade: PlannedTrade): void {
    const wire = this.transactionOf(trade, this.cluster.latestBlockhash().blockhash);
    const result = this.cluster.submit(wire);
    if (result.kind === "executed" && result.executed.error === null) this.#counters.landed++;
    else this.#counters.failed++;
  }
}

/** One swap on a constant-product pool at whatever price there is. */
export function tradeTransaction(market: SimMarket, trade: PlannedTrade, blockhash: string): Uint8Array {
  const wallet = market.traders[trade.trader] as SimWallet;
  const { keypair } = wallet;
  const instruction = swapOf(market, wallet, trade);
  return signTransaction(compileMessage({ payer: keypair.address, blockhash, instructions: [instruction] }), [keypair]);
}
