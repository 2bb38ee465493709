/** A finding as the fields of an mev envelope (proto/realtime.proto, message Mev). */
import { lamportsToSol } from "#core/units.ts";
import type { SandwichFinding } from "./finding.ts";
import type { TransactionFacts } from "./trade.ts";

/** `decisionId` follows from the back leg, so that a replay says the same. */
export function findingFields(finding: SandwichFinding) {
  const { attackers, legs, victims } = finding;
  const transactions = [
    ...new Map(legs.map(({ trade: { transaction } }) => [transaction.signature, transaction])).values(),
  ];
  const sum = (of: (transaction: TransactionFacts) => bigint) =>
    transactions.reduce((total, one) => total + of(one), 0n);
  const losses = victims.map(({ loss }) => loss?.lamports);
  return {
    decisionId: `sandwich-${transactions.at(-1)?.signature}-${legs.at(-1)?.trade.instructionIndex}`,
    type: finding.kind,
    slot: BigInt(finding.slot),
    firstSlot: BigInt(legs[0]?.trade.transaction.slot ?? finding.slot),
    attacker: attackers[0] ?? "",
    attackers: [...attackers],
    netSol: lamportsToSol(finding.netLamports),
    netLamports: finding.netLamports,
    grossLamports: finding.grossLamports,
    feeLamports: sum(({ feeLamports }) => feeLamports),
    tipLamports: sum(({ tipLamports }) => tipLamports),
    score: finding.score,
    victimsLossLamports: losses.reduce<bigint>((total, loss) => total + (loss ?? 0n), 0n),
    victimsUnpriced: losses.filter((loss) => loss === undefined).length,
    legRoles: legs.map(({ role }) => role),
    legWallets: legs.map(({ trade }) => trade.actor),
    legSignatures: legs.map(({ trade }) => trade.transaction.signature),
    legPools: legs.map(({ trade }) => trade.pool),
    legAmountsIn: legs.map(({ trade }) => trade.amountIn),
    legAmountsOut: legs.map(({ trade }) => trade.amountOut),
    victimWallets: victims.map(({ trade }) => trade.actor),
    victimSignatures: victims.map(({ trade }) => trade.transaction.signature),
    victimPools: victims.map(({ trade }) => trade.pool),
    victimLossesLamports: losses.map((loss) => loss ?? 0n),
    evidence: finding.evidence.map(({ name, weight, words }) => `${name} (${weight.toFixed(2)}): ${words}`),
  };
}
