/**
 * Atomic arbitrage from balance changes: a transaction that swaps through several pools in a circle and leaves its signers
 * with more than they had. The gain is the lamports of the signers and of every token account they own, so fees, tips and
 * rent are in it; a transaction that lost is no finding.
 */
import { type Address, type Signature, WSOL_MINT } from "#core/units.ts";
import type { ExecutedTransaction } from "./read-transaction.ts";
import type { MevTransaction } from "./trade.ts";

export type ArbitrageFinding = {
  readonly kind: "arbitrage";
  readonly slot: number;
  readonly index: number;
  readonly signature: Signature;
  readonly netLamports: bigint;
  /** Why it is one, in words. */
  readonly evidence: readonly string[];
};

/** `lamportsOf` values a gain where the circle begins and ends in another token than SOL; undefined where it cannot. */
export function findArbitrage(
  executed: ExecutedTransaction,
  { slot, index, signature, failed, trades, feeLamports, tipLamports }: MevTransaction,
  lamportsOf: (mint: Address, amount: bigint) => bigint | undefined,
): ArbitrageFinding | undefined {
  if (failed || !trades.some(({ cyclic }) => cyclic)) return undefined;
  const { tokenAccounts, tokenOwners, lamportChanges, signers } = executed;
  const circleMint = trades[0]?.mintIn;
  let netLamports = 0n;
  for (const signer of signers) netLamports += lamportChanges.get(signer) ?? 0n;
  for (const [account, { mint, change }] of tokenAccounts) {
    const owner = tokenOwners.get(account);
    if (owner === undefined || !signers.has(owner) || signers.has(account)) continue;
    // Wrapped SOL is lamports of its account; another token's account holds its rent.
    netLamports += lamportChanges.get(account) ?? 0n;
    if (mint === WSOL_MINT || change === 0n) continue;
    // Who spent another token has bought, not gained; what is left over of one is not counted as a gain.
    if (mint !== circleMint && change < 0n) return undefined;
    if (mint === circleMint) netLamports += lamportsOf(mint, change) ?? 0n;
  }
  if (netLamports <= 0n) return undefined;
  const pools = new Set(trades.map(({ pool }) => pool)).size;
  const path = [...trades.map(({ mintIn }) => mintIn), trades.at(-1)?.mintOut].join(" → ");
  const evidence = [
    `${trades.length} swaps on ${pools} pools in one transaction end in the token they began with: ${path}`,
    `its signers and the token accounts they own hold ${netLamports} lamports more than before, and nothing of another token less`,
    `the fee of ${feeLamports} and tips of ${tipLamports} lamports are paid out of that`,
  ];
  return { kind: "arbitrage", slot, index, signature, netLamports, evidence };
}
