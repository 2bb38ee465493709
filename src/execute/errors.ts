/** Error codes of this room; never renumbered. */
export const EXECUTE_ERROR = {
  keypair: 1101,
  message: 1102,
  transactionSize: 1103,
  signers: 1104,
  rpc: 1105,
  route: 1106,
  plan: 1107,
  journal: 1108,
  ioThread: 1109,
  svmAccount: 1110,
  svmProgram: 1111,
  /** A durable nonce account that is none, or that may not be used. */
  nonce: 1112,
  /** The books of the risk limits cannot be read. */
  risk: 1120,
} as const;
