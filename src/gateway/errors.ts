/** Error codes of this room. Never renumbered. */

export const GATEWAY_ERROR = {
  /** gateway.host is not a loopback address. */
  address: 1801,
  /** The port cannot be listened on. */
  port: 1802,
  /** A query parameter is unknown, repeated or out of range. */
  query: 1803,
  /** The bundled page lacks a file that it names. */
  page: 1804,
  /** The file of accounts cannot be understood. */
  accounts: 1805,
  /** The body of a request is not what its route takes. */
  body: 1806,
} as const;
