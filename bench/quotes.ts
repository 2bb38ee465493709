/**
 * One exact quote on pools of mainnet (test/fixtures/golden-vectors): ours and the vendor's own SDK, in turns. Before any
 * time is taken, every recorded exact-in swap is asked of both, and how many equal the program's answer is printed.
 *
 *   bun bench/quotes.ts [runs, 15 unless told]
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Address } from "#core/units.ts";
import type { DlmmState } from "#dex/meteora-dlmm/state.ts";
import type { WhirlpoolState } from "#dex/orca-whirlpool/load.ts";
import type { ClmmState } from "#dex/raydium-clmm/state.ts";
import { GOLDEN_VECTORS } from "#dex/test-data.ts";
import type { AccountBytes } from "#dex/venue.ts";
import { type AnyVenue, venueOfProgram } from "#dex/venues.ts";
import { clmmQuote, dlmmQuote, type GoldenPool, orcaQuote, type VendorQuote } from "./quotes-vendors.ts";
import { machine, median, short, table } from "./report.ts";

const SDK = join(import.meta.dir, "sdk");
const RUNS = Number(process.argv[2] ?? 15);
const OURS_PER_RUN = 400;
const VENDOR_PER_RUN = 40;
const WARM_UP = 4_000;
const TICKS = 10;
const AMOUNT_MIN = 10_000n;
const AMOUNT_MAX = 1n << 50n;

type Vendor = {
  readonly name: string;
  readonly quote: (pool: GoldenPool) => Promise<VendorQuote>;
};
type Vector = { dir: string; mode: string; amount: string; ok: boolean; in: string; out: string };
type Crossed = (before: unknown, after: unknown) => number;
type Row = {
  readonly file: string;
  readonly vendor: Vendor | string;
  /** How many initialised ticks, or bins, lie between two states; where there are none, any amount costs the same. */
  readonly crossed?: Crossed;
};

const between = (ticks: readonly number[], a: number, b: number) =>
  ticks.filter((tick) => tick > Math.min(a, b) && tick <= Math.max(a, b)).length;
const clmmCrossed: Crossed = (before, after) => {
  const [from, to] = [before as ClmmState, after as ClmmState];
  const ticks = [...from.ticks.arrays.values()].flatMap((array) => array.flatMap((tick) => (tick ? [tick.index] : [])));
  return between(ticks, from.tickCurrent, to.tickCurrent);
};
const orcaCrossed: Crossed = (before, after) => {
  const [from, to] = [before as WhirlpoolState, after as WhirlpoolState];
  const ticks = [...from.tickArrays.values()].flatMap((array) =>
    array.ticks.flatMap((tick, i) => (tick ? [array.startTickIndex + i * from.whirlpool.tickSpacing] : [])),
  );
  return between(ticks, from.whirlpool.tickCurrentIndex, to.whirlpool.tickCurrentIndex);
};
const dlmmCrossed: Crossed = (before, after) =>
  Math.abs((after as DlmmState).activeId - (before as DlmmState).activeId);

const ROWS: readonly Row[] = [
  { file: "raydium-amm-v4__SOL-USDC-58oQ", vendor: "not measured" },
  { file: "raydium-cpmm__SOL-USDC-7Juw", vendor: "not measured" },
  {
    file: "raydium-clmm__UVXY-USDC-ANyC",
    crossed: clmmCrossed,
    vendor: { name: "@raydium-io/raydium-sdk-v2", quote: clmmQuote },
  },
  {
    file: "orca-whirlpool__sol-usdc",
    crossed: orcaCrossed,
    vendor: { name: "@orca-so/whirlpools-core", quote: orcaQuote },
  },
  { file: "meteora-dlmm__TTW-USDC-F1mb", crossed: dlmmCrossed, vendor: { name: "@meteora-ag/dlmm", quote: dlmmQuote } },
  { file: "pumpswap__LIA-SOL-8BhC", vendor: "not measured" },
];

if (!existsSync(join(SDK, "node_modules")))
  Bun.spawnSync([process.execPath, "install", "--frozen-lockfile", "--ignore-scripts"], { cwd: SDK });
console.log("bench/sdk holds", JSON.parse(readFileSync(join(SDK, "package.json"), "utf8")).dependencies);

const realNow = Date.now;
const rows: string[][] = [];
for (const row of ROWS) {
  rows.push(...(await measured(row)));
  Date.now = realNow;
}
console.log(table(["pool", "swap", "ours, µs", "SDK, µs", "ratio", "ours = program", "SDK = program", "SDK"], rows));
console.log(`Medians of ${RUNS} runs. ${machine()}`);
process.exit(0);

async function measured({ file, vendor, crossed }: Row): Promise<string[][]> {
  const golden = JSON.parse(readFileSync(join(GOLDEN_VECTORS, `${file}.json`), "utf8"));
  const { venue, pool } = loaded(golden);
  const ours = (inputSide: 0 | 1, amount: bigint) =>
    venue.swap(pool.state, { inputSide, mode: "exact-in", amount }, pool.time);
  const out = (side: 0 | 1, amount: bigint) => {
    const fill = ours(side, amount);
    return fill.ok ? fill.value.amountOut : -1n;
  };
  const asked = (golden.vectors as Vector[]).filter(({ mode, ok, amount, in: paid }) => {
    return mode === "exactIn" && ok && amount === paid;
  });
  const agreeing = (quote: VendorQuote) => `${asked.filter((vector) => same(quote, vector)).length} of ${asked.length}`;
  const theirs = typeof vendor === "string" ? undefined : await vendor.quote(pool);
  const right = [agreeing(out), theirs ? agreeing(theirs) : "-"];
  const side = 0;
  const amounts: [string, bigint][] = [];
  for (const count of crossed ? [0, TICKS] : [0]) {
    const found = amountCrossing(venue, pool, side, count, crossed ?? (() => 0));
    if (found !== undefined) amounts.push([crossed ? `across ${count}` : "any", found]);
  }
  return amounts.map(([what, amount]) => {
    const [own, other] = [[], []] as [number[], number[]];
    timed(() => ours(side, amount), WARM_UP);
    for (let run = 0; run < RUNS; run++) {
      own.push(timed(() => ours(side, amount), OURS_PER_RUN));
      if (theirs) other.push(timed(() => theirs(side, amount), VENDOR_PER_RUN));
    }
    const [us, them] = [median(own), theirs ? median(other) : Number.NaN];
    const ratio = theirs ? [short(them), short(them / us)] : ["-", "-"];
    return [file, what, short(us), ...ratio, ...right, typeof vendor === "string" ? vendor : vendor.name];
  });
}

function loaded(golden: {
  pool: Address;
  clock: { slot: number; epoch: number; ts: number };
  accounts: { pubkey: Address; owner: Address; data: string }[];
}): { venue: AnyVenue; pool: GoldenPool } {
  const accounts = new Map<Address, AccountBytes>();
  for (const { pubkey, owner, data } of golden.accounts)
    accounts.set(pubkey, { owner, data: new Uint8Array(Buffer.from(data, "base64")) });
  const venue = venueOfProgram((accounts.get(golden.pool) as AccountBytes).owner);
  const state = venue?.load(golden.pool, accounts);
  if (venue === undefined || !state?.ok) throw new Error(`cannot load ${golden.pool}`);
  const { slot, epoch, ts } = golden.clock;
  const time = { slot: BigInt(slot), epoch: BigInt(epoch), unixSeconds: BigInt(ts) };
  return { venue, pool: { pool: golden.pool, accounts, time, state: state.value } };
}

/** The first amount, going up by fiftieths, that crosses so many; 0 is the least amount, and must cross none. */
function amountCrossing(
  venue: AnyVenue,
  pool: GoldenPool,
  side: 0 | 1,
  count: number,
  crossed: Crossed,
): bigint | undefined {
  for (let amount = AMOUNT_MIN; amount < AMOUNT_MAX; amount += amount / 50n) {
    const fill = venue.swap(pool.state, { inputSide: side, mode: "exact-in", amount }, pool.time);
    if (!fill.ok) continue;
    const found = crossed(pool.state, fill.value.after);
    if (found >= count) return count > 0 || found === 0 ? amount : undefined;
  }
  return undefined;
}

function same(quote: VendorQuote, vector: Vector): boolean {
  try {
    return quote(vector.dir === "AtoB" ? 0 : 1, BigInt(vector.amount)) === BigInt(vector.out);
  } catch {
    return false;
  }
}

/** µs of one call, over `count` of them. */
function timed(call: () => unknown, count: number): number {
  const startNs = Bun.nanoseconds();
  for (let i = 0; i < count; i++) call();
  return (Bun.nanoseconds() - startNs) / count / 1_000;
}
