/** The concentrated-liquidity program on the real virtual machine: to the unit what dex/ says, and its event. */
import { beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { type Random, seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import type { Instruction } from "#dex/instruction.ts";
import { decodeSwapEventLine } from "#dex/raydium-clmm/decode-swap.ts";
import {
  AMM_CONFIG,
  CLMM_DISCRIMINATOR,
  OBSERVATION_STATE_2024,
  SWAP_ACCOUNT,
  SWAP_EVENT_BYTES_MIN,
  SWAP_V2_ACCOUNT,
} from "#dex/raydium-clmm/layout.ts";
import type { ClmmState } from "#dex/raydium-clmm/state.ts";
import type { SwapOrder } from "#dex/venue.ts";
import type { AccountState } from "#sim/cluster/cluster.ts";
import { tokenAccount } from "#sim/genesis/accounts.ts";
import type { SimConcentratedPool } from "#sim/genesis/concentrated.ts";
import { buildProgram, COMPILER, programPath } from "./build.ts";
import { ClmmStage, figuresOf, NOW, quote } from "./clmm-stage.ts";

const SWAPS = 1_200;
const PURSE = 1n << 62n;
/** Across as many ticks, a swap must stay under the 200,000 units that an instruction gets unasked. */
const TICKS = 10;

let stage: ClmmStage;
let pools: readonly SimConcentratedPool[];
beforeEach(async () => {
  stage = await ClmmStage.open();
  pools = stage.market.concentrated;
});

type Saved = readonly (readonly [Address, AccountState])[];

/** The accounts of a pool that swaps change. */
const save = ({ state: { facts } }: SimConcentratedPool): Saved =>
  [facts.address, ...facts.tickArrays.values(), ...facts.sides.map(({ vault }) => vault)].map((address) => [
    address,
    stage.account(address),
  ]);

/** Gives a pool another fee now and then, so that no rate is special. */
function disturb(random: Random, { state }: SimConcentratedPool): void {
  stage.patch(state.facts.ammConfig, (_, view) => {
    view.setUint32(AMM_CONFIG.tradeFeeRate, random.pick([0, 1, 100, 2_500, 10_000, 333_333, 999_999]), true);
    view.setUint32(AMM_CONFIG.protocolFeeRate, random.pick([0, 120_000, 500_000]), true);
    view.setUint32(AMM_CONFIG.fundFeeRate, random.pick([0, 40_000, 500_000]), true);
  });
}

/** From 1 unit to more than the pool holds, log-uniform, mostly large. */
function randomOrder(random: Random, state: ClmmState): SwapOrder {
  const inputSide = random.pick([0, 1] as const);
  const mode = random.unit() < 0.6 ? "exact-in" : "exact-out";
  const named = mode === "exact-in" ? inputSide : inputSide === 0 ? 1 : 0;
  const share = random.unit() < 0.2 ? random.unit() : 0.75 + 0.25 * random.unit();
  return { inputSide, mode, amount: BigInt(Math.floor((Number(state.vaults[named]) * 1.5) ** share)) || 1n };
}

/** How many ticks with liquidity, and whether an array's end, lie between the ticks before and after. */
function between(before: ClmmState, after: ClmmState) {
  const [low, high] = [before.tickCurrent, after.tickCurrent].sort((a, b) => a - b) as [number, number];
  const ticks = [...after.ticks.arrays.values()].flat().filter((tick) => tick !== undefined);
  const arrayOf = (tick: number) => Math.floor(tick / (60 * after.ticks.spacing));
  return {
    ticks: ticks.filter(({ index }) => index > low && index <= high).length,
    arrays: arrayOf(high) - arrayOf(low),
  };
}

describe("clmm", () => {
  test(`equals dex/'s exact quote on ${SWAPS} random swaps across ticks and arrays, the whole pool after it included`, () => {
    const random = seededRandom("clmm/random");
    const seen = { landed: 0, refused: 0, acrossTicks: 0, acrossArrays: 0, ticksMax: 0, computeUnitsMax: 0n };
    const saved = pools.map(save);
    for (let i = 0; i < SWAPS; i++) {
      const at = random.between(0, pools.length);
      const pool = pools[at] as SimConcentratedPool;
      // Most swaps go on from where the last one left the pool; now and then all begins anew.
      if (random.unit() < 0.08) {
        for (const [address, account] of saved[at] ?? []) stage.cluster.setAccount(address, account);
        disturb(random, pool);
      }
      for (const side of [0, 1] as const) {
        const { mint } = pool.state.facts.sides[side];
        stage.cluster.setAccount(stage.purse(pool, side), tokenAccount(mint, stage.trader.keypair.address, PURSE));
      }
      const before = stage.stateOf(pool.state);
      const order = randomOrder(random, before);
      const instruction = stage.instructionOf(pool, before, order);
      const want = quote(before, instruction, order);
      const { error, computeUnits } = stage.execute(instruction);
      if (!want.ok) {
        const { custom } = want.error;
        const refusal = custom === -1 ? "ProgramFailedToComplete" : { Custom: custom };
        expect({ i, order, error }).toEqual({ i, order, error: { InstructionError: [0, refusal] } });
        seen.refused++;
        continue;
      }
      const paid = PURSE - stage.balance(stage.purse(pool, order.inputSide));
      const got = stage.balance(stage.purse(pool, order.inputSide === 0 ? 1 : 0)) - PURSE;
      const { amountIn, amountOut } = want.value;
      expect({ i, order, error, paid, got }).toEqual({ i, order, error: null, paid: amountIn, got: amountOut });
      const after = stage.stateOf(pool.state);
      expect({ i, ...figuresOf(after) }).toEqual({ i, ...figuresOf(want.value.after) });
      const { ticks, arrays } = between(before, after);
      seen.landed++;
      if (ticks > 0) seen.acrossTicks++;
      if (arrays > 0) seen.acrossArrays++;
      seen.ticksMax = Math.max(seen.ticksMax, ticks);
      if (ticks <= TICKS && computeUnits > seen.computeUnitsMax) seen.computeUnitsMax = computeUnits;
    }
    console.log(
      `clmm: ${seen.landed} swaps equal, ${seen.acrossTicks} across ticks, ${seen.acrossArrays} across arrays, up to ${seen.ticksMax} ticks; ${seen.refused} refused alike; at most ${seen.computeUnitsMax} compute units across ${TICKS} ticks`,
    );
    expect(seen.landed).toBeGreaterThanOrEqual(500);
    expect(seen.acrossTicks).toBeGreaterThan(200);
    expect(seen.acrossArrays).toBeGreaterThan(100);
    expect(seen.refused).toBeGreaterThan(20);
    expect(seen.ticksMax).toBeGreaterThan(5);
    expect(Number(seen.computeUnitsMax)).toBeLessThan(200_000);
  }, 120_000);

  const order = { inputSide: 0, mode: "exact-in", amount: 1_000_000_000n } as const;
  const pool = () => pools[2] as SimConcentratedPool;

  test("swaps by the older instruction too, to the same pool", () => {
    const before = save(pool());
    const v2 = stage.instructionOf(pool(), pool().state, order);
    expect(stage.execute(v2).error).toBeNull();
    const want = stage.stateOf(pool().state);
    for (const [address, account] of before) stage.cluster.setAccount(address, account);
    expect(stage.execute(olderForm(v2)).error).toBeNull();
    expect(figuresOf(stage.stateOf(pool().state))).toEqual(figuresOf(want));
  });

  test("logs the event that dex/ decodes", () => {
    const { logs } = stage.execute(stage.instructionOf(pool(), pool().state, order));
    const line = logs.find((log) => log.startsWith("Program data: ")) ?? "";
    expect(Buffer.from(line.slice("Program data: ".length), "base64")).toHaveLength(SWAP_EVENT_BYTES_MIN);
    const event = decodeSwapEventLine(line);
    const after = stage.stateOf(pool().state);
    expect(event.ok && event.value).toEqual({
      pool: after.facts.address,
      sender: stage.trader.keypair.address,
      tokenAccounts: [stage.purse(pool(), 0), stage.purse(pool(), 1)],
      amounts: [after.vaults[0] - pool().state.vaults[0], pool().state.vaults[1] - after.vaults[1]],
      transferFees: [0n, 0n],
      zeroForOne: true,
      sqrtPriceX64: after.sqrtPriceX64,
      liquidity: after.liquidity,
      tick: after.tickCurrent,
      tradeFees: undefined,
    });
  });

  test("begins the price oracle with the price before the swap", () => {
    stage.execute(stage.instructionOf(pool(), pool().state, order));
    const { data } = stage.account(pool().state.facts.observationState);
    const view = new DataView(data.buffer, data.byteOffset + OBSERVATION_STATE_2024.observations);
    expect(data[OBSERVATION_STATE_2024.initialized]).toBe(1);
    expect(view.getUint32(0, true)).toBe(Number(NOW.unixSeconds));
    expect(view.getBigUint64(4, true) | (view.getBigUint64(12, true) << 64n)).toBe(pool().state.sqrtPriceX64);
  });
});

/** `swap` for a `swap_v2`: without the two programs and the mints, the first tick array ahead of the extension. */
function olderForm({ programAddress, accounts, data }: Instruction): Instruction {
  const [extension, first, ...further] = accounts.slice(SWAP_V2_ACCOUNT.remaining);
  const remaining = [first, extension, ...further].filter((use) => use !== undefined);
  const older = data.slice();
  older.set(CLMM_DISCRIMINATOR.swap);
  return { programAddress, accounts: [...accounts.slice(0, SWAP_ACCOUNT.tokenProgram + 1), ...remaining], data: older };
}

describe("programs/build.ts", () => {
  const skippable = Bun.which(COMPILER) === null && process.env["CI"] !== "true";
  if (skippable)
    console.warn(`SKIPPED: ${COMPILER} is not installed, so clmm.so was not compared with what its source builds`);
  test.skipIf(skippable)("buildProgram() gives the committed bytes", () => {
    expect(Buffer.compare(buildProgram("clmm"), readFileSync(programPath("clmm")))).toBe(0);
  });
});
