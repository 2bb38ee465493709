/** The tables of `judge mev`, and what passes: precision, recall and calibration against the aims they are measured by. */
import type { Verdict } from "./judge-swaps.ts";
import type { LabelledAttack } from "./labelled-run.ts";
import { type Matched, sameLegs, victimKey } from "./mev-truth.ts";

const KINDS = ["same_slot", "bundle", "wide", "multi_wallet"] as const;
const PRECISION_AIM = 0.99;
const RECALL_AIM = 0.97;
/** Mean distance between score and truth, weighted by the findings of each row of the reliability table. */
const CALIBRATION_AIM = 0.02;
const BIN_EDGES = [0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.000001];
/** What a valuation at a price decides is not compared to the unit. */
const VALUED = ["kept", "sells", "dollar"];

export type MevJudgement = {
  readonly runs: number;
  readonly swaps: number;
  readonly attacks: readonly LabelledAttack[];
  /** Of every score; those below `scoreMin` count for the calibration only. */
  readonly matched: readonly Matched[];
  readonly roleOf: (wallet: string) => string;
  readonly scoreMin: number;
};

type Check = { readonly words: string; readonly passed: boolean };

export function writeMevVerdict(judged: MevJudgement, write: (text: string) => void): Verdict {
  const sandwiches = judged.attacks.filter(({ sandwich }) => sandwich);
  const given = judged.matched.filter(({ finding }) => finding.score >= judged.scoreMin);
  const found = new Map(given.flatMap((one) => (one.attack ? [[one.attack, one] as const] : [])));
  write(
    `${judged.runs} runs, ${judged.swaps} swaps, ${sandwiches.length} sandwiches (and ${judged.attacks.length - sandwiches.length} attempts without victim or profit), ${given.length} findings of score ${judged.scoreMin} or more\n\n`,
  );
  const checks = [
    ...kindTable(sandwiches, found, given, write),
    ...variantTable(sandwiches, found, write),
    ...reliabilityTable(judged.matched, write),
    ...exactness(given, write),
  ];
  falseTable(given, judged.roleOf, write);
  for (const { words, passed } of checks) write(`${passed ? "passed" : "failed"}  ${words}\n`);
  const passed = checks.filter((check) => check.passed).length;
  write(`${passed} passed, ${checks.length - passed} failed\n`);
  return { passed, failed: checks.length - passed };
}

function kindTable(
  sandwiches: readonly LabelledAttack[],
  found: ReadonlyMap<LabelledAttack, Matched>,
  given: readonly Matched[],
  write: (text: string) => void,
): Check[] {
  write(row("kind", "sandwiches", "found", "recall", "findings", "true", "precision", "kind right"));
  const checks: Check[] = [];
  for (const kind of [...KINDS, "all"]) {
    const real = sandwiches.filter((attack) => kind === "all" || attack.kind === kind);
    const caught = real.filter((attack) => found.has(attack));
    const claimed = given.filter(({ finding }) => kind === "all" || finding.kind === kind);
    const right = claimed.filter(({ attack }) => attack !== undefined);
    const named = caught.filter((attack) => found.get(attack)?.finding.kind === attack.kind);
    write(
      row(
        kind,
        real.length,
        caught.length,
        part(caught.length, real.length),
        claimed.length,
        right.length,
        part(right.length, claimed.length),
        part(named.length, caught.length),
      ),
    );
    if (real.length > 0) checks.push(aim(`recall of ${kind}`, caught.length / real.length, RECALL_AIM));
    if (claimed.length > 0) checks.push(aim(`precision of ${kind}`, right.length / claimed.length, PRECISION_AIM));
  }
  write("\n");
  return checks;
}

function variantTable(
  sandwiches: readonly LabelledAttack[],
  found: ReadonlyMap<LabelledAttack, Matched>,
  write: (text: string) => void,
): Check[] {
  const variants = [...new Set(sandwiches.flatMap((attack) => attack.variants))].sort();
  write(row("variant", "sandwiches", "found", "recall"));
  for (const variant of variants) {
    const real = sandwiches.filter((attack) => attack.variants.includes(variant));
    const caught = real.filter((attack) => found.has(attack)).length;
    write(row(variant, real.length, caught, part(caught, real.length)));
  }
  write("\n");
  return [];
}

function reliabilityTable(matched: readonly Matched[], write: (text: string) => void): Check[] {
  write(row("score", "findings", "mean score", "share true"));
  let apart = 0;
  for (const [i, low] of BIN_EDGES.slice(0, -1).entries()) {
    const high = BIN_EDGES[i + 1] as number;
    const inside = matched.filter(({ finding }) => finding.score >= low && finding.score < high);
    if (inside.length === 0) continue;
    const mean = inside.reduce((sum, { finding }) => sum + finding.score, 0) / inside.length;
    const share = inside.filter(({ attack }) => attack !== undefined).length / inside.length;
    apart += Math.abs(mean - share) * inside.length;
    write(row(`${low} to ${Math.min(high, 1)}`, inside.length, mean.toFixed(3), share.toFixed(3)));
  }
  if (matched.length === 0) return [];
  const error = apart / matched.length;
  write(`expected calibration error ${error.toFixed(4)}\n\n`);
  return [
    {
      words: `calibration error ${error.toFixed(4)} (aim: at most ${CALIBRATION_AIM})`,
      passed: error <= CALIBRATION_AIM,
    },
  ];
}

/** Legs, losses and profits of the true findings, to the unit. */
function exactness(given: readonly Matched[], write: (text: string) => void): Check[] {
  let [legs, losses, lossesEqual, profits, profitsEqual, netLosses, truths] = [0, 0, 0, 0, 0, 0, 0];
  for (const { finding, attack } of given) {
    if (finding.netLamports <= 0n) netLosses++;
    if (attack === undefined) continue;
    truths++;
    if (!sameLegs(finding, attack)) continue;
    legs++;
    for (const { signature, pool, loss } of attack.victims) {
      const told = finding.losses.get(victimKey(signature, pool));
      if (told === undefined) continue;
      losses++;
      if (told === loss) lossesEqual++;
    }
    if (attack.variants.some((variant) => VALUED.includes(variant))) continue;
    profits++;
    if (finding.netLamports === attack.netLamports) profitsEqual++;
  }
  write(
    `of ${truths} true findings ${legs} have every leg and no other; of those ${lossesEqual} of ${losses} victims' losses that were told and ${profitsEqual} of ${profits} net profits in SOL are equal to the unit\n\n`,
  );
  return [
    { words: `findings with a net loss: ${netLosses}`, passed: netLosses === 0 },
    { words: `victims' losses equal to the unit: ${lossesEqual} of ${losses}`, passed: lossesEqual === losses },
    { words: `net profits equal to the unit: ${profitsEqual} of ${profits}`, passed: profitsEqual === profits },
  ];
}

/** Who false findings accuse. */
function falseTable(
  given: readonly Matched[],
  roleOf: (wallet: string) => string,
  write: (text: string) => void,
): void {
  const counts = new Map<string, number>();
  for (const { finding, attack, again } of given) {
    if (attack !== undefined) continue;
    const who = again ? "found twice" : [...new Set(finding.attackers.map(roleOf))].sort().join(" and ");
    counts.set(who, (counts.get(who) ?? 0) + 1);
  }
  if (counts.size === 0) return;
  write(row("false findings", "count"));
  for (const [who, count] of [...counts].sort(([, a], [, b]) => b - a)) write(row(who, count));
  write("\n");
}

const aim = (what: string, value: number, least: number): Check => ({
  words: `${what} ${value.toFixed(4)} (aim: at least ${least})`,
  passed: value >= least,
});
const part = (count: number, of: number): string => (of === 0 ? "-" : (count / of).toFixed(4));
const row = (name: string, ...cells: readonly (string | number)[]): string =>
  `${name.padEnd(32)}${cells.map((cell) => String(cell).padStart(12)).join("")}\n`;
