/** Error codes of training (1700–1799). Never renumbered. */
export const TRAIN_ERROR = {
  /** No Python that fits, or its packages cannot be installed. */
  python: 1701,
  /** A request that makes no job. */
  request: 1702,
  /** Too few rows in the range, or too many. */
  rows: 1703,
  /** A worker that ended otherwise than with success; retry "later" when it was killed. */
  worker: 1704,
  /** Stopped because somebody wanted it. */
  cancelled: 1705,
  /** What was fitted is not good enough. */
  notGoodEnough: 1706,
} as const;
