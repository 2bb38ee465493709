/** The concentrated-liquidity program on the real virtual machine: to the unit what dex/ says, its refusals, its event. */
import { beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { ManualClock } from "#core/clock.ts";
import { type Random, seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import type { Instruction } from "#dex/instruction.ts";
import { RAYDIUM_CLMM_PROGRAM, SYSTEM_PROGRAM } from "#dex/program-addresses.ts";
import { clmmSwapInstruction } from "#dex/raydium-clmm/instruction.ts";
import {
  AMM_CONFIG,
  CLMM_DISCRIMINATOR,
  OBSERVATION_STATE_2024,
  POOL_STATE,
  REWARD_INFO,
  SWAP_DATA,
  TICK_ARRAY,
} from "#dex/raydium-clmm/layout.ts";
import type { ClmmState } from "#dex/raydium-clmm/state.ts";
import { sqrtPriceAtTick } from "#dex/raydium-clmm/tick-math.ts";
import { raydiumClmmVenue } from "#dex/raydium-clmm/venue.ts";
import { TOKEN_ACCOUNT } from "#dex/raydium-cpmm/layout.ts";
import type { SwapOrder } from "#dex/venue.ts";
import { keypairFromSeed } from "#execute/keypair.ts";
import { compileMessage } from "#execute/message.ts";
import { signTransaction } from "#execute/transaction.ts";
import type { AccountState, ExecutedTransaction } from "#sim/cluster/cluster.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import type { LocalCluster } from "#sim/cluster/local-cluster.ts";
import { rentExemptLamports, tokenAccount } from "#sim/genesis/accounts.ts";
import type { SimConcentratedPool } from "#sim/genesis/concentrated.ts";
import { type SimMarket, type SimWallet, writeGenesis } from "#sim/genesis/genesis.ts";
import { buildProgram, COMPILER, programPath } from "./build.ts";

const SWAPS = 1_200;
const U64_MAX = 0xffff_ffff_ffff_ffffn;
const NOW = { slot: 1n, epoch: 0n, unixSeconds: 1_700_000_000n };

let cluster: LocalCluster;
let market: SimMarket;
let trader: SimWallet;

beforeEach(async () => {
  cluster = createCluster({ seed: "clmm", slotMs: 400, clock: new ManualClock(NOW.unixSeconds * 1_000_000_000n) });
  market = await writeGenesis(cluster, {
    seed: "clmm",
    program: readFileSync(programPath("cp-swap")),
    concentrated: { pools: 8, program: readFileSync(programPath("clmm")) },
    wallet: "",
    traders: 1,
    rivals: 0,
  });
  trader = market.traders[0] as SimWallet;
  cluster.nextSlot();
});

function accountOf(address: Address): AccountState {
  const account = cluster.account(address);
  if (account === undefined) throw new Error(`no account at ${address}`);
  return account;
}

/** Rewrites bytes of an account and answers how to put them back. */
function patch(address: Address, change: (data: Uint8Array, view: DataView) => void): () => void {
  const before = accountOf(address);
  const data = before.data.slice();
  change(data, new DataView(data.buffer));
  cluster.setAccount(address, { ...before, data });
  return () => cluster.setAccount(address, before);
}

/** The pool as dex/ reads it from the accounts of the cluster. */
function stateOf({ facts }: ClmmState): ClmmState {
  const addresses = [
    facts.address,
    facts.ammConfig,
    facts.observationState,
    ...(facts.bitmapExtension === undefined ? [] : [facts.bitmapExtension]),
    ...facts.tickArrays.values(),
    ...facts.sides.flatMap(({ mint, vault }) => [mint, vault]),
  ];
  const loaded = raydiumClmmVenue.load(facts.address, new Map(addresses.map((key) => [key, accountOf(key)])));
  if (!loaded.ok) throw loaded.error;
  return loaded.value;
}

function instructionOf(pool: SimConcentratedPool, state: ClmmState, order: SwapOrder): Instruction {
  return clmmSwapInstruction(state, {
    owner: trader.keypair.address,
    inputSide: order.inputSide,
    inputAccount: trader.tokenAccounts[pool.tokens[order.inputSide]] as Address,
    outputAccount: trader.tokenAccounts[pool.tokens[order.inputSide === 0 ? 1 : 0]] as Address,
    mode: order.mode,
    amount: order.amount,
    otherAmountThreshold: order.mode === "exact-in" ? 0n : U64_MAX,
  });
}

const COMPUTE_BUDGET = "ComputeBudget111111111111111111111111111111" as Address;

/** The most compute units that a transaction may ask for; it stands behind the swap, whose place stays 0. */
function computeLimit(): Instruction {
  const data = new Uint8Array(5);
  data[0] = 2;
  new DataView(data.buffer).setUint32(1, 1_400_000, true);
  return { programAddress: COMPUTE_BUDGET, accounts: [], data };
}

/** What the cluster made of one instruction; a refusal before execution is a mistake of the test. */
function execute(instruction: Instruction): ExecutedTransaction {
  cluster.nextSlot();
  const { blockhash } = cluster.latestBlockhash();
  const message = compileMessage({ payer: trader.keypair.address, blockhash, instructions: [instruction, computeLimit()] });
  const result = cluster.submit(signTransaction(message, [trader.keypair]));
  if (result.kind === "refused") throw new Error(`refused: ${JSON.stringify(result.error)} ${result.logs.join("\n")}`);
  return result.executed;
}

const purseOf = (pool: SimConcentratedPool, side: 0 | 1) => {
  const { data } = accountOf(trader.tokenAccounts[pool.tokens[side]] as Address);
  return new DataView(data.buffer, data.byteOffset).getBigUint64(TOKEN_ACCOUNT.amount, true);
};

/** Everything of a pool that a swap may change. */
const wholeState = ({ ticks, ...state }: ClmmState) => ({
  ...state,
  arrays: [...ticks.arrays].sort(([a], [b]) => a - b),
});

/** Log-uniform from 1 unit to far more than the pool holds. */
function randomOrder(random: Random, state: ClmmState): SwapOrder {
  const inputSide = random.pick([0, 1] as const);
  const mode = random.unit() < 0.6 ? "exact-in" : "exact-out";
  const named = mode === "exact-in" ? inputSide : inputSide === 0 ? 1 : 0;
  const most = Number(state.vaults[named]) * 1.5;
  const few = random.unit() < 0.2 ? random.unit() : 0.75 + 0.25 * random.unit();
  return { inputSide, mode, amount: BigInt(Math.floor(most ** few)) || 1n };
}

/** Gives a pool another fee now and then, so that no rate is special. */
function disturb(random: Random, { state }: SimConcentratedPool): void {
  patch(state.facts.ammConfig, (_, view) => {
    view.setUint32(AMM_CONFIG.tradeFeeRate, random.pick([0, 1, 100, 2_500, 10_000, 333_333, 999_999]), true);
    view.setUint32(AMM_CONFIG.protocolFeeRate, random.pick([0, 120_000, 500_000]), true);
    view.setUint32(AMM_CONFIG.fundFeeRate, random.pick([0, 40_000, 500_000]), true);
  });
}

describe("clmm", () => {
  test(`equals dex/'s exact quote on ${SWAPS} random swaps across ticks and arrays, the whole pool after it included`, () => {
    const random = seededRandom("clmm/random");
    const seen = { landed: 0, refused: 0, ticks: 0, arrays: 0, ticksMax: 0, computeUnitsMax: 0n };
    const initial = market.concentrated.map(({ state }) =>
      [state.facts.address, ...state.facts.tickArrays.values(), ...state.facts.sides.map(({ vault }) => vault)].map(
        (address) => [address, accountOf(address)] as const,
      ),
    );
    for (let i = 0; i < SWAPS; i++) {
      const at = random.between(0, market.concentrated.length);
      const pool = market.concentrated[at] as SimConcentratedPool;
      // Most swaps go on from where the last one left the pool; now and then all begins anew.
      if (random.unit() < 0.08) {
        for (const [address, account] of initial[at] ?? []) cluster.setAccount(address, account);
        disturb(random, pool);
      }
      for (const side of [0, 1] as const)
        cluster.setAccount(
          trader.tokenAccounts[pool.tokens[side]] as Address,
          tokenAccount(pool.state.facts.sides[side].mint, trader.keypair.address, 1n << 62n),
        );
      const before = stateOf(pool.state);
      const order = randomOrder(random, before);
      const output = order.inputSide === 0 ? 1 : 0;
      const instruction = instructionOf(pool, before, order);
      const named = new Set(instruction.accounts.map(({ address }) => address));
      // The quote knows the arrays that the instruction names, and no more.
      const near = [...before.facts.tickArrays].filter(([, address]) => named.has(address)).map(([array]) => array);
      const arrays = new Map(near.map((array) => [array, before.ticks.arrays.get(array) ?? []]));
      const want = raydiumClmmVenue.swap({ ...before, ticks: { ...before.ticks, arrays } }, order, NOW);
      const { error, computeUnits } = execute(instruction);
      const paid = (1n << 62n) - purseOf(pool, order.inputSide);
      const got = purseOf(pool, output) - (1n << 62n);
      if (!want.ok) {
        const { custom } = want.error;
        const refusal = custom === -1 ? "ProgramFailedToComplete" : { Custom: custom };
        expect({ i, order, error }).toEqual({ i, order, error: { InstructionError: [0, refusal] } });
        seen.refused++;
        continue;
      }
      expect({ i, order, error, paid, got }).toEqual({
        i,
        order,
        error: null,
        paid: want.value.amountIn,
        got: want.value.amountOut,
      });
      const after = stateOf(pool.state);
      const all = new Map([...before.ticks.arrays, ...want.value.after.ticks.arrays]);
      expect({ i, ...wholeState(after) }).toEqual({
        i,
        ...wholeState({ ...want.value.after, facts: after.facts, ticks: { ...before.ticks, arrays: all } }),
      });
      seen.landed++;
      const moved = [before.tickCurrent, after.tickCurrent].sort((a, b) => a - b) as [number, number];
      const crossed = [...after.ticks.arrays.values()]
        .flat()
        .filter((tick) => tick !== undefined && tick.index > moved[0] && tick.index <= moved[1]);
      if (crossed.length > 0) seen.ticks++;
      const span = (tick: number) => Math.floor(tick / (60 * after.ticks.spacing));
      if (span(moved[0]) !== span(moved[1])) seen.arrays++;
      seen.ticksMax = Math.max(seen.ticksMax, crossed.length);
      if (crossed.length <= 10 && computeUnits > seen.computeUnitsMax) seen.computeUnitsMax = computeUnits;
    }
    console.log(
      `clmm: ${seen.landed} swaps equal, ${seen.ticks} of them across ticks, ${seen.arrays} across arrays, up to ${seen.ticksMax} ticks; ${seen.refused} refused alike; at most ${seen.computeUnitsMax} compute units across 10 ticks`,
    );
    expect(seen.landed).toBeGreaterThanOrEqual(500);
    expect(seen.ticks).toBeGreaterThan(200);
    expect(seen.arrays).toBeGreaterThan(100);
    expect(seen.refused).toBeGreaterThan(20);
    expect(seen.ticksMax).toBeGreaterThan(5);
  }, 120_000);
});

describe("programs/build.ts", () => {
  const skippable = Bun.which(COMPILER) === null && process.env["CI"] !== "true";
  if (skippable)
    console.warn(`SKIPPED: ${COMPILER} is not installed, so clmm.so was not compared with what its source builds`);
  test.skipIf(skippable)("buildProgram() gives the committed bytes", () => {
    expect(Buffer.compare(buildProgram("clmm"), readFileSync(programPath("clmm")))).toBe(0);
  });
});
