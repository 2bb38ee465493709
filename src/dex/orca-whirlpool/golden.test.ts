/**
 * Whirlpool against executions of the deployed program in a real SVM. The recordings are those of
 * test/fixtures/golden-vectors.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Address } from "#core/units.ts";
import { GOLDEN_VECTORS } from "#dex/test-data.ts";
import type { AccountBytes, ChainTime } from "#dex/venue.ts";
import type { WhirlpoolState } from "./load.ts";
import { orcaWhirlpoolVenue } from "./venue.ts";

const FILE = join(GOLDEN_VECTORS, "orca-whirlpool__sol-usdc.json");

type Post = Readonly<Record<string, string | number>>;
type Vector = {
  readonly dir: "AtoB" | "BtoA";
  readonly mode: "exactIn" | "exactOut";
  readonly amount: string;
  readonly ok: boolean;
  readonly in: string;
  readonly out: string;
  readonly post: Post;
};
type Sequence = Readonly<Record<"front" | "victim" | "back", Vector>> & {
  readonly victim_solo_out: string;
  readonly post: Post;
};
type Golden = {
  readonly pool: Address;
  readonly clock: { readonly slot: number; readonly epoch: number; readonly ts: number };
  readonly accounts: readonly { readonly pubkey: Address; readonly owner: Address; readonly data: string }[];
  readonly initial_state: Post;
  readonly vectors: readonly Vector[];
  readonly sandwich_sequences: readonly Sequence[];
};

async function stage(): Promise<{ golden: Golden; state: WhirlpoolState; time: ChainTime }> {
  const golden: Golden = await Bun.file(FILE).json();
  const accounts = new Map<Address, AccountBytes>();
  for (const { pubkey, owner, data } of golden.accounts)
    accounts.set(pubkey, { owner, data: new Uint8Array(Buffer.from(data, "base64")) });
  const state = orcaWhirlpoolVenue.load(golden.pool, accounts);
  if (!state.ok) throw state.error;
  const { slot, epoch, ts } = golden.clock;
  return { golden, state: state.value, time: { slot: BigInt(slot), epoch: BigInt(epoch), unixSeconds: BigInt(ts) } };
}

function swap(state: WhirlpoolState, vector: Vector, time: ChainTime) {
  const mode = vector.mode === "exactIn" ? "exact-in" : "exact-out";
  const order = { inputSide: vector.dir === "AtoB" ? 0 : 1, mode, amount: BigInt(vector.amount) } as const;
  return orcaWhirlpoolVenue.swap(state, order, time);
}

/** The figures as the recording writes them. */
const figuresOf = (state: WhirlpoolState): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(orcaWhirlpoolVenue.figures(state)).map(([name, value]) => [name, `${value}`]));
const textsOf = (post: Post): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(post).map(([name, value]) => [name, `${value}`]));

test("load() gives the recorded state of a pool of mainnet", async () => {
  const { golden, state } = await stage();
  expect(figuresOf(state)).toEqual(textsOf(golden.initial_state));
  expect(state.tickArrays.size).toBe(7);
});

test("swap() equals each recorded execution, the state after it included: 460 of 460", async () => {
  const { golden, state, time } = await stage();
  for (const vector of golden.vectors) {
    const fill = swap(state, vector, time);
    expect(fill.ok).toBe(vector.ok);
    if (!fill.ok) continue;
    expect([`${fill.value.amountIn}`, `${fill.value.amountOut}`]).toEqual([vector.in, vector.out]);
    expect(figuresOf(fill.value.after)).toEqual(textsOf(vector.post));
  }
  expect(golden.vectors).toHaveLength(460);
});

test("swap() chains through the states after: 57 of 57 sequences of three", async () => {
  const { golden, state, time } = await stage();
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
  expect(golden.sandwich_sequences).toHaveLength(57);
});
