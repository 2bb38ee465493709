/**
 * One file of `judge dex` against this build: every vector, sequence and route is a check that holds or differs. What a
 * venue throws is a difference like any other.
 */
import { base58Decode } from "#core/base58.ts";
import { errorText } from "#core/error.ts";
import type { Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import type { AccountSet, ChainTime, SwapFill, SwapOrder, SwapRefusal } from "#dex/venue.ts";
import { type AnyVenue, venueOfProgram } from "#dex/venues.ts";
import type { Figures, PoolFile, Route, RouteFile, Sequence, Swap } from "./dex-vectors.ts";

/** Checks of one kind: how many held of how many. */
export type Tally = { passed: number; total: number };

export type FileChecks = {
  venue: string;
  readonly filled: Tally;
  readonly refused: Tally;
  /** Of the refused ones, how many with the program's own error. Not a check: the trader's purse refuses too. */
  readonly sameError: Tally;
  readonly sequences: Tally;
  readonly routes: Tally;
  /** The recorded initial state, the reading of the file, the loading of its pools. */
  readonly others: Tally;
  readonly differences: string[];
};

const tally = (): Tally => ({ passed: 0, total: 0 });

export const noChecks = (venue: string): FileChecks => ({
  venue,
  filled: tally(),
  refused: tally(),
  sameError: tally(),
  sequences: tally(),
  routes: tally(),
  others: tally(),
  differences: [],
});

/** Counts a check that holds when there is no difference to name. */
export function count(checks: FileChecks, kind: Tally, what: string, difference: string | undefined): void {
  kind.total++;
  if (difference === undefined) kind.passed++;
  else checks.differences.push(`${what}: ${difference}`);
}

/** A pool at work: its venue, its state at the start, and which mint is which side. */
type Loaded = { readonly venue: AnyVenue; readonly state: unknown; readonly mintPlace: (mint: Address) => number };
type Filled = Result<SwapFill<unknown>, SwapRefusal>;

export function checkPoolFile(file: PoolFile): FileChecks {
  const loaded = load(file.pool, file.accounts);
  if (typeof loaded === "string")
    return allFailed(noChecks("unsupported"), file.swaps.length, file.sequences.length, loaded);
  const { venue, state, mintPlace } = loaded;
  const checks = noChecks(venue.name);
  const [placeA, placeB] = file.tokens.map(mintPlace) as [number, number];
  const tokensKnown = placeA >= 0 && placeB >= 0 ? undefined : "its bytes do not name token_A and token_B";
  count(checks, checks.others, `pool ${file.pool}`, tokensKnown);
  count(checks, checks.others, "initial_state", figuresDiffer(venue, state, file.initial));
  const sideOfA: 0 | 1 = placeA < placeB ? 0 : 1;
  const run = (from: unknown, swap: Swap) => execute(venue, from, orderOf(swap, sideOfA), file.time);
  file.swaps.forEach((swap, i) => {
    const filled = run(state, swap);
    const what = `vector ${i} ${swap.aToB ? "AtoB" : "BtoA"} ${swap.mode} ${swap.amount}`;
    const difference = swapDiffers(venue, filled, swap);
    count(checks, swap.done === undefined ? checks.refused : checks.filled, what, difference);
    if (swap.done === undefined) tallyError(checks.sameError, filled, swap.error);
  });
  file.sequences.forEach((sequence, i) => {
    count(checks, checks.sequences, `sequence ${i}`, sequenceDiffers(venue, state, sequence, run));
  });
  return checks;
}

export function checkRouteFile(file: RouteFile): FileChecks {
  const pools: Loaded[] = [];
  const checks = noChecks("route");
  for (const address of file.pools) {
    const loaded = load(address, file.accounts);
    if (typeof loaded !== "string") pools.push(loaded);
    count(checks, checks.others, `pool ${address}`, typeof loaded === "string" ? loaded : undefined);
  }
  file.routes.forEach((route, i) => {
    count(checks, checks.routes, `route ${i} of ${route.amountIn}`, routeDiffers(pools, route, file.time));
  });
  return checks;
}

/** The pool, or why there is none. */
function load(address: Address, accounts: AccountSet): Loaded | string {
  const account = accounts.get(address);
  if (account === undefined) return `pool ${address} is not among the accounts`;
  const venue = venueOfProgram(account.owner);
  if (venue === undefined) return `unsupported: no venue for program ${account.owner}`;
  try {
    const state = venue.load(address, accounts);
    if (!state.ok) return `${venue.name}: ${state.error.message}`;
    // All six programs write a pool's two mints into its account, side 0 first.
    const bytes = Buffer.from(account.data);
    return { venue, state: state.value, mintPlace: (mint) => bytes.indexOf(base58Decode(mint)) };
  } catch (thrown) {
    return `${venue.name} threw while loading: ${errorText(thrown)}`;
  }
}

function execute(venue: AnyVenue, state: unknown, order: SwapOrder, time: ChainTime): Filled | string {
  try {
    return venue.swap(state, order, time);
  } catch (thrown) {
    return `threw: ${errorText(thrown)}`;
  }
}

const orderOf = (swap: Swap, sideOfA: 0 | 1): SwapOrder => ({
  inputSide: swap.aToB ? sideOfA : sideOfA === 0 ? 1 : 0,
  mode: swap.mode,
  amount: swap.amount,
});

function swapDiffers(venue: AnyVenue, filled: Filled | string, swap: Swap): string | undefined {
  if (typeof filled === "string") return filled;
  const { done } = swap;
  if (done === undefined)
    return filled.ok ? `${amounts(filled.value)} where the program refused with ${swap.error}` : undefined;
  if (!filled.ok) return `refused with ${filled.error.name} where the program gave ${amounts(done)}`;
  if (filled.value.amountIn !== done.amountIn || filled.value.amountOut !== done.amountOut)
    return `${amounts(filled.value)}, the program ${amounts(done)}`;
  return figuresDiffer(venue, filled.value.after, done.post);
}

function sequenceDiffers(
  venue: AnyVenue,
  start: unknown,
  sequence: Sequence,
  run: (state: unknown, swap: Swap) => Filled | string,
): string | undefined {
  let state = start;
  for (const [i, leg] of sequence.legs.entries()) {
    const filled = run(state, leg);
    const difference = swapDiffers(venue, filled, leg);
    if (difference !== undefined) return `${["front", "victim", "back"][i]} ${difference}`;
    if (typeof filled !== "string" && filled.ok) state = filled.value.after;
  }
  const victim = sequence.legs[1];
  if (sequence.victimSoloOut !== undefined && victim !== undefined) {
    const solo = run(start, victim);
    const out = typeof solo !== "string" && solo.ok ? solo.value.amountOut : 0n;
    if (out !== sequence.victimSoloOut) return `victim alone out ${out}, the program ${sequence.victimSoloOut}`;
  }
  return figuresDiffer(venue, state, sequence.post);
}

function routeDiffers(pools: readonly Loaded[], route: Route, time: ChainTime): string | undefined {
  const states = new Map<Loaded, unknown>();
  let amount = route.amountIn;
  for (const [i, hop] of route.hops.entries()) {
    const pool = pools.find(({ mintPlace }) => mintPlace(hop.from) >= 0 && mintPlace(hop.to) >= 0);
    if (pool === undefined) return `hop ${i}: no pool of ${hop.from} and ${hop.to} was loaded`;
    const inputSide = pool.mintPlace(hop.from) < pool.mintPlace(hop.to) ? 0 : 1;
    const filled = execute(pool.venue, states.get(pool) ?? pool.state, { inputSide, mode: "exact-in", amount }, time);
    if (typeof filled === "string") return `hop ${i}: ${pool.venue.name} ${filled}`;
    const out = filled.ok ? filled.value.amountOut : undefined;
    if (out !== hop.amountOut)
      return `hop ${i}: ${pool.venue.name} in ${amount} out ${out ?? "refused"}, the program ${hop.amountOut ?? "refused"}`;
    if (!filled.ok) break;
    states.set(pool, filled.value.after);
    amount = filled.value.amountOut;
  }
  const arrived = route.hops.every((hop) => hop.amountOut !== undefined) ? amount : undefined;
  return arrived === route.amountOut
    ? undefined
    : `out ${arrived ?? "refused"}, the programs ${route.amountOut ?? "refused"}`;
}

function figuresDiffer(venue: AnyVenue, state: unknown, want: Figures): string | undefined {
  const have = venue.figures(state);
  const wrong = want.find(([name, value]) => have[name] !== value);
  return wrong && `${wrong[0]} ${have[wrong[0]] ?? "not among the venue's figures"}, the program ${wrong[1]}`;
}

function tallyError(sameError: Tally, filled: Filled | string, error: string): void {
  if (typeof filled === "string" || filled.ok) return;
  sameError.total++;
  const number = /Custom\((\d+)\)/.exec(error)?.[1];
  const same = number === undefined ? error.includes(filled.error.name) : Number(number) === filled.error.custom;
  if (same) sameError.passed++;
}

/** Nothing of the file could be tried: all that it holds has failed. */
function allFailed(checks: FileChecks, swaps: number, sequences: number, why: string): FileChecks {
  checks.filled.total = swaps;
  checks.sequences.total = sequences;
  checks.differences.push(why);
  if (swaps + sequences === 0) checks.others.total = 1;
  return checks;
}

const amounts = ({ amountIn, amountOut }: { readonly amountIn: bigint; readonly amountOut: bigint }): string =>
  `in ${amountIn} out ${amountOut}`;
