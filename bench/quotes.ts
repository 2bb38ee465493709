/**
 * One exact quote on pools of mainnet (test/fixtures/golden-vectors): ours and the vendor's own SDK, in turns, both ways.
 * Before any time is taken, every recorded exact-in swap is asked of both, to count how many equal the program's answer.
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
import { ammV4Quote, cpmmQuote, pumpSwapQuote } from "./quotes-reserves.ts";
import type { GoldenPool, VendorQuote } from "./quotes-sdk.ts";
import { clmmQuote, clmmSimulation, dlmmQuote, orcaQuote } from "./quotes-vendors.ts";
import { machine, median, short, table } from "./report.ts";

const SDK = join(import.meta.dir, "sdk");
const RUNS = Number(process.argv[2] ?? 15);
const OURS_PER_RUN = 400;
const VENDOR_PER_RUN = 100;
/** Time given to each before any is taken: a few thousand quotes are over before the compiler is done with them. */
const WARM_UP_MS = 400;
/** Untimed calls of ours after each turn of the SDK, which leaves the caches full of its own. */
const SETTLE = 200;
const TICKS = 10;
const AMOUNT_MIN = 10_000n;
const AMOUNT_MAX = 1n << 50n;

type Vector = { dir: string; mode: string; amount: string; ok: boolean; in: string; out: string };
type Crossed = (before: unknown, after: unknown) => number;
type Row = {
  readonly file: string;
  readonly sdk: string;
  readonly vendor: (pool: GoldenPool) => Promise<VendorQuote>;
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
  { file: "raydium-amm-v4__SOL-USDC-58oQ", sdk: "raydium-sdk-v2: computeAmountOut", vendor: ammV4Quote },
  { file: "raydium-cpmm__SOL-USDC-7Juw", sdk: "raydium-sdk-v2: computeSwapAmount", vendor: cpmmQuote },
  {
    file: "raydium-clmm__UVXY-USDC-ANyC",
    sdk: "raydium-sdk-v2: getOutputAmountAndRemainAccounts",
    vendor: clmmQuote,
    crossed: clmmCrossed,
  },
  {
    file: "raydium-clmm__UVXY-USDC-ANyC",
    sdk: "raydium-sdk-v2: swapInternal",
    vendor: clmmSimulation,
    crossed: clmmCrossed,
  },
  {
    file: "orca-whirlpool__sol-usdc",
    sdk: "whirlpools-core: swapQuoteByInputToken",
    vendor: orcaQuote,
    crossed: orcaCrossed,
  },
  { file: "meteora-dlmm__TTW-USDC-F1mb", sdk: "dlmm: swapQuote", vendor: dlmmQuote, crossed: dlmmCrossed },
  { file: "pumpswap__LIA-SOL-8BhC", sdk: "pump-swap-sdk: sellBaseInput, buyQuoteInput", vendor: pumpSwapQuote },
];

if (!existsSync(join(SDK, "node_modules")))
  Bun.spawnSync([process.execPath, "install", "--frozen-lockfile", "--ignore-scripts"], { cwd: SDK });
console.log("bench/sdk holds", JSON.parse(readFileSync(join(SDK, "package.json"), "utf8")).dependencies);

const realNow = Date.now;
const [times, counts]: [string[][], string[][]] = [[], []];
for (const row of ROWS) {
  await measure(row);
  Date.now = realNow;
}
console.log(table(["pool", "ours = program", "SDK = program", "SDK"], counts));
console.log(
  table(["pool", "in", "crosses", "ours, µs", "least", "SDK, µs", "least", "ratio", "of least", "SDK"], times),
);
console.log(`Medians and least of ${RUNS} runs. ${machine()}`);
process.exit(0);

async function measure({ file, sdk, vendor, crossed }: Row): Promise<void> {
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
  const theirs = await vendor(pool);
  counts.push([file, agreeing(out), agreeing(theirs), sdk]);
  for (const count of crossed ? [0, TICKS] : [0]) {
    for (const side of [0, 1] as const) {
      const label = [file, side === 0 ? "A" : "B", crossed ? String(count) : "-"];
      const amount = amountCrossing(venue, pool, side, count, crossed ?? (() => 0));
      if (amount === undefined) times.push([...label, "none so deep", ...Array(5).fill("-"), sdk]);
      else {
        if (out(side, amount) !== theirs(side, amount)) throw new Error(`${file}: ${amount} in is quoted differently`);
        const both = compared(
          () => ours(side, amount),
          () => theirs(side, amount),
        );
        times.push([...label, ...both, sdk]);
      }
    }
  }
}

/** Both in turns, so that what else the machine does falls on both. */
function compared(ours: () => unknown, theirs: () => unknown): string[] {
  const [own, other]: [number[], number[]] = [[], []];
  warmUp(ours);
  warmUp(theirs);
  for (let run = 0; run < RUNS; run++) {
    timed(ours, SETTLE);
    own.push(timed(ours, OURS_PER_RUN));
    other.push(timed(theirs, VENDOR_PER_RUN));
  }
  const [us, them] = [median(own), median(other)];
  const [leastUs, leastThem] = [Math.min(...own), Math.min(...other)];
  return [us, leastUs, them, leastThem, them / us, leastThem / leastUs].map(short);
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

/** The least amount that crosses so many; 0 is the least that is filled at all, and must cross none. */
function amountCrossing(
  venue: AnyVenue,
  pool: GoldenPool,
  side: 0 | 1,
  count: number,
  crossed: Crossed,
): bigint | undefined {
  const crossings = (amount: bigint) => {
    const fill = venue.swap(pool.state, { inputSide: side, mode: "exact-in", amount }, pool.time);
    return fill.ok ? crossed(pool.state, fill.value.after) : undefined;
  };
  let low = AMOUNT_MIN;
  while (low < AMOUNT_MAX && crossings(low) === undefined) low *= 2n;
  if (count === 0) return crossings(low) === 0 ? low : undefined;
  // Too little crosses fewer; too much crosses as many or is refused.
  let high = AMOUNT_MAX;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if ((crossings(middle) ?? count) >= count) high = middle;
    else low = middle;
  }
  return (crossings(high) ?? 0) >= count ? high : undefined;
}

function same(quote: VendorQuote, vector: Vector): boolean {
  try {
    return quote(vector.dir === "AtoB" ? 0 : 1, BigInt(vector.amount)) === BigInt(vector.out);
  } catch {
    return false;
  }
}

function warmUp(call: () => unknown): void {
  const endNs = Bun.nanoseconds() + WARM_UP_MS * 1e6;
  while (Bun.nanoseconds() < endNs) call();
}

/** µs of one call, over `count` of them. */
function timed(call: () => unknown, count: number): number {
  const startNs = Bun.nanoseconds();
  for (let i = 0; i < count; i++) call();
  return (Bun.nanoseconds() - startNs) / count / 1_000;
}
