/**
 * Everything that lives in the market besides the cluster: traders, rivals and the block engine's auctions, moved by one
 * pulse. A pulse that comes late does what is due once; nothing is made up for in a burst.
 */
import type { Clock } from "#core/clock.ts";
import { BlockEngine, TICK_MS } from "./block-engine/block-engine.ts";
import type { LocalCluster } from "./cluster/local-cluster.ts";
import { type GenesisOptions, type SimMarket, type SimWallet, writeGenesis } from "./genesis/genesis.ts";
import { Rival } from "./rival/rival.ts";
import { concentratedFlow, concentratedTradeTransaction } from "./traders/concentrated.ts";
import { Flow, TRADERS } from "./traders/flow.ts";
import { Sandwicher } from "./traders/sandwicher.ts";
import { Traders, tradeTransaction } from "./traders/traders.ts";

export type MarketBoxOptions = {
  readonly seed: string;
  readonly clock: Clock;
  readonly slotMs: number;
  readonly tradesPerSlot: number;
  readonly rivals: number;
  /** Of the script's larger purchases, how many are sandwiched, 0 to 1; none when left out. */
  readonly sandwichShare?: number;
  /** The agent's public key; empty for none. */
  readonly wallet: string;
  /** programs/cp-swap.so. */
  readonly program: Uint8Array;
  /** How many concentrated pools, and programs/clmm.so; none when left out. */
  readonly concentrated?: GenesisOptions["concentrated"];
};

export type MarketBox = {
  readonly market: SimMarket;
  readonly engine: BlockEngine;
  readonly traders: Traders;
  /** The same people on the concentrated pools, by a script of its own. */
  readonly concentratedTraders: Traders;
  readonly rivals: readonly Rival[];
  readonly sandwicher: Sandwicher;
  /** Does what is due now; to be called every PULSE_MS. */
  pulse(): void;
};

/** How often a market wants its pulse; more often when its slots are short, so that trades find their time in them. */
export const PULSE_MS = 10;
const PULSES_PER_SLOT_MIN = 20;
const NS_PER_MS = 1_000_000n;

/** Writes genesis into a new cluster and puts its people in place. */
export async function createMarketBox(cluster: LocalCluster, options: MarketBoxOptions): Promise<MarketBox> {
  const { seed, clock, slotMs, wallet, program, rivals: rivalCount, tradesPerSlot } = options;
  const concentrated = options.concentrated === undefined ? {} : { concentrated: options.concentrated };
  const people = { wallet, traders: TRADERS + 1, rivals: rivalCount };
  const market = await writeGenesis(cluster, { seed, program, ...people, ...concentrated });
  const engine = new BlockEngine(cluster, { clock });
  // The wallet behind the script's own.
  const sandwicher = new Sandwicher(
    cluster,
    market,
    market.traders[TRADERS] as SimWallet,
    seed,
    options.sandwichShare ?? 0,
  );
  const traders = new Traders(
    cluster,
    new Flow(seed, market, tradesPerSlot),
    slotMs,
    (trade, blockhash) => tradeTransaction(market, trade, blockhash),
    (trade, send) => sandwicher.around(trade, send),
  );
  const concentratedTraders = new Traders(
    cluster,
    concentratedFlow(seed, market, tradesPerSlot),
    slotMs,
    (trade, blockhash) => concentratedTradeTransaction(cluster, market, trade, blockhash),
  );
  const rivals = market.rivals.map((rivalWallet) => new Rival(engine, market, rivalWallet, seed));
  let tickAtMs = 0;
  const pulse = () => {
    // A slot's start is wall time, so its trades are too; everything else must survive a clock that is set back.
    const wallMs = Number(clock.wallNs() / NS_PER_MS);
    sandwicher.run();
    traders.run(wallMs);
    concentratedTraders.run(wallMs);
    const nowMs = clock.monotonicNs() / Number(NS_PER_MS);
    for (const rival of rivals) rival.run(nowMs);
    if (nowMs < tickAtMs) return;
    engine.tick();
    tickAtMs = Math.max(tickAtMs + TICK_MS, nowMs);
  };
  return { market, engine, traders, concentratedTraders, rivals, sandwicher, pulse };
}

/** Pulses until told to stop; a pulse that throws ends the process, as any bug does. */
export function startPulse(box: Pick<MarketBox, "pulse">, slotMs: number): () => void {
  const everyMs = Math.max(1, Math.min(PULSE_MS, Math.floor(slotMs / PULSES_PER_SLOT_MIN)));
  const timer = setInterval(() => box.pulse(), everyMs);
  return () => clearInterval(timer);
}
