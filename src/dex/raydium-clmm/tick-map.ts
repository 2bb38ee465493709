/**
 * The initialized ticks of a pool, and the walk over them in the order of the program: within a tick array by its 60
 * places, from array to array by the bitmaps. A map is a value; crossing makes a new one that shares what did not change.
 */
import type { ClmmTick, ClmmTickArray } from "./decode-ticks.ts";
import { BITMAP_EXTENSION_BITS, TICK_ARRAY_TICKS } from "./layout.ts";
import type { ClmmRefusal } from "./refusals.ts";

export type TickMap = {
  readonly spacing: number;
  /** The tick arrays that the bitmaps name, by number (start / (60 · spacing)), ascending. */
  readonly named: readonly number[];
  /** Without the extension's account a walk ends where the pool's own bitmap does. */
  readonly hasExtension: boolean;
  /** The ticks of each array at hand, by its number. */
  readonly arrays: ReadonlyMap<number, ClmmTickArray["ticks"]>;
};

/** Where a walk is. */
export type TickWalk = {
  readonly zeroForOne: boolean;
  array: number;
  /** The walk has not yet taken the first tick of an array that lies beside the price. */
  beside: boolean;
};

/** The number of the array that a tick lies in. */
export const arrayOf = (tick: number, spacing: number): number => Math.floor(tick / (TICK_ARRAY_TICKS * spacing));

/** The first tick of an array. */
export const startOf = (array: number, spacing: number): number => array * TICK_ARRAY_TICKS * spacing;

/** The walk from a tick; refused where the program would not find its first array. */
export function startWalk(map: TickMap, tick: number, zeroForOne: boolean): TickWalk | ClmmRefusal {
  const own = arrayOf(tick, map.spacing);
  // The build of 2024 does not even say so: it aborts.
  if (!map.hasExtension && !inPoolBitmap(own)) return "MissingTickArrayBitmapExtensionAccount";
  const beside = map.named[placeOf(map.named, own)] !== own;
  const array = beside ? nextNamed(map, own, zeroForOne) : own;
  if (typeof array !== "number") return array ?? "InsufficientLiquidityForDirection";
  return map.arrays.has(array) ? { zeroForOne, array, beside } : "InvalidFirstTickArrayAccount";
}

/** The named arrays that a walk from `tick` comes to first, in its order. */
export function arraysAhead(map: TickMap, tick: number, zeroForOne: boolean, count: number): readonly number[] {
  const own = arrayOf(tick, map.spacing);
  const at = placeOf(map.named, own);
  if (!zeroForOne) return map.named.slice(at, at + count);
  const end = map.named[at] === own ? at + 1 : at;
  return map.named.slice(Math.max(0, end - count), end).reverse();
}

/** The next initialized tick beyond `tick`; at `tick` itself too where the price falls. */
export function nextTick(map: TickMap, walk: TickWalk, tick: number): ClmmTick | ClmmRefusal {
  const inside = tickInArray(map, walk, tick);
  if (inside !== undefined) return inside;
  if (walk.beside) walk.beside = false;
  else {
    const next = nextNamed(map, walk.array, walk.zeroForOne);
    if (typeof next !== "number") return next ?? "LiquidityInsufficient";
    if (!map.arrays.has(next)) return "NotEnoughTickArrayAccount";
    walk.array = next;
  }
  return firstTick(map.arrays.get(walk.array) ?? [], walk.zeroForOne) ?? "InvalidTickArray";
}

function tickInArray(map: TickMap, walk: TickWalk, tick: number): ClmmTick | undefined {
  if (arrayOf(tick, map.spacing) !== walk.array) return undefined;
  const ticks = map.arrays.get(walk.array) ?? [];
  const place = Math.floor((tick - startOf(walk.array, map.spacing)) / map.spacing);
  return walk.zeroForOne ? lastUpTo(ticks, place) : firstFrom(ticks, place + 1);
}

function firstTick(ticks: ClmmTickArray["ticks"], zeroForOne: boolean): ClmmTick | undefined {
  return zeroForOne ? lastUpTo(ticks, TICK_ARRAY_TICKS - 1) : firstFrom(ticks, 0);
}

function lastUpTo(ticks: ClmmTickArray["ticks"], place: number): ClmmTick | undefined {
  for (let i = place; i >= 0; i--) if (ticks[i] !== undefined) return ticks[i];
  return undefined;
}

function firstFrom(ticks: ClmmTickArray["ticks"], place: number): ClmmTick | undefined {
  for (let i = place; i < TICK_ARRAY_TICKS; i++) if (ticks[i] !== undefined) return ticks[i];
  return undefined;
}

/** Whether the pool's own bitmap has a bit for the array; others are in the extension's account. */
export const inPoolBitmap = (array: number): boolean =>
  array >= -BITMAP_EXTENSION_BITS && array < BITMAP_EXTENSION_BITS;

/** The named array next to `from`; undefined past the last one, a refusal where only the extension would know. */
function nextNamed(map: TickMap, from: number, zeroForOne: boolean): number | ClmmRefusal | undefined {
  const at = placeOf(map.named, from);
  const next = zeroForOne ? map.named[at - 1] : map.named[map.named[at] === from ? at + 1 : at];
  if (next === undefined && !map.hasExtension) return "MissingTickArrayBitmapExtensionAccount";
  return next;
}

/** The place of the first entry that is not below `array`. */
function placeOf(named: readonly number[], array: number): number {
  let [low, high] = [0, named.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((named[middle] as number) < array) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The map with these ticks in the place of those of the same index. */
export function withTicks(map: TickMap, crossed: readonly ClmmTick[]): TickMap {
  if (crossed.length === 0) return map;
  const arrays = new Map(map.arrays);
  for (const tick of crossed) {
    const array = arrayOf(tick.index, map.spacing);
    const place = (tick.index - startOf(array, map.spacing)) / map.spacing;
    const ticks = arrays.get(array);
    if (ticks !== undefined) arrays.set(array, ticks.with(place, tick));
  }
  return { ...map, arrays };
}
