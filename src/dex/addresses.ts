/** Derived addresses: of any program, of associated token accounts, and of Raydium CP-Swap's accounts. */
import { getProgramDerivedAddress, type Address as KitAddress } from "@solana/kit";
import { base58Decode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import { ASSOCIATED_TOKEN_PROGRAM, RAYDIUM_CPMM_PROGRAM } from "./program-addresses.ts";
import { CPMM_SEED } from "./raydium-cpmm/layout.ts";

export type Derived = { readonly address: Address; readonly bump: number };

/** The address off the curve that `program` signs for with these seeds, and its bump. */
export async function programAddressWithBump(
  seeds: readonly (string | Uint8Array)[],
  program: Address,
): Promise<Derived> {
  const [address, bump] = await getProgramDerivedAddress({
    programAddress: program as string as KitAddress,
    seeds: [...seeds],
  });
  return { address: address as string as Address, bump };
}

/** The address off the curve that `program` signs for with these seeds. */
export async function programAddress(seeds: readonly (string | Uint8Array)[], program: Address): Promise<Address> {
  return (await programAddressWithBump(seeds, program)).address;
}

/** The token account of `owner` for `mint` that everybody derives alike. */
export function associatedTokenAddress(owner: Address, mint: Address, tokenProgram: Address): Promise<Address> {
  return programAddress([owner, tokenProgram, mint].map(base58Decode), ASSOCIATED_TOKEN_PROGRAM);
}

/** Signs for every vault of CP-Swap. */
export const cpmmAuthority = (): Promise<Derived> =>
  programAddressWithBump([CPMM_SEED.authority], RAYDIUM_CPMM_PROGRAM);

export function cpmmConfigAddress(index: number): Promise<Derived> {
  return programAddressWithBump([CPMM_SEED.ammConfig, new Uint8Array([index >> 8, index & 255])], RAYDIUM_CPMM_PROGRAM);
}

/** The accounts of a CP-Swap pool; mint 0 must be the lower of the two by its bytes. */
export async function cpmmPoolAddresses(config: Address, mint0: Address, mint1: Address) {
  const [configBytes, mint0Bytes, mint1Bytes] = [config, mint0, mint1].map(base58Decode) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const derive = (...seeds: (string | Uint8Array)[]) => programAddress(seeds, RAYDIUM_CPMM_PROGRAM);
  const pool = await derive(CPMM_SEED.pool, configBytes, mint0Bytes, mint1Bytes);
  const poolBytes = base58Decode(pool);
  const [vault0, vault1, lpMint, observation] = await Promise.all([
    derive(CPMM_SEED.vault, poolBytes, mint0Bytes),
    derive(CPMM_SEED.vault, poolBytes, mint1Bytes),
    derive(CPMM_SEED.lpMint, poolBytes),
    derive(CPMM_SEED.observation, poolBytes),
  ]);
  return { pool, vault0, vault1, lpMint, observation };
}
