/** Keeps the hot loop's pools in step with the catalogue file, between its turns and never on the path of an event. */
import { readJsonFile } from "#core/atomic-file.ts";
import type { PoolCatalogue } from "#core/pool.ts";
import type { HotLoop } from "./hot-loop.ts";

/** How often a file that is not there, or older than announced, is looked for. */
const LOOK_AGAIN_NS = 200e6;

/** Undefined while the feed has not written one. The file is our own and replaced whole, so its shape is trusted. */
export const readCatalogue = (path: string): PoolCatalogue | undefined =>
  readJsonFile(path) as PoolCatalogue | undefined;

export class CatalogueFollower {
  #version = -1;
  #lookedNs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly loop: HotLoop,
    private readonly path: string,
  ) {}

  follow(nowNs: number): void {
    const behind = this.#version < 0 || this.loop.catalogueWanted > this.#version;
    if (!behind || nowNs - this.#lookedNs < LOOK_AGAIN_NS) return;
    this.#lookedNs = nowNs;
    const catalogue = readCatalogue(this.path);
    if (catalogue === undefined || catalogue.version === this.#version) return;
    this.#version = catalogue.version;
    this.loop.setCatalogue(catalogue);
  }
}
