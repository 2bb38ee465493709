/** Bundles with a split hop on the real local cluster, from decision to final state. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Address, WSOL_MINT } from "#core/units.ts";
import type { Decision } from "#decide/decision-record.ts";
import { swapsOf } from "#decide/swaps.ts";
import { decide, startDesk, startWorld, trade, type World } from "./test-world.ts";

type Split = Decision & { readonly split: NonNullable<Decision["split"]> };
const hasSplit = (decision: Decision): decision is Split => decision.split !== undefined;

/**
 * Trades on one pool of wSOL after the other, until the best cycle is worth a split of this hop: more wSOL in a pool makes
 * it the place to sell at, so that the way in is over several others, and less of it the other way round.
 */
function decideSplit(world: World, place: 0 | 1): Split {
  for (const [pool, { mints }] of world.pools.entries()) {
    const side = mints.indexOf(WSOL_MINT);
    if (side < 0) continue;
    trade(world, pool, (side === 0) === (place === 0) ? 0 : 1, 60n);
    const decision = decide(world, 100_000n, 1, 10_000);
    if (hasSplit(decision) && decision.split.place === place) return decision;
  }
  throw new Error("no cycle is worth a split");
}

describe("a bundle with a split hop", () => {
  let world: World;
  let folder: string;
  let io: Awaited<ReturnType<typeof startDesk>>;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "split-"));
    world = await startWorld();
    io = await startDesk(world, folder);
  });
  afterEach(async () => {
    io.journal.close();
    await world.stop();
    rmSync(folder, { recursive: true });
  });

  test.each([0, 1] as const)(
    "at hop %i lands to the unit, earns more than without, is on record whole",
    async (hop) => {
      const decision = decideSplit(world, hop);
      const { split, hops } = decision;
      expect(decision.grossLamports - split.gainLamports).toBe(decide(world).grossLamports);
      const before = io.chain.baseUnits ?? 0n;
      io.desk.take(decision);
      const outcome = await io.outcome(() => world.engine.tick());
      expect(outcome).toMatchObject({ state: "landed", exact: true, realisedNetLamports: decision.netLamports });
      expect((io.chain.baseUnits ?? 0n) - before).toBe(decision.grossLamports);
      const address = (pool: number) => world.pools[pool]?.address ?? ("" as Address);
      expect(io.arbs()).toMatchObject([
        {
          pools: hops.map(({ pool }) => address(pool)),
          hopAmounts: decision.amounts,
          splitHop: split.place + 1,
          splitPool: address(split.second.pool),
          splitDex: "raydium-cpmm",
          splitAmountIn: split.amountIn,
          splitAmountOut: split.amountOut,
          splitGainLamports: split.gainLamports,
          simNetLamports: decision.netLamports,
        },
      ]);
    },
  );

  test.each([0, 1] as const)("names hop %i, and its second pool, when that one moved first", async (hop) => {
    const decision = decideSplit(world, hop);
    const { second, place } = decision.split;
    expect(swapsOf(decision)[place + 1]?.hop.pool).toBe(second.pool);
    trade(world, second.pool, second.inputSide, 20n);
    io.desk.take(decision);
    const outcome = await io.outcome(() => world.engine.tick());
    expect(outcome).toMatchObject({ state: "state_moved", landed: false, realisedNetLamports: 0n });
    expect(outcome.reason).toContain(
      `hop ${place + 1} of ${decision.hops.length}, in its second pool, would pay less than quoted`,
    );
  });

  test.each([0, 1] as const)("names the last hop by its own number, with hop %i split", async (place) => {
    const decision = decideSplit(world, place);
    const moved = decision.hops.length - 1;
    const hop = decision.hops[moved] ?? decision.split.second;
    trade(world, hop.pool, hop.inputSide, 20n);
    io.desk.take(decision);
    const outcome = await io.outcome(() => world.engine.tick());
    expect(outcome.reason).toContain(`hop ${moved + 1} of ${decision.hops.length} would pay less than quoted`);
  });
});
