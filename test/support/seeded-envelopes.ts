/** Decisions, outcomes and metrics that look like a run's, from a seed: the same seed, the same envelopes. */
import { base58Encode } from "#core/base58.ts";
import { type Random, seededRandom } from "#core/random.ts";
import { WSOL_MINT } from "#core/units.ts";
import { FEATURES } from "#model/features.ts";
import { arbEnvelope, type Envelope, metricsEnvelope, outcomeEnvelope } from "#wire/envelope.ts";

export type SeededDecision = { readonly decision: Envelope; readonly outcome: Envelope | undefined };

const TOKENS = 11;
const POOLS = 30;
const MISSES = [
  { state: "outbid", reason: "a rival tipped 412,000 lamports for the same pools, we tipped 300,000" },
  { state: "state_moved", reason: "the pool's reserve moved by 0.31 % between the decision and the slot" },
  { state: "expired", reason: "not landed within 8 slots of the target" },
] as const;
const SKIPS = ["below_ev_min", "below_score", "no_profit_after_tip"] as const;

export class SeededEnvelopes {
  readonly #random: Random;
  readonly #tokens: readonly string[];
  readonly #pools: readonly string[];
  #count = 0;

  constructor(seed: string) {
    this.#random = seededRandom(seed);
    const address = () => base58Encode(Uint8Array.from({ length: 32 }, () => this.#random.between(1, 256)));
    this.#tokens = Array.from({ length: TOKENS }, address);
    this.#pools = Array.from({ length: POOLS }, address);
  }

  /** A decision at a time (Unix ms), and the outcome of what was sent about a slot later. */
  next(atMs: number, share = 0.3): SeededDecision {
    const random = this.#random;
    const number = ++this.#count;
    const decideNs = BigInt(atMs) * 1_000_000n;
    const hops = random.between(2, 4);
    const sent = random.unit() < share;
    const input = BigInt(random.between(80_000_000, 9_000_000_000));
    const gross = BigInt(random.between(sent ? 250_000 : -900_000, sent ? 9_000_000 : 320_000));
    const tip = sent ? (gross * 3n) / 10n : 10_000n;
    const id = `seed-${String(number).padStart(6, "0")}`;
    const net = gross - 5_000n - tip;
    const middle = Array.from({ length: hops - 1 }, () => random.pick(this.#tokens));
    const decision = arbEnvelope({
      version: "0.1.0",
      slot: BigInt(4_000 + number),
      txSignature: sent ? `signature-${number}` : "",
      netSol: Number(net) / 1e9,
      classification: `cycle-${hops}`,
      pLandEst: 0.4 + random.unit() * 0.5,
      tipLadder: [10_000n, 100_000n, 1_000_000n],
      decisionId: id,
      agent: "arbitrage",
      mode: "sim",
      modelHash: "9c1e5b7a",
      action: sent ? "send" : "skip",
      reason: sent ? "profitable" : random.pick(SKIPS),
      bundleId: sent ? `bundle-${number}` : "",
      pools: Array.from({ length: hops }, () => random.pick(this.#pools)),
      mints: [WSOL_MINT, ...middle],
      dexes: Array.from({ length: hops }, () => "raydium-cpmm"),
      hopAmounts: [input, ...middle.map(() => BigInt(random.between(1_000, 2 ** 31)) * 97n), input + gross],
      grossLamports: gross,
      feeLamports: 5_000n,
      tipLamports: tip,
      netLamports: net,
      evLamports: (net * 7n) / 10n,
      score: random.unit(),
      features: FEATURES.map((_, i) => 0.5 + i / 4),
      eventNs: decideNs - 40_000n,
      feedNs: decideNs - 21_000n,
      decideNs,
      sendNs: sent ? decideNs + 200_000n : 0n,
      sequence: BigInt(number),
      ...(number % 5 === 0 && {
        splitHop: 1,
        splitPool: this.#pools[number % POOLS] ?? "",
        splitDex: "raydium-clmm",
        splitAmountIn: input / 3n,
        splitAmountOut: 40n,
        splitGainLamports: 25_000n,
      }),
    });
    return { decision, outcome: sent ? this.#outcome(number, id, net, tip, decideNs) : undefined };
  }

  metrics(atMs: number): Envelope {
    const p50 = this.#random.between(14_000, 26_000);
    return metricsEnvelope({
      agent: "arbitrage",
      mode: "sim",
      atNs: BigInt(atMs) * 1_000_000n,
      windowMs: 1_000,
      events: 120n,
      swaps: 14n,
      decisions: 12n,
      hotpathP50: p50 / 1e6,
      hotpathP50Ns: BigInt(p50),
      hotpathP99Ns: BigInt(p50 * 4),
      slot: BigInt(4_000 + this.#count),
      marketLagMs: BigInt(this.#random.between(4, 40)),
      eventsTotal: 40_000n,
      swapsTotal: 5_210n,
      marketDropped: 0n,
      modelHash: "9c1e5b7a",
    });
  }

  #outcome(number: number, decisionId: string, net: bigint, tip: bigint, decideNs: bigint): Envelope {
    const random = this.#random;
    const landed = random.unit() < 0.7;
    const exact = landed && random.unit() < 0.95;
    const missed = random.pick(MISSES);
    return outcomeEnvelope({
      bundleId: `bundle-${number}`,
      landed,
      tipLamports: tip,
      path: "jito",
      leader: "9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin",
      decisionId,
      agent: "arbitrage",
      mode: "sim",
      txSignature: `signature-${number}`,
      state: landed ? "landed" : missed.state,
      reason: landed ? (exact ? "" : "the last pool moved by 3 units before the slot") : missed.reason,
      decidedSlot: BigInt(4_000 + number),
      landedSlot: landed ? BigInt(4_001 + number) : 0n,
      predictedNetLamports: net,
      realisedNetLamports: landed ? (exact ? net : net - 3n) : 0n,
      exact,
      computeUnits: 24_102n,
      decideNs,
      sendNs: decideNs + 200_000n,
      acceptedNs: decideNs + 1_900_000n,
      landNs: decideNs + BigInt(random.between(150, 900)) * 1_000_000n,
      feeLamports: 5_000n,
    });
  }
}
