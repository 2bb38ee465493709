/** Error codes of the market room (500–599). Never renumbered. */

export const MARKET_ERROR = {
  /** A recorded block that is absent, corrupt or of another shape. */
  block: 501,
  /** A source that stayed away longer than its limit. */
  sourceMissing: 502,
  /** A message of a source that is not what its protocol says. */
  message: 503,
  /** A pool catalogue file that is not one. */
  catalogue: 504,
  /** A mode for which there is no market source. */
  mode: 506,
  /** Transaction bytes that are none. */
  transaction: 505,
} as const;
