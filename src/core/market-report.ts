/** How the market is heard, stream by stream: a file that the feed replaces every second, for the gateway and people. */
import { readJsonFile, writeFileAtomicUnsynced } from "./atomic-file.ts";

export type StreamReport = {
  readonly name: string;
  readonly newestSlot: number;
  /** Behind the stream that is furthest. */
  readonly slotsBehind: number;
  /** ms since it last said anything; null before it did. */
  readonly silentMs: number | null;
  /** Transactions and slots that it was first with, and those that another had told already. */
  readonly first: number;
  readonly repeated: number;
  readonly connections: number;
  /** Connections that went on where the one before broke, and those that could not. */
  readonly resumed: number;
  readonly notResumed: number;
  readonly malformed: number;
  readonly silences: number;
};

export type MarketReport = {
  readonly atMs: number;
  readonly pools: number;
  /** By name, grown since the feed began: gaps, dead slots, snapshots, what was dropped, refusals of the node. */
  readonly counters: Readonly<Record<string, number>>;
  readonly streams: readonly StreamReport[];
};

export const writeMarketReport = (path: string, report: MarketReport): void =>
  writeFileAtomicUnsynced(path, JSON.stringify(report));

/** Undefined when there is none, or one of another shape. */
export function readMarketReport(path: string): MarketReport | undefined {
  try {
    const report = readJsonFile(path) as Partial<MarketReport> | undefined;
    return Array.isArray(report?.streams) && typeof report.counters === "object" ? (report as MarketReport) : undefined;
  } catch {
    return undefined;
  }
}
