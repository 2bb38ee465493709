/**
 * The auction. Bundles wait for the next tick; there the highest tip goes first, and each is tried on the state that the
 * ones before it left, as a leader packs a block: bundles that share accounts (all of one payer do) land one after the
 * other in one slot, and only one whose value was taken fails. That one is tried again in the next ticks; when it has not
 * landed within its life it has failed. It lands through the cluster, whole, its tip included; ticks are given from outside.
 */
import type { Clock } from "#core/clock.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { LocalCluster } from "#sim/cluster/local-cluster.ts";
import { type Bundle, type BundleRefusal, readBundle } from "./bundle.ts";
import { BundleHistory } from "./bundle-history.ts";
import { TipFloor } from "./tip-floor.ts";

/** How often auctions are held. */
export const TICK_MS = 50;
/** Ticks a bundle stays in the auction: 300 ms. */
const LIFE_TICKS = 6;
/** Bundles that may wait at once; a further one is refused. */
const PENDING_MAX = 512;
/** Executions in one tick, so that a tick stays within some tens of milliseconds; the rest waits. */
const ATTEMPTS_PER_TICK_MAX = 48;

export type BlockEngineOptions = { readonly clock: Clock; readonly lifeTicks?: number; readonly pendingMax?: number };
export type BlockEngineCounters = {
  readonly received: number;
  readonly refused: number;
  readonly landed: number;
  readonly failed: number;
};
type Waiting = { readonly bundle: Bundle; ticksLeft: number; why: string };

export class BlockEngine {
  readonly history = new BundleHistory();
  readonly tipFloor = new TipFloor();
  readonly clock: Clock;
  readonly #lifeTicks: number;
  readonly #pendingMax: number;
  readonly #counters = { received: 0, refused: 0, landed: 0, failed: 0 };
  #waiting: Waiting[] = [];

  constructor(
    readonly cluster: LocalCluster,
    { clock, lifeTicks = LIFE_TICKS, pendingMax = PENDING_MAX }: BlockEngineOptions,
  ) {
    this.clock = clock;
    this.#lifeTicks = lifeTicks;
    this.#pendingMax = pendingMax;
  }

  get counters(): BlockEngineCounters {
    return this.#counters;
  }

  /** Takes a bundle into the next auction and answers its id, or why not. */
  send(wires: readonly Uint8Array[]): Result<string, BundleRefusal> {
    this.#counters.received++;
    const read = this.#waiting.length < this.#pendingMax ? readBundle(wires, this.cluster) : err(CONGESTED);
    const why = read.ok ? this.#refusal(read.value) : read.error;
    if (!read.ok || why !== undefined) {
      this.#counters.refused++;
      return err(why ?? CONGESTED);
    }
    const { id, signatures, tipLamports } = read.value;
    this.history.add({
      id,
      signatures,
      tipLamports,
      receivedNs: this.clock.monotonicNs(),
      state: { kind: "pending" },
    });
    this.#waiting.push({ bundle: read.value, ticksLeft: this.#lifeTicks, why: "" });
    return ok(id);
  }

  /** Holds one auction. */
  tick(): void {
    this.history.forgetBefore(this.clock.monotonicNs());
    if (this.#waiting.length === 0) return;
    const bidders = this.#waiting.sort((a, b) => compareTips(b.bundle, a.bundle));
    const still: Waiting[] = [];
    let attempts = 0;
    for (const waiting of bidders) {
      waiting.ticksLeft--;
      if (attempts++ < ATTEMPTS_PER_TICK_MAX && this.#land(waiting)) continue;
      if (waiting.ticksLeft > 0) still.push(waiting);
      else this.#fail(waiting);
    }
    this.#waiting = still;
  }

  /** Jito's words for a transaction that it has seen land, and for a bundle it already holds. */
  #refusal({ id, signatures }: Bundle): string | undefined {
    const known = this.history.find(id);
    if (known !== undefined && known.state.kind !== "failed") return ALREADY_PROCESSED;
    const landed = signatures.some((signature) => this.cluster.ledger.transaction(signature) !== undefined);
    return landed || new Set(signatures).size < signatures.length ? ALREADY_PROCESSED : undefined;
  }

  #land(waiting: Waiting): boolean {
    const { id, wires, tipLamports } = waiting.bundle;
    const result = this.cluster.submitBundle(wires);
    if (result.kind === "failed") {
      waiting.why = `transaction ${result.failedAt}: ${JSON.stringify(result.error)}`;
      return false;
    }
    this.#counters.landed++;
    this.tipFloor.record(tipLamports);
    this.history.settle(id, { kind: "landed", slot: result.slot });
    return true;
  }

  #fail({ bundle, why }: Waiting): void {
    this.#counters.failed++;
    this.history.settle(bundle.id, { kind: "failed", why: why === "" ? "no time left in the auction" : why });
  }
}

export const CONGESTED = "Network congested. Endpoint is globally rate limited.";
const ALREADY_PROCESSED = "bundle contains an already processed transaction";

/** Ascending; the sort is stable, so of equal tips the earlier one stays first. */
const compareTips = (a: Bundle, b: Bundle): number =>
  a.tipLamports === b.tipLamports ? 0 : a.tipLamports < b.tipLamports ? -1 : 1;
