/**
 * What a market source is: something that pushes events into a sink, in the market's own order, until it ends or is
 * stopped. Sources know nothing of rings and agents, and the feed nothing of sockets and files.
 */
import type { MarketReport } from "#core/market-report.ts";
import type { Address } from "#core/units.ts";
import type { MarketTransaction } from "./transaction.ts";

/** An account as it is after a write. */
export type AccountWrite = { readonly address: Address; readonly owner: Address; readonly data: Uint8Array };

export type MarketEvent =
  /** All accounts that matter, as they are now: replaces whatever was known before. */
  | {
      readonly kind: "snapshot";
      readonly slot: bigint;
      readonly arrivedNs: number;
      readonly accounts: readonly AccountWrite[];
    }
  /** One transaction and all it wrote: applied together or not at all. */
  | {
      readonly kind: "transaction";
      readonly arrivedNs: number;
      readonly transaction: MarketTransaction;
      readonly accounts: readonly AccountWrite[];
    }
  /** Accounts as they are now, where no transaction that wrote them is told: applied together. */
  | {
      readonly kind: "writes";
      readonly slot: bigint;
      readonly arrivedNs: number;
      readonly accounts: readonly AccountWrite[];
    }
  /** Something of this slot did not come and will not. A snapshot follows as soon as one can be had. */
  | {
      readonly kind: "gap";
      readonly slot: bigint;
      readonly arrivedNs: number;
      readonly why: string;
    }
  /** Nothing of this slot has happened: it died, or lost its fork. A snapshot follows. */
  | { readonly kind: "dead"; readonly slot: bigint; readonly arrivedNs: number }
  | { readonly kind: "slot"; readonly slot: bigint; readonly slotStartMs: number; readonly arrivedNs: number }
  /** A recording has no more. */
  | { readonly kind: "end"; readonly slot: bigint; readonly arrivedNs: number };

export type MarketSink = (event: MarketEvent) => void;

export interface MarketSource {
  /** Settles when the source has ended or was stopped; rejects with a SandpiperError when it cannot go on. */
  run(sink: MarketSink): Promise<void>;
  stop(): void;
  /** How it hears the market; sources of files have nothing to say. */
  report?(): Pick<MarketReport, "counters" | "streams">;
}
