/**
 * CLMM's loader and swaps on bytes that mean no good: each answers, in bounded time, and throws nothing.
 * SANDPIPER_FUZZ_RUNS raises the number of mutations.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { SandpiperError } from "#core/error.ts";
import { type Random, seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { GOLDEN_VECTORS } from "#dex/test-data.ts";
import { damagedTarget, FUZZ_RUNS, FUZZ_TIMEOUT_MS, type Target } from "#dex/test-hostile.ts";
import type { AccountBytes, SwapOrder } from "#dex/venue.ts";
import { POOL_STATE_BYTES } from "./layout.ts";
import type { ClmmState } from "./state.ts";
import { SYNTHETIC, syntheticPool } from "./synthetic-pool.ts";
import { raydiumClmmVenue } from "./venue.ts";

const GOLDEN = join(GOLDEN_VECTORS, "raydium-clmm__UVXY-USDC-ANyC.json");

const POSITIONS = [
  { lower: -6_000, upper: 6_000, liquidity: 10n ** 12n },
  { lower: -600, upper: 1_200, liquidity: 10n ** 13n },
  { lower: -40_000, upper: 45_000, liquidity: 10n ** 9n },
];
const synthetic = (build: "2024" | "2026"): Target => ({
  pool: SYNTHETIC.pool,
  accounts: syntheticPool({ build, tickSpacing: 1, tick: 17, positions: POSITIONS }),
});

async function targets(): Promise<readonly Target[]> {
  const golden = await Bun.file(GOLDEN).json();
  const accounts = new Map<Address, AccountBytes>();
  for (const { pubkey, owner, data } of golden.accounts)
    accounts.set(pubkey, { owner, data: new Uint8Array(Buffer.from(data, "base64")) });
  return [synthetic("2024"), synthetic("2026"), { pool: golden.pool, accounts }];
}

test(
  `load and swap answer ${FUZZ_RUNS} mutations of a pool's accounts`,
  async () => {
    const random = seededRandom("hostile pools of CLMM");
    const all = await targets();
    let [loaded, filled] = [0, 0];
    for (let i = 0; i < FUZZ_RUNS; i++) {
      const target = damagedTarget(all[i % all.length] as Target, random, POOL_STATE_BYTES);
      const state = raydiumClmmVenue.load(target.pool, target.accounts);
      checkResult(state);
      if (state.ok) {
        loaded++;
        filled += swapAround(state.value, random);
      }
    }
    expect(loaded).toBeGreaterThan(FUZZ_RUNS / 10);
    expect(filled).toBeGreaterThan(FUZZ_RUNS / 10);
  },
  FUZZ_TIMEOUT_MS,
);

/** How many of a few swaps the state fills. */
function swapAround(state: ClmmState, random: Random): number {
  let filled = 0;
  for (const inputSide of [0, 1] as const) {
    const mode = random.pick(["exact-in", "exact-out"] as const);
    const order: SwapOrder = { inputSide, mode, amount: BigInt(random.uint32()) << BigInt(random.between(0, 33)) };
    const fill = raydiumClmmVenue.swap(state, order, {
      slot: 1n,
      epoch: 1_062n,
      unixSeconds: 1_792_441_691n,
    });
    if (!fill.ok) {
      expect(fill.error.name).not.toBe("");
      continue;
    }
    filled++;
    const { amountIn, amountOut, after } = fill.value;
    if (amountIn < 0n || amountOut < 0n || after.vaults[0] < 0n || after.vaults[1] < 0n || after.liquidity < 0n)
      throw new Error(`a swap made less than nothing: ${amountIn} ${amountOut}`);
  }
  return filled;
}

function checkResult(result: { ok: boolean; error?: unknown }): void {
  if (!result.ok && !(result.error instanceof SandpiperError)) throw new Error("refused without a typed error");
}
