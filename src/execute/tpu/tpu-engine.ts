/**
 * Straight to a leader: its TPU over QUIC (RFC 9000), ALPN solana-tpu, a client certificate of the identity's key, one
 * transaction per unidirectional stream. What an engine must do; there are two: on node:quic, and native/ on quinn.
 *
 * "Accepted" is the word of the leader's transport, which is no proof that the transaction was executed: whether it
 * landed, only the ledger knows. What a leader does not let through in time (its stream credit is used up) is given up,
 * counted and said; nothing waits without a bound.
 */
export type TpuAnswer =
  | { readonly kind: "accepted" }
  | { readonly kind: "rejected"; readonly why: string }
  | { readonly kind: "unanswered"; readonly why: string };

export interface TpuEngine {
  readonly name: "builtin" | "native";
  readonly inFlight: number;
  readonly sent: number;
  readonly failed: number;
  /** Connections opened, and of them those that went on from a ticket. */
  readonly handshakes: number;
  readonly resumptions: number;
  /** Of the newest handshake; 0 before the first. */
  readonly handshakeNs: number;
  /** Opens a connection if there is none, so that a send need not wait for it; says whether there is one. `host:port`. */
  prepare(address: string): Promise<boolean>;
  send(address: string, wire: Uint8Array): Promise<TpuAnswer>;
  /** Whose slots it is now; a congestion controller may make use of it. */
  lead(address: string | undefined): void;
  /** Whether there is an open connection. */
  isConnected(address: string): boolean;
  close(): Promise<void>;
}

/** Transactions on their way at once; the next one is refused. */
export const IN_FLIGHT_MAX = 4_096;
/** Least time between two attempts to reach a leader that does not answer. */
export const RECONNECT_MS = 500;
