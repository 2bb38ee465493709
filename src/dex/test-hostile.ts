/** Damage to bytes, and orders that mean no good: what the tests of decoders and venues share. */
import type { Random } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import type { AccountBytes, SwapOrder } from "./venue.ts";

/** How many mutations a test makes; SANDPIPER_FUZZ_RUNS raises it. */
export const FUZZ_RUNS = Number(process.env["SANDPIPER_FUZZ_RUNS"] ?? 20_000);
/** Room for millions of runs on a busy machine. */
export const FUZZ_TIMEOUT_MS = 36_000_000;

const CUT_SHARE = 0.05;

/** One account of each pool and its address; `pool` names the account of the pool itself. */
export type Target = { readonly pool: Address; readonly accounts: ReadonlyMap<Address, AccountBytes> };

/** A few bits flipped or bytes replaced in [from, to), sometimes the end cut off. */
export function damaged(bytes: Uint8Array, random: Random, from = 0, to: number = bytes.length): Uint8Array {
  const copy = new Uint8Array(bytes);
  for (let left = random.between(1, 6); left > 0 && to > from; left--) {
    const at = random.between(from, to);
    const byte = copy[at] ?? 0;
    copy[at] = random.unit() < 0.5 ? byte ^ (1 << random.between(0, 8)) : random.pick([0, 1, 2, 0x7f, 0x80, 0xff]);
  }
  return random.unit() < CUT_SHARE ? copy.subarray(0, random.between(0, copy.length + 1)) : copy;
}

/** One or two of the accounts damaged, the pool most often; half of the damage goes to the first `headBytes`. */
export function damagedTarget({ pool, accounts }: Target, random: Random, headBytes: number): Target {
  const changed = new Map(accounts);
  const names = [...accounts.keys()];
  for (let left = random.between(1, 3); left > 0; left--) {
    const name = random.unit() < 0.4 ? pool : random.pick(names);
    const { owner, data } = changed.get(name) as AccountBytes;
    const to = random.unit() < 0.5 ? Math.min(headBytes, data.length) : data.length;
    changed.set(name, { owner, data: damaged(data, random, 0, to) });
  }
  return { pool, accounts: changed };
}

/** Any amount of a u64, as often small as large. */
export function hostileOrder(random: Random): SwapOrder {
  return {
    inputSide: random.unit() < 0.5 ? 0 : 1,
    mode: random.unit() < 0.5 ? "exact-in" : "exact-out",
    amount: BigInt.asUintN(random.between(0, 65), (BigInt(random.uint32()) << 32n) | BigInt(random.uint32())),
  };
}
