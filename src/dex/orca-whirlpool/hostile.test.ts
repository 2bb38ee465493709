/**
 * Whirlpool's decoders, loader and swaps on bytes that mean no good: each answers, in bounded time, and throws nothing.
 * SANDPIPER_FUZZ_RUNS raises the number of mutations.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import { SandpiperError } from "#core/error.ts";
import { type Random, seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { GOLDEN_VECTORS } from "#dex/test-data.ts";
import type { AccountBytes, SwapOrder } from "#dex/venue.ts";
import { decodeAdaptiveFeeTier, decodeFeeTier, decodeOracle, decodeWhirlpool } from "./decode.ts";
import { decodeWhirlpoolInstruction, decodeWhirlpoolRecord } from "./decode-any.ts";
import { decodeWhirlpoolSwap, decodeWhirlpoolTraded } from "./decode-swap.ts";
import { decodeTickArray } from "./decode-tick-array.ts";
import {
  ADAPTIVE_FEE_TIER_BYTES,
  FEE_TIER_BYTES,
  SWAP_DATA_BYTES,
  TRADED_BYTES,
  TWO_HOP_SWAP_DATA_BYTES,
  WHIRLPOOL_DISCRIMINATOR,
} from "./layout.ts";
import { SYNTHETIC, syntheticPool } from "./synthetic-pool.ts";
import { orcaWhirlpoolVenue } from "./venue.ts";

const RUNS = Number(process.env["SANDPIPER_FUZZ_RUNS"] ?? 20_000);
const GOLDEN = join(GOLDEN_VECTORS, "orca-whirlpool__sol-usdc.json");
const TIME = { slot: 300_000_000n, epoch: 694n, unixSeconds: 1_734_000_000n };
const ACCOUNTS = Array.from({ length: 26 }, (_, i) => `account ${i}` as Address);
const POSITIONS = [
  { lower: -443_584, upper: 443_584, liquidity: 10n ** 12n },
  { lower: -640, upper: 1_280, liquidity: 10n ** 13n },
  { lower: -64_000, upper: 45_056, liquidity: 10n ** 9n },
];
const ADAPTIVE = {
  filterPeriod: 30,
  decayPeriod: 600,
  reductionFactor: 500,
  adaptiveFeeControlFactor: 4_000,
  maxVolatilityAccumulator: 350_000,
  tickGroupSize: 64,
  majorSwapThresholdTicks: 64,
};

/** sha256("account:Position"). */
const POSITION_MARKS = [0xaa, 0xbc, 0x8f, 0xe4, 0x7a, 0x40, 0xf7, 0xd0];

type Target = { readonly pool: Address; readonly accounts: ReadonlyMap<Address, AccountBytes> };
type Decoder = (bytes: Uint8Array) => { readonly ok: boolean; readonly error?: unknown };

const decodeTradedBytes: Decoder = (bytes) =>
  decodeWhirlpoolTraded(`Program data: ${Buffer.from(bytes).toString("base64")}`);
const decodeSwapBytes: Decoder = (bytes) => decodeWhirlpoolSwap(bytes, ACCOUNTS.slice(0, bytes.length % 27));
const decodeAnyBytes: Decoder = (bytes) => decodeWhirlpoolInstruction(bytes, ACCOUNTS.slice(0, bytes.length % 27));

function bytesOf(size: number, marks: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(marks);
  return bytes;
}

const SEEDS: readonly (readonly [Uint8Array, Decoder])[] = [
  [bytesOf(FEE_TIER_BYTES, WHIRLPOOL_DISCRIMINATOR.feeTier), decodeFeeTier],
  [bytesOf(ADAPTIVE_FEE_TIER_BYTES, WHIRLPOOL_DISCRIMINATOR.adaptiveFeeTier), decodeAdaptiveFeeTier],
  [bytesOf(SWAP_DATA_BYTES, WHIRLPOOL_DISCRIMINATOR.swap), decodeSwapBytes],
  [bytesOf(SWAP_DATA_BYTES + 1, WHIRLPOOL_DISCRIMINATOR.swapV2), decodeSwapBytes],
  [bytesOf(TWO_HOP_SWAP_DATA_BYTES, WHIRLPOOL_DISCRIMINATOR.twoHopSwap), decodeSwapBytes],
  [bytesOf(TWO_HOP_SWAP_DATA_BYTES + 1, WHIRLPOOL_DISCRIMINATOR.twoHopSwapV2), decodeSwapBytes],
  [bytesOf(TWO_HOP_SWAP_DATA_BYTES + 20, WHIRLPOOL_DISCRIMINATOR.twoHopSwapV2), decodeAnyBytes],
  [bytesOf(216, POSITION_MARKS), decodeWhirlpoolRecord],
  [bytesOf(TRADED_BYTES, WHIRLPOOL_DISCRIMINATOR.traded), decodeTradedBytes],
];

async function targets(): Promise<readonly Target[]> {
  const base = { tickSpacing: 64, tick: 64, positions: POSITIONS };
  const made = [
    syntheticPool(base),
    syntheticPool({ ...base, dynamicArrays: true, adaptive: ADAPTIVE }),
    syntheticPool({ ...base, transferFees: [{ basisPoints: 100, maximum: 5_000n }, undefined] }),
  ].map((accounts) => ({ pool: SYNTHETIC.pool, accounts }));
  const golden = await Bun.file(GOLDEN).json();
  const accounts = new Map<Address, AccountBytes>();
  for (const { pubkey, owner, data } of golden.accounts)
    accounts.set(pubkey, { owner, data: new Uint8Array(Buffer.from(data, "base64")) });
  return [...made, { pool: golden.pool, accounts }];
}

/** A few bits flipped, bytes replaced, or the end cut off. */
function damaged(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  for (let left = random.between(1, 5); left > 0; left--) {
    const at = random.between(0, copy.length);
    const byte = copy[at] ?? 0;
    copy[at] = random.unit() < 0.5 ? byte ^ (1 << random.between(0, 8)) : random.pick([0, 1, 0x7f, 0x80, 0xff]);
  }
  return random.unit() < 0.05 ? copy.subarray(0, random.between(0, copy.length + 1)) : copy;
}

function damagedTarget({ pool, accounts }: Target, random: Random): Target {
  const changed = new Map(accounts);
  const names = [...accounts.keys()];
  for (let left = random.between(1, 3); left > 0; left--) {
    const name = random.unit() < 0.5 ? pool : random.pick(names);
    const account = changed.get(name) as AccountBytes;
    changed.set(name, { owner: account.owner, data: damaged(account.data, random) });
  }
  return { pool, accounts: changed };
}

function hostileOrder(random: Random): SwapOrder {
  return {
    inputSide: random.unit() < 0.5 ? 0 : 1,
    mode: random.unit() < 0.5 ? "exact-in" : "exact-out",
    amount: BigInt.asUintN(random.between(0, 65), (BigInt(random.uint32()) << 32n) | BigInt(random.uint32())),
  };
}

test(`load and swap answer ${RUNS} mutations of a pool's accounts`, async () => {
  const random = seededRandom("hostile Whirlpools");
  const all = await targets();
  const seen = { loaded: 0, filled: 0, refused: 0 };
  for (let i = 0; i < RUNS; i++) {
    const target = damagedTarget(all[i % all.length] as Target, random);
    const state = orcaWhirlpoolVenue.load(target.pool, target.accounts);
    if (!state.ok) {
      expect(state.error).toBeInstanceOf(SandpiperError);
      continue;
    }
    seen.loaded++;
    const fill = orcaWhirlpoolVenue.swap(state.value, hostileOrder(random), TIME);
    if (!fill.ok) {
      expect(fill.error.name).toMatch(/^[A-Z]\w+$/);
      seen.refused++;
      continue;
    }
    seen.filled++;
    expect(fill.value.amountIn >= 0n && fill.value.amountOut >= 0n).toBe(true);
    expect(orcaWhirlpoolVenue.figures(fill.value.after)["sqrt_price"]).toBeGreaterThan(0n);
  }
  // The damage is small enough that much of it gets to the swap.
  expect(Math.min(seen.loaded, seen.filled * 2, seen.refused * 20)).toBeGreaterThan(RUNS / 10);
}, 3_600_000);

test(`decoders answer ${RUNS} mutations of accounts, instructions and events`, async () => {
  const random = seededRandom("hostile bytes of Whirlpool");
  const real = (await targets()).flatMap(({ accounts }) => [...accounts.values()]);
  const decoders: readonly Decoder[] = [decodeWhirlpool, decodeTickArray, decodeOracle];
  for (let i = 0; i < RUNS; i++) {
    const [seed, decode] = SEEDS[i % SEEDS.length] as (typeof SEEDS)[number];
    const answers = [decode(damaged(seed, random))];
    const bytes = damaged((real[i % real.length] as AccountBytes).data, random);
    for (const decodeAccount of decoders) answers.push(decodeAccount(bytes));
    for (const answer of answers) if (!answer.ok) expect(answer.error).toBeInstanceOf(SandpiperError);
  }
}, 3_600_000);

test("decoders answer any bytes", () => {
  const decoders = [...SEEDS.map(([, decode]) => decode), decodeWhirlpool, decodeTickArray, decodeOracle];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), fc.nat(decoders.length - 1), (bytes, which) => {
      decoders[which]?.(bytes);
    }),
  );
});
