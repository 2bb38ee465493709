/**
 * DLMM against executions of the deployed program (build sha256 942f609d…) in a real SVM. The recordings are those
 * of test/fixtures/golden-vectors; the accounts of the pair with limit orders lie outside the repository (dex/test-data.ts).
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Address } from "#core/units.ts";
import { METEORA_DLMM_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import { GOLDEN_VECTORS, SHARED_DATA } from "#dex/test-data.ts";
import type { AccountBytes, ChainTime, SwapOrder } from "#dex/venue.ts";
import { priceOfBin } from "./price.ts";
import type { DlmmState } from "./state.ts";
import { meteoraDlmmVenue } from "./venue.ts";

const PAIRS = join(SHARED_DATA, "meteora-dlmm-accounts");
const there = existsSync(PAIRS);
if (!there) console.warn(`SKIPPED: a DLMM pair with limit orders: not found at ${PAIRS}`);

type Post = Readonly<Record<string, string | number>>;
type Vector = {
  readonly dir: "AtoB" | "BtoA";
  readonly mode: "exactIn" | "exactOut";
  readonly amount: string;
  readonly ok: boolean;
  readonly in: string;
  readonly out: string;
  readonly err?: string;
  readonly post: Post;
};
type Sequence = Readonly<Record<"front" | "victim" | "back", Vector>> & {
  readonly victim_solo_out: string;
  readonly post: Post;
};
type Clock = { readonly slot: number; readonly epoch: number; readonly ts: number };
type Recorded = { readonly pubkey: Address; readonly owner: Address; readonly data: string };
type Golden = {
  readonly pool: Address;
  readonly clock: Clock;
  readonly accounts: readonly Recorded[];
  readonly initial_state: Post;
  readonly vectors: readonly Vector[];
  readonly sandwich_sequences: readonly Sequence[];
};

const read = (name: string) => JSON.parse(readFileSync(join(GOLDEN_VECTORS, `${name}.json`), "utf8"));
const timeOf = ({ slot, epoch, ts }: Clock): ChainTime => ({
  slot: BigInt(slot),
  epoch: BigInt(epoch),
  unixSeconds: BigInt(ts),
});

function load(pool: Address, recorded: readonly Recorded[]): DlmmState {
  const accounts = new Map<Address, AccountBytes>();
  for (const { pubkey, owner, data } of recorded)
    accounts.set(pubkey, { owner, data: new Uint8Array(Buffer.from(data, "base64")) });
  return loaded(pool, accounts);
}

function loaded(pool: Address, accounts: ReadonlyMap<Address, AccountBytes>): DlmmState {
  const state = meteoraDlmmVenue.load(pool, accounts);
  if (!state.ok) throw state.error;
  return state.value;
}

function swap(state: DlmmState, vector: Vector, time: ChainTime) {
  const mode = vector.mode === "exactIn" ? "exact-in" : "exact-out";
  const order = { inputSide: vector.dir === "AtoB" ? 0 : 1, mode, amount: BigInt(vector.amount) } as const;
  return meteoraDlmmVenue.swap(state, order, time);
}

const figuresOf = (state: DlmmState): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(meteoraDlmmVenue.figures(state)).map(([name, value]) => [name, `${value}`]));
const textsOf = (post: Post): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(post).map(([name, value]) => [name, `${value}`]));

describe.each([
  ["meteora-dlmm__EtAdVRLF", 43],
  ["meteora-dlmm__TTW-USDC-F1mb", 35],
])("%s", (name, sequences) => {
  const golden: Golden = read(name);
  const time = timeOf(golden.clock);
  const start = () => load(golden.pool, golden.accounts);

  test("load() gives the recorded state", () => {
    expect(figuresOf(start())).toEqual(textsOf(golden.initial_state));
  });

  test("swap() equals each execution, the state after and the number of each refusal included: 460 of 460", () => {
    const state = start();
    for (const vector of golden.vectors) {
      const fill = swap(state, vector, time);
      expect(fill.ok).toBe(vector.ok);
      if (!fill.ok) expect(`Custom(${fill.error.custom})`).toBe(vector.err ?? "");
      else {
        expect([`${fill.value.amountIn}`, `${fill.value.amountOut}`]).toEqual([vector.in, vector.out]);
        expect(figuresOf(fill.value.after)).toEqual(textsOf(vector.post));
      }
    }
    expect(golden.vectors).toHaveLength(460);
  });

  test(`swap() chains through the states after: ${sequences} sequences of three`, () => {
    const state = start();
    for (const sequence of golden.sandwich_sequences) {
      const alone = swap(state, sequence.victim, time);
      expect(alone.ok && `${alone.value.amountOut}`).toBe(sequence.victim_solo_out);
      let now = state;
      for (const vector of [sequence.front, sequence.victim, sequence.back]) {
        const fill = swap(now, vector, time);
        if (!fill.ok) throw new Error(`was refused: ${fill.error.name}`);
        expect([`${fill.value.amountIn}`, `${fill.value.amountOut}`]).toEqual([vector.in, vector.out]);
        now = fill.value.after;
      }
      expect(figuresOf(now)).toEqual(textsOf(sequence.post));
    }
    expect(golden.sandwich_sequences).toHaveLength(sequences);
  });

  test("priceOfBin() is the price that the program stored in every bin", () => {
    const { pair, arrays } = start();
    for (const { index, bins } of arrays)
      bins.forEach((bin, i) => {
        if (bin.price !== 0n) expect(priceOfBin(index * 70 + i, pair.binStep)).toBe(bin.price);
      });
    expect(arrays.length).toBeGreaterThan(1);
  });
});

type Hop = {
  readonly from: string;
  readonly to: string;
  readonly ok: boolean;
  readonly in?: string;
  readonly out?: string;
};

test("swap() equals the DLMM hops of the recorded routes", () => {
  const { accounts, clock, pools, routes } = read("route__NX-TTW-USDC-SOL");
  const state = load(pools.dlmm, accounts);
  let hops = 0;
  for (const route of routes)
    for (const [i, hop] of (route.hops as Hop[]).entries()) {
      if (hop.from !== "TTW" && hop.to !== "TTW") continue;
      if (hop.from !== "USDC" && hop.to !== "USDC") continue;
      const amount = BigInt(hop.in ?? route.hops[i - 1].out);
      const fill = meteoraDlmmVenue.swap(
        state,
        { inputSide: hop.from === "TTW" ? 0 : 1, mode: "exact-in", amount },
        timeOf(clock),
      );
      expect(fill.ok ? `${fill.value.amountOut}` : undefined).toBe(hop.ok ? (hop.out ?? "") : undefined);
      hops++;
    }
  expect(hops).toBe(93);
});

/** A pair with limit orders in every bin and fees in Y only; open from slot 448,432,755 on. */
const ORDERS_PAIR = "9t3EyC9FweyL7PBWvKz3mrXg8B9fwFc9SK3QxM4ENqhd" as Address;
const ORDERS_TIME: ChainTime = { slot: 448_432_756n, epoch: 1_038n, unixSeconds: 1_780_000_000n };
const ORDERS_FILES: readonly (readonly [string, string, Address])[] = [
  [ORDERS_PAIR, "lb_pair", METEORA_DLMM_PROGRAM],
  ["DDVpGjEz7Ay6QSyCJX5FpJhnYYYFUJ5kNdwy3ZrQP9u6", "reserve_x", TOKEN_PROGRAM],
  ["9LqVUn45rtZqMmNSr7wSpJUy2Qqd6VE5q3QN7t7oJL8v", "reserve_y", TOKEN_PROGRAM],
  ["338HBraHxVupeftangX6jySecbND4osxcJjjMSW7qmMs", "bin_array_1", METEORA_DLMM_PROGRAM],
  ["28BX6QycwTKx3CqswpJQs7hJCmoUs469Qt4maKMdhgmQ", "bin_array_2", METEORA_DLMM_PROGRAM],
];

function ordersPair(): DlmmState {
  const accounts = new Map<Address, AccountBytes>();
  for (const [address, file, owner] of ORDERS_FILES)
    accounts.set(address as Address, {
      owner,
      data: new Uint8Array(readFileSync(join(PAIRS, ORDERS_PAIR, `${file}.bin`))),
    });
  return loaded(ORDERS_PAIR, accounts);
}

/** What the deployed program answered in LiteSVM: side in, mode, amount, in, out, active id, volatility, protocol fee of Y. */
type Answer = readonly [0 | 1, SwapOrder["mode"], bigint, bigint, bigint, number, number, bigint];
const ALONE: readonly Answer[] = [
  [0, "exact-in", 1000000n, 1000000n, 990000n, 0, 0, 2000n],
  [0, "exact-in", 7000000000n, 7000000000n, 6929454898n, -1, 10000, 13999452n],
  [0, "exact-in", 40000000000n, 40000000000n, 39506482317n, -5, 50000, 92174028n],
  [1, "exact-in", 45000000000000n, 45000000000000n, 44396509599944n, 6, 60000, 105920076097n],
  [0, "exact-out", 38000000000n, 38470483841n, 38000000000n, -5, 50000, 89092198n],
  [0, "exact-out", 6500000000n, 6565771188n, 6500000000n, -1, 10000, 13131428n],
  [1, "exact-out", 16000000000000n, 16186810981475n, 16000000000000n, 3, 30000, 38494613298n],
];
const IN_A_ROW: readonly Answer[] = [
  [0, "exact-in", 15000000000n, 15000000000n, 14840410272n, -2, 20000, 32994046n],
  [0, "exact-in", 15000000000n, 15000000000n, 14810146541n, -4, 40000, 69044983n],
  [1, "exact-in", 20000000000n, 20000000000n, 19842074521n, -1, 10000, 109154006n],
  [1, "exact-in", 7000000000000n, 7000000000000n, 6923049834277n, 1, 10000, 14577940065n],
  [0, "exact-out", 3000000000000n, 3027291043899n, 3000000000000n, 1, 10000, 20641607053n],
];

function answer(state: DlmmState, [inputSide, mode, amount, ...want]: Answer): DlmmState {
  const fill = meteoraDlmmVenue.swap(state, { inputSide, mode, amount }, ORDERS_TIME);
  if (!fill.ok) throw new Error(`was refused: ${fill.error.name}`);
  const { amountIn, amountOut, after } = fill.value;
  expect([amountIn, amountOut, after.activeId, after.volatilityAccumulator, after.protocolFees[1]]).toEqual(want);
  return after;
}

describe.skipIf(!there)("a pair with limit orders and fees in Y", () => {
  test("equals the program in each of seven swaps", () => {
    for (const recorded of ALONE) answer(ordersPair(), recorded);
  });

  test("equals the program through five swaps in a row", () => {
    let state = ordersPair();
    for (const recorded of IN_A_ROW) state = answer(state, recorded);
  });

  test.each<[number, 0 | 1, SwapOrder["mode"], bigint, bigint]>([
    [6085, 1, "exact-out", 7_500_000_000_000n, 0n],
    [6036, 0, "exact-in", 1_000_000_000_000_000n, 0n],
    [6039, 0, "exact-in", 1n, 0n],
    [6042, 0, "exact-in", 1_000_000n, -2n],
  ])("is refused with %i as by the program", (custom, inputSide, mode, amount, later) => {
    const time = { ...ORDERS_TIME, slot: ORDERS_TIME.slot + later };
    const fill = meteoraDlmmVenue.swap(ordersPair(), { inputSide, mode, amount }, time);
    expect(fill.ok ? undefined : fill.error.custom).toBe(custom);
  });
});
