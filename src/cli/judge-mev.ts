/**
 * `judge mev RUN [FINDINGS]`: a detector against labelled runs (docs/labelled-runs.md), one file or a folder of them: precision
 * and recall per kind, whether the score means what it says, whether losses and profits are right to the unit. Without
 * FINDINGS it is the detector of this build; with it any other's, as NDJSON of `mev scan --json`.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { errorText, SandpiperError } from "#core/error.ts";
import { DETECTOR_DEFAULTS, SandwichDetector } from "#mev/sandwich-detector.ts";
import { CLI_ERROR } from "./errors.ts";
import { field, type JsonRow, listOf, textOf } from "./json-row.ts";
import type { Verdict } from "./judge-swaps.ts";
import { type LabelledAttack, readLabelledRow, unreadable } from "./labelled-run.ts";
import { type JudgedFinding, judgedFinding, type Matched, matchFindings, victimKey } from "./mev-truth.ts";
import { writeMevVerdict } from "./mev-verdict.ts";
import { textLines } from "./text-lines.ts";

const RUNS_MAX = 1_000;

/** One labelled run, and what a detector made of it. */
type JudgedRun = {
  readonly swaps: number;
  readonly attacks: readonly LabelledAttack[];
  readonly matched: readonly Matched[];
  readonly roles: ReadonlyMap<string, string>;
};

export async function judgeMev(path: string, write: (text: string) => void, findingsPath?: string): Promise<Verdict> {
  const given = findingsPath === undefined ? undefined : await readFindings(findingsPath);
  const runs: JudgedRun[] = [];
  for (const file of runFiles(path)) runs.push(await judgeRun(file, given));
  const roles = new Map(runs.flatMap((run) => [...run.roles]));
  return writeMevVerdict(
    {
      runs: runs.length,
      swaps: runs.reduce((sum, { swaps }) => sum + swaps, 0),
      attacks: runs.flatMap(({ attacks }) => attacks),
      matched: runs.flatMap(({ matched }) => matched),
      roleOf: (wallet) => roles.get(wallet) ?? "crowd",
      scoreMin: DETECTOR_DEFAULTS.scoreMin,
    },
    write,
  );
}

async function judgeRun(path: string, given: readonly JudgedFinding[] | undefined): Promise<JudgedRun> {
  // All that pays is looked at; what lies below the default score counts for the calibration only.
  const detector = new SandwichDetector({ scoreMin: 0 });
  const [findings, attacks]: [JudgedFinding[], LabelledAttack[]] = [[], []];
  const roles = new Map<string, string>();
  const signatures = given && new Set<string>();
  let [swaps, line] = [0, 0];
  for await (const lines of textLines(path))
    for (const text of lines) {
      const row = readLabelledRow(text, `${path} line ${++line}`);
      if (line === 1 && row.type !== "run")
        throw unreadable(`${path} line 1`, "a row of type run", `one of type ${row.type}`);
      if (row.type === "attack") attacks.push(row.attack);
      else if (row.type === "person") roles.set(row.address, row.role);
      else if (row.type === "transaction") {
        swaps += row.transaction.trades.length;
        signatures?.add(row.transaction.signature);
        if (given === undefined) findings.push(...detector.see(row.transaction).map(judgedFinding));
      }
    }
  findings.push(...detector.flush().map(judgedFinding));
  const own = given?.filter(({ backs }) => backs.some((back) => signatures?.has(back))) ?? findings;
  return { swaps, attacks, matched: matchFindings(own, attacks), roles };
}

function runFiles(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => /\.ndjson(\.gz)?$/.test(name));
    if (names.length > 0 && names.length <= RUNS_MAX) return names.sort().map((name) => join(path, name));
    throw new Error(`${names.length} files that end in .ndjson or .ndjson.gz`);
  } catch (cause) {
    throw new SandpiperError(
      CLI_ERROR.labelledRun,
      `Cannot judge ${path}: 1 to ${RUNS_MAX} labelled runs, was ${errorText(cause)}`,
    );
  }
}

async function readFindings(path: string): Promise<JudgedFinding[]> {
  const findings: JudgedFinding[] = [];
  let line = 0;
  for await (const lines of textLines(path))
    for (const text of lines) {
      const where = `${path} line ${++line}`;
      try {
        const row = JSON.parse(text) as JsonRow;
        if (textOf(row, "kind") !== "arbitrage") findings.push(readFinding(row));
      } catch (cause) {
        throw unreadable(where, "a finding as `mev scan --json` writes it", errorText(cause));
      }
    }
  return findings;
}

function readFinding(row: JsonRow): JudgedFinding {
  const [score, net, attackers] = [field(row, "score"), field(row, "net_lamports"), field(row, "attackers")];
  if (typeof score !== "number" || !(score >= 0 && score <= 1)) throw new TypeError(`score ${JSON.stringify(score)}`);
  if (!Number.isSafeInteger(net)) throw new TypeError(`net_lamports ${JSON.stringify(net)}`);
  if (!Array.isArray(attackers)) throw new TypeError(`attackers ${JSON.stringify(attackers)}`);
  const legs = listOf(row, "legs");
  const signatures = (role: string) => [
    ...new Set(legs.filter((leg) => textOf(leg, "role") === role).map((leg) => textOf(leg, "signature"))),
  ];
  return {
    kind: textOf(row, "kind"),
    score,
    netLamports: BigInt(net as number),
    attackers: attackers.map(String),
    fronts: signatures("front"),
    backs: signatures("back"),
    losses: new Map(
      listOf(row, "victims").map((victim) => {
        const loss = field(victim, "loss");
        return [
          victimKey(textOf(victim, "signature"), textOf(victim, "pool")),
          typeof loss === "string" ? BigInt(loss) : undefined,
        ];
      }),
    ),
  };
}
