/** Error codes of the store room: 1300 to 1399, never renumbered. */

export const STORE_ERROR = {
  /** The password file is missing or not readable. */
  secret: 1301,
  /** ClickHouse does not answer. */
  unreachable: 1302,
  /** ClickHouse refused the statement. */
  refused: 1303,
  /** A migration that was applied before has changed, or one is missing. */
  migration: 1304,
  /** The embedded engine cannot start: port, folder, disk or library. */
  engine: 1305,
  /** The data of an insert is not in its format. */
  unreadable: 1306,
  /** The ages at which rows move or go make no sense, or ClickHouse has nowhere to move them. */
  retention: 1307,
} as const;
