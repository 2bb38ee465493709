/**
 * Errors are for people and for branches. The text reads "Cannot <do> <thing>: <what must hold>, was <what came>"; code
 * that reacts branches on `code`, never on text. Codes are never renumbered; each room has a hundred of its own:
 *
 *   core 100  wire 200  memory 300  ffi 400  market 500  dex 600  arbitrage 700  mev 800  model 900  decide 1000
 *   execute 1100  bus 1200  store 1300  control 1400  ledger 1500  slo 1600  train 1700  gateway 1800  supervise 1900
 *   sim 2000  cli 2100
 *
 * The codes of a room stand in that room's `errors.ts` (`export const BUS_ERROR = { full: 1201, … } as const`).
 */

/** When trying the same thing again can help. */
export type Retry = "now" | "later" | "never";

/** A failure that a person may read. Must never hold a secret. */
export class SandpiperError extends Error {
  override readonly name = "SandpiperError";
  constructor(
    readonly code: number,
    message: string,
    readonly retry: Retry = "never",
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The text of anything thrown, in one line. */
export function errorText(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.replaceAll(/\s*\n\s*/g, " ").trim();
}

/** Stops the process on a bug: an invariant that no input may break. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new SandpiperError(CORE_ERROR.assertion, `Cannot continue: ${invariant}`);
}

export const CORE_ERROR = { assertion: 100, config: 101, base58: 102, segment: 103, secret: 104 } as const;
