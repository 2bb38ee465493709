/**
 * What the probes of `sandpiper trace` measure in the kernel: a file that it replaces every second while it watches, for
 * the gateway's /metrics. Written by root beside a run that is another user's; nothing secret is in it.
 */
import { readJsonFile, writeFileAtomicUnsynced } from "./atomic-file.ts";

/** What is measured; the names of its metric come from here and do not change. */
export const TRACE_FIGURES = [
  "scheduling-delay",
  "send-to-queue",
  "send-call",
  "network-softirq",
  "receive-to-read",
] as const;
export type TraceFigure = (typeof TRACE_FIGURES)[number];

export type TraceHistogram = {
  readonly figure: TraceFigure;
  /** Whose: a thread, a kind of softirq; empty where there is one only. */
  readonly of: string;
  /** From the smallest up: values below so many µs that are in no bucket before, and how many. */
  readonly buckets: readonly (readonly [belowUs: number, count: number])[];
  readonly sumUs: number;
};

export type TraceProgramReport = {
  /** Of tuning/trace/, without .bt. */
  readonly program: string;
  readonly state: "loading" | "watching" | "ended" | "refused";
  /** In words, for what is not watching. */
  readonly why: string;
  /** Since it last began to watch. */
  readonly histograms: readonly TraceHistogram[];
};

export type TraceReport = {
  readonly atMs: number;
  readonly programs: readonly TraceProgramReport[];
};

export const writeTraceReport = (path: string, report: TraceReport): void =>
  writeFileAtomicUnsynced(path, JSON.stringify(report));

/** Undefined when there is none, or one of another shape. */
export function readTraceReport(path: string): TraceReport | undefined {
  try {
    const report = readJsonFile(path) as Partial<TraceReport> | undefined;
    return Array.isArray(report?.programs) && typeof report.atMs === "number" ? (report as TraceReport) : undefined;
  } catch {
    return undefined;
  }
}
