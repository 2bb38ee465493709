/**
 * The concentrated-liquidity program at any price: pools laid out anew between the lowest and the highest tick, with every
 * spacing, on both sides of the bitmap extension. Everything must be what dex/ says, refusals included.
 */
import { expect, test } from "bun:test";
import { type Random, seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { clmmTickArrayAddress } from "#dex/raydium-clmm/addresses.ts";
import { AMM_CONFIG, POOL_STATE } from "#dex/raydium-clmm/layout.ts";
import type { ClmmState } from "#dex/raydium-clmm/state.ts";
import { startOf } from "#dex/raydium-clmm/tick-map.ts";
import { sqrtPriceAtTick, TICK_MAX, TICK_MIN } from "#dex/raydium-clmm/tick-math.ts";
import { tokenAccount } from "#sim/genesis/accounts.ts";
import type { SimConcentratedPool } from "#sim/genesis/concentrated.ts";
import {
  bitmapExtensionAccount,
  concentratedPoolAccount,
  tickArrayAccount,
} from "#sim/genesis/concentrated-accounts.ts";
import { type Position, placePositions } from "#sim/genesis/concentrated-ticks.ts";
import { ClmmStage, figuresOf, quote } from "./clmm-stage.ts";

const LAYOUTS = 150;
const SWAPS_EACH = 6;
const POSITIONS = 6;
const PURSE = 1n << 62n;

const clamp = (tick: number) => Math.max(TICK_MIN, Math.min(TICK_MAX, tick));

/** Positions around a tick, near ones and far ones, of about as much of each token as 2^bits units. */
function randomPositions(random: Random, tick: number, spacing: number): readonly Position[] {
  return Array.from({ length: POSITIONS }, () => {
    const half = Math.ceil(2 ** (random.unit() * 15));
    const centre = tick + Math.floor(half * 1.5 * (random.unit() - 0.5));
    const lower = Math.ceil(clamp(centre - half) / spacing) * spacing;
    const upper = Math.max(lower + spacing, Math.floor(clamp(centre + half) / spacing) * spacing);
    // The dearer token bounds the liquidity: a u64 must hold all of it.
    const bits = 30 + random.unit() * 25;
    const dearer = Math.exp((Math.abs(tick) + 2 * half) * 5e-5);
    return { lower, upper, liquidity: BigInt(Math.ceil(2 ** bits / dearer)) };
  }).filter(({ lower, upper }) => lower >= TICK_MIN && upper <= TICK_MAX);
}

/** Puts another layout in the place of a pool's own; answers the state that dex/ reads from it. */
async function layOut(stage: ClmmStage, random: Random, { state }: SimConcentratedPool): Promise<ClmmState> {
  const { facts } = state;
  const spacing = random.pick([1, 2, 10, 60, 120]);
  const tick = random.between(TICK_MIN + 200, TICK_MAX - 200);
  const positions = randomPositions(random, tick, spacing);
  const above = sqrtPriceAtTick(tick + 1) - sqrtPriceAtTick(tick);
  // On the tick itself now and then, else somewhere before the next one.
  const sqrtPriceX64 =
    sqrtPriceAtTick(tick) + (random.unit() < 0.2 ? 0n : (above * BigInt(random.between(0, 1_000))) / 1_000n);
  const { arrays, liquidity, amounts } = placePositions(positions, sqrtPriceX64, tick, spacing);
  const bump = stage.account(facts.address).data[POOL_STATE.bump] as number;
  const { ammConfig, observationState: observation, sides } = facts;
  const pair = <T>(of: (side: (typeof sides)[number]) => T) => [of(sides[0]), of(sides[1])] as const;
  const named = [...arrays.keys()];
  const pool = concentratedPoolAccount({
    bump,
    ammConfig,
    creator: ammConfig,
    mints: pair(({ mint }) => mint),
    vaults: pair(({ vault }) => vault),
    observation,
    decimals: [9, 9],
    tickSpacing: spacing,
    liquidity,
    sqrtPriceX64,
    tickCurrent: tick,
    arrays: named,
  });
  const { cluster } = stage;
  cluster.setAccount(facts.address, pool);
  cluster.setAccount(facts.bitmapExtension as Address, bitmapExtensionAccount(facts.address, named));
  const tickArrays = new Map<number, Address>();
  for (const [array, ticks] of arrays) {
    const address = await clmmTickArrayAddress(facts.address, startOf(array, spacing));
    cluster.setAccount(address, tickArrayAccount(facts.address, array, spacing, ticks));
    tickArrays.set(array, address);
  }
  stage.patch(ammConfig, (_, view) => view.setUint16(AMM_CONFIG.tickSpacing, spacing, true));
  for (const side of [0, 1] as const)
    cluster.setAccount(sides[side].vault, tokenAccount(sides[side].mint, facts.address, amounts[side]));
  return stage.stateOf({ ...state, facts: { ...facts, tickArrays } });
}

test(`clmm equals dex/ on ${LAYOUTS} pools at any price and spacing`, async () => {
  const stage = await ClmmStage.open();
  const random = seededRandom("clmm/anywhere");
  // Both tokens are tokens: the native mint holds lamports besides.
  const pool = stage.market.concentrated[4] as SimConcentratedPool;
  const seen = { landed: 0, refused: 0, extension: 0, moved: 0 };
  for (let i = 0; i < LAYOUTS; i++) {
    let before = await layOut(stage, random, pool);
    for (let j = 0; j < SWAPS_EACH; j++) {
      for (const side of [0, 1] as const) {
        const { mint } = before.facts.sides[side];
        stage.cluster.setAccount(stage.purse(pool, side), tokenAccount(mint, stage.trader.keypair.address, PURSE));
      }
      const inputSide = random.pick([0, 1] as const);
      const mode = random.pick(["exact-in", "exact-out"] as const);
      const order = { inputSide, mode, amount: BigInt(Math.floor(2 ** (random.unit() * 56))) };
      const instruction = stage.instructionOf(pool, before, order);
      const want = quote(before, instruction, order);
      const { error } = stage.execute(instruction);
      const where = { i, j, order, tick: before.tickCurrent, spacing: before.ticks.spacing };
      if (!want.ok) {
        const { custom } = want.error;
        const refusal = custom === -1 ? "ProgramFailedToComplete" : { Custom: custom };
        expect({ ...where, error }).toEqual({ ...where, error: { InstructionError: [0, refusal] } });
        seen.refused++;
        continue;
      }
      expect({ ...where, error }).toEqual({ ...where, error: null });
      const after = stage.stateOf(before);
      expect({ ...where, ...figuresOf(after) }).toEqual({ ...where, ...figuresOf(want.value.after) });
      seen.landed++;
      if (Math.abs(after.tickCurrent) > 60 * 512 * after.ticks.spacing) seen.extension++;
      if (after.tickCurrent !== before.tickCurrent) seen.moved++;
      before = after;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  console.log(
    `clmm anywhere: ${seen.landed} swaps equal, ${seen.moved} to another tick, ${seen.extension} where only the extension reaches; ${seen.refused} refused alike`,
  );
  expect(seen.landed).toBeGreaterThan(LAYOUTS);
  expect(seen.extension).toBeGreaterThan(20);
}, 60_000);
