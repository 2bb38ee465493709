/**
 * The hot thread's work: market records in, decisions out. One call of doWork() takes a bounded batch and says how much
 * it took; it never awaits, throws or logs, and allocates nothing but where an amount needs a bigint (arbitrage/winner.ts
 * says where). Time, market, policy and model come in from outside, so a replay runs this very loop and gets the same
 * decisions.
 *
 *   records ─▸ pool table ─▸ (last of its transaction) ─▸ screen the cycles of the changed pools ─▸ exact quote,
 *   features, tip ─▸ gates ─▸ decision record ─▸ io thread
 *
 * A changed catalogue is only noted here: whoever drives the loop reads the file and calls setCatalogue between calls.
 */
import { buildCycleIndex, HOPS_MAX, NO_HOP, sameGraph } from "#arbitrage/cycle-index.ts";
import { ParallelPools } from "#arbitrage/parallel-pools.ts";
import { POOLS_MAX, PoolTable } from "#arbitrage/pool-table.ts";
import { Candidates, screenPool } from "#arbitrage/screen.ts";
import type { Clock } from "#core/clock.ts";
import type { PoolCatalogue, PoolFacts } from "#core/pool.ts";
import { WSOL_MINT } from "#core/units.ts";
import { readI128, readWhole } from "#core/words.ts";
import type { Histogram } from "#memory/histogram.ts";
import {
  MARKET_RECORD,
  MARKET_RECORD_FLAG,
  MARKET_RECORD_KIND,
  TICK_RECORD,
  TICKS_PER_RECORD,
} from "#memory/market-record.ts";
import type { SlotConsumer, SlotProducer } from "#memory/slot-ring.ts";
import type { Switchboard } from "#memory/switchboard.ts";
import type { TipLimits } from "./choose-tip.ts";
import { COUNTER } from "./counters.ts";
import { createDecisionDraft, type DecisionDraft } from "./decision-draft.ts";
import { createOutcomeNote, readOutcomeNote } from "./decision-record.ts";
import {
  type DecisionCandidate,
  type DecisionMarket,
  Evaluator,
  type RecentOutcomes,
  type Scorer,
} from "./evaluate.ts";
import { InFlight } from "./in-flight.ts";
import type { RiskGate } from "./risk/risk-gate.ts";
import type { TipBandit } from "./tips/tip-bandit.ts";
import { DecisionWriter } from "./write-decision.ts";

/** Records taken in one call. */
const BATCH_MAX = 64;
/** Pools that one transaction can change and that are screened; a transaction cannot name more accounts. */
const TOUCHED_MAX = 64;
/** An event that waited longer was overtaken: its state is taken over, but nothing is decided on it. */
const EVENT_AGE_NS_MAX = 1e9;

export type HotLoopSettings = TipLimits & {
  readonly hopsMax: number;
  /** Least gain, in lamports, for which a hop of a winner is split over two pools; 0 never splits. */
  readonly splitGainLamportsMin: number;
  readonly inputLamportsMax: number;
  readonly slotMs: number;
  /** Base units the wallet holds at the start; 0 until the io thread says more. */
  readonly walletLamports: number;
};

export type HotLoopParts = {
  readonly market: SlotConsumer;
  readonly decisions: SlotProducer;
  /** What comes back from the io thread; a replay has none. */
  readonly outcomes?: SlotConsumer;
  readonly switchboard: Pick<Switchboard, "readPolicyInto">;
  readonly model: Scorer;
  /** Scores what was decided, for comparison; decides nothing. */
  readonly shadow?: Scorer;
  readonly clock: Pick<Clock, "monotonicNs">;
  /** Over COUNTERS_BYTES. */
  readonly counters: Float64Array;
  readonly latency: Histogram;
  readonly settings: HotLoopSettings;
  /** Chooses the tips; without it the model's best expected value does. */
  readonly tips?: TipBandit | undefined;
  /** Says no to what the risk limits forbid; a replay has none. */
  readonly risk?: Pick<RiskGate, "refusal" | "sent">;
  /** Called after decisions were published. */
  readonly wake?: () => void;
};

export interface HotLoop {
  /** Takes a batch of market records; answers how many. */
  doWork(): number;
  /** Newest version of the catalogue that the feed announced; 0 before the first. */
  readonly catalogueWanted: number;
  /** Takes over a catalogue and builds its cycles. Not for the event path: milliseconds. */
  setCatalogue(catalogue: PoolCatalogue): void;
  /** A replay has no more records. */
  readonly ended: boolean;
}

/** The loop, and the pools as of the last record that it took: a backtest fills on them. */
export type HotLoopOnTable = HotLoop & { readonly table: PoolTable };

/** Asks the feed for a full snapshot; nothing is decided on a pool before its first state. */
export function createHotLoop(parts: HotLoopParts): HotLoopOnTable {
  parts.market.requestSnapshot();
  return new Loop(parts);
}

class Loop implements HotLoopOnTable {
  catalogueWanted = 0;
  ended = false;
  readonly #parts: HotLoopParts;
  readonly table = new PoolTable();
  readonly #inFlight = new InFlight();
  readonly #candidates = new Candidates();
  /** Of the winner at hand; its policy is the one in force. */
  readonly #draft: DecisionDraft = createDecisionDraft();
  readonly #candidate: DecisionCandidate = { place: 0, input: 0, inputMax: 0 };
  readonly #evaluator: Evaluator;
  readonly #writer: DecisionWriter;
  readonly #touched = new Int32Array(new ArrayBuffer(TOUCHED_MAX * 4));
  readonly #recent: RecentOutcomes = {
    tipMedianLamports: 0,
    landedShare: 0.5,
    outbidShare: 0,
    tipFloorLamports: 0,
    leader: 0,
  };
  /** Now, for the question whether a pool is held. */
  #nowNs = 0;
  #market: DecisionMarket = {
    table: this.table,
    index: buildCycleIndex([], { base: WSOL_MINT, hopsMax: HOPS_MAX }),
    pools: [],
    parallels: new ParallelPools([]),
    isHeld: (pool) => this.#inFlight.isHeld(pool, this.#nowNs),
  };
  readonly #note = createOutcomeNote();
  #touchedCount = 0;
  #sequence = 0;
  #marketSequence = 0;
  #slotStartNs = 0;
  #walletLamports: number;

  constructor(parts: HotLoopParts) {
    this.#parts = parts;
    this.#walletLamports = parts.settings.walletLamports;
    this.#writer = new DecisionWriter(parts.decisions);
    this.#evaluator = new Evaluator({
      inFlight: this.#inFlight,
      limits: parts.settings,
      model: parts.model,
      shadow: parts.shadow,
      tips: parts.tips,
      risk: parts.risk,
      recent: this.#recent,
    });
  }

  setCatalogue(catalogue: PoolCatalogue): void {
    this.table.describe(catalogue.pools);
    const pools: PoolFacts[] = [];
    for (const pool of catalogue.pools) if (pool.index < POOLS_MAX) pools[pool.index] = pool;
    const before = this.#market.pools;
    this.#market = { ...this.#market, pools };
    // Tick arrays come and go without a new cycle.
    if (sameGraph(before, pools)) return;
    const { hopsMax } = this.#parts.settings;
    this.#market = {
      ...this.#market,
      parallels: new ParallelPools(Object.values(pools)),
      index: buildCycleIndex(Object.values(pools), { base: WSOL_MINT, hopsMax }),
    };
  }

  doWork(): number {
    const { market, switchboard, counters } = this.#parts;
    switchboard.readPolicyInto(this.#draft.policy);
    this.#takeOutcomes();
    const depth = market.depth();
    if (depth > (counters[COUNTER.ringDepthMax] as number)) counters[COUNTER.ringDepthMax] = depth;
    let taken = 0;
    while (taken < BATCH_MAX) {
      const at = market.peek();
      if (at < 0) break;
      this.#take(at);
      market.advance();
      taken++;
    }
    if (taken > 0) market.release();
    return taken;
  }

  #count(counter: number, by = 1): void {
    const { counters } = this.#parts;
    counters[counter] = (counters[counter] as number) + by;
  }

  #take(at: number): void {
    const { market, counters } = this.#parts;
    const { u32, f64 } = market;
    const kind = u32[(at + MARKET_RECORD.kind) >> 2] as number;
    const flags = u32[(at + MARKET_RECORD.flags) >> 2] as number;
    this.#count(COUNTER.records);
    this.#followSequence(readWhole(u32, (at + MARKET_RECORD.sequence) >> 2));
    counters[COUNTER.newestFeedNs] = f64[(at + MARKET_RECORD.feedNs) >> 3] as number;
    if (kind === MARKET_RECORD_KIND.poolState || kind === MARKET_RECORD_KIND.concentratedState)
      this.#takePoolState(at, kind, flags);
    else if (kind === MARKET_RECORD_KIND.ticks) this.#takeTicks(at);
    else if (kind === MARKET_RECORD_KIND.slot) {
      counters[COUNTER.slot] = readWhole(u32, (at + MARKET_RECORD.slot) >> 2);
      this.#slotStartNs = f64[(at + MARKET_RECORD.eventNs) >> 3] as number;
    } else if (kind === MARKET_RECORD_KIND.catalogue)
      this.catalogueWanted = u32[(at + MARKET_RECORD.pool) >> 2] as number;
    else if (kind === MARKET_RECORD_KIND.end) this.ended = true;
    if ((flags & MARKET_RECORD_FLAG.lastOfGroup) !== 0 && this.#touchedCount > 0) this.#decideGroup(at);
  }

  /** A hole means records were dropped, a step back that the feed began anew: every state may be old until it comes again. */
  #followSequence(sequence: number): void {
    const missing = sequence - this.#marketSequence - 1;
    if (missing !== 0 && this.#marketSequence !== 0) {
      this.#count(COUNTER.marketGaps);
      if (missing > 0) this.#count(COUNTER.marketDropped, missing);
      this.table.forget();
      this.#touchedCount = 0;
      this.#parts.market.requestSnapshot();
    }
    this.#marketSequence = sequence;
  }

  #takePoolState(at: number, kind: number, flags: number): void {
    const { u32, i32 } = this.#parts.market;
    const pool = u32[(at + MARKET_RECORD.pool) >> 2] as number;
    if (pool >= POOLS_MAX) {
      this.#count(COUNTER.unknownPools);
      return;
    }
    if (kind === MARKET_RECORD_KIND.concentratedState) {
      const tick = i32[(at + MARKET_RECORD.tickCurrent) >> 2] as number;
      this.table.updateConcentrated(pool, u32, (at + MARKET_RECORD.sqrtPrice) >> 2, tick);
    } else {
      const word = (at + MARKET_RECORD.reserve0) >> 2;
      this.table.update(
        pool,
        u32[word] as number,
        u32[word + 1] as number,
        u32[word + 2] as number,
        u32[word + 3] as number,
      );
    }
    this.#inFlight.poolChanged(pool);
    if ((flags & MARKET_RECORD_FLAG.snapshot) !== 0 || this.#touchedCount === TOUCHED_MAX) return;
    this.#touched[this.#touchedCount++] = pool;
  }

  /** Ticks that came, changed or went: the state behind them makes them count. Rare, so it may make bigints. */
  #takeTicks(at: number): void {
    const { u32, i32 } = this.#parts.market;
    const pool = u32[(at + MARKET_RECORD.pool) >> 2] as number;
    if (pool >= POOLS_MAX) {
      this.#count(COUNTER.unknownPools);
      return;
    }
    if (u32[(at + MARKET_RECORD.ticksCleared) >> 2] === 1) this.table.forgetTicks(pool);
    const state = this.table.concentrated(pool);
    const count = Math.min(u32[(at + MARKET_RECORD.tickCount) >> 2] as number, TICKS_PER_RECORD);
    for (let i = 0; i < count; i++) {
      const word = (at + MARKET_RECORD.ticks + i * TICK_RECORD.bytes) >> 2;
      const initialized = u32[word + TICK_RECORD.initialized / 4] === 1;
      const net = initialized ? readI128(u32, word + TICK_RECORD.liquidityNet / 4) : undefined;
      state.setTick(i32[word] as number, net);
    }
  }

  /** A whole transaction has been taken over: looks for what it opened. */
  #decideGroup(at: number): void {
    const { market, clock, settings, latency } = this.#parts;
    const feedNs = market.f64[(at + MARKET_RECORD.feedNs) >> 3] as number;
    const touched = this.#touchedCount;
    this.#touchedCount = 0;
    this.#count(COUNTER.swaps);
    if (clock.monotonicNs() - feedNs > EVENT_AGE_NS_MAX) {
      this.#count(COUNTER.staleGroups);
      return;
    }
    const inputMax = Math.min(settings.inputLamportsMax, this.#walletLamports);
    const { tipCount, tipLadderLamports } = this.#draft.policy;
    if (tipCount > 0 && inputMax >= 1) {
      const profitMin = settings.feeLamports + (tipLadderLamports[0] as number);
      this.#candidates.clear();
      for (let i = 0; i < touched; i++) {
        const pool = this.#touched[i] as number;
        this.#count(
          COUNTER.cyclesScreened,
          screenPool(this.#market.index, this.table, pool, inputMax, profitMin, this.#candidates),
        );
      }
      if (this.#candidates.count > 0) this.#decideCandidates(at, inputMax);
    }
    latency.record(clock.monotonicNs() - feedNs);
  }

  /** The best candidate, then each further one that shares no pool with those before it. */
  #decideCandidates(at: number, inputMax: number): void {
    const { market, clock, settings } = this.#parts;
    const { u32, f64 } = market;
    const draft = this.#draft;
    draft.slot = readWhole(u32, (at + MARKET_RECORD.slot) >> 2);
    draft.transactionIndex = u32[(at + MARKET_RECORD.transactionIndex) >> 2] as number;
    draft.eventNs = f64[(at + MARKET_RECORD.eventNs) >> 3] as number;
    draft.feedNs = f64[(at + MARKET_RECORD.feedNs) >> 3] as number;
    const { count, places, inputs } = this.#candidates;
    const candidate = this.#candidate;
    candidate.inputMax = inputMax;
    for (let i = 0; i < count; i++) {
      if (this.#overlapsBetter(i)) {
        this.#count(COUNTER.overlapping);
        continue;
      }
      candidate.place = places[i] as number;
      candidate.input = inputs[i] as number;
      const nowNs = clock.monotonicNs();
      this.#nowNs = nowNs;
      draft.decideNs = nowNs;
      const slotProgress = this.#slotStartNs > 0 ? (nowNs - this.#slotStartNs) / (settings.slotMs * 1e6) : 0;
      if (this.#evaluator.evaluate(draft, candidate, this.#market, slotProgress)) this.#record(draft);
      else this.#count(COUNTER.unprofitable);
    }
  }

  #overlapsBetter(candidate: number): boolean {
    const { hops } = this.#market.index;
    const { places } = this.#candidates;
    const own = (places[candidate] as number) * HOPS_MAX;
    for (let better = 0; better < candidate; better++) {
      const other = (places[better] as number) * HOPS_MAX;
      for (let i = 0; i < HOPS_MAX && hops[own + i] !== NO_HOP; i++)
        for (let j = 0; j < HOPS_MAX && hops[other + j] !== NO_HOP; j++)
          if ((hops[own + i] as number) >> 1 === (hops[other + j] as number) >> 1) return true;
    }
    return false;
  }

  /** Without room for its record a decision is not made: what is not on record is never sent. */
  #record(draft: DecisionDraft): void {
    const { decisions, counters, clock, wake } = this.#parts;
    const slot = decisions.claim();
    if (slot < 0) {
      this.#count(COUNTER.decisionsDropped);
      return;
    }
    draft.sequence = ++this.#sequence;
    draft.decideNs = clock.monotonicNs();
    this.#writer.write(slot, draft);
    decisions.advance();
    decisions.publish();
    this.#count(COUNTER.decisions);
    if (draft.reason === "profitable") {
      this.#count(COUNTER.sends);
      const { pools, poolCount } = draft.winner;
      this.#inFlight.hold(draft.sequence, pools, poolCount, draft.decideNs);
      counters[COUNTER.inFlight] = this.#inFlight.count;
      this.#evaluator.sent(draft);
    }
    wake?.();
  }

  #takeOutcomes(): void {
    const { outcomes, counters, tips } = this.#parts;
    if (outcomes === undefined) return;
    let taken = 0;
    for (; taken < BATCH_MAX; taken++) {
      const at = outcomes.peek();
      if (at < 0) break;
      readOutcomeNote(this.#note, outcomes, at);
      const { sequence, result, rivalTipLamports } = this.#note;
      this.#inFlight.settled(sequence);
      tips?.settled(sequence, result, rivalTipLamports);
      this.#walletLamports = this.#note.walletLamports;
      this.#recent.tipMedianLamports = this.#note.tipMedianLamports;
      this.#recent.landedShare = this.#note.landedShare;
      this.#recent.outbidShare = this.#note.outbidShare;
      this.#recent.tipFloorLamports = this.#note.tipFloorLamports;
      this.#recent.leader = this.#note.leader;
      outcomes.advance();
    }
    if (taken === 0) return;
    outcomes.release();
    counters[COUNTER.inFlight] = this.#inFlight.count;
  }
}
