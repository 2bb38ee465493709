/** Error codes of this room; never renumbered. */
export const DECIDE_ERROR = { record: 1001 } as const;
