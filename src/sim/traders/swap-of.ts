/** What everybody of the script does: one swap. */
import type { Address } from "#core/units.ts";
import type { Instruction } from "#dex/instruction.ts";
import { swapInstruction } from "#dex/swap-instruction.ts";
import type { SimMarket, SimPool, SimWallet } from "#sim/genesis/genesis.ts";
import type { PlannedTrade } from "./flow.ts";

/** A wallet's swap of an exact amount into a pool, whatever comes out. */
export function swapOf(
  market: SimMarket,
  { keypair, tokenAccounts }: SimWallet,
  { pool, inputSide, amountIn }: Pick<PlannedTrade, "pool" | "inputSide" | "amountIn">,
): Instruction {
  const { facts, tokens } = market.pools[pool] as SimPool;
  return swapInstruction(facts, {
    owner: keypair.address,
    inputSide,
    inputAccount: tokenAccounts[tokens[inputSide]] as Address,
    outputAccount: tokenAccounts[tokens[inputSide === 0 ? 1 : 0]] as Address,
    amountIn,
    minimumOut: 0n,
  });
}
