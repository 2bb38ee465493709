/** Candidates into findings: those whose legs lie in the same transactions are one attack on several pools. */
import type { Address, Signature } from "#core/units.ts";
import { isVenueProgram } from "#dex/swap-shape.ts";
import type { Candidate, IdleLegs } from "./candidate.ts";
import type { SandwichFinding, SandwichKind } from "./finding.ts";
import type { Habits } from "./habits.ts";
import { weigh } from "./score.ts";
import type { TransactionFacts } from "./trade.ts";
import type { WalletLinks } from "./wallet-links.ts";

/** What the same transactions gained or lost on other pools, victims or not, is in the gross profit too. */
export function joinCandidates(
  judged: readonly (Candidate | IdleLegs)[],
  links: WalletLinks,
  habits: Habits,
): SandwichFinding[] {
  const byTransactions = new Map<string, (Candidate | IdleLegs)[]>();
  for (const part of judged) {
    const signatures = [...new Set(part.placed.map(({ trade }) => trade.transaction.signature))].sort().join();
    byTransactions.set(signatures, [...(byTransactions.get(signatures) ?? []), part]);
  }
  return [...byTransactions.values()].flatMap((parts) => {
    const candidates = parts.filter((part) => part.kind === "candidate");
    const elsewhere = sum(parts.map((part) => (part.kind === "idle" ? (part.grossLamports ?? 0n) : 0n)));
    return candidates.length === 0 ? [] : [findingOf(candidates, elsewhere, links, habits)];
  });
}

function findingOf(
  parts: readonly Candidate[],
  elsewhere: bigint,
  links: WalletLinks,
  habits: Habits,
): SandwichFinding {
  const legs = parts
    .flatMap((part) => part.placed.map(({ order }, i) => ({ order, leg: part.legs[i] as Candidate["legs"][number] })))
    .sort((a, b) => a.order - b.order)
    .map(({ leg }) => leg);
  const victims = parts.flatMap((part) => part.victims);
  const attackers = [...new Set(legs.map(({ trade }) => trade.actor))];
  const transactions = distinct(legs.map(({ trade }) => trade.transaction));
  const tipLamports = sum(transactions.map((transaction) => transaction.tipLamports));
  const grossLamports = elsewhere + sum(parts.map((part) => part.grossLamports));
  const netLamports = grossLamports - tipLamports - sum(transactions.map(({ feeLamports }) => feeLamports));
  const [first, last] = [transactions[0] as TransactionFacts, transactions.at(-1) as TransactionFacts];
  const taking = distinct([...transactions, ...victims.map(({ trade }) => trade.transaction)]);
  const contiguous = first.slot === last.slot && taking.length === last.index - first.index + 1;
  const earlier = habits.of(attackers);
  const lastVictimSlot = Math.max(...victims.map(({ trade }) => trade.transaction.slot));
  const { score, evidence } = weigh({
    slots: last.slot - first.slot,
    slotsAfterVictim: last.slot - lastVictimSlot,
    victims: victims.length,
    bystanders: sumNumbers(parts.map((part) => part.bystanders)),
    frontGap: Math.max(...parts.map((part) => part.frontGap)),
    backGap: Math.max(...parts.map((part) => part.backGap)),
    contiguous,
    reverting: parts.every((part) => part.reverting),
    sizeRatio: Math.max(...parts.map((part) => part.sizeRatio)),
    grossLamports,
    mismatch: Math.max(...parts.map((part) => part.mismatch)),
    lossShare: least(parts.map((part) => part.lossShare)),
    victimShare: least(parts.map((part) => part.victimShare)),
    tipLamports,
    links: linkWords(attackers, links),
    ownProgram: new Set(legs.map(({ trade }) => trade.program)).size === 1 && legs.every(notOfDex),
    earlierLegs: earlier.legs,
    // The legs themselves were noted as trades when they came.
    earlierOthers: Math.max(0, earlier.trades - earlier.legs - legs.length),
    earlierRoundTrips: earlier.roundTrips,
  });
  const kind = kindOf(attackers.length, last.slot - first.slot, contiguous && tipLamports > 0n);
  return { kind, slot: last.slot, attackers, victims, legs, grossLamports, netLamports, score, evidence };
}

function kindOf(wallets: number, slots: number, bundle: boolean): SandwichKind {
  if (wallets > 1) return "multi_wallet";
  if (slots > 0) return "wide";
  return bundle ? "bundle" : "same_slot";
}

function linkWords(attackers: readonly Address[], links: WalletLinks): string[] {
  return attackers.flatMap((wallet, i) => {
    const related = links.related(wallet);
    return attackers.slice(i + 1).flatMap((other) => {
      const words = related.get(other);
      return words === undefined ? [] : [`${wallet} and ${other} by ${words}`];
    });
  });
}

function distinct(transactions: readonly TransactionFacts[]): TransactionFacts[] {
  const bySignature = new Map<Signature, TransactionFacts>();
  for (const transaction of transactions) bySignature.set(transaction.signature, transaction);
  return [...bySignature.values()];
}

const notOfDex = ({ trade }: Candidate["legs"][number]): boolean => !isVenueProgram(trade.program);
const least = (values: readonly (number | undefined)[]): number | undefined =>
  values.reduce((low, value) => (low === undefined || value === undefined ? undefined : Math.min(low, value)));
const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
const sumNumbers = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
