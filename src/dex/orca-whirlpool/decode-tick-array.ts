/**
 * Tick arrays of both layouts as values: the first one with a place of 113 bytes for every tick, and the newer one where
 * a tick that is not initialised takes one byte. Foreign bytes are checked whole here; nothing throws.
 */
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import { readAddress, startsWith } from "#dex/bytes.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import {
  DYNAMIC_TICK_ARRAY,
  DYNAMIC_TICK_ARRAY_BYTES_MIN,
  REWARDS,
  TICK,
  TICK_ARRAY,
  TICK_ARRAY_BYTES,
  TICK_ARRAY_TICKS,
  TICK_BYTES,
  WHIRLPOOL_DISCRIMINATOR,
} from "./layout.ts";
import type { Tick, TickArray } from "./state.ts";
import { i128At, u128At, viewOf } from "./words.ts";

/** Whether an account of the program is a tick array of either layout. */
export const isTickArray = (data: Uint8Array): boolean =>
  startsWith(data, WHIRLPOOL_DISCRIMINATOR.tickArray) || startsWith(data, WHIRLPOOL_DISCRIMINATOR.dynamicTickArray);

export function decodeTickArray(data: Uint8Array): Result<TickArray, SandpiperError> {
  return startsWith(data, WHIRLPOOL_DISCRIMINATOR.dynamicTickArray) ? decodeDynamic(data) : decodeFixed(data);
}

function decodeFixed(data: Uint8Array): Result<TickArray, SandpiperError> {
  if (data.length !== TICK_ARRAY_BYTES || !startsWith(data, WHIRLPOOL_DISCRIMINATOR.tickArray))
    return refuse("a TickArray", `${TICK_ARRAY_BYTES} bytes with its marks`, data);
  const view = viewOf(data);
  const ticks: (Tick | undefined)[] = [];
  for (let i = 0; i < TICK_ARRAY_TICKS; i++) {
    const at = TICK_ARRAY.ticks + i * TICK_BYTES;
    const initialized = data[at + TICK.initialized];
    if (initialized !== 0 && initialized !== 1) return refuse("a TickArray", `0 or 1 before tick ${i}`, data);
    ticks.push(initialized === 1 ? initializedTickAt(view, at) : undefined);
  }
  return ok({
    whirlpool: readAddress(data, TICK_ARRAY.whirlpool),
    startTickIndex: view.getInt32(TICK_ARRAY.startTickIndex, true),
    ticks,
  });
}

function decodeDynamic(data: Uint8Array): Result<TickArray, SandpiperError> {
  const what = "a DynamicTickArray";
  if (data.length < DYNAMIC_TICK_ARRAY_BYTES_MIN)
    return refuse(what, `${DYNAMIC_TICK_ARRAY_BYTES_MIN} bytes or more`, data);
  const view = viewOf(data);
  const bitmap = u128At(view, DYNAMIC_TICK_ARRAY.tickBitmap);
  const ticks: (Tick | undefined)[] = [];
  let at: number = DYNAMIC_TICK_ARRAY.ticks;
  for (let i = 0; i < TICK_ARRAY_TICKS; i++) {
    // The program finds ticks by the bitmap and reads them by their own first byte: the two must say the same.
    const initialized = (bitmap >> BigInt(i)) & 1n;
    if (data[at] !== Number(initialized)) return refuse(what, `its bitmap's bit ${i} before tick ${i}`, data);
    if (initialized === 1n && at + TICK_BYTES > data.length) return refuse(what, `room for tick ${i}`, data);
    ticks.push(initialized === 1n ? initializedTickAt(view, at) : undefined);
    at += initialized === 1n ? TICK_BYTES : 1;
  }
  return ok({
    whirlpool: readAddress(data, DYNAMIC_TICK_ARRAY.whirlpool),
    startTickIndex: view.getInt32(DYNAMIC_TICK_ARRAY.startTickIndex, true),
    ticks,
  });
}

function initializedTickAt(view: DataView, at: number): Tick {
  return {
    liquidityNet: i128At(view, at + TICK.liquidityNet),
    liquidityGross: u128At(view, at + TICK.liquidityGross),
    feeGrowthOutsideA: u128At(view, at + TICK.feeGrowthOutsideA),
    feeGrowthOutsideB: u128At(view, at + TICK.feeGrowthOutsideB),
    rewardGrowthsOutside: Array.from({ length: REWARDS }, (_, i) =>
      u128At(view, at + TICK.rewardGrowthsOutside + i * 16),
    ),
  };
}

function refuse(what: string, want: string, data: Uint8Array): Result<never, SandpiperError> {
  const start = Buffer.from(data.subarray(0, 8)).toString("hex");
  return err(
    new SandpiperError(DEX_ERROR.account, `Cannot decode ${what}: ${want}, was ${data.length} bytes starting ${start}`),
  );
}
