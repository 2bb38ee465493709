/** A constant-product pool and its trades for tests: priced as AMM v4 prices them, told as a recording tells them. */
import type { Address, Signature } from "#core/units.ts";
import { WSOL_MINT } from "#core/units.ts";
import { RAYDIUM_AMM_V4_PROGRAM } from "#dex/program-addresses.ts";
import { quoteExactIn } from "#dex/quote.ts";
import type { MevTransaction, Trade, WalletLink } from "./trade.ts";

const FEE = { feeNumerator: 25, feeDenominator: 10_000 };
const PRIORITY_AND_BASE_FEE_LAMPORTS = 5_000n;

export type TestOrder = {
  readonly by: string;
  readonly buy: boolean;
  readonly amount: bigint;
  readonly pool?: TestPool;
};
export type TestPool = { readonly name: string; reserves: [lamports: bigint, tokens: bigint] };

export const testPool = (name = "pool"): TestPool => ({ name, reserves: [1_000_000_000_000n, 10_000_000_000_000n] });

/** Makes transactions in execution order; `slot` may be set between them. */
export class TestMarket {
  slot = 1_000;
  readonly pool = testPool();
  #index = 0;

  next(orders: readonly TestOrder[], more: Partial<MevTransaction & { aggregated: boolean }> = {}): MevTransaction {
    const { aggregated = false, ...facts } = more;
    const index = this.#index++;
    const transaction = {
      slot: this.slot,
      index,
      signature: `signature ${index}` as Signature,
      feeLamports: PRIORITY_AND_BASE_FEE_LAMPORTS,
      tipLamports: 0n,
      ...facts,
    };
    const trades = orders.map((order, i) => this.#trade(order, i, transaction, aggregated));
    return { failed: false, links: [], ...transaction, trades };
  }

  #trade(
    order: TestOrder,
    instructionIndex: number,
    transaction: MevTransaction | Trade["transaction"],
    aggregated: boolean,
  ): Trade {
    const { by, buy, amount, pool = this.pool } = order;
    const [lamports, tokens] = pool.reserves;
    const [reserveIn, reserveOut] = buy ? [lamports, tokens] : [tokens, lamports];
    const amountOut = quoteExactIn(FEE, reserveIn, reserveOut, amount);
    pool.reserves = buy ? [lamports + amount, tokens - amountOut] : [lamports - amountOut, tokens + amount];
    const token = `token of ${pool.name}` as Address;
    return {
      transaction,
      instructionIndex,
      venue: "raydium-amm-v4",
      pool: pool.name as Address,
      actor: by as Address,
      mintIn: buy ? WSOL_MINT : token,
      mintOut: buy ? token : WSOL_MINT,
      amountIn: amount,
      amountOut,
      reading: { reserveIn, reserveOut, amountIn: amount, amountOut, exact: "in" },
      program: RAYDIUM_AMM_V4_PROGRAM,
      aggregated,
      cyclic: false,
    };
  }
}

export const testLink = (from: string, to: string, kind: WalletLink["kind"]): WalletLink => ({
  from: from as Address,
  to: to as Address,
  kind,
});
