/** The exchange program on the real virtual machine: its arithmetic to the unit, its refusals, its event. */
import { beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { ManualClock } from "#core/clock.ts";
import { type Random, seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import type { Instruction } from "#dex/instruction.ts";
import { SYSTEM_PROGRAM } from "#dex/program-addresses.ts";
import { decodeSwapEvent } from "#dex/raydium-cpmm/decode.ts";
import { AMM_CONFIG, CPMM_DISCRIMINATOR, POOL_STATE, SWAP_ACCOUNT, TOKEN_ACCOUNT } from "#dex/raydium-cpmm/layout.ts";
import { swapInstruction } from "#dex/swap-instruction.ts";
import { keypairFromSeed } from "#execute/keypair.ts";
import { compileMessage } from "#execute/message.ts";
import { signTransaction } from "#execute/transaction.ts";
import type { AccountState, ExecutedTransaction } from "#sim/cluster/cluster.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import type { LocalCluster } from "#sim/cluster/local-cluster.ts";
import { rentExemptLamports, tokenAccount } from "#sim/genesis/accounts.ts";
import { type SimMarket, type SimPool, type SimWallet, writeGenesis } from "#sim/genesis/genesis.ts";
import { buildProgram, COMPILER, programPath } from "./build.ts";

const SWAPS = 800;
const MILLION = 1_000_000n;
const U64_MAX = 0xffff_ffff_ffff_ffffn;

let cluster: LocalCluster;
let market: SimMarket;
let trader: SimWallet;

beforeEach(async () => {
  const clock = new ManualClock(1_700_000_000_000_000_000n);
  cluster = createCluster({ seed: "program", slotMs: 400, clock });
  const program = readFileSync(programPath("cp-swap"));
  market = await writeGenesis(cluster, { seed: "program", program, wallet: "", traders: 1, rivals: 0 });
  trader = market.traders[0] as SimWallet;
  cluster.nextSlot();
});

function accountOf(address: Address): AccountState {
  const account = cluster.account(address);
  if (account === undefined) throw new Error(`no account at ${address}`);
  return account;
}

const readU64 = (address: Address, offset: number) => {
  const { data } = accountOf(address);
  return new DataView(data.buffer, data.byteOffset).getBigUint64(offset, true);
};

/** Rewrites bytes of an account and answers how to put them back. */
function patch(address: Address, change: (data: Uint8Array, view: DataView) => void): () => void {
  const before = accountOf(address);
  const data = before.data.slice();
  change(data, new DataView(data.buffer));
  cluster.setAccount(address, { ...before, data });
  return () => cluster.setAccount(address, before);
}

type SwapCase = {
  readonly pool: SimPool;
  readonly side: 0 | 1;
  readonly baseInput: boolean;
  readonly first: bigint;
  readonly second: bigint;
};

function instructionOf({ pool, side, baseInput, first, second }: SwapCase): Instruction {
  const other = side === 0 ? 1 : 0;
  const instruction = swapInstruction(pool.facts, {
    owner: trader.keypair.address,
    inputSide: side,
    inputAccount: trader.tokenAccounts[pool.tokens[side]] as Address,
    outputAccount: trader.tokenAccounts[pool.tokens[other]] as Address,
    amountIn: first,
    minimumOut: second,
  });
  if (!baseInput) instruction.data.set(CPMM_DISCRIMINATOR.swapBaseOutput);
  return instruction;
}

/** What the cluster made of one instruction; a refusal before execution is a mistake of the test. */
function execute(instruction: Instruction): ExecutedTransaction {
  cluster.nextSlot();
  const { blockhash } = cluster.latestBlockhash();
  const message = compileMessage({ payer: trader.keypair.address, blockhash, instructions: [instruction] });
  const result = cluster.submit(signTransaction(message, [trader.keypair]));
  if (result.kind === "refused") throw new Error(`refused: ${JSON.stringify(result.error)} ${result.logs.join("\n")}`);
  return result.executed;
}

const divideUp = (dividend: bigint, divisor: bigint) => (dividend + divisor - 1n) / divisor;

type Rates = { readonly trade: bigint; readonly protocol: bigint; readonly fund: bigint };

/** CP-Swap's arithmetic written a second time, from its published source; undefined where it refuses. */
function formula(reserves: readonly [bigint, bigint], rates: Rates, swap: SwapCase) {
  const [reserveIn, reserveOut] = swap.side === 0 ? reserves : [reserves[1], reserves[0]];
  let amountIn = swap.first;
  let amountOut = swap.second;
  let fee: bigint;
  if (swap.baseInput) {
    fee = divideUp(amountIn * rates.trade, MILLION);
    amountOut = ((amountIn - fee) * reserveOut) / (reserveIn + amountIn - fee);
    if (amountOut === 0n || amountOut < swap.second) return undefined;
  } else {
    if (amountOut >= reserveOut) return undefined;
    const net = divideUp(reserveIn * amountOut, reserveOut - amountOut);
    amountIn = divideUp(net * MILLION, MILLION - rates.trade);
    if (amountIn > swap.first || amountIn > U64_MAX) return undefined;
    fee = amountIn - net;
  }
  const protocolFee = (fee * rates.protocol) / MILLION;
  const fundFee = (fee * rates.fund) / MILLION;
  return { amountIn, amountOut, fee, protocolFee, fundFee };
}

/** Log-uniform from 1 to 2^bits. */
const amountBelow = (random: Random, bits: number) => BigInt(Math.floor(2 ** (random.unit() * bits))) || 1n;

/** Gives a pool random reserves, owed fees and rates, and the trader enough to pay. */
function disturb(random: Random, pool: SimPool): { rates: Rates; reserves: [bigint, bigint] } {
  const rates: Rates = {
    trade: BigInt(random.pick([0, 1, 100, 2_500, 10_000, 333_333, 999_999])),
    protocol: BigInt(random.pick([0, 120_000, 999_999])),
    fund: BigInt(random.pick([0, 1])),
  };
  patch(pool.facts.accounts["ammConfig"] as Address, (_, view) => {
    view.setBigUint64(AMM_CONFIG.tradeFeeRate, rates.trade, true);
    view.setBigUint64(AMM_CONFIG.protocolFeeRate, rates.protocol, true);
    view.setBigUint64(AMM_CONFIG.fundFeeRate, rates.fund, true);
  });
  const reserves: [bigint, bigint] = [amountBelow(random, 61), amountBelow(random, 61)];
  const owed = [amountBelow(random, 40), amountBelow(random, 40), amountBelow(random, 40)] as const;
  patch(pool.facts.address, (_, view) => {
    for (const side of [0, 1]) {
      view.setBigUint64(POOL_STATE.protocolFeesToken0 + side * 8, owed[0], true);
      view.setBigUint64(POOL_STATE.fundFeesToken0 + side * 8, owed[1], true);
      view.setBigUint64(POOL_STATE.creatorFeesToken0 + side * 8, owed[2], true);
    }
  });
  const authority = pool.facts.accounts["authority"] as Address;
  for (const side of [0, 1] as const) {
    const amount = reserves[side] + owed[0] + owed[1] + owed[2];
    cluster.setAccount(pool.facts.vaults[side], tokenAccount(pool.facts.mints[side], authority, amount));
    const own = trader.tokenAccounts[pool.tokens[side]] as Address;
    cluster.setAccount(own, tokenAccount(pool.facts.mints[side], trader.keypair.address, 1n << 62n));
  }
  return { rates, reserves };
}

const stateOf = ({ facts, tokens }: SimPool, side: 0 | 1) => ({
  vault: readU64(facts.vaults[side], TOKEN_ACCOUNT.amount),
  protocol: readU64(facts.address, POOL_STATE.protocolFeesToken0 + side * 8),
  fund: readU64(facts.address, POOL_STATE.fundFeesToken0 + side * 8),
  own: readU64(trader.tokenAccounts[tokens[side]] as Address, TOKEN_ACCOUNT.amount),
});

describe("cp-swap", () => {
  test(`equals the integer formula to the unit on ${SWAPS} random swaps, vaults and fees included`, () => {
    const random = seededRandom("cp-swap/random");
    let landed = 0;
    for (let i = 0; i < SWAPS; i++) {
      const pool = random.pick(market.pools);
      const { rates, reserves } = disturb(random, pool);
      const side = random.pick([0, 1] as const);
      const other = side === 0 ? 1 : 0;
      const baseInput = random.unit() < 0.6;
      const amount = amountBelow(random, 61);
      const share = reserves[other] / BigInt(random.between(2, 1_000));
      const swap: SwapCase = baseInput
        ? { pool, side, baseInput, first: amount, second: 0n }
        : { pool, side, baseInput, first: 1n << 62n, second: share === 0n ? 1n : share };
      const before = { in: stateOf(pool, side), out: stateOf(pool, other) };
      const want = formula(reserves, rates, swap);
      const executed = execute(instructionOf(swap));
      const after = { in: stateOf(pool, side), out: stateOf(pool, other) };
      expect({ i, refused: executed.error !== null }).toEqual({ i, refused: want === undefined });
      const moved = want ?? { amountIn: 0n, amountOut: 0n, protocolFee: 0n, fundFee: 0n };
      expect({ i, ...after }).toEqual({
        i,
        in: {
          vault: before.in.vault + moved.amountIn,
          protocol: before.in.protocol + moved.protocolFee,
          fund: before.in.fund + moved.fundFee,
          own: before.in.own - moved.amountIn,
        },
        out: { ...before.out, vault: before.out.vault - moved.amountOut, own: before.out.own + moved.amountOut },
      });
      if (want !== undefined) landed++;
    }
    expect(landed).toBeGreaterThanOrEqual(500);
  }, 60_000);

  test("logs the event that dex/ decodes, with the effective reserves before the swap", () => {
    const pool = market.pools[0] as SimPool;
    patch(pool.facts.address, (_, view) => view.setBigUint64(POOL_STATE.fundFeesToken0, 77n, true));
    const state = [stateOf(pool, 0), stateOf(pool, 1)] as const;
    const owed = (side: 0 | 1) =>
      state[side].protocol + state[side].fund + readU64(pool.facts.address, POOL_STATE.creatorFeesToken0 + side * 8);
    const executed = execute(instructionOf({ pool, side: 1, baseInput: true, first: 1_000_000_000n, second: 0n }));
    const line = executed.logs.find((log) => log.startsWith("Program data: "))?.slice("Program data: ".length) ?? "";
    const event = decodeSwapEvent(Buffer.from(line, "base64"));
    expect(event.ok && event.value).toEqual({
      poolId: pool.facts.address,
      reserveInBefore: state[1].vault - owed(1),
      reserveOutBefore: state[0].vault - owed(0),
      amountIn: 1_000_000_000n,
      amountOut: state[0].vault - stateOf(pool, 0).vault,
    });
    expect(Buffer.from(line, "base64")).toHaveLength(170);
  });

  test("moves the price oracle at most once a second", () => {
    const pool = market.pools[1] as SimPool;
    const observation = pool.facts.accounts["observationState"] as Address;
    execute(instructionOf({ pool, side: 0, baseInput: true, first: 1_000_000n, second: 0n }));
    expect(accountOf(observation).data[8]).toBe(1);
    expect(readU64(observation, 43)).toBe(1_700_000_000n);
  });

  const pool = () => market.pools[2] as SimPool;
  const swap = () => ({ pool: pool(), side: 0 as const, baseInput: true, first: 1_000_000n, second: 0n });
  const withAccount = (place: number, address: () => Address) => {
    const instruction = instructionOf(swap());
    const accounts = instruction.accounts.map((use, i) => (i === place ? { ...use, address: address() } : use));
    return { ...instruction, accounts };
  };
  const withData = (data: Uint8Array) => ({ ...instructionOf(swap()), data });
  const poolBytes = (change: (data: Uint8Array, view: DataView) => void) => () => patch(pool().facts.address, change);

  const stranger = () => keypairFromSeed(new Uint8Array(32).fill(7)).address;
  const refusals: readonly (readonly [string, number, () => Instruction, (() => () => void)?])[] = [
    ["an unknown discriminator", 101, () => withData(new Uint8Array(24))],
    ["no instruction data", 101, () => withData(new Uint8Array())],
    ["half an amount", 102, () => withData(instructionOf(swap()).data.slice(0, 20))],
    [
      "twelve accounts",
      3005,
      () => ({ ...instructionOf(swap()), accounts: instructionOf(swap()).accounts.slice(0, 12) }),
    ],
    [
      "a payer who has not signed",
      3010,
      () => {
        const instruction = withAccount(SWAP_ACCOUNT.payer, stranger);
        return { ...instruction, accounts: instruction.accounts.map((use) => ({ ...use, signer: false })) };
      },
    ],
    ["another authority", 2006, () => withAccount(SWAP_ACCOUNT.authority, stranger)],
    ["another config", 2012, () => withAccount(SWAP_ACCOUNT.ammConfig, otherConfig)],
    ["a config that the program does not own", 3007, () => withAccount(SWAP_ACCOUNT.ammConfig, stranger)],
    ["a config that is a pool", 3002, () => withAccount(SWAP_ACCOUNT.ammConfig, () => otherPool().facts.address)],
    ["a pool that the program does not own", 3007, () => withAccount(SWAP_ACCOUNT.poolState, stranger)],
    [
      "a pool that is an observation",
      3002,
      () => withAccount(SWAP_ACCOUNT.poolState, () => pool().facts.accounts["observationState"] as Address),
    ],
    ["an input account that is no token account", 3007, () => withAccount(SWAP_ACCOUNT.inputTokenAccount, stranger)],
    ["a vault of another pool", 2003, () => withAccount(SWAP_ACCOUNT.inputVault, () => otherPool().facts.vaults[0])],
    ["the same vault twice", 6008, () => sameVaultTwice()],
    ["a token program that is none", 3008, () => withAccount(SWAP_ACCOUNT.inputTokenProgram, () => SYSTEM_PROGRAM)],
    ["the mint of the other side", 2012, () => withAccount(SWAP_ACCOUNT.inputTokenMint, () => pool().facts.mints[1])],
    [
      "an observation of another pool",
      2012,
      () => withAccount(SWAP_ACCOUNT.observationState, () => otherPool().facts.accounts["observationState"] as Address),
    ],
    ["a read-only pool", 2000, () => readOnly(SWAP_ACCOUNT.poolState)],
    ["a read-only vault", 2000, () => readOnly(SWAP_ACCOUNT.outputVault)],
    ["an input of 0", 2505, () => instructionOf({ ...swap(), first: 0n })],
    ["an output of 0", 2505, () => instructionOf({ ...swap(), first: 1n })],
    ["an exact output of 0", 2505, () => instructionOf({ ...swap(), baseInput: false })],
    ["less than the least output", 6005, () => instructionOf({ ...swap(), second: U64_MAX })],
    ["more than the most input", 6005, () => instructionOf({ ...swap(), baseInput: false, first: 1n, second: 5_000n })],
    [
      "an exact output above the reserve",
      6012,
      () => instructionOf({ ...swap(), baseInput: false, first: U64_MAX, second: U64_MAX }),
    ],
    [
      "an input that no vault can hold",
      6011,
      () => instructionOf({ ...swap(), first: U64_MAX }),
      () => patch(pool().facts.vaults[0], (_, view) => view.setBigUint64(TOKEN_ACCOUNT.amount, 1n << 63n, true)),
    ],
    [
      "a pool whose status forbids swaps",
      6000,
      () => instructionOf(swap()),
      poolBytes((data) => {
        data[POOL_STATE.status] = 4;
      }),
    ],
    [
      "a pool that has not opened",
      6000,
      () => instructionOf(swap()),
      poolBytes((_, view) => view.setBigUint64(POOL_STATE.openTime, 1_700_000_001n, true)),
    ],
    [
      "a vault that only holds owed fees",
      6012,
      () => instructionOf(swap()),
      poolBytes((_, view) => view.setBigUint64(POOL_STATE.protocolFeesToken0, 1n << 62n, true)),
    ],
    [
      "a mint with extensions",
      6007,
      () => instructionOf(swap()),
      () => {
        const mint = pool().facts.mints[0];
        const before = accountOf(mint);
        const data = new Uint8Array(90);
        data.set(before.data);
        cluster.setAccount(mint, { ...before, data, lamports: rentExemptLamports(90) });
        return () => cluster.setAccount(mint, before);
      },
    ],
  ];
  const otherPool = () => market.pools.find(({ facts }) => facts.mints[0] !== pool().facts.mints[0]) as SimPool;
  const otherConfig = () =>
    market.pools
      .map(({ facts }) => facts.accounts["ammConfig"] as Address)
      .find((address) => address !== pool().facts.accounts["ammConfig"]) as Address;
  const sameVaultTwice = () => {
    const instruction = withAccount(SWAP_ACCOUNT.outputVault, () => pool().facts.vaults[0]);
    const accounts = instruction.accounts.map((use, i) =>
      i === SWAP_ACCOUNT.outputTokenMint ? { ...use, address: pool().facts.mints[0] } : use,
    );
    return { ...instruction, accounts };
  };
  const readOnly = (place: number) => {
    const instruction = instructionOf(swap());
    return {
      ...instruction,
      accounts: instruction.accounts.map((use, i) => (i === place ? { ...use, writable: false } : use)),
    };
  };

  test.each(refusals)("refuses %s with %d", (_, code, make, arrange) => {
    const restore = arrange?.();
    try {
      expect(execute(make()).error).toEqual({ InstructionError: [0, { Custom: code }] });
    } finally {
      restore?.();
    }
  });
});

describe("programs/build.ts", () => {
  const compilerThere = Bun.which(COMPILER) !== null;
  const skippable = !compilerThere && process.env["CI"] !== "true";
  if (skippable)
    console.warn(`SKIPPED: ${COMPILER} is not installed, so cp-swap.so was not compared with what its source builds`);
  test.skipIf(skippable)("buildProgram() gives the committed bytes", () => {
    expect(Buffer.compare(buildProgram("cp-swap"), readFileSync(programPath("cp-swap")))).toBe(0);
  });
});
