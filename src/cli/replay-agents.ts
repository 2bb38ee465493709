/**
 * The agents of a replay, in this one process and on the recording's time: the arbitrage core's own hot loop and the mev
 * counter, each behind the same ring as in a live run. What they read and decide is a function of the recording, the
 * options and the model alone.
 */

import type { Config } from "#core/config.ts";
import type { PoolFacts } from "#core/pool.ts";
import { COUNTER, COUNTERS_BYTES, type CounterName, countersOver } from "#decide/counters.ts";
import { DECISION_RING, type Decision, readDecision } from "#decide/decision-record.ts";
import type { Scorer } from "#decide/evaluate.ts";
import { createHotLoop, type HotLoopOnTable } from "#decide/hot-loop.ts";
import { firstPolicy, loopSettings } from "#decide/loop-settings.ts";
import type { PoolCatalogueBook } from "#market/catalogue.ts";
import { MarketRing } from "#market/market-ring.ts";
import { SwapReader } from "#market/swap-reader.ts";
import { Histogram } from "#memory/histogram.ts";
import { ARBITRAGE_RING, MEV_RING } from "#memory/market-record.ts";
import { formatSlotRing, SlotConsumer, SlotProducer, type SlotRingFormat, slotRingBytes } from "#memory/slot-ring.ts";
import { Switchboard } from "#memory/switchboard.ts";
import { SwapCounter } from "#mev/swap-counter.ts";

const MEV_BATCH_RECORDS = 512;

export type ReplayAgentsOptions = {
  readonly config: Config;
  readonly model: Scorer;
  readonly catalogue: PoolCatalogueBook;
  /** The recording's time. */
  readonly nowNs: () => number;
  readonly onDecision: (decision: Decision, pools: readonly PoolFacts[]) => void;
};

export class ReplayAgents {
  readonly rings: { readonly arbitrage: MarketRing; readonly mev: MarketRing };
  readonly swaps = new SwapCounter();
  readonly reader: SwapReader;
  readonly #options: ReplayAgentsOptions;
  readonly #loop: HotLoopOnTable;
  readonly #decisions: SlotConsumer;
  readonly #counters = countersOver(new SharedArrayBuffer(COUNTERS_BYTES));
  #catalogueVersion = -1;

  constructor(options: ReplayAgentsOptions) {
    this.#options = options;
    const market = newRing(ARBITRAGE_RING);
    const mev = newRing(MEV_RING);
    const decisions = newRing(DECISION_RING);
    const silent = () => {};
    this.rings = {
      arbitrage: new MarketRing(market, silent, options.nowNs),
      mev: new MarketRing(mev, silent, options.nowNs),
    };
    this.reader = new SwapReader(new SlotConsumer(mev), {
      transaction: ({ swaps }) => {
        for (const { dex, pool } of swaps) this.swaps.see(dex, pool);
      },
      catalogue: silent,
    });
    this.#decisions = new SlotConsumer(decisions);
    this.#loop = createHotLoop({
      market: new SlotConsumer(market),
      decisions: new SlotProducer(decisions),
      switchboard: policyOf(options.config),
      model: options.model,
      clock: { monotonicNs: options.nowNs },
      counters: this.#counters,
      latency: new Histogram(new SharedArrayBuffer(Histogram.bytes)),
      // Fills are on paper: the wallet holds whatever the options allow to put in.
      settings: loopSettings(options.config, options.config["arbitrage.inputLamportsMax"]),
    });
  }

  /** The pools as of the last event. */
  get table(): HotLoopOnTable["table"] {
    return this.#loop.table;
  }

  counter(name: CounterName): number {
    return this.#counters[COUNTER[name]] as number;
  }

  /** Lets both agents read all there is. */
  work(): void {
    const { catalogue, onDecision } = this.#options;
    if (catalogue.version !== this.#catalogueVersion) {
      this.#catalogueVersion = catalogue.version;
      this.#loop.setCatalogue({ version: catalogue.version, pools: catalogue.pools });
    }
    while (this.#loop.doWork() > 0) {
      for (let at = this.#decisions.peek(); at >= 0; at = this.#decisions.peek()) {
        onDecision(readDecision(this.#decisions, at), catalogue.pools);
        this.#decisions.advance();
      }
      this.#decisions.release();
    }
    while (this.reader.doWork(MEV_BATCH_RECORDS) > 0);
  }
}

function newRing(format: SlotRingFormat): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(slotRingBytes(format));
  formatSlotRing(buffer, format);
  return buffer;
}

function policyOf(config: Config): Switchboard {
  const switchboard = new Switchboard(new SharedArrayBuffer(Switchboard.bytes));
  switchboard.writePolicy(firstPolicy(config));
  return switchboard;
}
