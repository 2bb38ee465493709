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
 *   64    ─ end of a 64-byte slot ─                u32 instruction index, u32 inputSide (0 | 1)
 *   72                                             u64 effective reserve 0 before the swap
 *   80                                             u64 effective reserve 1 before the swap
 *   88                                             32 bytes pool address
 *   120                                            32 bytes trader (the owner that signed)
 *   152                                            64 bytes transaction signature
 *   216                                            u32 dex (place in DEX_NAMES), u32 reserved, 32 bytes reserved
 *
 * CATALOGUE (kind 4): the file of the pool catalogue changed; `pool` holds its new version.
 * END (kind 5): a replay has no more records.
 */

export const MARKET_RECORD_KIND = { poolState: 1, swap: 2, slot: 3, catalogue: 4, end: 5 } as const;
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
  instructionIndex: 64,
  inputSide: 68,
  swapReserve0: 72,
  swapReserve1: 80,
  poolAddress: 88,
  trader: 120,
  signature: 152,
  dex: 216,
} as const;

/** Slot sizes of the two market rings, in bytes, and how many slots they hold. */
export const ARBITRAGE_RING = { slotBytes: 64, capacity: 8_192 } as const;
export const MEV_RING = { slotBytes: 256, capacity: 8_192 } as const;
