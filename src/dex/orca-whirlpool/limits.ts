/** Fixed numbers of the Whirlpool program and the widths of its integers (`math/`, `state/tick.rs`). */

export const U64_MAX = 0xffff_ffff_ffff_ffffn;
export const U128_MAX = 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_ffffn;

export const TICK_INDEX_MIN = -443_636;
export const TICK_INDEX_MAX = 443_636;
/** The square roots of price, Q64.64, at those ticks. */
export const SQRT_PRICE_MIN = 4_295_048_016n;
export const SQRT_PRICE_MAX = 79_226_673_515_401_279_992_447_579_055n;

/** Fee rates are in millionths of the input, a protocol's share in ten-thousandths of the fee. */
export const FEE_RATE_ALL = 1_000_000n;
export const PROTOCOL_FEE_RATE_ALL = 10_000n;
/** No total of a static and an adaptive rate goes above this. */
export const FEE_RATE_HARD_LIMIT = 100_000n;

/**
 * Most steps of one swap. A transaction's compute budget ends near 250; an adaptive fee could ask for thousands in a pool
 * that nobody can trade on.
 */
export const SWAP_STEPS_MAX = 1_024;
