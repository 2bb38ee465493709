/** Error codes of the control room: 1400 to 1499, never renumbered. */

export const CONTROL_ERROR = {
  /** Bytes that are no Ed25519 key, or a key that is refused. */
  key: 1401,
  /** A key file or a CTRL_* variable that cannot be used. */
  keyFile: 1402,
  /** A nonce file that cannot be read, or a disk that refuses a nonce. */
  nonceFile: 1403,
  /** A command that must not be signed. */
  sign: 1404,
  /** A control state file that cannot be understood. */
  stateFile: 1405,
} as const;

/** Why a command was refused. The names are what an audit line and an acknowledgement say. */
const REFUSAL = {
  /** No command, or not in its canonical form. */
  malformed: 1420,
  /** Another schema version. */
  schemaVersion: 1421,
  /** Another signature algorithm, or none. */
  algorithm: 1422,
  /** A field that is empty or longer than its limit. */
  field: 1423,
  /** No key of that id. */
  unknownKey: 1424,
  /** A key that was revoked. */
  revokedKey: 1425,
  /** A key before its first or after its last second. */
  keyNotInForce: 1426,
  /** The signature is not this key's over this command. */
  signature: 1427,
  /** The key may not give this action to this module. */
  scope: 1428,
  /** Stamped further ahead than clocks may differ. */
  ahead: 1429,
  /** Older than a command may become. */
  expired: 1430,
  /** A nonce that is not above the last one. */
  nonce: 1431,
  /** An argument that is missing, unknown or out of its range. */
  argument: 1432,
  /** A command that came to the agents of another module than the signed one. */
  module: 1433,
} as const;
export type RefusalName = keyof typeof REFUSAL;

export type Refusal = {
  readonly name: RefusalName;
  readonly code: number;
  /** One sentence: what must hold, and what came. */
  readonly words: string;
};

export const refusal = (name: RefusalName, want: string, was: string): Refusal => ({
  name,
  code: REFUSAL[name],
  words: `Cannot accept a command: ${want}, was ${was}`,
});
