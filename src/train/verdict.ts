/** How a fitted model did on the rows behind those it was fitted on, and what is not good enough to be built. */
import { readFileSync } from "node:fs";
import { SandpiperError } from "#core/error.ts";
import { TRAIN_ERROR } from "./errors.ts";

/** Of training/fit_model.py: rows, trees, landedShare, auc, logLoss, brier, calibrationGap, baseLogLoss, calibratedLogLoss, inUseLogLoss. */
export type Metrics = Readonly<Record<string, number>>;

/** Mean distance between scores and shares that is let pass, beside what chance makes of so many rows. */
const CALIBRATION_GAP_MAX = 0.1;
const NUMBERS = ["rows", "logLoss", "baseLogLoss", "calibrationGap"] as const;

export function metricsOf(path: string): Metrics {
  return JSON.parse(readFileSync(path, "utf8")) as Metrics;
}

/** Throws a SandpiperError that says which figure is not good enough. */
export function refuseBadMetrics(metrics: Metrics): void {
  const [rows, logLoss, baseLogLoss, gap] = NUMBERS.map((name) => metrics[name] ?? Number.NaN) as [
    ...[number, number, number, number],
  ];
  if (!(logLoss < baseLogLoss))
    refuse(`a log loss below the ${baseLogLoss.toFixed(4)} of who always says the usual share`, logLoss);
  const most = CALIBRATION_GAP_MAX + 1 / Math.sqrt(rows);
  if (!(gap <= most)) refuse(`scores within ${most.toFixed(3)} of the shares that land`, gap);
}

function refuse(want: string, was: number): never {
  throw new SandpiperError(TRAIN_ERROR.notGoodEnough, `Cannot publish the model: ${want}, was ${was.toFixed(4)}`);
}
