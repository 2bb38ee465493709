/** What a token was last traded for in lamports, so that gains in any token can be stated in one unit. Bounded. */
import { type Address, WSOL_MINT } from "#core/units.ts";
import type { Trade } from "./trade.ts";

const MINTS_MAX = 65_536;

export class PriceTable {
  readonly #last = new Map<Address, { readonly lamports: bigint; readonly units: bigint }>();

  see({ mintIn, mintOut, amountIn, amountOut }: Trade): void {
    if (mintIn === WSOL_MINT && amountOut > 0n) this.#put(mintOut, amountIn, amountOut);
    if (mintOut === WSOL_MINT && amountIn > 0n) this.#put(mintIn, amountOut, amountIn);
  }

  /** Rounded down, so that a gain is never overstated; undefined for a token that was not seen against SOL. */
  lamports(mint: Address, amount: bigint): bigint | undefined {
    if (mint === WSOL_MINT || amount === 0n) return amount;
    const price = this.#last.get(mint);
    if (price === undefined) return undefined;
    const scaled = amount * price.lamports;
    return scaled >= 0n ? scaled / price.units : -((-scaled + price.units - 1n) / price.units);
  }

  #put(mint: Address, lamports: bigint, units: bigint): void {
    this.#last.delete(mint);
    this.#last.set(mint, { lamports, units });
    if (this.#last.size <= MINTS_MAX) return;
    const [oldest] = this.#last.keys();
    if (oldest !== undefined) this.#last.delete(oldest);
  }
}
