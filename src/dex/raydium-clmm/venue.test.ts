import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Address } from "#core/units.ts";
import { TOKEN_2022_PROGRAM } from "#dex/program-addresses.ts";
import type { AccountBytes, ChainTime, SwapFill, SwapOrder } from "#dex/venue.ts";
import { OBSERVATION_STATE_2026_BYTES, POOL_STATE, TICK, TICK_ARRAY, TICK_ARRAY_BYTES, VAULT } from "./layout.ts";
import type { ClmmBuild } from "./refusals.ts";
import type { ClmmState } from "./state.ts";
import { type PoolPlan, SYNTHETIC, syntheticPool } from "./synthetic-pool.ts";
import { sqrtPriceAtTick, TICK_MAX, TICK_MIN } from "./tick-math.ts";
import { raydiumClmmVenue } from "./venue.ts";

const TIME: ChainTime = { slot: 1n, epoch: 100n, unixSeconds: 1_000_000n };
const PLAN: PoolPlan = {
  build: "2026",
  tickSpacing: 10,
  tick: 5,
  positions: [
    { lower: -6_000, upper: 6_000, liquidity: 10n ** 12n },
    { lower: -600, upper: 1_200, liquidity: 10n ** 13n },
    { lower: -200_000, upper: 210_000, liquidity: 10n ** 9n },
  ],
};

function loaded(plan: PoolPlan, edit: (accounts: Map<Address, AccountBytes>) => void = () => {}): ClmmState {
  const accounts = syntheticPool(plan);
  edit(accounts);
  const state = raydiumClmmVenue.load(SYNTHETIC.pool, accounts);
  if (!state.ok) throw state.error;
  return state.value;
}

const order = (inputSide: 0 | 1, amount: bigint, mode: SwapOrder["mode"] = "exact-in"): SwapOrder => ({
  inputSide,
  mode,
  amount,
});

function filled(state: ClmmState, swap: SwapOrder): SwapFill<ClmmState> {
  const fill = raydiumClmmVenue.swap(state, swap, TIME);
  if (!fill.ok) throw new Error(fill.error.name);
  return fill.value;
}

function refusal(state: ClmmState, swap: SwapOrder, time = TIME): string | undefined {
  const fill = raydiumClmmVenue.swap(state, swap, time);
  return fill.ok ? undefined : `${fill.error.custom} ${fill.error.name}`;
}

const bytesOf = (accounts: Map<Address, AccountBytes>, address: Address): Uint8Array => {
  const account = accounts.get(address);
  if (account === undefined) throw new Error(`no account ${address}`);
  return account.data;
};

function setByte(accounts: Map<Address, AccountBytes>, address: Address, at: number, byte: number): void {
  bytesOf(accounts, address)[at] = byte;
}

/** A Token-2022 mint with one extension. */
function mintWith(type: number, value: Buffer): Uint8Array {
  const mint = Buffer.alloc(170 + value.length);
  mint[165] = 1;
  mint.writeUInt16LE(type, 166);
  mint.writeUInt16LE(value.length, 168);
  mint.set(value, 170);
  return new Uint8Array(mint);
}

function feeMint(basisPoints: number, maximum: bigint): Uint8Array {
  const value = Buffer.alloc(108);
  for (const at of [72, 90]) {
    value.writeBigUInt64LE(maximum, at + 8);
    value.writeUInt16LE(basisPoints, at + 16);
  }
  return mintWith(1, value);
}

const BUILDS: readonly ClmmBuild[] = ["2024", "2026"];
const sides = fc.constantFrom<0 | 1>(0, 1);
const amounts = fc.bigInt(1_000n, 10n ** 11n);

describe.each(BUILDS)("raydiumClmmVenue of build %s", (build) => {
  const plan = { ...PLAN, build };

  test("pays out no more than the exact output of that costs", () => {
    const state = loaded(plan);
    fc.assert(
      fc.property(sides, amounts, (side, amount) => {
        const { amountIn, amountOut } = filled(state, order(side, amount));
        const back = filled(state, order(side, amountOut, "exact-out"));
        expect(back.amountOut).toBe(amountOut);
        expect(back.amountIn <= amountIn).toBe(true);
      }),
    );
  });

  test("never lets two turns in a circle gain", () => {
    const state = loaded(plan);
    fc.assert(
      fc.property(sides, amounts, (side, amount) => {
        const there = filled(state, order(side, amount));
        const back = filled(there.after, order(side === 0 ? 1 : 0, there.amountOut));
        expect(back.amountOut < amount).toBe(true);
      }),
    );
  });

  test("keeps in liquidity what the positions around the price sum up to", () => {
    const state = loaded(plan);
    fc.assert(
      fc.property(fc.array(fc.tuple(sides, fc.bigInt(10n ** 9n, 10n ** 12n)), { maxLength: 6 }), (orders) => {
        let current = state;
        for (const [side, amount] of orders) current = filled(current, order(side, amount)).after;
        const inRange = PLAN.positions.filter(
          (it) => it.lower <= current.tickCurrent && current.tickCurrent < it.upper,
        );
        expect(current.liquidity).toBe(inRange.reduce((sum, it) => sum + it.liquidity, 0n));
        expect(current.sqrtPriceX64 >= sqrtPriceAtTick(current.tickCurrent)).toBe(true);
      }),
    );
  });

  test("takes the fee on top and shares it out", () => {
    const { after, amountIn } = filled(loaded({ ...plan, tradeFeeRate: 10_000 }), order(0, 1_000_000n));
    expect(amountIn).toBe(1_000_000n);
    expect(after.protocolFees).toEqual([1_200n, 0n]);
    expect(after.fundFees).toEqual([400n, 0n]);
    expect(after.feeGrowthGlobalX64[0]).toBe((8_400n << 64n) / after.liquidity);
    expect(after.vaults[0]).toBe((1n << 60n) + 1_000_000n);
  });
});

describe("raydiumClmmVenue.swap()", () => {
  test("walks from the pool's own bitmap into its extension", () => {
    const positions = [{ lower: -300_000, upper: 320_000, liquidity: 10n ** 6n }];
    const narrow = { ...PLAN, tickSpacing: 1, tick: 0, positions };
    expect(filled(loaded(narrow), order(1, 10n ** 9n)).after.tickCurrent).toBeGreaterThan(30_720);
    expect(refusal(loaded({ ...narrow, withoutExtension: true }), order(1, 10n ** 9n))).toBe(
      "6035 MissingTickArrayBitmapExtensionAccount",
    );
  });

  test("starts in an array beside the price when its own holds no tick", () => {
    const positions = [{ lower: 6_000, upper: 12_000, liquidity: 10n ** 12n }];
    const gap = loaded({ ...PLAN, tick: 0, positions });
    expect(filled(gap, order(1, 10n ** 6n)).after.tickCurrent).toBe(6_000);
    expect(refusal(gap, order(0, 10n ** 6n))).toBe("6036 InsufficientLiquidityForDirection");
  });

  test("names the missing array in the walk and at its start", () => {
    const without = (at: number) =>
      loaded(PLAN, (accounts) => {
        const arrays = [...accounts].filter(([, { data }]) => data.length === TICK_ARRAY_BYTES);
        const starts = arrays.map(
          ([address, { data }]) => [address, Buffer.from(data).readInt32LE(TICK_ARRAY.startTickIndex)] as const,
        );
        for (const [address, start] of starts) if (start === at) accounts.delete(address);
      });
    expect(refusal(without(-6_000), order(0, 10n ** 12n))).toBe("6023 NotEnoughTickArrayAccount");
    expect(refusal(without(-600), order(0, 10n ** 6n))).toBe("6024 InvalidFirstTickArrayAccount");
  });

  test.each<[ClmmBuild, string]>([
    ["2024", "6019 LiquidityInsufficient"],
    ["2026", "6016 LiquidityInsufficient"],
  ])("refuses in build %s what exceeds all liquidity", (build, want) => {
    expect(refusal(loaded({ ...PLAN, build }), order(0, 1n << 63n))).toBe(want);
  });

  test.each<[ClmmBuild, string | undefined]>([
    ["2024", undefined],
    ["2026", "2501 RequireEqViolated"],
  ])("fills in part where the prices end only in build %s", (build, want) => {
    const whole = [{ lower: TICK_MIN, upper: TICK_MAX, liquidity: 10n ** 6n }];
    const state = loaded({ ...PLAN, build, tickSpacing: 4, tick: 0, positions: whole });
    expect(refusal(state, order(0, 1n << 63n))).toBe(want);
    if (want === undefined) expect(filled(state, order(0, 1n << 63n)).amountIn < 1n << 63n).toBe(true);
  });

  test("aborts on a target that no u64 reaches in build 2024 only", () => {
    const huge = [{ lower: -400_000, upper: 400_000, liquidity: 10n ** 24n }];
    const plan = { ...PLAN, tickSpacing: 100, tick: 0, positions: huge };
    expect(refusal(loaded({ ...plan, build: "2024" }), order(0, 10n ** 9n))).toBe("0 ProgramFailedToComplete");
    // One unit of the price is worth 54,211 tokens here.
    const { amountOut } = filled(loaded(plan), order(0, 10n ** 9n));
    expect(amountOut > 997_445_788n && amountOut < 997_500_000n).toBe(true);
  });

  test.each([
    ["nothing", PLAN, order(0, 0n), "6020 ZeroAmountSpecified"],
    ["too little", PLAN, order(0, 1n), "6022 TooSmallInputOrOutputAmount"],
    ["more than a u64", PLAN, order(0, 1n << 64n), "102 InstructionDidNotDeserialize"],
    ["more than the vault holds", { ...PLAN, vaults: [5n, 5n] as const }, order(0, 1_000n), "1 InsufficientFunds"],
  ])("refuses %s", (_, plan, swap, want) => {
    expect(refusal(loaded(plan), swap)).toBe(want);
  });

  test("refuses a closed pool, one not yet open, a frozen vault and a paused mint", () => {
    const swap = order(0, 1_000n);
    const edited = (address: Address, at: number, byte: number, plan = PLAN) =>
      loaded(plan, (accounts) => setByte(accounts, address, at, byte));
    expect(refusal(edited(SYNTHETIC.pool, POOL_STATE.status, 16), swap)).toBe("6000 NotApproved");
    expect(refusal(edited(SYNTHETIC.pool, POOL_STATE.openTime + 3, 1), swap)).toBe("2505 RequireGtViolated");
    expect(refusal(edited(SYNTHETIC.vaults[1], VAULT.state, 2), swap)).toBe("17 AccountFrozen");
    const paused = mintWith(26, Buffer.alloc(33, 1));
    expect(refusal(loaded({ ...PLAN, mint0: paused }), swap)).toBe("67 MintPaused");
  });

  test("freezes the pool of build 2024 that pays its whole vault", () => {
    const state = loaded({ ...PLAN, build: "2024", vaults: [1_000n, 997n] });
    const { after, amountOut } = filled(state, order(0, 997n, "exact-out"));
    expect([amountOut, after.vaults[1], after.status]).toEqual([997n, 0n, 255]);
  });
});

describe.each<[string, 0 | 1]>([
  ["0", 0],
  ["1", 1],
])("raydiumClmmVenue.swap() with fees only on token %s", (_, feeSide) => {
  const output = feeSide === 0 ? 1 : 0;
  const state = loaded({ ...PLAN, tradeFeeRate: 10_000 }, (accounts) =>
    setByte(accounts, SYNTHETIC.pool, POOL_STATE.feeOn, feeSide + 1),
  );
  const usual = loaded({ ...PLAN, tradeFeeRate: 10_000 });
  const free = loaded({ ...PLAN, tradeFeeRate: 0 });

  test("is the usual swap where that token comes in", () => {
    fc.assert(
      fc.property(amounts, (amount) => {
        const got = filled(state, order(feeSide, amount));
        expect(raydiumClmmVenue.figures(got.after)).toEqual(
          raydiumClmmVenue.figures(filled(usual, order(feeSide, amount)).after),
        );
      }),
    );
  });

  test("takes the fee off the output where that token goes out", () => {
    const gross = filled(free, order(output, 1_000_000n)).amountOut;
    const { amountIn, amountOut, after } = filled(state, order(output, 1_000_000n));
    const fee = (gross + 99n) / 100n;
    expect([amountIn, amountOut]).toEqual([1_000_000n, gross - fee]);
    expect(after.protocolFees[feeSide]).toBe((fee * 12n) / 100n);
    expect(after.protocolFees[output]).toBe(0n);
    expect(after.feeGrowthGlobalX64[output]).toBe(0n);
  });

  test("delivers an exact output, and gains nobody a circle", () => {
    fc.assert(
      fc.property(amounts, (amount) => {
        const there = filled(state, order(output, amount, "exact-out"));
        expect(there.amountOut).toBe(amount);
        expect(filled(there.after, order(feeSide, amount)).amountOut < there.amountIn).toBe(true);
      }),
    );
  });
});

describe("raydiumClmmVenue.swap() with a transfer fee on token 0", () => {
  const state = (build: ClmmBuild) => loaded({ ...PLAN, build, mint0: feeMint(100, 10n ** 9n) });
  const plain = loaded(PLAN);

  test("lets the pool see only what arrives", () => {
    const fee = filled(state("2026"), order(0, 1_000_000n));
    const net = filled(plain, order(0, 990_000n));
    expect([fee.amountIn, fee.amountOut]).toEqual([1_000_000n, net.amountOut]);
    expect(fee.after.vaults[0]).toBe(net.after.vaults[0]);
  });

  test("takes it off what the trader gets", () => {
    const fee = filled(state("2026"), order(1, 1_000_000n));
    const { amountOut, after } = filled(plain, order(1, 1_000_000n));
    expect(fee.amountOut).toBe(amountOut - (amountOut + 99n) / 100n);
    expect(fee.after.vaults).toEqual(after.vaults);
  });

  test("delivers an exact output after the fee", () => {
    expect(filled(state("2026"), order(1, 500_000n, "exact-out")).amountOut).toBe(500_000n);
  });

  test("works the fee out backwards in build 2024, within a unit of the order", () => {
    fc.assert(
      fc.property(fc.bigInt(1_000n, 10n ** 9n), (amount) => {
        const { amountIn } = filled(state("2024"), order(0, amount));
        expect(amount - amountIn === 0n || amount - amountIn === 1n).toBe(true);
      }),
    );
  });
});

describe("raydiumClmmVenue.load()", () => {
  const refused = (plan: PoolPlan, edit: (accounts: Map<Address, AccountBytes>) => void): string => {
    const accounts = syntheticPool(plan);
    edit(accounts);
    const state = raydiumClmmVenue.load(SYNTHETIC.pool, accounts);
    return state.ok ? "loaded" : state.error.message;
  };

  test.each<[string, number]>([
    ["a dynamic fee", POOL_STATE.dynamicFeeInfo + 1],
    ["fees on a side that is known", POOL_STATE.feeOn],
  ])("refuses %s by name, which is padding to build 2024", (want, at) => {
    const edit = (accounts: Map<Address, AccountBytes>) => setByte(accounts, SYNTHETIC.pool, at, 3);
    expect(refused(PLAN, edit)).toContain(want);
    expect(refused({ ...PLAN, build: "2024" }, edit)).toBe("loaded");
  });

  test("refuses limit orders by name, and passes them over in build 2024", () => {
    const edit = (accounts: Map<Address, AccountBytes>) => {
      const array = [...accounts.values()].find(({ data }) => data.length === TICK_ARRAY_BYTES);
      if (array === undefined) throw new Error("no tick array");
      const start = Buffer.from(array.data).readInt32LE(TICK_ARRAY.startTickIndex);
      Buffer.from(array.data.buffer).writeInt32LE(start, TICK_ARRAY.ticks + TICK.tick);
      array.data[TICK_ARRAY.ticks + TICK.ordersAmount] = 1;
    };
    expect(refused(PLAN, edit)).toContain("limit orders");
    expect(refused({ ...PLAN, build: "2024" }, edit)).toBe("loaded");
  });

  test("refuses a mint that calls a transfer hook", () => {
    expect(refused({ ...PLAN, mint0: mintWith(14, Buffer.alloc(64, 1)) }, () => {})).toContain("transfer hook");
  });

  test.each<[string, (accounts: Map<Address, AccountBytes>) => void]>([
    ["no config", (accounts) => accounts.delete(SYNTHETIC.config)],
    ["no vault", (accounts) => accounts.delete(SYNTHETIC.vaults[0])],
    ["a vault of another mint", (accounts) => setByte(accounts, SYNTHETIC.vaults[0], 31, 40)],
    [
      "another owner",
      (accounts) => accounts.set(SYNTHETIC.pool, { owner: TOKEN_2022_PROGRAM, data: new Uint8Array(1_544) }),
    ],
    [
      "a strange observation",
      (accounts) =>
        accounts.set(SYNTHETIC.observation, {
          owner: raydiumClmmVenue.program,
          data: new Uint8Array(OBSERVATION_STATE_2026_BYTES),
        }),
    ],
  ])("refuses %s", (_, edit) => {
    expect(refused(PLAN, edit)).toStartWith("Cannot ");
  });
});
