/**
 * The traders on the concentrated pools: a script of its own, made as the other one is, and the transactions of its trades.
 * Which tick arrays a swap names follows from the pool's tick when the trade is sent.
 */
import type { Address } from "#core/units.ts";
import { clmmSwapInstruction } from "#dex/raydium-clmm/instruction.ts";
import { POOL_STATE } from "#dex/raydium-clmm/layout.ts";
import { readI32 } from "#dex/raydium-clmm/read.ts";
import { compileMessage } from "#execute/message.ts";
import { signTransaction } from "#execute/transaction.ts";
import type { Cluster } from "#sim/cluster/cluster.ts";
import type { SimConcentratedPool } from "#sim/genesis/concentrated.ts";
import type { SimMarket, SimWallet } from "#sim/genesis/genesis.ts";
import { Flow, type PlannedTrade } from "./flow.ts";

/** Trades on concentrated pools for each one on the others. */
const TRADES_SHARE = 0.4;

/** No trades where there are no concentrated pools. */
export function concentratedFlow(seed: string, market: SimMarket, tradesPerSlot: number): Flow {
  const { tokens, concentrated } = market;
  const rate = concentrated.length === 0 ? 0 : tradesPerSlot * TRADES_SHARE;
  return new Flow(`${seed}/concentrated`, { tokens, pools: concentrated }, rate);
}

/** One swap on a concentrated pool at whatever price there is. */
export function concentratedTradeTransaction(
  cluster: Pick<Cluster, "account">,
  market: SimMarket,
  { trader, pool, inputSide, amountIn }: PlannedTrade,
  blockhash: string,
): Uint8Array {
  const { keypair, tokenAccounts } = market.traders[trader] as SimWallet;
  const { state, tokens } = market.concentrated[pool] as SimConcentratedPool;
  const bytes = cluster.account(state.facts.address)?.data;
  const tickCurrent = bytes === undefined ? state.tickCurrent : readI32(bytes, POOL_STATE.tickCurrent);
  const instruction = clmmSwapInstruction(
    { ...state, tickCurrent },
    {
      owner: keypair.address,
      inputSide,
      inputAccount: tokenAccounts[tokens[inputSide]] as Address,
      outputAccount: tokenAccounts[tokens[inputSide === 0 ? 1 : 0]] as Address,
      mode: "exact-in",
      amount: amountIn,
      otherAmountThreshold: 0n,
    },
  );
  return signTransaction(compileMessage({ payer: keypair.address, blockhash, instructions: [instruction] }), [keypair]);
}
