/** Error codes of the ledger room: 1500 to 1599, never renumbered. */

export const LEDGER_ERROR = {
  /** A leaf that is not one of the kinds, or not in its canonical bytes. */
  entry: 1501,
  /** A key of the signed-note format that cannot be read. */
  key: 1502,
  /** A checkpoint that cannot be read, or that the trusted key did not sign. */
  checkpoint: 1503,
  /** A folder whose files disagree with its signed checkpoint, or that is not a ledger. */
  damaged: 1504,
  /** An index or a size that the ledger does not have. */
  range: 1505,
  /** Another process appends to this folder. */
  busy: 1506,
  /** The disk refused, or a limit was reached. */
  write: 1507,
} as const;
