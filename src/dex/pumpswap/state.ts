/** A PumpSwap pool with all that prices a trade on it: configs, vaults, supply, and whom it was created by. */

import { base58Decode } from "#core/base58.ts";
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { mintBytes, ownedBytes, vaultAmount } from "#dex/account-set.ts";
import { readU64 } from "#dex/bytes.ts";
import { derivedAddress } from "#dex/derived-address.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import { PUMP_FEE_PROGRAM, PUMP_PROGRAM, PUMPSWAP_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import { type TransferFeeConfig, transferFeeOf } from "#dex/transfer-fee.ts";
import type { AccountSet } from "#dex/venue.ts";
import {
  decodePumpSwapGlobalConfig,
  decodePumpSwapPool,
  type PumpSwapGlobalConfig,
  type PumpSwapPool,
} from "./decode.ts";
import { decodePumpSwapFeeConfig, feesOf, type PumpSwapFeeConfig, type PumpSwapFees } from "./fees.ts";
import { FEE_CONFIG_ADDRESS, GLOBAL_CONFIG_ADDRESS, MAYHEM_SUPPLY, POOL_AUTHORITY_SEED } from "./layout.ts";

type Pair<T> = readonly [T, T];

export type PumpSwapState = {
  readonly address: Address;
  readonly pool: PumpSwapPool;
  readonly global: PumpSwapGlobalConfig;
  readonly feeConfig: PumpSwapFeeConfig;
  /** Made by the Pump program out of a finished bonding curve. */
  readonly canonical: boolean;
  readonly baseSupply: bigint;
  readonly tokenPrograms: Pair<Address>;
  readonly transferFees: Pair<TransferFeeConfig | undefined>;
  readonly vaultAmounts: Pair<bigint>;
  /** What trades since the load paid out, in quote. */
  readonly paid: {
    readonly protocol: bigint;
    readonly creator: bigint;
    readonly buyback: bigint;
    readonly cashback: bigint;
  };
};

const MINT_SUPPLY_AT = 36;
const MINT_BYTES = 82;
const NOTHING_PAID = { protocol: 0n, creator: 0n, buyback: 0n, cashback: 0n };

export function loadPumpSwap(address: Address, accounts: AccountSet): Result<PumpSwapState, SandpiperError> {
  const poolBytes = ownedBytes(accounts, address, PUMPSWAP_PROGRAM, "PumpSwap pool");
  const pool = poolBytes.ok ? decodePumpSwapPool(poolBytes.value) : poolBytes;
  if (!pool.ok) return pool;
  const globalBytes = ownedBytes(accounts, GLOBAL_CONFIG_ADDRESS, PUMPSWAP_PROGRAM, "GlobalConfig");
  const global = globalBytes.ok ? decodePumpSwapGlobalConfig(globalBytes.value) : globalBytes;
  if (!global.ok) return global;
  const feeBytes = ownedBytes(accounts, FEE_CONFIG_ADDRESS, PUMP_FEE_PROGRAM, "FeeConfig");
  const feeConfig = feeBytes.ok ? decodePumpSwapFeeConfig(feeBytes.value) : feeBytes;
  if (!feeConfig.ok) return feeConfig;
  const tokens = loadTokens(pool.value, accounts);
  if (!tokens.ok) return tokens;
  return ok({
    address,
    pool: pool.value,
    global: global.value,
    feeConfig: feeConfig.value,
    canonical: pool.value.creator === poolAuthority(pool.value.mints[0]),
    ...tokens.value,
    paid: NOTHING_PAID,
  });
}

type Tokens = Pick<PumpSwapState, "baseSupply" | "tokenPrograms" | "transferFees" | "vaultAmounts">;

function loadTokens({ mints, vaults }: PumpSwapPool, accounts: AccountSet): Result<Tokens, SandpiperError> {
  const [base, quote] = [vaultAmount(accounts, vaults[0]), vaultAmount(accounts, vaults[1])];
  if (!base.ok) return base;
  if (!quote.ok) return quote;
  const [baseMint, quoteMint] = [mintBytes(accounts, mints[0]), mintBytes(accounts, mints[1])];
  if (!baseMint.ok) return baseMint;
  if (!quoteMint.ok) return quoteMint;
  if (baseMint.value.length < MINT_BYTES)
    return err(
      new SandpiperError(
        DEX_ERROR.account,
        `Cannot decode mint ${mints[0]}: ${MINT_BYTES} bytes or more, was ${baseMint.value.length}`,
      ),
    );
  return ok({
    baseSupply: readU64(baseMint.value, MINT_SUPPLY_AT),
    tokenPrograms: [programOf(accounts, mints[0]), programOf(accounts, mints[1])],
    transferFees: [transferFeeOf(baseMint.value), transferFeeOf(quoteMint.value)],
    vaultAmounts: [base.value, quote.value],
  });
}

const programOf = (accounts: AccountSet, mint: Address): Address => accounts.get(mint)?.owner ?? TOKEN_PROGRAM;

/** Quote units that price the trades: the vault's and the virtual ones. */
export const effectiveQuote = ({ pool, vaultAmounts }: PumpSwapState): bigint =>
  vaultAmounts[1] + pool.virtualQuoteReserves;

/** The fees at the state's own market cap; undefined when the base vault is empty and there is none. */
export function currentFees(state: PumpSwapState): PumpSwapFees | undefined {
  const { pool, global, feeConfig, canonical } = state;
  const base = state.vaultAmounts[0];
  if (base === 0n) return undefined;
  const supply = pool.isMayhemMode ? MAYHEM_SUPPLY : state.baseSupply;
  const scheduled = feesOf(feeConfig, canonical, pool.mints[1], (effectiveQuote(state) * supply) / base);
  const ownFee = global.creatorFeeConfigurable && pool.creatorFeeBps > 0n;
  const creatorBps = ownFee ? pool.creatorFeeBps : scheduled.creatorBps;
  return { ...scheduled, creatorBps: pool.coinCreator === undefined ? 0n : creatorBps };
}

/**
 * The address under which the Pump program creates the canonical pool of a coin. A market names the same coins over and
 * over, and deriving takes some 100 µs: what was derived is kept, up to a bound at which the table starts anew.
 */
function poolAuthority(baseMint: Address): Address {
  const known = authorities.get(baseMint);
  if (known !== undefined) return known;
  const derived = derivedAddress([POOL_AUTHORITY_SEED, base58Decode(baseMint)], PUMP_PROGRAM);
  if (authorities.size >= AUTHORITIES_MAX) authorities.clear();
  authorities.set(baseMint, derived);
  return derived;
}

const AUTHORITIES_MAX = 65_536;
const authorities = new Map<Address, Address>();
