/** Findings as lines: NDJSON for programs (the fields are a contract, docs/judges.md), a few lines each for people. */
import { formatSol } from "#core/units.ts";
import type { ArbitrageFinding } from "#mev/arbitrage-finder.ts";
import type { SandwichFinding, SandwichLeg, Victim } from "#mev/finding.ts";
import type { Trade } from "#mev/trade.ts";

export type ScanCounts = {
  readonly blocks: number;
  readonly transactions: number;
  readonly failed: number;
  /** Swap instructions that could not be read. */
  readonly unreadable: number;
  readonly sandwiches: number;
  readonly arbitrages: number;
  readonly trades: number;
  readonly belowScore: number;
  readonly netLosses: number;
  readonly droppedTrades: number;
};

/** Lamports are JSON integers: all the SOL there is stays within a double's exact range in any one finding. */
export function findingLine(finding: SandwichFinding | ArbitrageFinding): string {
  return `${JSON.stringify(finding.kind === "arbitrage" ? arbitrageRow(finding) : sandwichRow(finding))}\n`;
}

export function findingText(finding: SandwichFinding | ArbitrageFinding): string {
  if (finding.kind === "arbitrage") {
    const { slot, index, signature, netLamports, evidence: reasons } = finding;
    const head = `arbitrage     slot ${slot} #${index}  net ${formatSol(netLamports)} SOL  ${signature}`;
    return [head, ...reasons.map((words) => `            ${words}`), "", ""].join("\n");
  }
  const { kind, slot, score, grossLamports, netLamports, attackers, legs, victims, evidence } = finding;
  const signed = (weight: number) => `${weight < 0 ? "" : "+"}${weight.toFixed(2)}`;
  return [
    `${kind.padEnd(13)} slot ${slot}  score ${score.toFixed(2)}  net ${formatSol(netLamports)} SOL (gross ${formatSol(grossLamports)})`,
    ...attackers.map((wallet) => `  attacker  ${wallet}`),
    ...legs.map(({ role, trade }) => `  ${role.padEnd(8)}  ${tradeText(trade)}`),
    ...victims.map((victim) => `  victim    ${tradeText(victim.trade)}  ${lossText(victim)}`),
    ...evidence.map(({ weight, words }) => `  ${signed(weight).padStart(8)}  ${words}`),
    "",
    "",
  ].join("\n");
}

export function summaryText(counts: ScanCounts): string {
  return [
    `${counts.blocks} blocks, ${counts.transactions} transactions (${counts.failed} failed), ${counts.trades} swaps, ${counts.unreadable} swap instructions unreadable`,
    `${counts.sandwiches} sandwiches, ${counts.arbitrages} atomic arbitrages`,
    `not given: ${counts.belowScore} below the score, ${counts.netLosses} with a net loss; ${counts.droppedTrades} trades dropped from full windows`,
    "",
  ].join("\n");
}

function sandwichRow(finding: SandwichFinding) {
  return {
    kind: finding.kind,
    slot: finding.slot,
    attackers: finding.attackers,
    victims: finding.victims.map(victimRow),
    legs: finding.legs.map(legRow),
    gross_lamports: Number(finding.grossLamports),
    net_lamports: Number(finding.netLamports),
    score: Number(finding.score.toFixed(4)),
    evidence: finding.evidence.map(({ name, weight, words }) => `${name} (${weight.toFixed(2)}): ${words}`),
  };
}

function arbitrageRow({ kind, index, signature, netLamports, evidence }: ArbitrageFinding) {
  return { kind, tx_index: index, signature, net_lamports: Number(netLamports), evidence };
}

function victimRow({ trade, loss }: Victim) {
  return {
    trader: trade.actor,
    ...placeOf(trade),
    loss: loss === undefined ? null : `${loss.amount}`,
    loss_mint: loss?.mint ?? null,
    loss_lamports: loss?.lamports === undefined ? null : Number(loss.lamports),
  };
}

const legRow = ({ role, trade }: SandwichLeg) => ({
  role,
  trader: trade.actor,
  ...placeOf(trade),
  mint_in: trade.mintIn,
  mint_out: trade.mintOut,
  amount_in: `${trade.amountIn}`,
  amount_out: `${trade.amountOut}`,
});

const placeOf = ({ transaction, pool }: Trade) => ({
  signature: transaction.signature,
  slot: transaction.slot,
  tx_index: transaction.index,
  pool,
});

const tradeText = ({ transaction, pool, amountIn, amountOut, mintIn, mintOut, actor }: Trade): string =>
  `#${transaction.index} ${short(actor)} on ${short(pool)}: ${amountIn} ${short(mintIn)} for ${amountOut} ${short(mintOut)}`;

function lossText({ loss }: Victim): string {
  if (loss === undefined) return "loss not known";
  const sol = loss.lamports === undefined ? "" : ` (${formatSol(loss.lamports)} SOL)`;
  return `lost ${loss.amount} ${short(loss.mint)}${sol}`;
}

const short = (address: string): string => address.slice(0, 6);
