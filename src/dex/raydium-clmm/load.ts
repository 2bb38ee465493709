/** A CLMM pool with everything that a swap on it may touch, out of account bytes. */
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { ownedBytes } from "#dex/account-set.ts";
import { readAddress, readU64 } from "#dex/bytes.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import { RAYDIUM_CLMM_PROGRAM, SYSTEM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import { mintExtension, transferFeeOf } from "#dex/transfer-fee.ts";
import type { AccountSet } from "#dex/venue.ts";
import { type ClmmPoolState, decodeAmmConfig, decodeObservation, decodePoolState, malformed } from "./decode.ts";
import { arraysOfPoolBitmap, type ClmmTickArray, decodeBitmapExtension, decodeTickArray } from "./decode-ticks.ts";
import {
  BITMAP_EXTENSION,
  BITMAP_EXTENSION_BYTES,
  TICK_ARRAY,
  TICK_ARRAY_BYTES,
  VAULT,
  VAULT_BYTES_MIN,
  VAULT_STATE,
} from "./layout.ts";
import type { ClmmBuild } from "./refusals.ts";
import type { ClmmSide, ClmmState } from "./state.ts";
import { arrayOf, startOf, type TickMap } from "./tick-map.ts";
import { TICK_MAX, TICK_MIN } from "./tick-math.ts";

const EXTENSION_TRANSFER_HOOK = 14;
const TRANSFER_HOOK = { program: 32, bytes: 64 } as const;
const EXTENSION_PAUSABLE = 26;
const PAUSABLE = { paused: 32 } as const;

/** What the pool's `fee_on` stands for. */
const FEE_SIDES = [undefined, 0, 1] as const;

type Loaded<T> = Result<T, SandpiperError>;

export function loadPool(address: Address, accounts: AccountSet): Loaded<ClmmState> {
  const bytes = ownedBytes(accounts, address, RAYDIUM_CLMM_PROGRAM, "CLMM pool");
  if (!bytes.ok) return bytes;
  const pool = decodePoolState(bytes.value);
  if (!pool.ok) return pool;
  const configBytes = ownedBytes(accounts, pool.value.ammConfig, RAYDIUM_CLMM_PROGRAM, "config of a CLMM pool");
  if (!configBytes.ok) return configBytes;
  const config = decodeAmmConfig(configBytes.value);
  if (!config.ok) return config;
  const build = buildOf(address, pool.value, accounts);
  if (!build.ok) return build;
  const sides = [loadSide(pool.value, 0, accounts), loadSide(pool.value, 1, accounts)] as const;
  if (!sides[0].ok) return sides[0];
  if (!sides[1].ok) return sides[1];
  const ticks = loadTicks(address, pool.value.tickSpacing, bytes.value, build.value, accounts);
  if (!ticks.ok) return ticks;
  const { liquidity, sqrtPriceX64, tickCurrent, feeGrowthGlobalX64, protocolFees, fundFees, status } = pool.value;
  return ok({
    facts: {
      address,
      build: build.value,
      ammConfig: pool.value.ammConfig,
      observationState: pool.value.observationState,
      bitmapExtension: ticks.value.bitmapExtension,
      tickArrays: ticks.value.tickArrays,
      sides: [sides[0].value.side, sides[1].value.side],
      openTime: pool.value.openTime,
      feeSide: build.value === "2024" ? undefined : FEE_SIDES[pool.value.feeOn],
      tradeFeeRate: config.value.tradeFeeRate,
      protocolFeeRate: config.value.protocolFeeRate,
      fundFeeRate: config.value.fundFeeRate,
    },
    status,
    liquidity,
    sqrtPriceX64,
    tickCurrent,
    feeGrowthGlobalX64,
    protocolFees,
    fundFees,
    vaults: [sides[0].value.amount, sides[1].value.amount],
    rewards: pool.value.rewards,
    ticks: ticks.value.map,
  });
}

/**
 * The build that serves the pool: each refuses the other's observation account, so that its form tells. Without that
 * account it is the newer one. What only the build of 2026 knows is padding to the older one.
 */
function buildOf(address: Address, pool: ClmmPoolState, accounts: AccountSet): Loaded<ClmmBuild> {
  const account = accounts.get(pool.observationState);
  if (account !== undefined) {
    const observation = decodeObservation(account.data);
    if (!observation.ok) return observation;
    if (observation.value.build === "2024") return ok("2024");
  }
  if (pool.feeOn >= FEE_SIDES.length) return unsupported(address, "fees on a side that is known", `${pool.feeOn}`);
  if (pool.dynamicFee !== undefined) return unsupported(address, "a static fee", "a dynamic fee");
  return ok("2026");
}

type LoadedSide = { readonly side: ClmmSide; readonly amount: bigint };

function loadSide(pool: ClmmPoolState, index: 0 | 1, accounts: AccountSet): Loaded<LoadedSide> {
  const [mint, vault] = [pool.mints[index], pool.vaults[index]];
  const tokenProgram = accounts.get(mint)?.owner === TOKEN_2022_PROGRAM ? TOKEN_2022_PROGRAM : TOKEN_PROGRAM;
  const mintBytes = ownedBytes(accounts, mint, tokenProgram, "mint");
  if (!mintBytes.ok) return mintBytes;
  const vaultBytes = ownedBytes(accounts, vault, tokenProgram, "vault");
  if (!vaultBytes.ok) return vaultBytes;
  const data = vaultBytes.value;
  const state = data[VAULT.state];
  if (data.length < VAULT_BYTES_MIN || (state !== VAULT_STATE.initialized && state !== VAULT_STATE.frozen))
    return malformed("vault", "an initialized token account", data);
  if (readAddress(data, VAULT.mint) !== mint) return malformed("vault", `a token account of ${mint}`, data);
  const extended = tokenProgram === TOKEN_2022_PROGRAM ? mintBytes.value : new Uint8Array();
  // No account that a hook would ask for is part of the swap instruction.
  if (callsHook(extended)) return unsupported(vault, "a mint without a transfer hook", mint);
  const blocked = state === VAULT_STATE.frozen ? "AccountFrozen" : isPaused(extended) ? "MintPaused" : undefined;
  const side = { mint, tokenProgram, vault, transferFee: transferFeeOf(extended), blocked } as const;
  return ok({ side, amount: readU64(data, VAULT.amount) });
}

function callsHook(mint: Uint8Array): boolean {
  const hook = mintExtension(mint, EXTENSION_TRANSFER_HOOK);
  return hook?.length === TRANSFER_HOOK.bytes && readAddress(hook, TRANSFER_HOOK.program) !== SYSTEM_PROGRAM;
}

const isPaused = (mint: Uint8Array): boolean => mintExtension(mint, EXTENSION_PAUSABLE)?.[PAUSABLE.paused] === 1;

type LoadedTicks = {
  readonly map: TickMap;
  readonly bitmapExtension: Address | undefined;
  readonly tickArrays: ReadonlyMap<number, Address>;
};

/** The ticks of a pool: its accounts name it, so that one look at each account of the program finds them all. */
function loadTicks(
  pool: Address,
  spacing: number,
  poolBytes: Uint8Array,
  build: ClmmBuild,
  accounts: AccountSet,
): Loaded<LoadedTicks> {
  const arrays = new Map<number, ClmmTickArray["ticks"]>();
  const tickArrays = new Map<number, Address>();
  const named = arraysOfPoolBitmap(poolBytes);
  let bitmapExtension: Address | undefined;
  for (const [address, { owner, data }] of accounts) {
    if (owner !== RAYDIUM_CLMM_PROGRAM) continue;
    if (data.length === TICK_ARRAY_BYTES && readAddress(data, TICK_ARRAY.poolId) === pool) {
      const array = loadTickArray(pool, spacing, data, build);
      if (!array.ok) return array;
      arrays.set(array.value.number, array.value.ticks);
      tickArrays.set(array.value.number, address);
    } else if (data.length === BITMAP_EXTENSION_BYTES && readAddress(data, BITMAP_EXTENSION.poolId) === pool) {
      const extension = decodeBitmapExtension(data);
      if (!extension.ok) return extension;
      bitmapExtension = address;
      named.push(...extension.value.arrays);
    }
  }
  const [first, last] = [arrayOf(TICK_MIN, spacing), arrayOf(TICK_MAX, spacing)];
  const inBounds = named.filter((array) => array >= first && array <= last).sort((a, b) => a - b);
  const map = { spacing, named: inBounds, hasExtension: bitmapExtension !== undefined, arrays };
  return ok({ map, bitmapExtension, tickArrays });
}

type NumberedTicks = { readonly number: number; readonly ticks: ClmmTickArray["ticks"] };

/** The ticks of one array, each in the place that its index gives it. */
function loadTickArray(pool: Address, spacing: number, data: Uint8Array, build: ClmmBuild): Loaded<NumberedTicks> {
  const array = decodeTickArray(data);
  if (!array.ok) return array;
  const start = array.value.startTickIndex;
  const number = arrayOf(start, spacing);
  if (startOf(number, spacing) !== start) return malformed("TickArrayState", `a start for spacing ${spacing}`, data);
  const ticks: ClmmTickArray["ticks"][number][] = [];
  for (const [place, tick] of array.value.ticks.entries()) {
    if (tick !== undefined && tick.index !== start + place * spacing)
      return malformed("TickArrayState", "ticks in their places", data);
    if (tick?.hasOrders && build === "2026") return unsupported(pool, "no limit orders", `some at tick ${tick.index}`);
    // The build of 2024 knows no orders: a tick without liquidity is none.
    ticks.push(tick?.liquidityGross === 0n ? undefined : tick);
  }
  return ok({ number, ticks });
}

function unsupported(address: Address, want: string, was: string): Loaded<never> {
  return err(new SandpiperError(DEX_ERROR.unsupported, `Cannot follow CLMM account ${address}: ${want}, was ${was}`));
}
