/** What a stream of the network is to those who join several: gRPC and WebSocket are equals behind this. */
import type { Address } from "#core/units.ts";
import type { LiveUpdate } from "./update.ts";

/** What a stream should tell of. */
export type StreamFilter = {
  /** Accounts that these programs own, and transactions that name them. */
  readonly programs: readonly Address[];
  /** Further accounts: the vaults of the pools that are followed. Grows while the stream runs. */
  readonly accounts: ReadonlySet<Address>;
};

export type StreamCounters = {
  connections: number;
  /** Connections that went on where the one before broke. */
  resumed: number;
  /** Connections that could not: what came between is missing. */
  notResumed: number;
  malformed: number;
  /** Connections that were ended because nothing came for too long. */
  silences: number;
};

export type StreamHandlers = {
  readonly take: (update: LiveUpdate, arrivedNs: number) => void;
  /** The connection broke: what half a group said is void. `missing` when the next one cannot go on where it broke. */
  readonly broke: (missing: boolean) => void;
};

export interface LiveStream {
  readonly name: string;
  readonly counters: Readonly<StreamCounters>;
  /** Connects, and again after every loss, until it is stopped. Rejects where trying again cannot help. */
  run(handlers: StreamHandlers): Promise<void>;
  /** The filter's accounts have grown. */
  refilter(): void;
  stop(): void;
}

export const noStreamCounters = (): StreamCounters => ({
  connections: 0,
  resumed: 0,
  notResumed: 0,
  malformed: 0,
  silences: 0,
});
