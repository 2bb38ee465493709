/** Error codes of training (1700–1799). Never renumbered. */
export const TRAIN_ERROR = {
  /** No Python that fits, or its packages cannot be installed. */
  python: 1701,
} as const;
