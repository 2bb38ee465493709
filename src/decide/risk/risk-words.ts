/**
 * What the hot thread must know of the risk limits, in memory that it shares with the io thread, which keeps the books:
 *
 *   byte 0    u32 state        0 active, 1 reducing, 2 halted
 *        4    u32 attemptsMax  open attempts that are allowed now
 *        8    u8 × POOLS_MAX   1: no new attempt over this pool
 *
 * One writer. Each word says its thing alone; the hot thread pays one atomic load per decision and one byte per hop.
 */
import { POOLS_MAX } from "#arbitrage/pool-table.ts";

export const RISK_STATES = ["active", "reducing", "halted"] as const;
export type RiskState = (typeof RISK_STATES)[number];

export const RISK_BYTES = 8 + POOLS_MAX;
const ATTEMPTS = 1;
const POOLS_AT = 8;

export class RiskWords {
  readonly #words: Int32Array;
  readonly #pools: Uint8Array;

  constructor(buffer: ArrayBufferLike) {
    this.#words = new Int32Array(buffer, 0, 2);
    this.#pools = new Uint8Array(buffer, POOLS_AT, POOLS_MAX);
  }

  write(state: RiskState, attemptsMax: number): void {
    Atomics.store(this.#words, ATTEMPTS, attemptsMax);
    Atomics.store(this.#words, 0, RISK_STATES.indexOf(state));
  }

  blockPool(pool: number, blocked: boolean): void {
    if (pool < POOLS_MAX) Atomics.store(this.#pools, pool, blocked ? 1 : 0);
  }

  get halted(): boolean {
    return Atomics.load(this.#words, 0) === 2;
  }

  get attemptsMax(): number {
    return Atomics.load(this.#words, ATTEMPTS);
  }

  isPoolBlocked(pool: number): boolean {
    return pool < POOLS_MAX && Atomics.load(this.#pools, pool) === 1;
  }
}
