/** Which pools are followed: those of the allow list, or all when it is empty, and none of the deny list. */
import { SandpiperError } from "#core/error.ts";
import type { Address } from "#core/units.ts";
import { startsWith } from "#dex/bytes.ts";
import { RAYDIUM_CLMM_PROGRAM, RAYDIUM_CPMM_PROGRAM } from "#dex/program-addresses.ts";
import { CLMM_DISCRIMINATOR } from "#dex/raydium-clmm/layout.ts";
import { CPMM_DISCRIMINATOR } from "#dex/raydium-cpmm/layout.ts";
import { MARKET_ERROR } from "./errors.ts";
import type { AccountWrite } from "./source.ts";

const ADDRESS = /^[1-9A-HJ-NP-Za-km-z]{32,44}$/;
const POOL_KINDS = [
  [RAYDIUM_CPMM_PROGRAM, CPMM_DISCRIMINATOR.poolState],
  [RAYDIUM_CLMM_PROGRAM, CLMM_DISCRIMINATOR.poolState],
] as const;

/**
 * Lets every account through but those of pools that are not wanted: without its own account a pool is never listed. The
 * lists are addresses with commas between; throws a SandpiperError for what is no address.
 */
export function poolFilter(allow: string, deny: string): (account: AccountWrite) => boolean {
  const [allowed, denied] = [addresses("market.poolsAllow", allow), addresses("market.poolsDeny", deny)];
  return ({ address, owner, data }) => {
    const pool = POOL_KINDS.some(([program, kind]) => owner === program && startsWith(data, kind));
    return !pool || (!denied.has(address) && (allowed.size === 0 || allowed.has(address)));
  };
}

function addresses(option: string, list: string): ReadonlySet<Address> {
  const found = list
    .split(",")
    .map((text) => text.trim())
    .filter((text) => text !== "");
  const wrong = found.find((text) => !ADDRESS.test(text));
  if (wrong !== undefined)
    throw new SandpiperError(MARKET_ERROR.mode, `Cannot use ${option}: addresses with commas between, was "${wrong}"`);
  return new Set(found as Address[]);
}
