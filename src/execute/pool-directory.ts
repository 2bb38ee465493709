/** The pools of the catalogue file as the io thread knows them: read again when the hot thread names one that is new. */
import type { PoolFacts } from "#core/pool.ts";
import { readCatalogue } from "#decide/catalogue-follower.ts";
import type { Wallet } from "./wallet.ts";

export class PoolDirectory {
  readonly #pools = new Map<number, PoolFacts>();

  constructor(
    private readonly path: string,
    private readonly wallet: Wallet,
  ) {}

  get(index: number): PoolFacts | undefined {
    return this.#pools.get(index);
  }

  /** Reads the file and derives the wallet's accounts for its tokens; what is known stays when there is no file. */
  async refresh(): Promise<void> {
    const catalogue = readCatalogue(this.path);
    if (catalogue === undefined) return;
    const added = catalogue.pools.filter(({ index }) => !this.#pools.has(index));
    await this.wallet.learn(added);
    for (const pool of added) this.#pools.set(pool.index, pool);
  }
}
