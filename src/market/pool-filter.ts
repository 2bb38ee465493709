/** Which pools are followed: those of the allow lists, or all where they are empty, and none of the deny lists. */
import { readFileSync } from "node:fs";
import type { Config } from "#core/config.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import { readAddress, startsWith } from "#dex/bytes.ts";
import { RAYDIUM_CLMM_PROGRAM, RAYDIUM_CPMM_PROGRAM } from "#dex/program-addresses.ts";
import { decodePoolState as decodeClmmPool } from "#dex/raydium-clmm/decode.ts";
import { CLMM_DISCRIMINATOR, CLMM_POOL_PARTS } from "#dex/raydium-clmm/layout.ts";
import { decodePoolState as decodeCpmmPool } from "#dex/raydium-cpmm/decode.ts";
import { CPMM_DISCRIMINATOR } from "#dex/raydium-cpmm/layout.ts";
import { MARKET_ERROR } from "./errors.ts";
import type { AccountWrite } from "./source.ts";

const ADDRESS = /^[1-9A-HJ-NP-Za-km-z]{32,44}$/;
const LIST_KEYS = ["market.poolsAllow", "market.poolsDeny", "market.tokensAllow", "market.tokensDeny"] as const;
type ListKey = (typeof LIST_KEYS)[number];

export type PoolFilter = {
  /** Lets every account through but those of pools that are not wanted: without its own account a pool is never listed. */
  readonly passes: (account: AccountWrite) => boolean;
  /** The only pools that can pass; undefined when any may. */
  readonly pools: readonly Address[] | undefined;
};

/**
 * Each list is addresses with commas between, or @FILE with an address a line. Of tokens, wrapped SOL is always allowed.
 * Throws a SandpiperError for what is no address, and a file that cannot be read.
 */
export function poolFilter(config: Pick<Config, ListKey>): PoolFilter {
  const [allowed, denied, tokens, noTokens] = LIST_KEYS.map((key) => addresses(key, config[key])) as [
    ReadonlySet<Address>,
    ReadonlySet<Address>,
    ReadonlySet<Address>,
    ReadonlySet<Address>,
  ];
  const wanted = (pool: Address) => !denied.has(pool) && (allowed.size === 0 || allowed.has(pool));
  const mayTrade = (mint: Address) =>
    !noTokens.has(mint) && (tokens.size === 0 || mint === WSOL_MINT || tokens.has(mint));
  const asks = tokens.size + noTokens.size > 0;
  const passes = (account: AccountWrite) => {
    const owner = ownPool(account);
    if (owner !== undefined && !wanted(owner)) return false;
    return !asks || (mintsOf(account)?.every(mayTrade) ?? true);
  };
  return { passes, pools: allowed.size === 0 ? undefined : [...allowed].filter(wanted) };
}

/** The pool that an account makes, or is a part of by its own bytes. */
function ownPool({ address, owner, data }: AccountWrite): Address | undefined {
  if (owner === RAYDIUM_CPMM_PROGRAM) return startsWith(data, CPMM_DISCRIMINATOR.poolState) ? address : undefined;
  if (owner !== RAYDIUM_CLMM_PROGRAM) return undefined;
  if (startsWith(data, CLMM_DISCRIMINATOR.poolState)) return address;
  for (const [kind, poolId] of CLMM_POOL_PARTS)
    if (startsWith(data, kind) && data.length >= poolId + 32) return readAddress(data, poolId);
  return undefined;
}

/** Undefined for what is no pool, and for one that cannot be read: its reader will say so. */
function mintsOf({ owner, data }: AccountWrite): readonly Address[] | undefined {
  if (owner === RAYDIUM_CPMM_PROGRAM && startsWith(data, CPMM_DISCRIMINATOR.poolState)) {
    const state = decodeCpmmPool(data);
    return state.ok ? state.value.mints : undefined;
  }
  if (owner === RAYDIUM_CLMM_PROGRAM && startsWith(data, CLMM_DISCRIMINATOR.poolState)) {
    const state = decodeClmmPool(data);
    return state.ok ? state.value.mints : undefined;
  }
  return undefined;
}

function addresses(option: ListKey, list: string): ReadonlySet<Address> {
  const text = list.startsWith("@") ? readList(option, list.slice(1)) : list;
  const found = text
    .split(/[,\n]/)
    .map((word) => word.trim())
    .filter((word) => word !== "");
  const wrong = found.find((word) => !ADDRESS.test(word));
  if (wrong !== undefined)
    throw new SandpiperError(MARKET_ERROR.mode, `Cannot use ${option}: addresses with commas between, was "${wrong}"`);
  return new Set(found as Address[]);
}

function readList(option: ListKey, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    throw new SandpiperError(
      MARKET_ERROR.mode,
      `Cannot use ${option}: a readable file of addresses, was ${errorText(thrown)}`,
    );
  }
}
