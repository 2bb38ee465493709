/** Error codes of this room; never renumbered. */
export const ARBITRAGE_ERROR = { index: 701, poolNumber: 702 } as const;
