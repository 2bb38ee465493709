/** Entries for tests and benches: a refused attempt that carries its number. */
import type { LedgerEntry } from "./entry.ts";

export const testEntry = (number: number): LedgerEntry => ({
  kind: "refused",
  atNs: String(1_790_000_000_000_000_000n + BigInt(number)),
  source: `test/${number}`,
  door: "api",
  who: `nobody ${number}`,
  code: "1401",
  reason: "the signature does not fit",
  message: "0a0b0c",
});

export const testEntries = (from: number, to: number): readonly LedgerEntry[] =>
  Array.from({ length: to - from }, (_, i) => testEntry(from + i));
