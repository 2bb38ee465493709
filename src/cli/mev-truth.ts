/**
 * Findings against the truth of a labelled run. A finding is true when one sandwich has a front, a back and a victim in
 * common with it and every attacker that it names; the second finding of the same sandwich is false.
 */
import type { SandwichFinding } from "#mev/finding.ts";
import type { LabelledAttack } from "./labelled-run.ts";

/** What is judged of a finding, ours or another detector's. */
export type JudgedFinding = {
  readonly kind: string;
  readonly score: number;
  readonly netLamports: bigint;
  readonly attackers: readonly string[];
  readonly fronts: readonly string[];
  readonly backs: readonly string[];
  /** Signature and pool to the loss that was told; undefined where none was. */
  readonly losses: ReadonlyMap<string, bigint | undefined>;
};

export type Matched = {
  readonly finding: JudgedFinding;
  /** Undefined when it is false. */
  readonly attack: LabelledAttack | undefined;
  /** It is of a sandwich that another finding had before. */
  readonly again: boolean;
};

export const victimKey = (signature: string, pool: string): string => `${signature} ${pool}`;

export function judgedFinding(finding: SandwichFinding): JudgedFinding {
  const signatures = (role: "front" | "back") => [
    ...new Set(finding.legs.filter((leg) => leg.role === role).map(({ trade }) => trade.transaction.signature)),
  ];
  return {
    kind: finding.kind,
    score: finding.score,
    netLamports: finding.netLamports,
    attackers: finding.attackers,
    fronts: signatures("front"),
    backs: signatures("back"),
    losses: new Map(
      finding.victims.map(({ trade, loss }) => [victimKey(trade.transaction.signature, trade.pool), loss?.amount]),
    ),
  };
}

export function matchFindings(findings: readonly JudgedFinding[], attacks: readonly LabelledAttack[]): Matched[] {
  const byBack = new Map<string, LabelledAttack[]>();
  for (const attack of attacks)
    for (const back of attack.sandwich ? attack.backs : []) byBack.set(back, [...(byBack.get(back) ?? []), attack]);
  const taken = new Set<LabelledAttack>();
  return findings.map((finding) => {
    const candidates = finding.backs
      .flatMap((back) => byBack.get(back) ?? [])
      .filter((attack) => fits(finding, attack));
    const attack = candidates.find((one) => !taken.has(one));
    if (attack !== undefined) taken.add(attack);
    return { finding, attack, again: attack === undefined && candidates.length > 0 };
  });
}

function fits({ attackers, fronts, losses }: JudgedFinding, attack: LabelledAttack): boolean {
  return (
    attackers.length > 0 &&
    attackers.every((wallet) => attack.attackers.includes(wallet)) &&
    fronts.some((front) => attack.fronts.includes(front)) &&
    attack.victims.some(({ signature, pool }) => losses.has(victimKey(signature, pool)))
  );
}

/** Every leg of the sandwich and no other. */
export const sameLegs = ({ fronts, backs }: JudgedFinding, attack: LabelledAttack): boolean =>
  sameSet(fronts, attack.fronts) && sameSet(backs, attack.backs);

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((item) => b.includes(item));
