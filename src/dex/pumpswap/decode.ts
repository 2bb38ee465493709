/** PumpSwap's accounts, trades and events as values. Foreign bytes are checked whole here; nothing throws. */
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { readAddress, readU64, startsWith } from "#dex/bytes.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import { SYSTEM_PROGRAM } from "#dex/program-addresses.ts";
import {
  BUY_EVENT_BEHIND_NAME,
  BUY_EVENT_NAME,
  EVENT_INSTRUCTION_PREFIX,
  GLOBAL_CONFIG,
  GLOBAL_CONFIG_BYTES_MIN,
  POOL,
  POOL_BYTES_MIN,
  PUMPSWAP_DISCRIMINATOR,
  PUMPSWAP_TRADE,
  SELL_EVENT_TAIL,
  TRADE_ACCOUNT,
  TRADE_ACCOUNTS_MIN,
  TRADE_DATA,
  TRADE_DATA_BYTES_MIN,
  TRADE_EVENT,
  TRADE_EVENT_BYTES_MIN,
} from "./layout.ts";

/** Side 0 is base, side 1 is quote. */
export type PumpSwapPool = {
  readonly creator: Address;
  readonly mints: readonly [Address, Address];
  readonly vaults: readonly [Address, Address];
  /** Undefined in pools that pay no creator. */
  readonly coinCreator: Address | undefined;
  readonly isMayhemMode: boolean;
  readonly isCashbackCoin: boolean;
  /** Signed. With the vault's balance it is the reserve that prices the trades. */
  readonly virtualQuoteReserves: bigint;
  /** Of this pool alone, where the global config lets a pool have its own; 0n for the schedule's. */
  readonly creatorFeeBps: bigint;
};

export type PumpSwapGlobalConfig = {
  readonly disableFlags: number;
  /** Of the protocol fee. */
  readonly buybackBasisPoints: bigint;
  readonly creatorFeeConfigurable: boolean;
  /** Any one of a list will do in a trade; empty where the config is older than the list. */
  readonly protocolFeeRecipients: readonly Address[];
  readonly mayhemFeeRecipients: readonly Address[];
  readonly buybackFeeRecipients: readonly Address[];
};

export type PumpSwapTrade = {
  readonly kind: keyof typeof PUMPSWAP_TRADE;
  /** What is exact (base out of `buy`, quote in of `buyExactQuoteIn`, base in of `sell`), and the bound of the other. */
  readonly exactAmount: bigint;
  readonly boundAmount: bigint;
  readonly accounts: Readonly<Record<keyof typeof TRADE_ACCOUNT, Address>>;
};

export type PumpSwapTradeEvent = {
  readonly kind: "buy" | "sell";
  readonly pool: Address;
  readonly user: Address;
  readonly baseAmount: bigint;
  /** What the user paid or got, fees included. */
  readonly userQuoteAmount: bigint;
  /** What the vaults held before it. */
  readonly poolBaseReserves: bigint;
  readonly poolQuoteReserves: bigint;
  /** Ten-thousandths of the quote; what a cashback coin gives back counts as the creator's. */
  readonly fees: { readonly lpBps: bigint; readonly protocolBps: bigint; readonly creatorBps: bigint };
  /** Signed; 0n in events of builds that knew none. */
  readonly virtualQuoteReserves: bigint;
};

export function decodePumpSwapPool(data: Uint8Array): Result<PumpSwapPool, SandpiperError> {
  if (data.length < POOL_BYTES_MIN || !startsWith(data, PUMPSWAP_DISCRIMINATOR.pool))
    return refuse(DEX_ERROR.account, "a PumpSwap pool", POOL_BYTES_MIN, data);
  const address = (offset: number) => readAddress(data, offset);
  const coinCreator = data.length >= POOL.coinCreator + 32 ? address(POOL.coinCreator) : SYSTEM_PROGRAM;
  return ok({
    creator: address(POOL.creator),
    mints: [address(POOL.baseMint), address(POOL.quoteMint)],
    vaults: [address(POOL.poolBaseTokenAccount), address(POOL.poolQuoteTokenAccount)],
    // The zero key, which the system program has as its address, stands for nobody.
    coinCreator: coinCreator === SYSTEM_PROGRAM ? undefined : coinCreator,
    isMayhemMode: (data[POOL.isMayhemMode] ?? 0) !== 0,
    isCashbackCoin: (data[POOL.isCashbackCoin] ?? 0) !== 0,
    virtualQuoteReserves: laterI128(data, POOL.virtualQuoteReserves),
    creatorFeeBps: laterU64(data, POOL.creatorFeeBps),
  });
}

export function decodePumpSwapGlobalConfig(data: Uint8Array): Result<PumpSwapGlobalConfig, SandpiperError> {
  if (data.length < GLOBAL_CONFIG_BYTES_MIN || !startsWith(data, PUMPSWAP_DISCRIMINATOR.globalConfig))
    return refuse(DEX_ERROR.account, "PumpSwap's GlobalConfig", GLOBAL_CONFIG_BYTES_MIN, data);
  return ok({
    disableFlags: data[GLOBAL_CONFIG.disableFlags] ?? 0,
    buybackBasisPoints: laterU64(data, GLOBAL_CONFIG.buybackBasisPoints),
    creatorFeeConfigurable: (data[GLOBAL_CONFIG.creatorFeeConfigurable] ?? 0) !== 0,
    protocolFeeRecipients: addresses(data, GLOBAL_CONFIG.protocolFeeRecipients, 8),
    mayhemFeeRecipients: [
      ...addresses(data, GLOBAL_CONFIG.reservedFeeRecipient, 1),
      ...addresses(data, GLOBAL_CONFIG.reservedFeeRecipients, 7),
    ],
    buybackFeeRecipients: addresses(data, GLOBAL_CONFIG.buybackFeeRecipients, 8),
  });
}

const TRADES = Object.entries(PUMPSWAP_TRADE) as readonly [PumpSwapTrade["kind"], readonly number[]][];

/** The trade of an instruction; undefined when it is something else of the program's. */
export function decodePumpSwapTrade(
  data: Uint8Array,
  accounts: readonly Address[],
): Result<PumpSwapTrade | undefined, SandpiperError> {
  const kind = TRADES.find(([, discriminator]) => startsWith(data, discriminator))?.[0];
  if (kind === undefined) return ok(undefined);
  if (data.length < TRADE_DATA_BYTES_MIN || accounts.length < TRADE_ACCOUNTS_MIN)
    return refuse(DEX_ERROR.instruction, `${kind} on ${accounts.length} accounts`, TRADE_DATA_BYTES_MIN, data);
  const places = Object.entries(TRADE_ACCOUNT).map(([name, place]) => [name, accounts[place] as Address] as const);
  return ok({
    kind,
    exactAmount: readU64(data, TRADE_DATA.first),
    boundAmount: readU64(data, TRADE_DATA.second),
    // The loop above names every key of the table, which the type of fromEntries cannot say.
    accounts: Object.fromEntries(places) as PumpSwapTrade["accounts"],
  });
}

/** The event of a trade, out of its log's base64 or out of the program's call to itself; undefined for other events. */
export function decodePumpSwapEvent(data: Uint8Array): Result<PumpSwapTradeEvent | undefined, SandpiperError> {
  const event = startsWith(data, EVENT_INSTRUCTION_PREFIX) ? data.subarray(EVENT_INSTRUCTION_PREFIX.length) : data;
  const buy = startsWith(event, PUMPSWAP_DISCRIMINATOR.buyEvent);
  if (!buy && !startsWith(event, PUMPSWAP_DISCRIMINATOR.sellEvent)) return ok(undefined);
  if (event.length < TRADE_EVENT_BYTES_MIN)
    return refuse(DEX_ERROR.logLine, "a PumpSwap trade's event", TRADE_EVENT_BYTES_MIN, event);
  const tail = tailOf(event, buy);
  return ok({
    kind: buy ? "buy" : "sell",
    pool: readAddress(event, TRADE_EVENT.pool),
    user: readAddress(event, TRADE_EVENT.user),
    baseAmount: readU64(event, TRADE_EVENT.baseAmount),
    userQuoteAmount: buy
      ? // In the event of an exact quote in, the two amounts have changed places: what was paid is the greater one.
        max(readU64(event, TRADE_EVENT.quoteAmount), readU64(event, TRADE_EVENT.userQuoteAmount))
      : readU64(event, TRADE_EVENT.userQuoteAmount),
    poolBaseReserves: readU64(event, TRADE_EVENT.poolBaseReserves),
    poolQuoteReserves: readU64(event, TRADE_EVENT.poolQuoteReserves),
    fees: {
      lpBps: readU64(event, TRADE_EVENT.lpFeeBps),
      protocolBps: readU64(event, TRADE_EVENT.protocolFeeBps),
      creatorBps: readU64(event, TRADE_EVENT.coinCreatorFeeBps) + laterU64(event, tail.cashbackFeeBps),
    },
    virtualQuoteReserves: laterI128(event, tail.virtualQuoteReserves),
  });
}

/** Where the fields are that newer builds add; beyond the event's end where there is no room for them. */
function tailOf(event: Uint8Array, buy: boolean): { cashbackFeeBps: number; virtualQuoteReserves: number } {
  if (!buy) return SELL_EVENT_TAIL;
  const hasName = event.length >= BUY_EVENT_NAME + 4;
  const nameBytes = hasName ? new DataView(event.buffer, event.byteOffset).getUint32(BUY_EVENT_NAME, true) : 0;
  const behind = BUY_EVENT_NAME + 4 + nameBytes;
  return {
    cashbackFeeBps: behind + BUY_EVENT_BEHIND_NAME.cashbackFeeBps,
    virtualQuoteReserves: behind + BUY_EVENT_BEHIND_NAME.virtualQuoteReserves,
  };
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** A list that older accounts end before. */
const addresses = (data: Uint8Array, offset: number, count: number): readonly Address[] =>
  data.length < offset + count * 32 ? [] : Array.from({ length: count }, (_, i) => readAddress(data, offset + i * 32));

const laterI128 = (data: Uint8Array, offset: number): bigint =>
  data.length >= offset + 16 ? BigInt.asIntN(128, (readU64(data, offset + 8) << 64n) | readU64(data, offset)) : 0n;

/** A field that older accounts end before. */
const laterU64 = (data: Uint8Array, offset: number): bigint => (data.length >= offset + 8 ? readU64(data, offset) : 0n);

function refuse(code: number, what: string, bytes: number, data: Uint8Array): Result<never, SandpiperError> {
  const start = Buffer.from(data.subarray(0, 8)).toString("hex");
  return err(
    new SandpiperError(
      code,
      `Cannot decode ${what}: ${bytes} bytes or more with its marks, was ${data.length} bytes starting ${start}`,
    ),
  );
}
