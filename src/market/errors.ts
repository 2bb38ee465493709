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
  /** A recorded gRPC stream that is absent or cut short. */
  recordedStream: 507,
  /** A recording of ours that is damaged, or of another version. */
  recording: 508,
  /** A node of another cluster, or one that lags behind what is streamed. */
  wrongNode: 509,
  /** A node that keeps refusing calls. */
  nodeBusy: 510,
  /** A node that says itself that it is behind its cluster. */
  staleNode: 511,
} as const;
