/**
 * The network as a market source: any number of streams joined into one, beginning with a snapshot, and again with one
 * after every gap and every dead slot. The streams are held back while a snapshot is read; it counts only when its slot
 * is behind the one in which the streams began, or writes in between would belong to neither.
 */
import type { Clock } from "#core/clock.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { MarketReport, StreamReport } from "#core/market-report.ts";
import type { Random } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import type { MarketPosition } from "#market/catch-up.ts";
import { MARKET_ERROR } from "#market/errors.ts";
import { furtherAccounts, type RpcSnapshot } from "#market/rpc-snapshot.ts";
import type { AccountWrite, MarketEvent, MarketSink, MarketSource } from "#market/source.ts";
import type { LiveStream } from "./live-stream.ts";
import { Retry, type RetryLimits } from "./retry.ts";
import type { RpcNode } from "./rpc-node.ts";
import { StreamMerge } from "./stream-merge.ts";

type LiveSourceLimits = RetryLimits & {
  /** Events held back while a snapshot is read; beyond, all are let go and the next snapshot begins behind them. */
  readonly heldMax: number;
  /** Longest time without a snapshot before the source gives up. */
  readonly missingMsMax: number;
  /** A snapshot may be this many slots behind the streams, and is read again until it is not. */
  readonly staleTriesMax: number;
};

const LIMITS: LiveSourceLimits = {
  retryMsMin: 100,
  retryMsMax: 5_000,
  heldMax: 200_000,
  missingMsMax: 60_000,
  staleTriesMax: 50,
};
const STALE_PAUSE_MS = 100;

export type LiveSourceOptions = {
  readonly streams: readonly LiveStream[];
  /** What a feed before this one told, not to be told again. */
  readonly passed?: readonly MarketPosition[];
  /** All accounts that matter, as a node says they are. */
  readonly snapshot: () => Promise<RpcSnapshot>;
  /** These accounts, for pools that appear while the source runs. */
  readonly accounts: (addresses: readonly Address[]) => Promise<RpcSnapshot>;
  /** What the streams are filtered by; grows with the pools. */
  readonly vaults: Set<Address>;
  /** Whether a pool's accounts are let through. */
  readonly allowed?: (account: AccountWrite) => boolean;
  /** Throws where node and streams are not of the cluster that was asked for. Called before anything is let through. */
  readonly check?: () => Promise<void>;
  /** What the node was asked, for the report. */
  readonly node?: RpcNode["counters"];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits?: Partial<LiveSourceLimits>;
};

export type LiveSource = MarketSource & {
  readonly merge: StreamMerge;
  readonly counters: { snapshots: number; staleSnapshots: number; heldDropped: number; poolsWarmed: number };
};

export function createLiveSource(options: LiveSourceOptions): LiveSource {
  return new Source(options);
}

class Source implements LiveSource {
  readonly merge: StreamMerge;
  readonly counters = { snapshots: 0, staleSnapshots: 0, heldDropped: 0, poolsWarmed: 0 };
  readonly #options: LiveSourceOptions;
  readonly #limits: LiveSourceLimits;
  readonly #retry: Retry;
  #sink: MarketSink = () => {};
  #held: MarketEvent[] | undefined = [];
  /** The slot in which the held events begin. */
  #heldFrom = 0;
  #syncing: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #fail: (thrown: unknown) => void = () => {};

  constructor(options: LiveSourceOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#retry = new Retry(this.#limits, options.random);
    const wallMs = () => Number(options.clock.wallNs() / 1_000_000n);
    this.merge = new StreamMerge({ sink: (event) => this.#take(event), wallMs, passed: options.passed ?? [] });
  }

  async run(sink: MarketSink): Promise<void> {
    this.#sink = sink;
    const { streams, check } = this.#options;
    await check?.();
    const failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    const running = streams.map((stream) => {
      const { take, broke } = this.merge.stream(stream.name);
      return stream.run({
        take,
        broke: (missing) => {
          broke();
          // Another stream may have had what this one lost: where all are needed, the snapshot says how things are.
          if (missing) this.#resync();
        },
      });
    });
    this.#resync();
    try {
      await Promise.race([Promise.all(running), failed]);
    } finally {
      this.stop();
    }
  }

  report(): Pick<MarketReport, "counters" | "streams"> {
    const { streams, node, clock } = this.#options;
    const nowNs = clock.monotonicNs();
    const asked =
      node === undefined ? {} : { nodeCalls: node.calls, nodeTooMany: node.tooMany, nodeFailed: node.failed };
    return {
      counters: { ...this.merge.counters, ...this.counters, ...asked },
      streams: this.merge.gauges.flatMap((gauge, i): StreamReport[] => {
        const { name, newestSlot, heardNs, first, repeated } = gauge;
        const counters = streams[i]?.counters;
        if (counters === undefined) return [];
        const silentMs = heardNs === undefined ? null : Math.max(0, Math.round((nowNs - heardNs) / 1e6));
        return [
          { name, newestSlot, slotsBehind: this.merge.slotsBehind(gauge), silentMs, first, repeated, ...counters },
        ];
      }),
    };
  }

  stop(): void {
    this.#stopped = true;
    this.#retry.wake();
    for (const stream of this.#options.streams) stream.stop();
  }

  #take(event: MarketEvent): void {
    const { allowed } = this.#options;
    let passed = event;
    if ((event.kind === "transaction" || event.kind === "writes") && allowed !== undefined)
      passed = { ...event, accounts: event.accounts.filter(allowed) };
    if (passed.kind === "transaction" || passed.kind === "writes") this.#watchPools(passed.accounts);
    if (this.#held === undefined) this.#sink(passed);
    else if (this.#held.length < this.#limits.heldMax) this.#held.push(passed);
    else {
      this.counters.heldDropped += this.#held.length;
      this.#held = [];
      this.#heldFrom = this.merge.newestSlot;
    }
    if (event.kind === "gap" || event.kind === "dead") this.#resync();
  }

  /** A pool that nobody knew: its vaults are followed from now on, and read, because their first writes were not asked for. */
  #watchPools(accounts: readonly AccountWrite[]): void {
    const { vaults, streams } = this.#options;
    const fresh = accounts.flatMap(furtherAccounts).filter((address) => !vaults.has(address));
    if (fresh.length === 0) return;
    for (const address of fresh) vaults.add(address);
    for (const stream of streams) stream.refilter();
    if (this.#held === undefined) void this.#warm(fresh);
  }

  async #warm(addresses: readonly Address[]): Promise<void> {
    try {
      const { slot, accounts } = await this.#options.accounts(addresses);
      this.counters.poolsWarmed++;
      this.merge.put(Number(slot), accounts, this.#options.clock.monotonicNs());
    } catch (thrown) {
      this.#options.log.warn("a new pool's accounts could not be read", { why: errorText(thrown) });
      this.#resync();
    }
  }

  /** Begins a snapshot, or another one behind the one that is being read. */
  #resync(): void {
    if (this.#stopped) return;
    if (this.#syncing !== undefined) {
      this.#again = true;
      return;
    }
    this.#held ??= [];
    this.#heldFrom = this.merge.newestSlot;
    this.#syncing = this.#synced()
      .catch((thrown: unknown) => this.#fail(thrown))
      .finally(() => {
        this.#syncing = undefined;
        if (!this.#again) return;
        this.#again = false;
        this.#resync();
      });
  }

  async #synced(): Promise<void> {
    const { clock, log } = this.#options;
    const sinceNs = clock.monotonicNs();
    let why = "no stream";
    let stale = 0;
    while (!this.#stopped) {
      try {
        const snapshot = this.merge.newestSlot > 0 ? await this.#options.snapshot() : undefined;
        if (this.#stopped) return;
        if (snapshot !== undefined) {
          if (this.#heldFrom === 0) this.#heldFrom = this.merge.newestSlot;
          if (Number(snapshot.slot) > this.#heldFrom) {
            this.#release(snapshot);
            return;
          }
          this.counters.staleSnapshots++;
          why = `a node at slot ${snapshot.slot}, the streams began in ${this.#heldFrom}`;
          if (++stale >= this.#limits.staleTriesMax)
            throw new SandpiperError(
              MARKET_ERROR.wrongNode,
              `Cannot take a snapshot: a node that keeps up with the streams, was ${why}`,
              "later",
            );
        }
      } catch (thrown) {
        if (thrown instanceof SandpiperError && thrown.code === MARKET_ERROR.wrongNode) throw thrown;
        why = errorText(thrown);
        log.debug("no snapshot yet", { why });
        await this.#retry.pause();
      }
      if ((clock.monotonicNs() - sinceNs) / 1e6 > this.#limits.missingMsMax)
        throw new SandpiperError(
          MARKET_ERROR.sourceMissing,
          `Cannot follow the market: streams and a snapshot within ${this.#limits.missingMsMax} ms, was ${why}`,
          "later",
        );
      await Bun.sleep(STALE_PAUSE_MS);
    }
  }

  #release({ slot, accounts }: RpcSnapshot): void {
    const held = this.#held ?? [];
    const { allowed, vaults, streams, clock } = this.#options;
    const kept = allowed === undefined ? accounts : accounts.filter(allowed);
    const before = vaults.size;
    for (const address of kept.flatMap(furtherAccounts)) vaults.add(address);
    if (vaults.size > before) {
      // Vaults that the streams were not asked for: a snapshot taken behind the new filter has them whole.
      for (const stream of streams) stream.refilter();
      this.#again = true;
    }
    this.#retry.succeeded();
    this.counters.snapshots++;
    this.#held = undefined;
    this.merge.restart();
    this.#sink({ kind: "snapshot", slot, accounts: kept, arrivedNs: clock.monotonicNs() });
    // What happened before the snapshot is in its accounts already: of it only the transactions themselves are told.
    for (const event of held)
      if (event.kind === "transaction" && event.transaction.slot < slot) this.#sink({ ...event, accounts: [] });
      else if (event.kind !== "writes" || event.slot >= slot) this.#sink(event);
  }
}
