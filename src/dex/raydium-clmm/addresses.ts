/** Derived addresses of Raydium CLMM's accounts. */
import { base58Decode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import { type Derived, programAddressWithBump } from "#dex/addresses.ts";
import { RAYDIUM_CLMM_PROGRAM } from "#dex/program-addresses.ts";

const SEED = {
  ammConfig: "amm_config",
  pool: "pool",
  vault: "pool_vault",
  observation: "observation",
  tickArray: "tick_array",
  bitmapExtension: "pool_tick_array_bitmap_extension",
} as const;

const derive = (...seeds: (string | Uint8Array)[]): Promise<Derived> =>
  programAddressWithBump(seeds, RAYDIUM_CLMM_PROGRAM);

export const clmmConfigAddress = (index: number): Promise<Derived> =>
  derive(SEED.ammConfig, new Uint8Array([index >> 8, index & 255]));

/** The accounts of a pool; mint 0 must be the lower of the two by its bytes. */
export async function clmmPoolAddresses(config: Address, mint0: Address, mint1: Address) {
  const [mint0Bytes, mint1Bytes] = [base58Decode(mint0), base58Decode(mint1)];
  const pool = await derive(SEED.pool, base58Decode(config), mint0Bytes, mint1Bytes);
  const poolBytes = base58Decode(pool.address);
  const [vault0, vault1, observation, bitmapExtension] = await Promise.all([
    derive(SEED.vault, poolBytes, mint0Bytes),
    derive(SEED.vault, poolBytes, mint1Bytes),
    derive(SEED.observation, poolBytes),
    derive(SEED.bitmapExtension, poolBytes),
  ]);
  return {
    pool: pool.address,
    bump: pool.bump,
    vaults: [vault0.address, vault1.address] as const,
    observation: observation.address,
    bitmapExtension: bitmapExtension.address,
  };
}

/** The tick array that begins at `start`, which its seed writes big-endian. */
export async function clmmTickArrayAddress(pool: Address, start: number): Promise<Address> {
  const startBytes = new Uint8Array(4);
  new DataView(startBytes.buffer).setInt32(0, start);
  return (await derive(SEED.tickArray, base58Decode(pool), startBytes)).address;
}
