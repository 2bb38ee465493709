/**
 * DLMM's loader and swaps on bytes that mean no good: each answers, in bounded time, and throws nothing.
 * SANDPIPER_FUZZ_RUNS raises the number of mutations.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SandpiperError } from "#core/error.ts";
import { seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { GOLDEN_VECTORS } from "#dex/test-data.ts";
import { damagedTarget, FUZZ_RUNS, FUZZ_TIMEOUT_MS, hostileOrder, type Target } from "#dex/test-hostile.ts";
import type { AccountBytes } from "#dex/venue.ts";
import { LB_PAIR } from "./layout.ts";
import { SYNTHETIC, SYNTHETIC_TIME, type SyntheticBin, type SyntheticPair, syntheticPair } from "./synthetic-pair.ts";
import { meteoraDlmmVenue } from "./venue.ts";

const GOLDEN = ["meteora-dlmm__EtAdVRLF", "meteora-dlmm__TTW-USDC-F1mb"].map((name) =>
  join(GOLDEN_VECTORS, `${name}.json`),
);

function targets(): readonly Target[] {
  const bins: Record<number, SyntheticBin> = {};
  for (let id = -90; id <= 90; id++)
    bins[id] = { x: id >= 0 ? 10n ** 6n : 0n, y: id <= 0 ? 10n ** 6n : 0n, openOrders: 10n ** 5n, ordersAsk: id > 0 };
  const base: SyntheticPair = { bins, fields: { variableFeeControl: 40_000, maxVolatilityAccumulator: 350_000 } };
  const made = [
    base,
    { ...base, withExtension: true, fields: { ...base.fields, collectFeeMode: 1 } },
    { ...base, transferFeeX: 100 },
  ].map((spec) => ({ pool: SYNTHETIC.pair, accounts: syntheticPair(spec) }));
  const recorded = GOLDEN.map((file) => {
    const { pool, accounts } = JSON.parse(readFileSync(file, "utf8"));
    const set = new Map<Address, AccountBytes>();
    for (const { pubkey, owner, data } of accounts)
      set.set(pubkey, { owner, data: new Uint8Array(Buffer.from(data, "base64")) });
    return { pool, accounts: set };
  });
  return [...made, ...recorded];
}

const U64_MAX = 2n ** 64n - 1n;

test(
  `load and swap answer ${FUZZ_RUNS} mutations of a pair's accounts`,
  () => {
    const random = seededRandom("hostile DLMM");
    const all = targets();
    const seen = { loaded: 0, filled: 0, refused: 0 };
    for (let i = 0; i < FUZZ_RUNS; i++) {
      const target = damagedTarget(all[i % all.length] as Target, random, LB_PAIR.tokenXMint);
      const state = meteoraDlmmVenue.load(target.pool, target.accounts);
      if (!state.ok) {
        expect(state.error).toBeInstanceOf(SandpiperError);
        continue;
      }
      seen.loaded++;
      const fill = meteoraDlmmVenue.swap(state.value, hostileOrder(random), SYNTHETIC_TIME);
      if (!fill.ok) {
        expect(fill.error.name).toMatch(/^[A-Z]\w+$/);
        seen.refused++;
        continue;
      }
      seen.filled++;
      const { amountIn, amountOut, after } = fill.value;
      for (const money of [amountIn, amountOut, ...after.reserves, ...after.protocolFees])
        if (money < 0n || money > U64_MAX) throw new Error(`${money} is no u64 in run ${i}`);
    }
    // The damage is small enough that much of it gets to the swap.
    expect(Math.min(seen.loaded, seen.filled * 4, seen.refused * 4)).toBeGreaterThan(FUZZ_RUNS / 4);
  },
  FUZZ_TIMEOUT_MS,
);
