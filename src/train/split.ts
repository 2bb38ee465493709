/**
 * Which rows a model may learn from, and which it is judged on. Time decides, so that nothing of the future gets in:
 *
 *   range start ──── fit ────▸ tune from ── tune ──▸ judge from ── judge ──▸ range end
 *
 * A row belongs where its decision was made. One of fit whose outcome was known only after tuning begins is left out, one
 * of tune likewise at judging's begin, and one of judge whose outcome came after the range's end: at that moment nobody
 * could have learned from it.
 */

/** Decided at, and outcome known at: Unix ns. */
export type TimedRow = { readonly decideNs: bigint; readonly settledNs: bigint };

export type Split<Row extends TimedRow> = {
  readonly fit: readonly Row[];
  readonly tune: readonly Row[];
  readonly judge: readonly Row[];
  /** Rows of the range whose outcome was not known in time. */
  readonly leftOut: number;
};

const FIT_PER_MILLE = 600;
const TUNE_PER_MILLE = 200;
const NS_PER_MS = 1_000_000n;

export function splitByTime<Row extends TimedRow>(
  rows: readonly Row[],
  range: { readonly startMs: number; readonly endMs: number },
): Split<Row> {
  const startNs = BigInt(range.startMs) * NS_PER_MS;
  const endNs = BigInt(range.endMs) * NS_PER_MS;
  const known = rows
    .filter(({ decideNs, settledNs }) => decideNs >= startNs && decideNs < endNs && settledNs < endNs)
    .sort((a, b) => (a.decideNs < b.decideNs ? -1 : a.decideNs > b.decideNs ? 1 : 0));
  const at = (perMille: number) => known[Math.floor((known.length * perMille) / 1_000)]?.decideNs ?? endNs;
  const [tuneFromNs, judgeFromNs] = [at(FIT_PER_MILLE), at(FIT_PER_MILLE + TUNE_PER_MILLE)];
  const part = (fromNs: bigint, toNs: bigint) =>
    known.filter(({ decideNs, settledNs }) => decideNs >= fromNs && decideNs < toNs && settledNs < toNs);
  const split = {
    fit: part(startNs, tuneFromNs),
    tune: part(tuneFromNs, judgeFromNs),
    judge: part(judgeFromNs, endNs),
  };
  return { ...split, leftOut: known.length - split.fit.length - split.tune.length - split.judge.length };
}
