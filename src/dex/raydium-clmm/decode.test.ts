/**
 * CLMM's decoders on accounts and transactions of mainnet, with the values that the fixtures' own project expects. The
 * files lie outside the repository: SANDPIPER_SHARED_DATA, else ../shared/data beside it.
 */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { base58Decode } from "#core/base58.ts";
import type { Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { RAYDIUM_CLMM_PROGRAM } from "#dex/program-addresses.ts";
import { SHARED_DATA } from "#dex/test-data.ts";
import { decodeAmmConfig, decodeObservation, decodePoolState } from "./decode.ts";
import { type ClmmSwapEvent, decodeSwap, decodeSwapEvent, decodeSwapEventLine } from "./decode-swap.ts";
import { decodeBitmapExtension, decodeTickArray } from "./decode-ticks.ts";
import { SWAP_EVENT_BYTES_MIN } from "./layout.ts";
import { type StepOrder, swapStep } from "./swap-step.ts";
import { SYNTHETIC, syntheticPool } from "./synthetic-pool.ts";
import { SQRT_PRICE_MAX_X64, SQRT_PRICE_MIN_X64 } from "./tick-math.ts";

const CARBON = join(SHARED_DATA, "carbon-decoder-fixtures/raydium-clmm");
const there = existsSync(CARBON);
if (!there) console.warn(`SKIPPED: accounts and transactions of Raydium CLMM: not found at ${CARBON}`);

const read = (path: string) => Bun.file(join(SHARED_DATA, path)).json();
const account = async (name: string) =>
  new Uint8Array(Buffer.from((await read(`carbon-decoder-fixtures/raydium-clmm/${name}_account.json`)).data, "base64"));

function unwrap<T, E>(result: Result<T, E>): T {
  if (!result.ok) throw result.error;
  return result.value;
}

describe.skipIf(!there)("accounts of mainnet", () => {
  test("decodePoolState()", async () => {
    expect(unwrap(decodePoolState(await account("pool_state")))).toMatchObject({
      ammConfig: "9iFER3bpjf1PTTCQCfTRu17EJgvsxo9pVyA9QWwEuX4x",
      observationState: "5TtidhhRv3YssrMCQmPiA8am21ZqsLRUgvq4ZHQESpTN",
      decimals: [9, 6],
      tickSpacing: 1,
      liquidity: 3464101788356n,
      sqrtPriceX64: 647525941329892376628n,
      tickCurrent: 71168,
      feeGrowthGlobalX64: [276776890511018n, 276132430949712850n],
      protocolFees: [7425061n, 7407817781n],
      fundFees: [2474997n, 2469272531n],
      status: 0,
      feeOn: 0,
      openTime: 0n,
      dynamicFee: undefined,
    });
  });

  test("decodeAmmConfig()", async () => {
    expect(unwrap(decodeAmmConfig(await account("amm_config")))).toEqual({
      index: 4,
      tradeFeeRate: 100n,
      protocolFeeRate: 120_000n,
      fundFeeRate: 40_000n,
      tickSpacing: 1,
    });
  });

  test("decodeObservation()", async () => {
    const { data_decoded: want } = await read("carbon-decoder-fixtures/raydium-clmm/observation_state_account.json");
    const got = unwrap(decodeObservation(await account("observation_state")));
    expect(got).toEqual({ build: "2026", poolId: want.poolId.data });
  });

  test("decodeTickArray() keeps only initialized ticks", async () => {
    const { data_decoded: want } = await read("carbon-decoder-fixtures/raydium-clmm/tick_array_state_account.json");
    const got = unwrap(decodeTickArray(await account("tick_array_state")));
    expect(got).toMatchObject({ poolId: want.poolId.data, startTickIndex: -13_860, initializedTickCount: 0 });
    expect(got.ticks).toEqual(want.ticks.data.map(() => undefined));
  });
});

test("decodeTickArray() and decodeBitmapExtension() read what a plan of positions put there", () => {
  const positions = [{ lower: -40_000, upper: 100_020, liquidity: 7n }];
  const accounts = syntheticPool({ build: "2024", tickSpacing: 1, tick: 0, positions });
  const extension = accounts.get(SYNTHETIC.extension);
  expect(unwrap(decodeBitmapExtension(extension?.data ?? new Uint8Array())).arrays).toEqual([-667, 1_667]);
  const arrays = [...accounts.values()].map(({ data }) => decodeTickArray(data)).filter((array) => array.ok);
  const ticks = arrays.flatMap((array) => unwrap(array).ticks.filter((tick) => tick !== undefined));
  expect(ticks.map(({ index, liquidityNet, liquidityGross }) => [index, liquidityNet, liquidityGross])).toEqual([
    [-40_000, 7n, 7n],
    [100_020, -7n, 7n],
  ]);
});

describe.skipIf(!there)("decodeSwap()", () => {
  test.each([
    ["swap", "swap", "exact-in", 1863648n, 0n, 0n, 2],
    ["swap_v2", "swap-v2", "exact-out", 4345224260n, 500000000000000n, SQRT_PRICE_MAX_X64 - 1n, 3],
  ] as const)("reads %s of mainnet", async (name, kind, mode, amount, otherAmountThreshold, limit, remaining) => {
    const fixture = await read(`carbon-decoder-fixtures/raydium-clmm/${name}_ix.json`);
    const accounts = fixture.accounts.map((use: { pubkey: string }) => use.pubkey);
    const swap = unwrap(decodeSwap(new Uint8Array(Buffer.from(fixture.data, "hex")), accounts));
    expect(swap).toMatchObject({ kind, mode, amount, otherAmountThreshold, sqrtPriceLimitX64: limit });
    const labelled = (label: string) => fixture.accounts.find((use: { label?: string }) => use.label === label)?.pubkey;
    expect(swap).toMatchObject({
      payer: labelled("payer"),
      ammConfig: labelled("ammConfig"),
      pool: labelled("poolState"),
      inputAccount: labelled("inputTokenAccount"),
      outputAccount: labelled("outputTokenAccount"),
      inputVault: labelled("inputVault"),
      outputVault: labelled("outputVault"),
      observationState: labelled("observationState"),
    });
    expect(swap?.mints?.input).toBe(labelled("inputVaultMint"));
    expect(swap?.remaining).toEqual(accounts.slice(-remaining));
  });

  test.each([
    ["OKXDEX_swap_0", "swap-v2 exact-in HMqacQogqMpdux9DgbZQ75saxmSYGF4dMcpuLNYQdNU6 15742"],
    ["jupiterAggregatorV6_Route_2", "swap exact-in 8G6Mt4tbCHU8nfoWJnamLVXkEMFeia3fPnFD3EUwcmiH 100000000"],
  ])("reads the inner swap of %s", async (name, want) => {
    const swaps = await innerSwaps(`tx-parser-transactions/${name}.json`);
    expect(swaps.map((swap) => `${swap?.kind} ${swap?.mode} ${swap?.pool} ${swap?.amount}`)).toEqual([want]);
  });

  test("passes over every other instruction of the program", async () => {
    const others = [
      "close_position",
      "open_position_v2",
      "increase_liquidity_v2",
      "swap_router_base_in",
      "create_pool",
    ];
    for (const name of others) {
      const { data } = await read(`carbon-decoder-fixtures/raydium-clmm/${name}_ix.json`);
      expect(decodeSwap(new Uint8Array(Buffer.from(data, "hex")), [])).toEqual({ ok: true, value: undefined });
    }
  });
});

/** What the inner instructions of a transaction that run this program decode to. */
async function innerSwaps(path: string) {
  const { transaction, meta } = (await read(path))[0];
  const { writable, readonly } = meta.loadedAddresses;
  const keys: Address[] = [...transaction.message.accountKeys, ...writable, ...readonly];
  type Inner = { readonly programIdIndex: number; readonly accounts: number[]; readonly data: string };
  const inner: Inner[] = meta.innerInstructions.flatMap((group: { instructions: Inner[] }) => group.instructions);
  return inner
    .filter(({ programIdIndex }) => keys[programIdIndex] === RAYDIUM_CLMM_PROGRAM)
    .map(({ data, accounts }) =>
      unwrap(
        decodeSwap(
          base58Decode(data),
          accounts.map((index) => keys[index] as Address),
        ),
      ),
    );
}

type Logged = { readonly name: string; readonly event: ClmmSwapEvent; readonly moved: ReadonlySet<bigint> };

/** The swap events of the transactions at hand, with the amounts that the token programs moved there. */
async function logged(): Promise<readonly Logged[]> {
  const routes = await read("sol-trade-sdk-fixtures/cross_dex_stock_routes_20261020.json");
  const transactions = [
    ...routes.cases.map((item: { name: string; rpc: unknown }) => [item.name, item.rpc]),
    ["dlmm_route", await read("sol-parser-sdk-fixtures/rpc_corpus/dlmm_route.json")],
    ["OKXDEX_swap_0", (await read("tx-parser-transactions/OKXDEX_swap_0.json"))[0]],
    ["Route_2", (await read("tx-parser-transactions/jupiterAggregatorV6_Route_2.json"))[0]],
  ];
  return transactions.flatMap(([name, { meta }]) => {
    const inner = meta.innerInstructions.flatMap((group: { instructions: { data: string }[] }) => group.instructions);
    const moved = new Set<bigint>(inner.flatMap(({ data }: { data: string }) => transferAmount(base58Decode(data))));
    const lines: string[] = meta.logMessages.filter((line: string) => lengthOf(line) >= SWAP_EVENT_BYTES_MIN);
    const events = lines.map((line) => unwrap(decodeSwapEventLine(line))).filter((event) => event !== undefined);
    return events.map((event) => ({ name, event, moved }));
  });
}

const lengthOf = (line: string): number => Buffer.from(line.replace("Program data: ", ""), "base64").length;

/** Transfer, TransferChecked, and the one with a fee in Token-2022. */
const transferAmount = (data: Uint8Array): bigint[] => {
  const at = data[0] === 3 || data[0] === 12 ? 1 : data[0] === 26 && data[1] === 1 ? 2 : undefined;
  return at === undefined || data.length < at + 8 ? [] : [Buffer.from(data).readBigUInt64LE(at)];
};

describe.skipIf(!there)("decodeSwapEventLine()", () => {
  test("reads every swap event of the transactions, its amounts as the token programs moved them", async () => {
    const all = await logged();
    expect(all.map(({ name }) => name)).toEqual([
      "pumpfun_v2_buy_raydium",
      "pumpfun_v2_sell_raydium",
      "pumpfun_v3_raydium",
      "pumpswap_raydium",
      "dlmm_route",
      "OKXDEX_swap_0",
      "Route_2",
    ]);
    for (const { event, moved } of all) expect(event.amounts.map((amount) => moved.has(amount))).toEqual([true, true]);
    expect(all.map(({ event }) => event.tradeFees)).toEqual([
      [0n, 136_060n],
      [92_343n, 0n],
      [0n, 110_812n],
      [0n, 1_959_989n],
      [213_974_102n, 0n],
      undefined,
      undefined,
    ]);
  });

  test.each([
    ["a fee on the input", "pumpfun", 1_000n, 3],
    ["a fee on token 1, which goes out", "pumpswap", 2_000n, 1],
    ["a fee on token 0, which goes out", "dlmm", 40_000n, 1],
  ])("tells of %s what swapStep() makes of the same price in build 2026", async (_, route, rate, count) => {
    const swaps = (await logged()).filter(({ name }) => name.startsWith(route));
    expect(swaps.map(({ event }) => isOneStep(event, rate))).toEqual(Array.from({ length: count }, () => true));
  });

  test("refuses an event that ends early and passes over other lines", () => {
    const short = Buffer.alloc(SWAP_EVENT_BYTES_MIN - 1);
    short.set([0x40, 0xc6, 0xcd, 0xe8, 0x26, 0x08, 0x71, 0xe2]);
    expect(decodeSwapEvent(short).ok).toBe(false);
    expect(decodeSwapEventLine("Program log: Instruction: SwapV2")).toEqual({ ok: true, value: undefined });
  });
});

/**
 * Whether one step from a price before leads to the event: the input gives that price to within a unit, and then out,
 * fee and price after must be the event's.
 */
function isOneStep(event: ClmmSwapEvent, feeRate: bigint): boolean {
  const { zeroForOne, sqrtPriceX64, liquidity } = event;
  const [input, output] = zeroForOne ? [0, 1] : [1, 0];
  const [amountIn, amountOut] = [event.amounts[input as 0 | 1], event.amounts[output as 0 | 1]];
  const feeOnInput = event.tradeFees?.[output as 0 | 1] === 0n;
  const order: StepOrder = { exactIn: true, zeroForOne, feeOnInput, feeRate, build: "2026" };
  const net = feeOnInput ? (amountIn * (1_000_000n - feeRate)) / 1_000_000n : amountIn;
  const scaled = liquidity << 64n;
  const before = zeroForOne
    ? (scaled * sqrtPriceX64) / (scaled - net * sqrtPriceX64)
    : sqrtPriceX64 - (net << 64n) / liquidity;
  const target = zeroForOne ? SQRT_PRICE_MIN_X64 : SQRT_PRICE_MAX_X64;
  return [-1n, 0n, 1n].some((offset) => {
    const step = swapStep(before + offset, target, liquidity, amountIn, order);
    if (typeof step === "string") return false;
    const fee = event.tradeFees?.[(feeOnInput ? input : output) as 0 | 1];
    return step.sqrtPriceX64 === sqrtPriceX64 && step.amountOut === amountOut && step.feeAmount === fee;
  });
}
