/**
 * CLMM against executions of the deployed program in a real SVM. The recordings are those of
 * test/fixtures/golden-vectors.
 */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Address } from "#core/units.ts";
import { GOLDEN_VECTORS } from "#dex/test-data.ts";
import type { AccountBytes, ChainTime } from "#dex/venue.ts";
import type { ClmmState } from "./state.ts";
import { raydiumClmmVenue } from "./venue.ts";

const FILE = join(GOLDEN_VECTORS, "raydium-clmm__UVXY-USDC-ANyC.json");

type Vector = {
  readonly dir: "AtoB" | "BtoA";
  readonly mode: "exactIn" | "exactOut";
  readonly amount: string;
  readonly ok: boolean;
  readonly in: string;
  readonly out: string;
  readonly err?: string;
  readonly log?: string;
  readonly post: Readonly<Record<string, string | number>>;
};
type Sequence = Readonly<Record<"front" | "victim" | "back", Vector>> & {
  readonly victim_solo_out: string;
  readonly post: Vector["post"];
};
type Golden = {
  readonly pool: Address;
  readonly clock: { readonly slot: number; readonly epoch: number; readonly ts: number };
  readonly accounts: readonly { readonly pubkey: Address; readonly owner: Address; readonly data: string }[];
  readonly initial_state: Vector["post"];
  readonly vectors: readonly Vector[];
  readonly sandwich_sequences: readonly Sequence[];
};

async function stage(): Promise<{ golden: Golden; state: ClmmState; time: ChainTime }> {
  const golden: Golden = await Bun.file(FILE).json();
  const accounts = new Map<Address, AccountBytes>();
  for (const { pubkey, owner, data } of golden.accounts)
    accounts.set(pubkey, { owner, data: new Uint8Array(Buffer.from(data, "base64")) });
  const state = raydiumClmmVenue.load(golden.pool, accounts);
  if (!state.ok) throw state.error;
  const { slot, epoch, ts } = golden.clock;
  return { golden, state: state.value, time: { slot: BigInt(slot), epoch: BigInt(epoch), unixSeconds: BigInt(ts) } };
}

function swap(state: ClmmState, vector: Vector, time: ChainTime) {
  const mode = vector.mode === "exactIn" ? "exact-in" : "exact-out";
  const order = { inputSide: vector.dir === "AtoB" ? 0 : 1, mode, amount: BigInt(vector.amount) } as const;
  return raydiumClmmVenue.swap(state, order, time);
}

/** The recorded figures of a state, in the recording's own words. */
function figuresLike(post: Vector["post"], state: ClmmState): Vector["post"] {
  const figures = raydiumClmmVenue.figures(state);
  return Object.fromEntries(
    Object.entries(post).map(([name, was]) => [
      name,
      typeof was === "number" ? Number(figures[name]) : String(figures[name]),
    ]),
  );
}

function agrees(state: ClmmState, vector: Vector, time: ChainTime): boolean {
  const fill = swap(state, vector, time);
  if (!fill.ok) return !vector.ok && vector.err === `Custom(${fill.error.custom})` && vector.log === fill.error.name;
  const { amountIn, amountOut, after } = fill.value;
  return (
    vector.ok &&
    amountIn === BigInt(vector.in) &&
    amountOut === BigInt(vector.out) &&
    Bun.deepEquals(figuresLike(vector.post, after), vector.post)
  );
}

describe("raydiumClmmVenue on recorded executions", () => {
  test("starts from the recorded figures", async () => {
    const { golden, state } = await stage();
    expect(figuresLike(golden.initial_state, state)).toEqual(golden.initial_state);
  });

  test("gives the same amounts, refusals and states after: 460 of 460", async () => {
    const { golden, state, time } = await stage();
    expect(golden.vectors.filter((vector) => agrees(state, vector, time))).toHaveLength(460);
  });

  test("follows front, victim and back through the states between them: 45 of 45", async () => {
    const { golden, state, time } = await stage();
    for (const sequence of golden.sandwich_sequences) {
      const solo = swap(state, sequence.victim, time);
      expect(solo.ok && String(solo.value.amountOut)).toBe(sequence.victim_solo_out);
      let current = state;
      for (const vector of [sequence.front, sequence.victim, sequence.back]) {
        const fill = swap(current, vector, time);
        if (!fill.ok) throw new Error(fill.error.name);
        expect([String(fill.value.amountIn), String(fill.value.amountOut)]).toEqual([vector.in, vector.out]);
        current = fill.value.after;
      }
      expect(figuresLike(sequence.post, current)).toEqual(sequence.post);
    }
    expect(golden.sandwich_sequences).toHaveLength(45);
  });
});
