/**
 * The pools the feed follows, and their numbers. A number belongs to one address for as long as the data folder lives;
 * pools are only ever appended, and facts that change (a config's fee) are replaced under the same number.
 */
import { readJsonFile, writeFileAtomic } from "#core/atomic-file.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { type ConcentratedFacts, DEX_NAMES, type PoolCatalogue, type PoolFacts } from "#core/pool.ts";
import type { Address } from "#core/units.ts";
import { MARKET_ERROR } from "./errors.ts";

/** The tables of the hot path are sized by this. Pools beyond it are refused and counted by the feed. */
const POOLS_MAX = 65_536;

export class PoolCatalogueBook {
  readonly #path: string | undefined;
  readonly #pools: PoolFacts[];
  readonly #indexOf = new Map<Address, number>();
  #version: number;
  #saved = true;

  /** Without a path the catalogue lives in memory only. */
  constructor(path?: string) {
    const loaded = path === undefined ? { version: 0, pools: [] } : loadCatalogue(path);
    this.#path = path;
    this.#pools = [...loaded.pools];
    this.#version = loaded.version;
    for (const pool of this.#pools) this.#indexOf.set(pool.address, pool.index);
  }

  get version(): number {
    return this.#version;
  }

  get pools(): readonly PoolFacts[] {
    return this.#pools;
  }

  find(address: Address): PoolFacts | undefined {
    const index = this.#indexOf.get(address);
    return index === undefined ? undefined : this.#pools[index];
  }

  /** The pool with its number: a new one, or the one that the address already has. Undefined when there is no room. */
  put(facts: Omit<PoolFacts, "index">): PoolFacts | undefined {
    const known = this.find(facts.address);
    if (known === undefined && this.#pools.length >= POOLS_MAX) return undefined;
    const pool = { index: known?.index ?? this.#pools.length, ...facts };
    if (known !== undefined && JSON.stringify(known) === JSON.stringify(pool)) return known;
    this.#pools[pool.index] = pool;
    this.#indexOf.set(pool.address, pool.index);
    this.#version++;
    this.#saved = false;
    return pool;
  }

  /** Writes the file when something changed. True when it did. */
  save(): boolean {
    if (this.#saved) return false;
    const catalogue: PoolCatalogue = { version: this.#version, pools: this.#pools };
    if (this.#path !== undefined) writeFileAtomic(this.#path, `${JSON.stringify(catalogue)}\n`);
    this.#saved = true;
    return true;
  }
}

function loadCatalogue(path: string): PoolCatalogue {
  let json: unknown;
  try {
    json = readJsonFile(path);
  } catch (cause) {
    return refuse(path, "whole JSON", errorText(cause));
  }
  if (json === undefined) return { version: 0, pools: [] };
  const catalogue = json as Partial<PoolCatalogue> | null;
  if (!Number.isSafeInteger(catalogue?.version) || !Array.isArray(catalogue?.pools))
    return refuse(path, "a version and a list of pools", JSON.stringify(json).slice(0, 80));
  const wrong = catalogue.pools.findIndex((pool, index) => !isPoolFacts(pool) || pool.index !== index);
  if (wrong >= 0)
    return refuse(path, `the facts of pool ${wrong} at place ${wrong}`, JSON.stringify(catalogue.pools[wrong]));
  return { version: catalogue.version ?? 0, pools: catalogue.pools };
}

function isPoolFacts(value: unknown): value is PoolFacts {
  if (typeof value !== "object" || value === null) return false;
  const pool = value as Partial<Record<keyof PoolFacts, unknown>>;
  const pair = (list: unknown, type: string) =>
    Array.isArray(list) && list.length === 2 && list.every((item) => typeof item === type);
  return (
    DEX_NAMES.some((name) => name === pool.dex) &&
    typeof pool.address === "string" &&
    [pool.mints, pool.vaults, pool.tokenPrograms].every((list) => pair(list, "string")) &&
    pair(pool.decimals, "number") &&
    [pool.index, pool.feeNumerator, pool.feeDenominator].every(Number.isSafeInteger) &&
    typeof pool.accounts === "object" &&
    pool.accounts !== null &&
    (pool.dex === "raydium-clmm") === isConcentratedFacts(pool.concentrated)
  );
}

function isConcentratedFacts(value: unknown): value is ConcentratedFacts {
  if (typeof value !== "object" || value === null) return false;
  const { build, tickSpacing, tickArrays } = value as Partial<Record<keyof ConcentratedFacts, unknown>>;
  return (
    (build === "2024" || build === "2026") &&
    Number.isSafeInteger(tickSpacing) &&
    Array.isArray(tickArrays) &&
    tickArrays.every((array) => Number.isSafeInteger(array?.firstTick) && typeof array.address === "string")
  );
}

function refuse(path: string, want: string, was: string): never {
  throw new SandpiperError(MARKET_ERROR.catalogue, `Cannot read pool catalogue ${path}: ${want}, was ${was}`);
}
