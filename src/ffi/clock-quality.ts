/**
 * What the kernel believes of the wall clock: adjtimex(2) without a wish, as chrony, ntpd and ptp4l (phc2sys) keep it.
 *
 *   struct timex, 208 bytes on 64-bit Linux: 8 i64 offset │ 24 i64 maxerror, µs │ 32 i64 esterror, µs │ 40 i32 status
 *   status: 0x0040 nobody keeps the clock (STA_UNSYNC) │ 0x2000 the offset is in ns and not in µs (STA_NANO)
 */
import { ptr } from "bun:ffi";
import type { ClockQuality } from "#core/clock.ts";
import { libc } from "./libc.ts";

const TIMEX_BYTES = 208;
const STA_UNSYNC = 0x40;
const STA_NANO = 0x2000;

const timex = new DataView(new ArrayBuffer(TIMEX_BYTES));
const timexAddress = ptr(timex);

/** Asks for nothing to be changed, so it needs no right. Undefined where the kernel refuses the call (a seccomp filter). */
export function readClockQuality(): ClockQuality | undefined {
  timex.setUint32(0, 0, true);
  if (libc.adjtimex(timexAddress) < 0) return undefined;
  return qualityOf(timex);
}

export function qualityOf(filled: DataView): ClockQuality {
  const status = filled.getInt32(40, true);
  const offset = Number(filled.getBigInt64(8, true));
  return {
    isSynchronised: (status & STA_UNSYNC) === 0,
    offsetMs: offset / ((status & STA_NANO) === 0 ? 1e3 : 1e6),
    estimatedErrorMs: Number(filled.getBigInt64(32, true)) / 1e3,
    errorMsMax: Number(filled.getBigInt64(24, true)) / 1e3,
  };
}
