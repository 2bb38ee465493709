/** The instructions that walk a cycle: one swap a hop, between one wallet's token accounts. */
import type { Address } from "#core/units.ts";
import type { Instruction } from "#dex/instruction.ts";
import { swapInstruction } from "#dex/swap-instruction.ts";
import type { SimMarket, SimPool, SimWallet } from "#sim/genesis/genesis.ts";
import type { Cycle } from "./cycle-search.ts";

/**
 * `amounts` holds what goes into each hop and, last, what the cycle must pay at least. A hop that pays less than the next
 * one takes fails, and with it the whole transaction.
 */
export function cycleSwaps(
  market: SimMarket,
  { keypair, tokenAccounts }: SimWallet,
  cycle: Cycle,
  amounts: readonly bigint[],
): Instruction[] {
  return cycle.map(({ pool, inputSide }, hop) => {
    const { facts, tokens } = market.pools[pool] as SimPool;
    return swapInstruction(facts, {
      owner: keypair.address,
      inputSide,
      inputAccount: tokenAccounts[tokens[inputSide]] as Address,
      outputAccount: tokenAccounts[tokens[inputSide === 0 ? 1 : 0]] as Address,
      amountIn: amounts[hop] as bigint,
      minimumOut: amounts[hop + 1] as bigint,
    });
  });
}
