/**
 * The accounts that genesis writes, as bytes: SPL mints and token accounts, and CP-Swap's config, pool and observation.
 * Every account holds what makes it rent-exempt; a token account of the native mint holds its tokens as lamports too.
 */
import { base58Decode } from "#core/base58.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import { RAYDIUM_CPMM_PROGRAM, SYSTEM_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import {
  AMM_CONFIG,
  AMM_CONFIG_BYTES,
  CPMM_DISCRIMINATOR,
  OBSERVATION_STATE,
  OBSERVATION_STATE_BYTES,
  POOL_STATE,
  POOL_STATE_BYTES,
  TOKEN_ACCOUNT,
  TOKEN_ACCOUNT_BYTES,
} from "#dex/raydium-cpmm/layout.ts";
import { METADATA_KEY, METAPLEX_PROGRAM } from "#dex/token-metadata.ts";
import type { AccountState } from "#sim/cluster/cluster.ts";

const RENT_LAMPORTS_PER_BYTE = 6_960n;
const ACCOUNT_OVERHEAD_BYTES = 128;
const MINT_BYTES = 82;
const MINT = { supply: 36, decimals: 44, initialized: 45 } as const;
const TOKEN_STATE_INITIALIZED = 1;
/** Key, update authority and mint. */
const NAME_HEAD_BYTES = 65;
/** Behind the state byte: a u32 that says "native", then the lamports that are rent and not tokens. */
const TOKEN_ACCOUNT_NATIVE = { tag: 109, reserveLamports: 113 } as const;

/** What an account of this size must hold to stay: two years of rent. */
export const rentExemptLamports = (bytes: number): bigint =>
  BigInt(bytes + ACCOUNT_OVERHEAD_BYTES) * RENT_LAMPORTS_PER_BYTE;

export const walletAccount = (lamports: bigint): AccountState => ({
  lamports,
  owner: SYSTEM_PROGRAM,
  data: new Uint8Array(),
  executable: false,
});

/** A mint whose supply is fixed: it has no authorities. */
export function mintAccount(decimals: number, supply: bigint): AccountState {
  const { data, view } = bytesOf(MINT_BYTES);
  view.setBigUint64(MINT.supply, supply, true);
  data[MINT.decimals] = decimals;
  data[MINT.initialized] = 1;
  return { lamports: rentExemptLamports(MINT_BYTES), owner: TOKEN_PROGRAM, data, executable: false };
}

/** What a token calls itself, as Metaplex' program keeps it: name and symbol, and nobody who may change them. */
export function nameAccount(mint: Address, symbol: string): AccountState {
  const text = Buffer.from(symbol);
  const { data, view } = bytesOf(NAME_HEAD_BYTES + 3 * 4 + 2 * text.length);
  data[0] = METADATA_KEY;
  data.set(base58Decode(mint), NAME_HEAD_BYTES - 32);
  let at = NAME_HEAD_BYTES;
  for (const field of [text, text]) {
    view.setUint32(at, field.length, true);
    data.set(field, at + 4);
    at += 4 + field.length;
  }
  return { lamports: rentExemptLamports(data.length), owner: METAPLEX_PROGRAM, data, executable: false };
}

export function tokenAccount(mint: Address, owner: Address, amount: bigint): AccountState {
  const { data, view } = bytesOf(TOKEN_ACCOUNT_BYTES);
  data.set(base58Decode(mint), TOKEN_ACCOUNT.mint);
  data.set(base58Decode(owner), TOKEN_ACCOUNT.owner);
  view.setBigUint64(TOKEN_ACCOUNT.amount, amount, true);
  data[TOKEN_ACCOUNT.state] = TOKEN_STATE_INITIALIZED;
  const rent = rentExemptLamports(TOKEN_ACCOUNT_BYTES);
  const native = mint === WSOL_MINT;
  if (native) {
    view.setUint32(TOKEN_ACCOUNT_NATIVE.tag, 1, true);
    view.setBigUint64(TOKEN_ACCOUNT_NATIVE.reserveLamports, rent, true);
  }
  return { lamports: native ? rent + amount : rent, owner: TOKEN_PROGRAM, data, executable: false };
}

export type ConfigFields = {
  readonly bump: number;
  readonly index: number;
  readonly tradeFeeRate: number;
  readonly protocolFeeRate: number;
  readonly fundFeeRate: number;
  readonly feeOwner: Address;
};

export function ammConfigAccount(fields: ConfigFields): AccountState {
  const { data, view } = bytesOf(AMM_CONFIG_BYTES);
  data.set(CPMM_DISCRIMINATOR.ammConfig);
  data[AMM_CONFIG.bump] = fields.bump;
  view.setUint16(AMM_CONFIG.index, fields.index, true);
  view.setBigUint64(AMM_CONFIG.tradeFeeRate, BigInt(fields.tradeFeeRate), true);
  view.setBigUint64(AMM_CONFIG.protocolFeeRate, BigInt(fields.protocolFeeRate), true);
  view.setBigUint64(AMM_CONFIG.fundFeeRate, BigInt(fields.fundFeeRate), true);
  data.set(base58Decode(fields.feeOwner), AMM_CONFIG.protocolOwner);
  data.set(base58Decode(fields.feeOwner), AMM_CONFIG.fundOwner);
  return programAccount(data);
}

export type PoolFields = {
  readonly ammConfig: Address;
  readonly creator: Address;
  readonly vaults: readonly [Address, Address];
  readonly lpMint: Address;
  readonly mints: readonly [Address, Address];
  readonly decimals: readonly [number, number];
  readonly observation: Address;
  readonly authBump: number;
  readonly lpSupply: bigint;
};

export const LP_MINT_DECIMALS = 9;

export function poolAccount(fields: PoolFields): AccountState {
  const { data, view } = bytesOf(POOL_STATE_BYTES);
  data.set(CPMM_DISCRIMINATOR.poolState);
  const addresses: readonly (readonly [number, Address])[] = [
    [POOL_STATE.ammConfig, fields.ammConfig],
    [POOL_STATE.poolCreator, fields.creator],
    [POOL_STATE.token0Vault, fields.vaults[0]],
    [POOL_STATE.token1Vault, fields.vaults[1]],
    [POOL_STATE.lpMint, fields.lpMint],
    [POOL_STATE.token0Mint, fields.mints[0]],
    [POOL_STATE.token1Mint, fields.mints[1]],
    [POOL_STATE.token0Program, TOKEN_PROGRAM],
    [POOL_STATE.token1Program, TOKEN_PROGRAM],
    [POOL_STATE.observationKey, fields.observation],
  ];
  for (const [offset, address] of addresses) data.set(base58Decode(address), offset);
  data[POOL_STATE.authBump] = fields.authBump;
  data[POOL_STATE.lpMintDecimals] = LP_MINT_DECIMALS;
  data[POOL_STATE.mint0Decimals] = fields.decimals[0];
  data[POOL_STATE.mint1Decimals] = fields.decimals[1];
  view.setBigUint64(POOL_STATE.lpSupply, fields.lpSupply, true);
  return programAccount(data);
}

export function observationAccount(pool: Address): AccountState {
  const { data } = bytesOf(OBSERVATION_STATE_BYTES);
  data.set(CPMM_DISCRIMINATOR.observationState);
  data.set(base58Decode(pool), OBSERVATION_STATE.poolId);
  return programAccount(data);
}

const programAccount = (data: Uint8Array): AccountState => ({
  lamports: rentExemptLamports(data.length),
  owner: RAYDIUM_CPMM_PROGRAM,
  data,
  executable: false,
});

/** Zeroed account data and a view of it. */
export function bytesOf(length: number) {
  const data = new Uint8Array(new ArrayBuffer(length));
  return { data, view: new DataView(data.buffer) };
}
