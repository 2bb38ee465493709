/**
 * The words between the feed and the agents: one record per slot of a market ring.
 *
 * Records of one transaction are written together and published together; the last of them carries LAST_OF_GROUP, so a
 * reader that acts only there never sees half a transaction. Amounts are u64 in two u32 words, low first, so that the
 * hot path reads them without making a bigint.
 *
 *   byte  all records                       POOL_STATE                 SWAP (256-byte slots)        SLOT
 *   0     u32 kind                          1                          2                            3
 *   4     u32 flags                         bit 0 LAST_OF_GROUP, bit 1 SNAPSHOT, bit 2 REPLAYED
 *   8     u64 sequence (per feed run)
 *   16    u64 slot
 *   24    f64 eventNs   CLOCK_MONOTONIC when the source's bytes arrived (replay: ns since the recording's start)
 *   32    f64 feedNs    CLOCK_MONOTONIC when the feed published
 *   40    u32 pool      index in the catalogue; NO_POOL when the catalogue does not have it
 *   44    u32 transactionIndex in its slot
 *   48    u64           effective reserve, side 0  amount in                   slot start, Unix ms
 *   56    u64           effective reserve, side 1  amount out
 *   64                                             u32 instruction index, u32 inputSide (0 | 1)
 *   72                                             u64 effective reserve 0 before the swap
 *   80                                             u64 effective reserve 1 before the swap
 *   88                                             32 bytes pool address
 *   120                                            32 bytes trader (the owner that signed)
 *   152                                            64 bytes transaction signature
 *   216                                            u32 dex (place in DEX_NAMES), u32 1 when the order fixed its output
 *   224                                            32 bytes top-level program
 *
 * A transaction with swaps or payments is one group in the mev ring: a TRANSACTION, then its PAYMENTs, then its SWAPs.
 *
 *   byte  TRANSACTION (kind 8)                     PAYMENT (kind 9), SOL by the system program
 *   48    u64 fee in lamports                      u64 lamports
 *   88    32 bytes fee payer                       32 bytes from
 *   120                                            32 bytes to
 *   152   64 bytes signature
 *
 * Pools of concentrated liquidity take other records (128-byte slots). TICKS come before the CONCENTRATED_STATE of their
 * group, and a pool whose ticks were cleared does not count before its next state:
 *
 *   byte  CONCENTRATED_STATE (kind 6)             TICKS (kind 7)
 *   48    u128 sqrt price, Q64.64                 u32 ticks in this record, 0 to 3
 *   52                                            u32 1 when all ticks told before are void
 *   56                                            3 × (i32 index, u32 1 initialized or 0 gone, i128 net liquidity)
 *   64    u128 liquidity at that price
 *   80    i32 current tick                        (up to 128)
 *
 * CATALOGUE (kind 4): the file of the pool catalogue changed; `pool` holds its new version.
 * END (kind 5): a replay has no more records.
 */

export const MARKET_RECORD_KIND = {
  poolState: 1,
  swap: 2,
  slot: 3,
  catalogue: 4,
  end: 5,
  concentratedState: 6,
  ticks: 7,
  transaction: 8,
  payment: 9,
} as const;
export const MARKET_RECORD_FLAG = { lastOfGroup: 1, snapshot: 2, replayed: 4 } as const;
export const NO_POOL = 0xffff_ffff;

/** Byte offsets inside one record. */
export const MARKET_RECORD = {
  kind: 0,
  flags: 4,
  sequence: 8,
  slot: 16,
  eventNs: 24,
  feedNs: 32,
  pool: 40,
  transactionIndex: 44,
  reserve0: 48,
  reserve1: 56,
  amountIn: 48,
  amountOut: 56,
  slotStartMs: 48,
  sqrtPrice: 48,
  liquidity: 64,
  tickCurrent: 80,
  tickCount: 48,
  ticksCleared: 52,
  ticks: 56,
  instructionIndex: 64,
  inputSide: 68,
  swapReserve0: 72,
  swapReserve1: 80,
  poolAddress: 88,
  trader: 120,
  signature: 152,
  dex: 216,
  exactOut: 220,
  program: 224,
  feeLamports: 48,
  feePayer: 88,
  paymentLamports: 48,
  paymentFrom: 88,
  paymentTo: 120,
} as const;

/** One tick inside a TICKS record. */
export const TICK_RECORD = { index: 0, initialized: 4, liquidityNet: 8, bytes: 24 } as const;
export const TICKS_PER_RECORD = 3;

/** Slot sizes of the two market rings, in bytes, and how many slots they hold. */
export const ARBITRAGE_RING = { slotBytes: 128, capacity: 8_192 } as const;
export const MEV_RING = { slotBytes: 256, capacity: 8_192 } as const;
