/** Error codes of training (1700–1799). Never renumbered. */
export const TRAIN_ERROR = {
  /** No Python that fits, or its packages cannot be installed. */
  python: 1701,
  /** A request that makes no job. */
  request: 1702,
} as const;
