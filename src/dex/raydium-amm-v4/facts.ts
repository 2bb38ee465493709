/** The fixed facts of an AMM v4 pool, as far as one of its swaps tells them: all that trading on it needs. */
import type { PoolFacts } from "#core/pool.ts";
import type { Address } from "#core/units.ts";
import { TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import type { AmmV4SwapAccounts } from "./decode.ts";
import { AMM_V4_FEE } from "./layout.ts";

/** What token balances say of a vault. */
export type VaultFacts = { readonly mint: Address; readonly decimals: number };

export function ammV4PoolFacts(
  accounts: AmmV4SwapAccounts,
  coin: VaultFacts,
  pc: VaultFacts,
): Omit<PoolFacts, "index"> {
  return {
    dex: "raydium-amm-v4",
    address: accounts.amm,
    mints: [coin.mint, pc.mint],
    decimals: [coin.decimals, pc.decimals],
    vaults: [accounts.coinVault, accounts.pcVault],
    tokenPrograms: [TOKEN_PROGRAM, TOKEN_PROGRAM],
    feeNumerator: AMM_V4_FEE.numerator,
    feeDenominator: AMM_V4_FEE.denominator,
    accounts: {
      authority: accounts.authority,
      openOrders: accounts.openOrders,
      marketProgram: accounts.marketProgram,
      market: accounts.market,
      marketBids: accounts.marketBids,
      marketAsks: accounts.marketAsks,
      marketEventQueue: accounts.marketEventQueue,
      marketCoinVault: accounts.marketCoinVault,
      marketPcVault: accounts.marketPcVault,
      marketVaultSigner: accounts.marketVaultSigner,
    },
  };
}
