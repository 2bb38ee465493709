/**
 * Which tick arrays a swap walks, and the search for the next initialised tick in them, as the program does it
 * (`util/sparse_swap.rs`, `util/swap_tick_sequence.rs`). One swap sees three arrays at most; an array that was never made
 * counts as one without ticks.
 */
import type { SwapRefusal } from "#dex/venue.ts";
import { TICK_ARRAY_TICKS } from "./layout.ts";
import { TICK_INDEX_MAX, TICK_INDEX_MIN } from "./limits.ts";
import { REFUSAL } from "./refusals.ts";
import type { Tick, TickArray } from "./state.ts";

/** As far as the search looks at an array. */
export type TickRange = Pick<TickArray, "startTickIndex" | "ticks">;

/** The place of the next tick to stop at, and whether it is there because liquidity changes or because an array ends. */
export type NextTick = { readonly arrayIndex: number; readonly tickIndex: number };

const NO_TICKS: readonly undefined[] = new Array(TICK_ARRAY_TICKS).fill(undefined);
const SEQUENCE_ARRAYS = 3;

/** Starts of the arrays that a swap from this tick may use, in its order. */
export function startTickIndexes(tickCurrentIndex: number, tickSpacing: number, aToB: boolean): number[] {
  const ticksInArray = TICK_ARRAY_TICKS * tickSpacing;
  const base = Math.floor(tickCurrentIndex / ticksInArray) * ticksInArray;
  // Upwards, the search starts one spacing on: from the last spacing of an array it belongs to the next one.
  const first = !aToB && tickCurrentIndex + tickSpacing >= base + ticksInArray ? 1 : 0;
  const starts: number[] = [];
  for (let i = 0; i < SEQUENCE_ARRAYS; i++) {
    const start = base + (aToB ? -i : first + i) * ticksInArray;
    if (isStartTick(start, tickSpacing)) starts.push(start);
  }
  return starts;
}

export function tickSequence(
  arrays: ReadonlyMap<number, TickRange>,
  tickCurrentIndex: number,
  tickSpacing: number,
  aToB: boolean,
): TickRange[] {
  return startTickIndexes(tickCurrentIndex, tickSpacing, aToB).map(
    (start) => arrays.get(start) ?? { startTickIndex: start, ticks: NO_TICKS },
  );
}

/** Whether the program would make an array that starts there. */
export function isStartTick(tick: number, tickSpacing: number): boolean {
  const ticksInArray = TICK_ARRAY_TICKS * tickSpacing;
  // The lowest array may start below the lowest tick; any other start outside the bounds is none.
  if (tick < TICK_INDEX_MIN) return tick === TICK_INDEX_MIN - ((TICK_INDEX_MIN % ticksInArray) + ticksInArray);
  return tick <= TICK_INDEX_MAX && tick % ticksInArray === 0;
}

/** From `tickIndex`, itself included downwards and excluded upwards. */
export function nextInitializedTick(
  sequence: readonly TickRange[],
  tickIndex: number,
  tickSpacing: number,
  aToB: boolean,
  fromArray: number,
): NextTick | SwapRefusal {
  const ticksInArray = TICK_ARRAY_TICKS * tickSpacing;
  let search = tickIndex;
  for (let arrayIndex = fromArray; ; arrayIndex++) {
    const array = sequence[arrayIndex];
    if (array === undefined) return REFUSAL.tickArraySequenceInvalidIndex;
    const start = array.startTickIndex;
    const offset = Math.floor((search - start) / tickSpacing);
    const first = aToB ? offset : offset + 1;
    if (first < 0 || first >= TICK_ARRAY_TICKS) return REFUSAL.invalidTickArraySequence;
    const found = aToB ? initializedDown(array.ticks, first) : initializedUp(array.ticks, first);
    if (found >= 0) return { arrayIndex, tickIndex: start + found * tickSpacing };

    if (aToB && start <= TICK_INDEX_MIN) return { arrayIndex, tickIndex: TICK_INDEX_MIN };
    if (!aToB && start + ticksInArray > TICK_INDEX_MAX) return { arrayIndex, tickIndex: TICK_INDEX_MAX };
    const end = start + ticksInArray - 1;
    if (arrayIndex + 1 === sequence.length) return { arrayIndex, tickIndex: aToB ? start : end };
    search = aToB ? start - 1 : end;
  }
}

/** The initialised tick at an index of an array, if the index is one that ticks can be at. */
export function tickAt(array: TickRange, tickIndex: number, tickSpacing: number): Tick | undefined {
  if (tickIndex % tickSpacing !== 0 || tickIndex < TICK_INDEX_MIN || tickIndex > TICK_INDEX_MAX) return undefined;
  return array.ticks[(tickIndex - array.startTickIndex) / tickSpacing];
}

function initializedDown(ticks: readonly (Tick | undefined)[], from: number): number {
  let offset = from;
  while (offset >= 0 && ticks[offset] === undefined) offset--;
  return offset;
}

function initializedUp(ticks: readonly (Tick | undefined)[], from: number): number {
  let offset = from;
  while (offset < TICK_ARRAY_TICKS && ticks[offset] === undefined) offset++;
  return offset < TICK_ARRAY_TICKS ? offset : -1;
}
