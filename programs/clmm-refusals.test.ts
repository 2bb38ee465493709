/** What the concentrated-liquidity program refuses, and with which of CLMM's numbers. */
import { beforeAll, describe, expect, test } from "bun:test";
import type { Address } from "#core/units.ts";
import type { Instruction } from "#dex/instruction.ts";
import { SYSTEM_PROGRAM, TOKEN_2022_PROGRAM } from "#dex/program-addresses.ts";
import {
  CLMM_DISCRIMINATOR,
  OBSERVATION_STATE_2024,
  POOL_STATE,
  POOL_STATUS_NO_SWAP,
  REWARD_INFO,
  SWAP_ACCOUNT,
  SWAP_DATA,
  SWAP_V2_ACCOUNT,
  TICK_ARRAY,
} from "#dex/raydium-clmm/layout.ts";
import { sqrtPriceAtTick } from "#dex/raydium-clmm/tick-math.ts";
import { keypairFromSeed } from "#execute/keypair.ts";
import { rentExemptLamports } from "#sim/genesis/accounts.ts";
import type { SimConcentratedPool } from "#sim/genesis/concentrated.ts";
import { ClmmStage, NOW } from "./clmm-stage.ts";

const U64_MAX = 0xffff_ffff_ffff_ffffn;
const ABORTED = "ProgramFailedToComplete";

let stage: ClmmStage;
beforeAll(async () => {
  stage = await ClmmStage.open();
});

const pool = () => stage.market.concentrated[2] as SimConcentratedPool;
const otherPool = () => stage.market.concentrated[5] as SimConcentratedPool;
/** Another pool of the same two tokens. */
const samePair = () => stage.market.concentrated[0] as SimConcentratedPool;
const facts = () => pool().state.facts;
const exactIn = (amount: bigint, threshold = 0n) =>
  stage.instructionOf(pool(), pool().state, { inputSide: 0, mode: "exact-in", amount }, threshold);
const exactOut = (amount: bigint, threshold: bigint) =>
  stage.instructionOf(pool(), pool().state, { inputSide: 0, mode: "exact-out", amount }, threshold);
const swap = () => exactIn(1_000_000n);

type Use = Instruction["accounts"][number];
const changed = (instruction: Instruction, place: number, change: Partial<Use>): Instruction => ({
  ...instruction,
  accounts: instruction.accounts.map((use, i) => (i === place ? { ...use, ...change } : use)),
});
const withAccount = (place: number, address: Address) => changed(swap(), place, { address });
const firstAccounts = (count: number) => ({ ...swap(), accounts: swap().accounts.slice(0, count) });
const withData = (data: Uint8Array) => ({ ...swap(), data });
const withLimit = (sqrtPriceX64: bigint): Instruction => {
  const data = swap().data.slice();
  const view = new DataView(data.buffer);
  view.setBigUint64(SWAP_DATA.sqrtPriceLimitX64, BigInt.asUintN(64, sqrtPriceX64), true);
  view.setBigUint64(SWAP_DATA.sqrtPriceLimitX64 + 8, sqrtPriceX64 >> 64n, true);
  return withData(data);
};
const olderForm = (): Instruction => {
  const { programAddress, accounts, data } = swap();
  const older = data.slice();
  older.set(CLMM_DISCRIMINATOR.swap);
  const first = accounts.slice(SWAP_V2_ACCOUNT.remaining + 1);
  return { programAddress, accounts: [...accounts.slice(0, SWAP_ACCOUNT.tokenProgram + 1), ...first], data: older };
};

const FIRST_ARRAY = SWAP_V2_ACCOUNT.remaining + 1;
/** The swap with these tick arrays only, behind the extension. */
const withArrays = (instruction: Instruction, addresses: readonly Address[]): Instruction => ({
  ...instruction,
  accounts: [
    ...instruction.accounts.slice(0, FIRST_ARRAY),
    ...addresses.map((address) => ({ address, signer: false, writable: true })),
  ],
});
const arrays = () => [...facts().tickArrays].sort(([a], [b]) => b - a).map(([, address]) => address);
const arrayOfPrice = () => swap().accounts[FIRST_ARRAY]?.address as Address;
const stranger = keypairFromSeed(new Uint8Array(32).fill(7)).address;
const all = () => pool().state.vaults[1] * 2n;

/** Restores what was changed. */
type Arrange = () => () => void;
const poolBytes =
  (change: (data: Uint8Array, view: DataView) => void): Arrange =>
  () =>
    stage.patch(facts().address, change);

const REFUSALS: readonly (readonly [string, number | string, () => Instruction, Arrange?])[] = [
  ["an unknown discriminator", 101, () => withData(new Uint8Array(41))],
  ["no instruction data", 101, () => withData(new Uint8Array())],
  ["half a price limit", 102, () => withData(swap().data.slice(0, 30))],
  ["a direction that is no boolean", 102, () => withData(swap().data.with(SWAP_DATA.isBaseInput, 2))],
  ["twelve accounts", 3005, () => firstAccounts(12)],
  ["the older form with nine accounts", 3005, () => ({ ...olderForm(), accounts: olderForm().accounts.slice(0, 9) })],
  ["a payer who has not signed", 3010, () => changed(swap(), SWAP_ACCOUNT.payer, { address: stranger, signer: false })],
  [
    "another config",
    2012,
    () => withAccount(SWAP_ACCOUNT.ammConfig, stage.market.concentrated[0]?.state.facts.ammConfig as Address),
  ],
  ["a config that the program does not own", 3007, () => withAccount(SWAP_ACCOUNT.ammConfig, stranger)],
  ["a config that is a pool", 3002, () => withAccount(SWAP_ACCOUNT.ammConfig, otherPool().state.facts.address)],
  ["a pool that the program does not own", 3007, () => withAccount(SWAP_ACCOUNT.poolState, stranger)],
  ["a pool that is a tick array", 3002, () => withAccount(SWAP_ACCOUNT.poolState, arrayOfPrice())],
  ["a read-only pool", 2000, () => changed(swap(), SWAP_ACCOUNT.poolState, { writable: false })],
  ["an input account that is no token account", 3007, () => withAccount(SWAP_ACCOUNT.inputTokenAccount, stranger)],
  ["a read-only vault", 2000, () => changed(swap(), SWAP_ACCOUNT.outputVault, { writable: false })],
  [
    "an observation of another pool",
    2012,
    () => withAccount(SWAP_ACCOUNT.observationState, otherPool().state.facts.observationState),
  ],
  [
    "an observation that names another pool",
    2502,
    swap,
    () =>
      stage.patch(facts().observationState, (data) =>
        data.fill(1, OBSERVATION_STATE_2024.poolId, OBSERVATION_STATE_2024.poolId + 32),
      ),
  ],
  ["a token program that is none", 3008, () => withAccount(SWAP_ACCOUNT.tokenProgram, SYSTEM_PROGRAM)],
  ["another program for Token-2022", 3008, () => withAccount(SWAP_V2_ACCOUNT.tokenProgram2022, SYSTEM_PROGRAM)],
  ["another memo program", 2012, () => withAccount(SWAP_V2_ACCOUNT.memoProgram, SYSTEM_PROGRAM)],
  ["the mint of the other side", 2012, () => withAccount(SWAP_V2_ACCOUNT.inputVaultMint, facts().sides[1].mint)],
  [
    "a mint that may charge for transfers",
    6039,
    swap,
    () => {
      const { mint } = facts().sides[0];
      const before = stage.account(mint);
      const data = new Uint8Array(278);
      data.set(before.data);
      data.set([1, 0, 108, 0], 166);
      stage.cluster.setAccount(mint, { ...before, owner: TOKEN_2022_PROGRAM, data, lamports: rentExemptLamports(278) });
      return () => stage.cluster.setAccount(mint, before);
    },
  ],
  [
    "a token account of Token-2022 in the older form",
    2021,
    olderForm,
    () => {
      const purse = stage.purse(pool(), 0);
      const before = stage.account(purse);
      stage.cluster.setAccount(purse, { ...before, owner: TOKEN_2022_PROGRAM });
      return () => stage.cluster.setAccount(purse, before);
    },
  ],
  [
    "a pool that has not opened",
    2505,
    swap,
    poolBytes((_, view) => view.setBigUint64(POOL_STATE.openTime, NOW.unixSeconds, true)),
  ],
  [
    "the vault of another pool of the same pair",
    6025,
    () => withAccount(SWAP_ACCOUNT.outputVault, samePair().state.facts.sides[1].vault),
  ],
  [
    "the same vault twice",
    6025,
    () => {
      const instruction = withAccount(SWAP_ACCOUNT.outputVault, facts().sides[0].vault);
      return changed(instruction, SWAP_V2_ACCOUNT.outputVaultMint, { address: facts().sides[0].mint });
    },
  ],
  ["an amount of 0", 6024, () => exactIn(0n)],
  ["an output of 0", 6026, () => exactIn(1n)],
  [
    "a pool whose status forbids swaps",
    6001,
    swap,
    poolBytes((data) => {
      data[POOL_STATE.status] = POOL_STATUS_NO_SWAP;
    }),
  ],
  [
    "a pool that pays rewards",
    6001,
    swap,
    poolBytes((data) => {
      data[POOL_STATE.rewardInfos + REWARD_INFO.tokenMint] = 1;
    }),
  ],
  ["a price limit on the wrong side", 6013, () => withLimit(pool().state.sqrtPriceX64 + 1n)],
  ["a price limit at the lowest price", 6013, () => withLimit(sqrtPriceAtTick(-443_636))],
  ["less than the least output", 6022, () => exactIn(1_000_000n, U64_MAX)],
  ["more than the most input", 6023, () => exactOut(1_000_000n, 1n)],
  ["no tick array", ABORTED, () => withArrays(swap(), [])],
  ["a first tick array of another place", 6028, () => withArrays(swap(), [arrays()[0] as Address])],
  [
    "a first tick array of another pool",
    2502,
    () => withArrays(swap(), [[...otherPool().state.facts.tickArrays.values()][0] as Address]),
  ],
  [
    "a tick array of another pool in the older form",
    2003,
    () =>
      changed(olderForm(), SWAP_ACCOUNT.tickArray, {
        address: [...otherPool().state.facts.tickArrays.values()][0] as Address,
      }),
  ],
  ["a read-only tick array", 3006, () => changed(swap(), FIRST_ARRAY, { writable: false })],
  ["a config in the place of a tick array", 3002, () => withArrays(swap(), [facts().ammConfig])],
  ["a further account of another program", 3007, () => withArrays(swap(), [arrayOfPrice(), stranger])],
  ["fewer tick arrays than the swap crosses", 6027, () => withArrays(exactOut(all(), U64_MAX), [arrayOfPrice()])],
  ["more than all liquidity", 6019, () => withArrays(exactOut(all(), U64_MAX), arrays())],
  [
    "the end of the pool's own bitmap without the extension",
    6040,
    () => {
      const instruction = withArrays(exactOut(all(), U64_MAX), arrays());
      return { ...instruction, accounts: instruction.accounts.toSpliced(SWAP_V2_ACCOUNT.remaining, 1) };
    },
  ],
  [
    "a pool without a tick in this direction",
    6041,
    swap,
    poolBytes((data) => data.fill(0, POOL_STATE.tickArrayBitmap, POOL_STATE.tickArrayBitmap + 128)),
  ],
  [
    "a tick array that its bitmap names and that holds no tick",
    6011,
    () => withArrays(exactOut(all(), U64_MAX), arrays().slice(1)),
    () =>
      stage.patch(arrays().at(-1) as Address, (data) =>
        data.fill(0, TICK_ARRAY.ticks, TICK_ARRAY.initializedTickCount),
      ),
  ],
  [
    "more than the trader has",
    1,
    () => withArrays(exactOut(1_000_000n, U64_MAX), arrays()),
    () => stage.patch(stage.purse(pool(), 0), (_, view) => view.setBigUint64(64, 1n, true)),
  ],
];

describe("clmm", () => {
  test.each(REFUSALS)("refuses %s: %p", (_, code, make, arrange) => {
    const restore = arrange?.();
    try {
      const error = typeof code === "number" ? { Custom: code } : code;
      expect(stage.execute(make()).error).toEqual({ InstructionError: [0, error] });
    } finally {
      restore?.();
    }
  });

  test("lands the swap that the refused ones were made from", () => {
    expect(stage.execute(swap()).error).toBeNull();
  });

  test("stops at the price limit and takes no more than the way there costs", () => {
    const limit = sqrtPriceAtTick(stage.stateOf(pool().state).tickCurrent - 3);
    const spent = stage.balance(stage.purse(pool(), 0));
    const data = withLimit(limit).data;
    new DataView(data.buffer).setBigUint64(SWAP_DATA.amount, spent, true);
    expect(stage.execute(withData(data)).error).toBeNull();
    expect(stage.stateOf(pool().state).sqrtPriceX64).toBe(limit);
    expect(stage.balance(stage.purse(pool(), 0))).toBeGreaterThan(spent / 2n);
  });
});
