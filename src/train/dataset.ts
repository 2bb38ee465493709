/**
 * The rows that a model is fitted on: decisions that were sent, with the features they were made on, and whether their
 * bundle landed. What is not known any more ("unknown") teaches nothing and is left out.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SandpiperError } from "#core/error.ts";
import { FEATURES } from "#model/features.ts";
import type { Store } from "#store/client.ts";
import { TRAIN_ERROR } from "./errors.ts";
import type { JobPlan } from "./job.ts";
import { type Split, splitByTime, type TimedRow } from "./split.ts";

const ROWS_MAX = 1_000_000;
const PAGE_ROWS = 50_000;
const NS_PER_MS = 1_000_000n;

type TrainingRow = TimedRow & {
  readonly features: readonly number[];
  readonly landed: boolean;
  /** What the model in use then said; NaN when there was none. */
  readonly score: number;
};
export type Dataset = Split<TrainingRow>;

type Columns = {
  readonly decision_id: string;
  readonly decide_ns: string;
  readonly land_ns: string;
  readonly features: readonly number[];
  readonly landed: boolean;
  readonly score: number;
};

const KNOWN = "land_ns >= {start:UInt64} AND land_ns < {end:UInt64} AND state != 'unknown' AND mode = {mode:String}";
/** `at` is the tables' order, in µs; the times in ns are exact. */
const PAGE = `
  SELECT d.decision_id AS decision_id, d.decide_ns AS decide_ns, o.land_ns AS land_ns, d.features AS features,
    o.landed AS landed, d.score AS score
  FROM sandpiper.arb_opportunities AS d
  INNER JOIN (SELECT decision_id, land_ns, landed FROM sandpiper.bundle_outcomes_typed WHERE ${KNOWN}) AS o
    ON d.decision_id = o.decision_id
  WHERE d.decide_ns >= {start:UInt64} AND d.decide_ns < {end:UInt64} AND d.action = 'send' AND d.mode = {mode:String}
    AND length(d.features) = {width:UInt32}
    AND (d.at, d.decision_id) > (fromUnixTimestamp64Micro(intDiv({afterNs:Int64}, 1000), 'UTC'), {afterId:String})
  ORDER BY d.at, d.decision_id LIMIT {most:UInt32}`;

/** Throws a SandpiperError when there are too many or too few. */
export async function readDataset(
  store: Pick<Store, "query">,
  plan: Pick<JobPlan, "startMs" | "endMs">,
  options: { readonly mode: string; readonly rowsMin: number },
): Promise<Dataset> {
  const [start, end] = [BigInt(plan.startMs) * NS_PER_MS, BigInt(plan.endMs) * NS_PER_MS].map(String);
  const rows: TrainingRow[] = [];
  let after = { afterNs: "0", afterId: "" };
  for (;;) {
    const params = { start, end, mode: options.mode, width: FEATURES.length, most: PAGE_ROWS, ...after };
    const page = await store.query<Columns>(PAGE, params);
    for (const row of page) rows.push(rowOf(row));
    if (rows.length > ROWS_MAX) refuse(`at most ${ROWS_MAX} rows in the range`, `more`);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_ROWS) break;
    after = { afterNs: last.decide_ns, afterId: last.decision_id };
  }
  if (rows.length < options.rowsMin)
    refuse(`at least ${options.rowsMin} sent decisions with an outcome in the range (training.rowsMin)`, rows.length);
  return splitByTime(rows, plan);
}

const rowOf = ({ decide_ns: decideNs, land_ns: landNs, features, landed, score }: Columns): TrainingRow => ({
  decideNs: BigInt(decideNs),
  settledNs: BigInt(landNs),
  features,
  landed,
  score,
});

/** The files that training/fit_model.py reads: fit.f32, tune.f32, judge.f32. */
export function writeDataset(folder: string, dataset: Dataset): void {
  for (const name of ["fit", "tune", "judge"] as const) {
    const rows = dataset[name];
    const width = FEATURES.length + 2;
    const values = new Float32Array(rows.length * width);
    rows.forEach(({ features, landed, score }, i) => {
      values.set(features, i * width);
      values[i * width + width - 2] = landed ? 1 : 0;
      values[i * width + width - 1] = score;
    });
    writeFileSync(join(folder, `${name}.f32`), values);
  }
}

function refuse(want: string, was: string | number): never {
  throw new SandpiperError(TRAIN_ERROR.rows, `Cannot train: ${want}, was ${was}`);
}
