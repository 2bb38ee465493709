/**
 * DLMM's accounts, swap instructions and events out of mainnet: the fixtures of the Carbon decoders and recorded
 * transactions, outside the repository as in golden.test.ts.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { base58Decode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import { METEORA_DLMM_PROGRAM } from "#dex/program-addresses.ts";
import { SHARED_DATA } from "#dex/test-data.ts";
import { decodeBinArray, decodeBitmapExtension, decodeLbPair, decodeOracle } from "./decode.ts";
import { decodeDlmmSwap, decodeDlmmSwapEvent } from "./decode-swap.ts";
import { dlmmSwapInstruction } from "./instruction.ts";
import { SWAP_INSTRUCTIONS } from "./layout.ts";
import { SYNTHETIC, syntheticPair } from "./synthetic-pair.ts";
import { meteoraDlmmVenue } from "./venue.ts";

const FIXTURES = join(SHARED_DATA, "carbon-decoder-fixtures/meteora-dlmm");
const there = existsSync(FIXTURES);
if (!there) console.warn(`SKIPPED: fixtures of DLMM's decoders: not found at ${FIXTURES}`);

const json = (path: string) => JSON.parse(readFileSync(join(SHARED_DATA, path), "utf8"));
const fixture = (name: string) => json(`carbon-decoder-fixtures/meteora-dlmm/${name}.json`);
const value = <T>(result: { ok: true; value: T } | { ok: false; error: Error }): T => {
  if (!result.ok) throw result.error;
  return result.value;
};

describe.skipIf(!there)("accounts of mainnet", () => {
  const accountOf = (name: string) => new Uint8Array(Buffer.from(fixture(name).data, "base64"));

  test("decodeLbPair() reads a pair", () => {
    expect(value(decodeLbPair(accountOf("lb_pair_account")))).toMatchObject({
      parameters: {
        baseFactor: 62_500,
        filterPeriod: 300,
        decayPeriod: 1_200,
        reductionFactor: 5_000,
        variableFeeControl: 7_500,
        maxVolatilityAccumulator: 150_000,
        minBinId: -5_458,
        maxBinId: 5_458,
        protocolShare: 500,
        baseFeePowerFactor: 0,
      },
      variable: {
        volatilityAccumulator: 150_000,
        volatilityReference: 75_000,
        indexReference: -886,
        lastUpdateTimestamp: 1_748_616_125n,
      },
      pairType: 3,
      activeId: -1_054,
      binStep: 80,
      status: 0,
      protocolFees: [317_260_998_460n, 240_423_958n],
      hasRewards: false,
      liveArrays: [-14, -13],
    });
  });

  test("decodeOracle() reads an oracle", () => {
    expect(value(decodeOracle(accountOf("oracle_account")))).toEqual({ idx: 0n, activeSize: 1n, length: 100n });
  });

  test("decodes the pair and the bin arrays of a pair traded against PumpSwap", () => {
    const raw = (address: string) => {
      const { data } = json(`pumpswap-dlmm-arb-accounts/meteora/${address}.json`);
      return new Uint8Array(Buffer.from(data[0], "base64"));
    };
    const pair = value(decodeLbPair(raw("HPx4ySmLFFWWwwA8q7bgXZncoAmDgEmyJKdbSvucx7AJ")));
    expect(pair).toMatchObject({ activeId: -238, binStep: 400, liveArrays: [-4, -3], tokenProgramFlags: [1, 0] });
    const active = value(decodeBinArray(raw("8Y9c4BKhaDn7ntFGD6TK38nogDGkYeAfsSsCfobovzBe")));
    expect(active.index).toBe(-4);
    expect(active.bins[-238 + 280]).toMatchObject({ amountX: 0n, amountY: 45_452n });
    expect(value(decodeBinArray(raw("EuvgBXuauWJWhvJj2P6PDDzD1ygwyo9RSNqzmTvYVHvz"))).index).toBe(-3);
  });
});

describe.skipIf(!there)("swap instructions of mainnet", () => {
  test.each([
    ["swap_ix", "swap", { kind: "exact-in", amountIn: 60_165_522n, minAmountOut: 0n }, 3],
    ["swap2_ix", "swap2", { kind: "exact-in", amountIn: 217_206_901n, minAmountOut: 0n }, 0],
    ["swap_exact_out_ix", "swapExactOut", { kind: "exact-out", maxInAmount: 2n ** 64n - 1n, outAmount: 5_950_000n }, 2],
    [
      "swap_exact_out2_ix",
      "swapExactOut2",
      { kind: "exact-out", maxInAmount: 3_826_290_145n, outAmount: 4_891_000_000_000n },
      0,
    ],
    [
      "swap_with_price_impact2_ix",
      "swapWithPriceImpact2",
      { kind: "price-impact", amountIn: 58_823n, activeId: -533, maxPriceImpactBps: 1_000 },
      0,
    ],
  ])("decodeDlmmSwap() reads %s", (name, instruction, terms, binArrays) => {
    const { accounts, data } = fixture(name) as { accounts: { pubkey: Address; label?: string }[]; data: string };
    const swap = value(
      decodeDlmmSwap(
        new Uint8Array(Buffer.from(data, "hex")),
        accounts.map(({ pubkey }) => pubkey),
      ),
    );
    const host = accounts.find(({ label }) => label === "hostFeeIn")?.pubkey;
    const labelled = (label: string) => accounts.find((account) => account.label === label)?.pubkey as Address;
    expect(swap).toMatchObject({
      instruction,
      terms,
      lbPair: labelled("lbPair"),
      bitmapExtension: undefined,
      hostFeeIn: host === METEORA_DLMM_PROGRAM ? undefined : host,
      reserves: [labelled("reserveX"), labelled("reserveY")],
      userTokenIn: labelled("userTokenIn"),
      userTokenOut: labelled("userTokenOut"),
      mints: [labelled("tokenXMint"), labelled("tokenYMint")],
      oracle: labelled("oracle"),
      user: labelled("user"),
    });
    expect(swap?.binArrays).toHaveLength(binArrays);
  });

  test("decodeDlmmSwap() passes over every other instruction of the program: 39 of 39", () => {
    const others = readdirSync(FIXTURES).filter((name) => name.endsWith("_ix.json") && !name.startsWith("swap"));
    for (const name of others) {
      const { accounts, data } = fixture(name.slice(0, -5)) as { accounts: { pubkey: Address }[]; data: string };
      const keys = accounts.map(({ pubkey }) => pubkey);
      expect(decodeDlmmSwap(new Uint8Array(Buffer.from(data, "hex")), keys)).toEqual({ ok: true, value: undefined });
    }
    expect(others).toHaveLength(39);
  });
});

type Inner = { readonly programIdIndex: number; readonly data: string; readonly accounts: readonly number[] };

/** DLMM's inner instructions of a recorded transaction, in their order. */
function innerInstructions(file: string) {
  const [{ transaction, meta }] = json(`tx-parser-transactions/${file}.json`);
  const { writable = [], readonly = [] } = meta.loadedAddresses ?? {};
  const keys: Address[] = [...transaction.message.accountKeys, ...writable, ...readonly];
  return (meta.innerInstructions as { instructions: Inner[] }[])
    .flatMap(({ instructions }) => instructions)
    .filter(({ programIdIndex }) => keys[programIdIndex] === METEORA_DLMM_PROGRAM)
    .map(({ data, accounts }) => ({
      data: base58Decode(data),
      accounts: accounts.map((index) => keys[index] as Address),
    }));
}

describe.skipIf(!there)("inner instructions of recorded transactions", () => {
  test.each([
    [
      "jupiterAggregatorV6_sharedAccountsRoute_1",
      [
        [-231, 80_000_000n, 126_665_141n, 161_303n],
        [-18, 580_838_181n, 756_562_732n, 2_134_581n],
      ],
    ],
    ["jupiterAggregatorV6_sharedAccountsRoute_2", [[-6_170, 197_485_565n, 94_110_904_815n, 69_768n]]],
    ["OKXDEX_swap_1", [[-4_607, 10_000_000_000n, 998_528_432_013n, 10_000_000n]]],
  ])("decodeDlmmSwap() and decodeDlmmSwapEvent() agree in %s", (file, expected) => {
    const instructions = innerInstructions(file);
    const swaps = instructions.flatMap(({ data, accounts }) => value(decodeDlmmSwap(data, accounts)) ?? []);
    const events = instructions.flatMap(({ data }) => value(decodeDlmmSwapEvent(data)) ?? []);
    expect(events.map((event) => [event.startBinId, event.amountIn, event.amountOut, event.fee])).toEqual(
      expected as (number | bigint)[][],
    );
    expect(events.every((event) => event.event === "Swap" && !event.swapForY && event.hostFee === 0n)).toBe(true);
    expect(
      swaps.map((swap) => [swap.lbPair, swap.user, swap.terms.kind === "exact-in" && swap.terms.amountIn]),
    ).toEqual(events.map((event) => [event.lbPair, event.from, event.amountIn]));
  });
});

/** What the deployed program sent itself after one swap in LiteSVM: 1,000 Y for 4 X, a fee of 1 for the market makers. */
const PAIR = "d03608c81e26f3c10c7725ee268d9da33e2db95e8ac1e20453bb10d9392bdfd5";
const FROM = "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";
const RATE = "60490600000000000000000000000000";
const SWAP_HEX = `e445a52e51cb9a1d516ce3becdd00ac4${PAIR}${FROM}0134000001340000e8030000000000000400000000000000000100000000000000${"0".repeat(16)}${RATE}${"0".repeat(16)}`;
const SWAP2_HEX = `e445a52e51cb9a1d2e7452d7941b544d${PAIR}${FROM}013400000134000000${RATE}e803000000000000${"0".repeat(16)}04000000000000000100000000000000${"0".repeat(48)}0100`;

describe("decodeDlmmSwapEvent()", () => {
  const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
  const expected = {
    lbPair: "F1mbBZYKXGFx5nraY3cK4RgNR5EuShntQ8xDKDD5HY1z",
    startBinId: 13_313,
    endBinId: 13_313,
    swapForY: false,
    amountIn: 1_000n,
    amountOut: 4n,
    fee: 1n,
    protocolFee: 0n,
    hostFee: 0n,
  };

  test("reads both events, sent as an instruction or logged", () => {
    expect(value(decodeDlmmSwapEvent(bytes(SWAP_HEX)))).toMatchObject({ event: "Swap", ...expected });
    expect(value(decodeDlmmSwapEvent(bytes(SWAP2_HEX)))).toMatchObject({ event: "Swap2Evt", ...expected });
    expect(value(decodeDlmmSwapEvent(bytes(SWAP_HEX).subarray(8)))).toMatchObject({ event: "Swap", ...expected });
  });

  test("refuses an event that ends early and passes over others", () => {
    expect(decodeDlmmSwapEvent(bytes(SWAP_HEX).subarray(0, 144)).ok).toBe(false);
    expect(decodeDlmmSwapEvent(bytes(SWAP2_HEX).subarray(0, 162)).ok).toBe(false);
    expect(decodeDlmmSwapEvent(bytes("e445a52e51cb9a1d0000000000000000"))).toEqual({ ok: true, value: undefined });
  });
});

describe("dlmmSwapInstruction()", () => {
  const bins = { 0: { x: 9n, y: 9n }, 80: { x: 9n }, 150: { x: 9n }, [-5]: { y: 9n } };
  const accounts = syntheticPair({ bins, withExtension: true });
  const arrayAt = (index: number) =>
    [...accounts].find(([, { data }]) => {
      const array = decodeBinArray(data);
      return array.ok && array.value.index === index;
    })?.[0];
  const request = {
    owner: "owner" as Address,
    inputAccount: "input" as Address,
    outputAccount: "output" as Address,
    amount: 7n,
    limit: 5n,
  };

  test.each([
    [1, "exact-in", "swap2", { kind: "exact-in", amountIn: 7n, minAmountOut: 5n }, [0, 1, 2]],
    [0, "exact-out", "swapExactOut2", { kind: "exact-out", maxInAmount: 5n, outAmount: 7n }, [0, -1]],
  ] as const)("of side %i, %s is what decodeDlmmSwap() reads back", (inputSide, mode, instruction, terms, arrays) => {
    const state = value(meteoraDlmmVenue.load(SYNTHETIC.pair, accounts));
    const built = dlmmSwapInstruction(state, { ...request, inputSide, mode });
    const read = value(
      decodeDlmmSwap(
        built.data,
        built.accounts.map(({ address }) => address),
      ),
    );
    expect(read).toMatchObject({
      instruction,
      terms,
      lbPair: SYNTHETIC.pair,
      bitmapExtension: SYNTHETIC.extension,
      reserves: SYNTHETIC.reserves,
      mints: SYNTHETIC.mints,
      oracle: SYNTHETIC.oracle,
      user: "owner",
      userTokenIn: "input",
      userTokenOut: "output",
    });
    expect(read?.binArrays).toEqual(arrays.map((index) => arrayAt(index) as Address));
    expect(built.accounts.filter(({ signer }) => signer).map(({ address }) => String(address))).toEqual(["owner"]);
  });
});

describe("decoders", () => {
  const accounts = syntheticPair({ bins: { 0: { x: 1n } }, withExtension: true });
  const data = (address: Address) => accounts.get(address)?.data as Uint8Array;

  test.each([
    ["decodeLbPair", decodeLbPair, data(SYNTHETIC.pair)],
    ["decodeBitmapExtension", decodeBitmapExtension, data(SYNTHETIC.extension)],
  ])("%s() refuses other marks, and one byte less or more", (_, decode, bytes) => {
    expect(decode(bytes).ok).toBe(true);
    for (const wrong of [bytes.with(0, 0), bytes.subarray(1), new Uint8Array([...bytes, 0])])
      expect(decode(wrong).ok).toBe(false);
  });

  test("decodeBinArray() refuses an index that no bitmap has", () => {
    const bytes = [...accounts.values()].find((account) => decodeBinArray(account.data).ok)?.data as Uint8Array;
    expect(decodeBinArray(bytes.with(10, 1)).ok).toBe(false);
  });

  test.each(Object.entries(SWAP_INSTRUCTIONS))("decodeDlmmSwap() refuses %s with too little", (_, marks) => {
    const keys = Array.from({ length: 16 }, (__, i) => `account ${i}` as Address);
    const whole = new Uint8Array(40);
    whole.set(marks);
    expect(decodeDlmmSwap(whole, keys).ok).toBe(true);
    expect(decodeDlmmSwap(whole, keys.slice(0, 14)).ok).toBe(false);
    expect(decodeDlmmSwap(whole.subarray(0, 18), keys).ok).toBe(false);
  });

  test("decodeDlmmSwap() leaves the accounts of transfer hooks out of the bin arrays", () => {
    const keys = Array.from({ length: 21 }, (__, i) => `account ${i}` as Address);
    const swap2 = new Uint8Array(32);
    swap2.set(SWAP_INSTRUCTIONS.swap2);
    swap2.set([1, 0, 0, 0, 0, 3], 24);
    const swap = value(decodeDlmmSwap(swap2, keys));
    expect(swap?.binArrays.map(String)).toEqual(["account 19", "account 20"]);
    expect(decodeDlmmSwap(swap2.with(29, 9), keys).ok).toBe(false);
    expect(decodeDlmmSwap(swap2.with(24, 99), keys).ok).toBe(false);
  });
});
