/**
 * What a token was last traded for in lamports, so that gains in any token can be stated in one unit: against SOL, or
 * against a token that was itself traded against SOL. Bounded.
 */
import { type Address, WSOL_MINT } from "#core/units.ts";
import type { Trade } from "./trade.ts";

const MINTS_MAX = 65_536;

type Price = { readonly lamports: bigint; readonly units: bigint; readonly direct: boolean };

export class PriceTable {
  readonly #last = new Map<Address, Price>();

  see({ mintIn, mintOut, amountIn, amountOut }: Trade): void {
    if (amountIn === 0n || amountOut === 0n) return;
    if (mintIn === WSOL_MINT) this.#put(mintOut, { lamports: amountIn, units: amountOut, direct: true });
    else if (mintOut === WSOL_MINT) this.#put(mintIn, { lamports: amountOut, units: amountIn, direct: true });
    else {
      this.#derive(mintIn, amountIn, mintOut, amountOut);
      this.#derive(mintOut, amountOut, mintIn, amountIn);
    }
  }

  /** Rounded down, so that a gain is never overstated; undefined for a token whose price was not seen. */
  lamports(mint: Address, amount: bigint): bigint | undefined {
    if (mint === WSOL_MINT || amount === 0n) return amount;
    const price = this.#last.get(mint);
    if (price === undefined) return undefined;
    const scaled = amount * price.lamports;
    return scaled >= 0n ? scaled / price.units : -((-scaled + price.units - 1n) / price.units);
  }

  /** The price of one mint by the other's, where only the other was seen against SOL. */
  #derive(mint: Address, amount: bigint, other: Address, otherAmount: bigint): void {
    const known = this.#last.get(other);
    if (known?.direct !== true || this.#last.get(mint)?.direct === true) return;
    this.#put(mint, { lamports: otherAmount * known.lamports, units: amount * known.units, direct: false });
  }

  #put(mint: Address, price: Price): void {
    this.#last.delete(mint);
    this.#last.set(mint, price);
    if (this.#last.size <= MINTS_MAX) return;
    const [oldest] = this.#last.keys();
    if (oldest !== undefined) this.#last.delete(oldest);
  }
}
