/** The pools of the catalogue file as the io thread knows them: read again when the hot thread names one that is new. */
import type { Clock } from "#core/clock.ts";
import type { PoolFacts } from "#core/pool.ts";
import { readCatalogue } from "#decide/catalogue-follower.ts";
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

  /** Reads the file and derives the wallet's accounts for its tokens; what is known stays when there is no file. */
  async refresh(): Promise<void> {
    const nowNs = this.clock.monotonicNs();
    if (nowNs - this.#readNs < REFRESH_NS) return;
    this.#readNs = nowNs;
    const catalogue = readCatalogue(this.path);
    if (catalogue === undefined) return;
    const added = catalogue.pools.filter(({ index }) => !this.#pools.has(index));
    await this.wallet.learn(added);
    for (const pool of added) this.#pools.set(pool.index, pool);
  }
}
