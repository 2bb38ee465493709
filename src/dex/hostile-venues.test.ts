/**
 * Every venue on damaged accounts of real pools: load and swap answer, throw nothing and end. The accounts are those of
 * the golden vectors. SANDPIPER_FUZZ_RUNS says how many damaged sets each venue gets.
 */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SandpiperError } from "#core/error.ts";
import { seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { GOLDEN_VECTORS } from "./test-data.ts";
import { FUZZ_RUNS, FUZZ_TIMEOUT_MS } from "./test-hostile.ts";
import type { AccountBytes, ChainTime, SwapOrder } from "./venue.ts";
import { type AnyVenue, venueOfProgram } from "./venues.ts";

const AMOUNT_BITS_MAX = 66;

type Random = ReturnType<typeof seededRandom>;
type RealPool = {
  readonly name: string;
  readonly venue: AnyVenue;
  readonly pool: Address;
  readonly accounts: readonly (readonly [Address, AccountBytes])[];
  readonly time: ChainTime;
};

test.each(realPools())(
  "load() and swap() of $name answer whatever the accounts hold",
  ({ name, venue, pool, accounts, time }) => {
    const random = seededRandom(`hostile ${name}`);
    let loaded = 0;
    let filled = 0;
    for (let run = 0; run < FUZZ_RUNS; run++) {
      const state = venue.load(pool, new Map(damaged(accounts, random)));
      if (!state.ok) {
        expect(state.error).toBeInstanceOf(SandpiperError);
        continue;
      }
      loaded++;
      const answer = venue.swap(state.value, anyOrder(random), time);
      if (answer.ok) filled++;
      else if (answer.error.name === "") throw new Error("a refusal without a name");
    }
    // The damage is small enough that most sets get past the first check.
    expect(loaded).toBeGreaterThan(FUZZ_RUNS / 10);
    expect(filled).toBeGreaterThan(FUZZ_RUNS / 100);
  },
  FUZZ_TIMEOUT_MS,
);

/** The set with a few bytes changed, sometimes an account cut short, given to another owner or left out. */
function damaged(accounts: RealPool["accounts"], random: Random): [Address, AccountBytes][] {
  const which = random.between(0, accounts.length);
  return accounts.flatMap(([address, account], i): [Address, AccountBytes][] => {
    if (i !== which) return [[address, account]];
    const kind = random.between(0, 20);
    if (kind === 0) return [];
    if (kind === 1) return [[address, { ...account, owner: address }]];
    const data = account.data.slice(0, kind === 2 ? random.between(0, account.data.length + 1) : undefined);
    for (let left = random.between(1, 6); left > 0 && data.length > 0; left--) {
      const at = random.between(0, data.length);
      data[at] = random.unit() < 0.5 ? (data[at] as number) ^ (1 << random.between(0, 8)) : random.between(0, 256);
    }
    return [[address, { ...account, data }]];
  });
}

function anyOrder(random: Random): SwapOrder {
  const bits = random.between(0, AMOUNT_BITS_MAX);
  return {
    inputSide: random.unit() < 0.5 ? 0 : 1,
    mode: random.unit() < 0.5 ? "exact-in" : "exact-out",
    amount: (1n << BigInt(bits)) + BigInt(random.between(0, 1_000)) - 1n,
  };
}

function realPools(): RealPool[] {
  return readdirSync(GOLDEN_VECTORS)
    .filter((file) => file.endsWith(".json") && !file.startsWith("route"))
    .sort()
    .map((file) => {
      const golden = JSON.parse(readFileSync(join(GOLDEN_VECTORS, file), "utf8")) as {
        pool: Address;
        clock: { slot: number; epoch: number; ts: number };
        accounts: { pubkey: Address; owner: Address; data: string }[];
      };
      const accounts = golden.accounts.map(
        ({ pubkey, owner, data }) => [pubkey, { owner, data: new Uint8Array(Buffer.from(data, "base64")) }] as const,
      );
      const owner = accounts.find(([address]) => address === golden.pool)?.[1].owner;
      const venue = owner && venueOfProgram(owner);
      if (venue === undefined) throw new Error(`${file}: no venue for ${owner}`);
      const { slot, epoch, ts } = golden.clock;
      const time = { slot: BigInt(slot), epoch: BigInt(epoch), unixSeconds: BigInt(ts) };
      return { name: `${venue.name} (${file})`, venue, pool: golden.pool, accounts, time };
    });
}
