/** Error codes of this room; never renumbered. */
export const DECIDE_ERROR = { record: 1001, tape: 1002 } as const;
