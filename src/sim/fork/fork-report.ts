/** What a fork took over and what transactions on it changed, as a file that others read (`sandpiper fork show`). */
import { readJsonFile, writeFileAtomicUnsynced } from "#core/atomic-file.ts";
import type { RemoteFork } from "./remote-fork.ts";

export type ForkReport = {
  readonly atMs: number;
  readonly counters: RemoteFork["counters"];
  /** Sums as decimal texts: they may pass 2^53. */
  readonly differences: readonly {
    readonly address: string;
    readonly lamports: string;
    readonly tokens: string | null;
    readonly dataDiffers: boolean;
    readonly movedAtOrigin: boolean;
  }[];
};

export function writeForkReport(path: string, fork: RemoteFork, atMs: number): void {
  const differences = fork.differences().map(({ lamports, tokens, ...rest }) => ({
    ...rest,
    lamports: lamports.toString(),
    tokens: tokens === undefined ? null : tokens.toString(),
  }));
  const report: ForkReport = { atMs, counters: fork.counters, differences };
  writeFileAtomicUnsynced(path, JSON.stringify(report));
}

/** Undefined where no fork ran on this data folder. */
export const readForkReport = (path: string): ForkReport | undefined => readJsonFile(path) as ForkReport | undefined;

/** For people: a line of counts, then a line for each account. */
export function describeFork({ counters, differences }: ForkReport): string {
  const { fetched, programs, moved, keptApart, rejoined } = counters;
  return [
    `${fetched} accounts fetched, ${programs} of them programs; ${moved} changes of the origin taken over, ${keptApart} kept apart, ${rejoined} gone back to the origin's state`,
    `${differences.length} accounts that transactions on the fork changed (the sum of their changes):`,
    ...differences.map(({ address, lamports, tokens, dataDiffers, movedAtOrigin }) =>
      [
        `  ${address.padEnd(44)} ${lamports} lamports`,
        tokens === null ? "" : `, ${tokens} tokens`,
        dataDiffers ? ", other than the origin's now" : ", as the origin's now",
        movedAtOrigin ? ", changed at the origin too" : "",
      ].join(""),
    ),
    "",
  ].join("\n");
}
