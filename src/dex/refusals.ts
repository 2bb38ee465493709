/** Refusals that several programs share: the runtime's, Anchor's `require` macros and the token programs'. */
import { type Err, err } from "#core/result.ts";
import type { SwapRefusal } from "./venue.ts";

/** The program panicked (`unwrap` on nothing, division by 0): the runtime gives no number of the program's own. */
export const panicked = (): Err<SwapRefusal> => err({ custom: 0, name: "ProgramFailedToComplete" });

export const ANCHOR_REFUSAL = {
  instructionFallbackNotFound: { custom: 101, name: "InstructionFallbackNotFound" },
  requireEqViolated: { custom: 2501, name: "RequireEqViolated" },
  requireGtViolated: { custom: 2505, name: "RequireGtViolated" },
  requireGteViolated: { custom: 2506, name: "RequireGteViolated" },
} as const;

/** The token program's: the receiving account would hold more than a u64. */
export const tokenOverflow = (): Err<SwapRefusal> => err({ custom: 14, name: "Overflow" });

export const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** Rounded up, as `checked_ceil_div` of the programs; the divisor is above 0. */
export const divideUp = (dividend: bigint, divisor: bigint): bigint => (dividend + divisor - 1n) / divisor;
