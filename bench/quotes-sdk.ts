/** What the vendors' quotes have in common: the pool they are asked about, and the SDKs of bench/sdk, loaded by path. */
import { join } from "node:path";
import type { Address } from "#core/units.ts";
import type { AccountBytes, ChainTime } from "#dex/venue.ts";

export type VendorQuote = (inputSide: 0 | 1, amountIn: bigint) => bigint;
export type GoldenPool = {
  readonly pool: Address;
  readonly accounts: ReadonlyMap<Address, AccountBytes>;
  readonly time: ChainTime;
  readonly state: unknown;
};
type Account = { readonly owner: Address; readonly data: Buffer };

const MODULES = join(import.meta.dir, "sdk/node_modules");

/** By path, so that none becomes a dependency; their values have no types here. */
export const load = (path: string) => import(join(MODULES, path));

export function accountOf({ accounts }: GoldenPool, address: { toString(): string }): Account {
  const found = accounts.get(address.toString() as Address);
  if (found === undefined) throw new Error(`the golden file lacks ${address}`);
  return { owner: found.owner, data: Buffer.from(found.data) };
}
