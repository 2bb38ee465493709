/** Whether an estimated chance to land holds: what was estimated against what landed, by tenths. */
import { percentText } from "#gateway/dashboard/parts/format.ts";
import { Plot } from "#gateway/dashboard/parts/plot.ts";

export type CalibrationBucket = {
  readonly model_hash: string;
  readonly bucket: number;
  readonly bundles: number;
  readonly estimated: number;
  readonly landed_share: number;
};

const wholePercent = (share: number): string => `${Math.round(share * 100)} %`;

export const calibrationPlot = (host: HTMLElement): Plot =>
  new Plot(host, {
    lines: [
      { label: "if it were right", color: "--line-strong", kind: "line", dash: [4, 4] },
      { label: "landed", color: "--accent", kind: "points" },
    ],
    yText: wholePercent,
    xText: wholePercent,
    xRange: [0, 1],
    yMin: 0,
    yMax: 1.04,
    empty: "Nothing was sent yet.",
  });

/** Estimated chance, the diagonal, the landed share; buckets of several models are joined by their weights. */
export function calibrationColumns(buckets: readonly CalibrationBucket[]): (number | null)[][] {
  const joined = new Map<number, { bundles: number; estimated: number; landed: number }>();
  for (const { bucket, bundles, estimated, landed_share: share } of buckets) {
    const sum = joined.get(bucket) ?? { bundles: 0, estimated: 0, landed: 0 };
    sum.bundles += bundles;
    sum.estimated += bundles * estimated;
    sum.landed += bundles * share;
    joined.set(bucket, sum);
  }
  const points = [...joined]
    .filter(([, { bundles }]) => bundles > 0)
    .map(([, { bundles, estimated, landed }]) => ({ x: estimated / bundles, y: landed / bundles }))
    .sort((a, b) => a.x - b.x);
  if (points.length === 0) return [[]];
  return [
    [0, ...points.map(({ x }) => x), 1],
    [0, ...points.map(({ x }) => x), 1],
    [null, ...points.map(({ y }) => y), null],
  ];
}

export const calibrationSays = (buckets: readonly CalibrationBucket[]): string =>
  buckets
    .map(({ estimated, landed_share: share, bundles }) => {
      return `${percentText(estimated)} estimated, ${percentText(share)} of ${bundles} landed`;
    })
    .join("; ") || "Nothing was sent yet";
