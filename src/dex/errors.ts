/** Error codes of the dex room (600–699). Never renumbered. */

export const DEX_ERROR = {
  /** Account bytes that do not have the layout they claim. */
  account: 601,
  /** Instruction data or accounts that do not have the layout they claim. */
  instruction: 602,
  /** A log line that does not have the layout it claims. */
  logLine: 603,
  /** A pool that the program supports and this room does not. */
  unsupported: 604,
  /** Pool facts without an account that the instruction needs. */
  facts: 605,
} as const;
