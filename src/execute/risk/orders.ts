/**
 * What an operator on this box has ordered about risk, a small file each: until when live trading is armed, and when a
 * halt was last lifted. Without a file, or with one that cannot be read, nothing is armed and nothing was lifted.
 */
import { readJsonFile, writeFileAtomic } from "#core/atomic-file.ts";

const ARMED_HOURS_MAX = 24;
export const ARMED_MINUTES_MAX = ARMED_HOURS_MAX * 60;

/** Unix ms until when live transactions may leave; 0 when nothing is armed. */
export const readArmedUntilMs = (path: string): number => readMs(path, "untilMs");

export const writeArmedUntilMs = (path: string, untilMs: number): void =>
  writeFileAtomic(path, `${JSON.stringify({ untilMs })}\n`, 0o600);

/** Unix ms of the last resume; 0 when there was none. */
export const readResumedMs = (path: string): number => readMs(path, "resumedMs");

export const writeResumedMs = (path: string, resumedMs: number): void =>
  writeFileAtomic(path, `${JSON.stringify({ resumedMs })}\n`, 0o600);

function readMs(path: string, name: string): number {
  try {
    const value = (readJsonFile(path) as Readonly<Record<string, unknown>> | undefined)?.[name];
    return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : 0;
  } catch {
    return 0;
  }
}
