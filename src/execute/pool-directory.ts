/** The pools of the catalogue file as the io thread knows them: read again when the hot thread names one that is new. */
import type { Clock } from "#core/clock.ts";
import type { PoolFacts } from "#core/pool.ts";
import { readCatalogue } from "#decide/catalogue-follower.ts";
import type { Decision } from "#decide/decision-record.ts";
import { TICK_ARRAY_TICKS } from "#dex/raydium-clmm/layout.ts";
import type { Wallet } from "./wallet.ts";

/** The file is read at most this often. */
const REFRESH_NS = 250e6;

export class PoolDirectory {
  #readNs = Number.NEGATIVE_INFINITY;
  readonly #pools = new Map<number, PoolFacts>();

  constructor(
    private readonly path: string,
    private readonly wallet: Wallet,
    private readonly clock: Pick<Clock, "monotonicNs">,
  ) {}

  get(index: number): PoolFacts | undefined {
    return this.#pools.get(index);
  }

  /** All that are known. */
  all(): Iterable<PoolFacts> {
    return this.#pools.values();
  }

  /** Whether a bundle over these hops can be built from what is known: pools are new now and then, and tick arrays too. */
  covers(hops: Decision["hops"]): boolean {
    return hops.every(({ pool, tickArrays }) => {
      const facts = this.#pools.get(pool);
      if (facts === undefined || tickArrays === undefined) return facts !== undefined;
      const span = TICK_ARRAY_TICKS * (facts.concentrated?.tickSpacing ?? 1);
      return facts.concentrated?.tickArrays.some(({ firstTick }) => firstTick === tickArrays[1] * span) ?? false;
    });
  }

  /** Reads the file and derives the wallet's accounts for its tokens; what is known stays when there is no file. */
  async refresh(): Promise<void> {
    const nowNs = this.clock.monotonicNs();
    if (nowNs - this.#readNs < REFRESH_NS) return;
    this.#readNs = nowNs;
    const catalogue = readCatalogue(this.path);
    if (catalogue === undefined) return;
    await this.wallet.learn(catalogue.pools.filter(({ index }) => !this.#pools.has(index)));
    for (const pool of catalogue.pools) this.#pools.set(pool.index, pool);
  }
}
