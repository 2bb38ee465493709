/** Error codes of the bus room: 1200 to 1299, never renumbered. */

export const BUS_ERROR = {
  /** The bus file cannot be opened, or was made by a newer Sandpiper. */
  open: 1201,
  /** The queue of messages that are not on disk yet is at its limit. */
  queueFull: 1202,
  /** The disk under the bus is full. */
  diskFull: 1203,
  /** The bus was closed before the message was on disk. */
  closed: 1204,
  /** The disk or the file refused the write. */
  write: 1205,
  /** Another process held the file's lock for longer than the named limit. */
  busy: 1206,
  /** A message over the size limit. */
  messageTooLarge: 1207,
  /** A consumer was used in a way that its options do not allow. */
  consumer: 1208,
  /** The Kafka brokers did not answer within the named limit, or refused. */
  brokers: 1209,
  /** The spool on disk is at its limit, so that a message was dropped. */
  spoolFull: 1210,
  /** The spool on disk cannot be opened or written. */
  spool: 1211,
} as const;
