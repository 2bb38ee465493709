/** What the feed tells of concentrated pools whose accounts change, come and go while it runs; accounts as genesis writes them. */
import { describe, expect, test } from "bun:test";
import { ManualClock } from "#core/clock.ts";
import type { Address } from "#core/units.ts";
import { SYSTEM_PROGRAM, TOKEN_2022_PROGRAM } from "#dex/program-addresses.ts";
import { POOL_STATE, TICK, TICK_ARRAY, TICK_BYTES } from "#dex/raydium-clmm/layout.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import { writeGenesis } from "#sim/genesis/genesis.ts";
import { readProgramFile } from "#sim/genesis/program-file.ts";
import { PoolCatalogueBook } from "./catalogue.ts";
import { ConcentratedBook } from "./concentrated-book.ts";
import type { AccountWrite } from "./source.ts";

const cluster = createCluster({ seed: "book", slotMs: 400, clock: new ManualClock(1_700_000_000_000_000_000n) });
const market = await writeGenesis(cluster, {
  seed: "book",
  program: readProgramFile("cp-swap"),
  concentrated: { pools: 1, program: readProgramFile("clmm") },
  wallet: "",
  traders: 0,
  rivals: 0,
});
const [genesis] = market.concentrated;
if (genesis === undefined) throw new Error("genesis wrote no concentrated pool");
const { facts, ticks } = genesis.state;

const write = (address: Address): AccountWrite => {
  const { owner, data } = cluster.account(address) ?? { owner: SYSTEM_PROGRAM, data: new Uint8Array() };
  return { address, owner, data: Uint8Array.from(data) };
};
const vaults = facts.sides.map(({ vault }) => vault);
const arrays = [...facts.tickArrays.values()];
const whole = (): AccountWrite[] =>
  [facts.ammConfig, facts.address, facts.observationState, ...vaults, ...arrays].map(write);
const nets = new Map(
  [...ticks.arrays.values()].flat().flatMap((tick) => (tick ? [[tick.index, tick.liquidityNet] as const] : [])),
);

function createBook(writes: readonly AccountWrite[] = whole()) {
  const counters = { malformedAccounts: 0, refusedPools: 0 };
  const catalogue = new PoolCatalogueBook();
  const book = new ConcentratedBook(catalogue, counters, () => 1_800_000_000);
  return { book, catalogue, counters, listed: book.apply(writes) };
}

const told = (changes: ReturnType<ConcentratedBook["allTicks"]>) =>
  new Map(changes.map(({ index, liquidityNet }) => [index, liquidityNet]));

/** The first initialized tick of an array's account, and its net liquidity changed by `change`. */
function changed(
  address: Address,
  change: (view: DataView, at: number) => void,
): { array: AccountWrite; tick: number } {
  const array = write(address);
  const view = new DataView(array.data.buffer);
  for (let at = TICK_ARRAY.ticks; ; at += TICK_BYTES)
    if (view.getBigUint64(at + TICK.liquidityGross, true) > 0n) {
      change(view, at);
      return { array, tick: view.getInt32(at + TICK.tick, true) };
    }
}

describe("ConcentratedBook", () => {
  test("lists a pool once all of it is known, with its state and every tick", () => {
    const { book, catalogue, listed } = createBook();
    expect(listed).toEqual([0]);
    expect(catalogue.pools[0]).toMatchObject({
      dex: "raydium-clmm",
      address: facts.address,
      concentrated: { build: "2024", tickSpacing: ticks.spacing },
    });
    const { sqrtPriceX64, liquidity, tickCurrent } = genesis.state;
    expect(book.state(0)).toEqual({ sqrtPriceX64, liquidity, tickCurrent });
    expect(told(book.allTicks(0))).toEqual(nets);
    const taken = book.takeChanges(0);
    expect([taken.first, told(taken.ticks)]).toEqual([true, nets]);
    expect(book.takeChanges(0)).toEqual({ first: false, ticks: [] });
  });

  test("lists nothing while the config or a vault is missing", () => {
    for (const missing of [facts.ammConfig, vaults[0]]) {
      const { book, listed } = createBook(whole().filter(({ address }) => address !== missing));
      expect(listed).toEqual([]);
      expect(book.apply([write(missing as Address)])).toEqual([0]);
    }
  });

  test("tells the ticks whose liquidity changed, those that went, and no others", () => {
    const { book } = createBook();
    book.takeChanges(0);
    // Fees outside change with every crossing, and no amount depends on them.
    const crossed = changed(arrays[0] as Address, (view, at) =>
      view.setBigUint64(at + TICK.feeGrowthOutside0X64, 9n, true),
    );
    expect(book.apply([crossed.array])).toEqual([0]);
    expect(book.takeChanges(0).ticks).toEqual([]);
    const more = changed(arrays[0] as Address, (view, at) => view.setBigUint64(at + TICK.liquidityNet, 77n, true));
    book.apply([more.array]);
    expect(told(book.takeChanges(0).ticks).size).toBe(1);
    const gone = changed(arrays[0] as Address, () => {});
    const view = new DataView(gone.array.data.buffer);
    for (let at = TICK_ARRAY.ticks; at < TICK_ARRAY.initializedTickCount; at += TICK_BYTES)
      if (view.getInt32(at + TICK.tick, true) === gone.tick) {
        view.setBigUint64(at + TICK.liquidityGross, 0n, true);
        view.setBigUint64(at + TICK.liquidityGross + 8, 0n, true);
      }
    book.apply([gone.array]);
    expect(told(book.takeChanges(0).ticks)).toEqual(new Map([[gone.tick, undefined]]));
  });

  test("puts a tick array that comes later on the list of the pool, and takes one off that was closed", () => {
    const late = arrays[0] as Address;
    const { book, catalogue } = createBook(whole().filter(({ address }) => address !== late));
    const listed = () => catalogue.pools[0]?.concentrated?.tickArrays.map(({ address }) => address) ?? [];
    expect(listed()).not.toContain(late);
    book.takeChanges(0);
    expect(book.apply([write(late)])).toEqual([0]);
    expect(listed()).toContain(late);
    const added = [...told(book.takeChanges(0).ticks).keys()];
    expect(added.length).toBeGreaterThan(0);
    book.apply([{ address: late, owner: SYSTEM_PROGRAM, data: new Uint8Array() }]);
    expect(listed()).not.toContain(late);
    expect(told(book.takeChanges(0).ticks)).toEqual(new Map(added.map((tick) => [tick, undefined])));
  });

  test("takes the liquidity of a pool that is closed or does not swap", () => {
    const { book } = createBook();
    const stopped = write(facts.address);
    stopped.data[POOL_STATE.status] = 16;
    book.apply([stopped]);
    expect(book.state(0)?.liquidity).toBe(0n);
    book.apply([write(facts.address)]);
    expect(book.state(0)?.liquidity).toBe(genesis.state.liquidity);
    expect(book.apply([{ address: facts.address, owner: SYSTEM_PROGRAM, data: new Uint8Array() }])).toEqual([0]);
    expect(book.state(0)?.liquidity).toBe(0n);
    book.clear();
    expect([book.state(0)?.liquidity, book.allTicks(0)]).toEqual([0n, []]);
  });

  test("refuses pools of tokens that take transfer fees, and counts accounts that are not what they say", () => {
    const fees = whole().map((one) => (one.address === vaults[0] ? { ...one, owner: TOKEN_2022_PROGRAM } : one));
    expect(createBook(fees)).toMatchObject({ listed: [], counters: { refusedPools: 1 } });
    const short = { ...write(facts.address), data: write(facts.address).data.subarray(0, 100) };
    expect(createBook([short])).toMatchObject({ listed: [], counters: { malformedAccounts: 1 } });
  });
});
