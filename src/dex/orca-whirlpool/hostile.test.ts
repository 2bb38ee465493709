/**
 * Whirlpool's loader and swaps on bytes that mean no good: each answers, in bounded time, and throws nothing.
 * SANDPIPER_FUZZ_RUNS raises the number of mutations.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { SandpiperError } from "#core/error.ts";
import { seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { GOLDEN_VECTORS } from "#dex/test-data.ts";
import { damagedTarget, FUZZ_RUNS, FUZZ_TIMEOUT_MS, hostileOrder, type Target } from "#dex/test-hostile.ts";
import type { AccountBytes } from "#dex/venue.ts";
import { WHIRLPOOL_BYTES } from "./layout.ts";
import { SYNTHETIC, syntheticPool } from "./synthetic-pool.ts";
import { orcaWhirlpoolVenue } from "./venue.ts";

const GOLDEN = join(GOLDEN_VECTORS, "orca-whirlpool__sol-usdc.json");
const TIME = { slot: 300_000_000n, epoch: 694n, unixSeconds: 1_734_000_000n };
const POSITIONS = [
  { lower: -443_584, upper: 443_584, liquidity: 10n ** 12n },
  { lower: -640, upper: 1_280, liquidity: 10n ** 13n },
  { lower: -64_000, upper: 45_056, liquidity: 10n ** 9n },
];
const ADAPTIVE = {
  filterPeriod: 30,
  decayPeriod: 600,
  reductionFactor: 500,
  adaptiveFeeControlFactor: 4_000,
  maxVolatilityAccumulator: 350_000,
  tickGroupSize: 64,
  majorSwapThresholdTicks: 64,
};

async function targets(): Promise<readonly Target[]> {
  const base = { tickSpacing: 64, tick: 64, positions: POSITIONS };
  const made = [
    syntheticPool(base),
    syntheticPool({ ...base, dynamicArrays: true, adaptive: ADAPTIVE }),
    syntheticPool({ ...base, transferFees: [{ basisPoints: 100, maximum: 5_000n }, undefined] }),
  ].map((accounts) => ({ pool: SYNTHETIC.pool, accounts }));
  const golden = await Bun.file(GOLDEN).json();
  const accounts = new Map<Address, AccountBytes>();
  for (const { pubkey, owner, data } of golden.accounts)
    accounts.set(pubkey, { owner, data: new Uint8Array(Buffer.from(data, "base64")) });
  return [...made, { pool: golden.pool, accounts }];
}

test(
  `load and swap answer ${FUZZ_RUNS} mutations of a pool's accounts`,
  async () => {
    const random = seededRandom("hostile Whirlpools");
    const all = await targets();
    const seen = { loaded: 0, filled: 0, refused: 0 };
    for (let i = 0; i < FUZZ_RUNS; i++) {
      const target = damagedTarget(all[i % all.length] as Target, random, WHIRLPOOL_BYTES);
      const state = orcaWhirlpoolVenue.load(target.pool, target.accounts);
      if (!state.ok) {
        expect(state.error).toBeInstanceOf(SandpiperError);
        continue;
      }
      seen.loaded++;
      const fill = orcaWhirlpoolVenue.swap(state.value, hostileOrder(random), TIME);
      if (!fill.ok) {
        expect(fill.error.name).toMatch(/^[A-Z]\w+$/);
        seen.refused++;
        continue;
      }
      seen.filled++;
      expect(fill.value.amountIn >= 0n && fill.value.amountOut >= 0n).toBe(true);
      expect(orcaWhirlpoolVenue.figures(fill.value.after)["sqrt_price"]).toBeGreaterThan(0n);
    }
    // The damage is small enough that much of it gets to the swap.
    expect(Math.min(seen.loaded, seen.filled * 2, seen.refused * 20)).toBeGreaterThan(FUZZ_RUNS / 10);
  },
  FUZZ_TIMEOUT_MS,
);
