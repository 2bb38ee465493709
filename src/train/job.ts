/**
 * Training jobs on disk, one file each: what was asked, how far it is, how it ended. The trainer writes them; the gateway
 * and the command line read them. To cancel is to put a file beside the job, which the trainer looks for.
 *
 *   <folder>/<id>.json     the job, replaced by rename
 *   <folder>/<id>.cancel   who wants it cancelled
 *   a folder "work"       what the attempts of jobs are working on
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readJsonFile, writeFileAtomic } from "#core/atomic-file.ts";
import type { ModelKind } from "#model/models-folder.ts";

/** A job's id is part of file names. */
export const JOB_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

type JobState = "queued" | "running" | "done" | "failed" | "cancelled";

/** What fits: XGBoost, LightGBM, or a multilayer perceptron by torch. */
export type TrainLibrary = "xgb" | "lgbm" | "torch";

/** What is to be fitted, checked (check-request.ts). */
export type JobPlan = {
  readonly kind: ModelKind;
  readonly library: TrainLibrary;
  /** Unix ms, half open; nothing that was known later is used. */
  readonly startMs: number;
  readonly endMs: number;
  /** Names of the features that may be used, in the order of the row. */
  readonly features: readonly string[];
  /** Of a tree; torch: hidden layers. */
  readonly maxDepth: number;
  /** The most of them; torch: the most passes over the rows. */
  readonly trees: number;
  readonly learningRate: number;
  readonly gpu: boolean;
};

export type TrainingJob = {
  readonly id: string;
  readonly plan: JobPlan;
  readonly askedBy: string;
  readonly askedMs: number;
  readonly state: JobState;
  /** 0..1 */
  readonly progressShare: number;
  /** What it does now, or why it ended, for people. */
  readonly message: string;
  /** The version that came of it; empty while there is none. */
  readonly modelHash: string;
  /** 0 while it has not. */
  readonly startedMs: number;
  readonly endedMs: number;
  /** How often it was begun. */
  readonly attempts: number;
};

export const isOver = ({ state }: TrainingJob): boolean => state !== "queued" && state !== "running";

/** Oldest first. A file that is none of ours is passed over. */
export function readJobs(folder: string): TrainingJob[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => readJob(folder, name.slice(0, -".json".length)) ?? [])
    .sort((a, b) => a.askedMs - b.askedMs || (a.id < b.id ? -1 : 1));
}

export function readJob(folder: string, id: string): TrainingJob | undefined {
  if (!JOB_ID.test(id)) return undefined;
  try {
    const found = readJsonFile(join(folder, `${id}.json`)) as Partial<TrainingJob> | undefined;
    return found?.id === id && typeof found.state === "string" ? (found as TrainingJob) : undefined;
  } catch {
    return undefined;
  }
}

export function writeJob(folder: string, job: TrainingJob): void {
  writeFileAtomic(join(folder, `${job.id}.json`), `${JSON.stringify(job, undefined, 2)}\n`);
}

/** Asks the trainer to cancel a job that is not over; answers whether there is one. */
export function askToCancel(folder: string, id: string, by: string): boolean {
  const job = readJob(folder, id);
  if (job === undefined || isOver(job)) return false;
  mkdirSync(folder, { recursive: true });
  writeFileAtomic(join(folder, `${id}.cancel`), by);
  return true;
}

/** Who wants the job cancelled, or undefined. */
export function cancelledBy(folder: string, id: string): string | undefined {
  const path = join(folder, `${id}.cancel`);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** Forgets a job. */
export function removeJob(folder: string, id: string): void {
  for (const end of ["json", "cancel"]) rmSync(join(folder, `${id}.${end}`), { force: true });
}
