/**
 * DLMM's decoders, loader and swaps on bytes that mean no good: each answers, in bounded time, and throws nothing.
 * SANDPIPER_FUZZ_RUNS raises the number of mutations.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { SandpiperError } from "#core/error.ts";
import { type Random, seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { GOLDEN_VECTORS } from "#dex/test-data.ts";
import type { AccountBytes, SwapOrder } from "#dex/venue.ts";
import { decodeBinArray, decodeBitmapExtension, decodeLbPair, decodeOracle } from "./decode.ts";
import { decodeDlmmSwap, decodeDlmmSwapEvent } from "./decode-swap.ts";
import { DLMM_DISCRIMINATOR, LB_PAIR, SWAP_EVENT_BYTES, SWAP_INSTRUCTIONS, SWAP2_EVENT_BYTES } from "./layout.ts";
import { SYNTHETIC, SYNTHETIC_TIME, type SyntheticBin, type SyntheticPair, syntheticPair } from "./synthetic-pair.ts";
import { transferHookOf } from "./transfer-hook.ts";
import { meteoraDlmmVenue } from "./venue.ts";

const RUNS = Number(process.env["SANDPIPER_FUZZ_RUNS"] ?? 20_000);
const GOLDEN = ["meteora-dlmm__EtAdVRLF", "meteora-dlmm__TTW-USDC-F1mb"].map((name) =>
  join(GOLDEN_VECTORS, `${name}.json`),
);
const KEYS = Array.from({ length: 21 }, (_, i) => `account ${i}` as Address);

type Target = { readonly pool: Address; readonly accounts: ReadonlyMap<Address, AccountBytes> };
type Decoder = (bytes: Uint8Array) => unknown;

const decodeSwapBytes: Decoder = (bytes) => decodeDlmmSwap(bytes, KEYS.slice(0, bytes.length % 22));

function bytesOf(size: number, ...marks: (readonly number[])[]): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(marks.flat());
  return bytes;
}

const SEEDS: readonly (readonly [Uint8Array, Decoder])[] = [
  ...Object.values(SWAP_INSTRUCTIONS).map((marks) => [bytesOf(40, marks), decodeSwapBytes] as const),
  [
    bytesOf(16 + SWAP_EVENT_BYTES, DLMM_DISCRIMINATOR.eventInstruction, DLMM_DISCRIMINATOR.swapEvent),
    decodeDlmmSwapEvent,
  ],
  [
    bytesOf(16 + SWAP2_EVENT_BYTES, DLMM_DISCRIMINATOR.eventInstruction, DLMM_DISCRIMINATOR.swap2Event),
    decodeDlmmSwapEvent,
  ],
  [bytesOf(8 + SWAP_EVENT_BYTES, DLMM_DISCRIMINATOR.swapEvent), decodeDlmmSwapEvent],
  [bytesOf(32 + 100 * 32, DLMM_DISCRIMINATOR.oracle), decodeOracle],
];

function targets(): readonly Target[] {
  const bins: Record<number, SyntheticBin> = {};
  for (let id = -90; id <= 90; id++)
    bins[id] = { x: id >= 0 ? 10n ** 6n : 0n, y: id <= 0 ? 10n ** 6n : 0n, openOrders: 10n ** 5n, ordersAsk: id > 0 };
  const base: SyntheticPair = { bins, fields: { variableFeeControl: 40_000, maxVolatilityAccumulator: 350_000 } };
  const made = [
    base,
    { ...base, withExtension: true, fields: { ...base.fields, collectFeeMode: 1 } },
    { ...base, transferFeeX: 100 },
  ].map((spec) => ({ pool: SYNTHETIC.pair, accounts: syntheticPair(spec) }));
  const recorded = GOLDEN.map((file) => {
    const { pool, accounts } = JSON.parse(readFileSync(file, "utf8"));
    const set = new Map<Address, AccountBytes>();
    for (const { pubkey, owner, data } of accounts)
      set.set(pubkey, { owner, data: new Uint8Array(Buffer.from(data, "base64")) });
    return { pool, accounts: set };
  });
  return [...made, ...recorded];
}

/** A few bits flipped, bytes replaced, or the end cut off; a pair is mostly damaged where it matters. */
function damaged(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  const end = random.unit() < 0.5 ? Math.min(copy.length, LB_PAIR.tokenXMint) : copy.length;
  for (let left = random.between(1, 5); left > 0; left--) {
    const at = random.between(0, end);
    const byte = copy[at] ?? 0;
    copy[at] = random.unit() < 0.5 ? byte ^ (1 << random.between(0, 8)) : random.pick([0, 1, 0x7f, 0x80, 0xff]);
  }
  return random.unit() < 0.03 ? copy.subarray(0, random.between(0, copy.length + 1)) : copy;
}

function damagedTarget({ pool, accounts }: Target, random: Random): Target {
  const changed = new Map(accounts);
  const names = [...accounts.keys()];
  for (let left = random.between(1, 4); left > 0; left--) {
    const name = random.unit() < 0.4 ? pool : random.pick(names);
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

const U64_MAX = 2n ** 64n - 1n;

test(`load and swap answer ${RUNS} mutations of a pair's accounts`, () => {
  const random = seededRandom("hostile DLMM");
  const all = targets();
  const seen = { loaded: 0, filled: 0, refused: 0 };
  for (let i = 0; i < RUNS; i++) {
    const target = damagedTarget(all[i % all.length] as Target, random);
    const state = meteoraDlmmVenue.load(target.pool, target.accounts);
    if (!state.ok) {
      expect(state.error).toBeInstanceOf(SandpiperError);
      continue;
    }
    seen.loaded++;
    const fill = meteoraDlmmVenue.swap(state.value, hostileOrder(random), SYNTHETIC_TIME);
    if (!fill.ok) {
      expect(fill.error.name).toMatch(/^[A-Z]\w+$/);
      seen.refused++;
      continue;
    }
    seen.filled++;
    const { amountIn, amountOut, after } = fill.value;
    for (const money of [amountIn, amountOut, ...after.reserves, ...after.protocolFees])
      if (money < 0n || money > U64_MAX) throw new Error(`${money} is no u64 in run ${i}`);
  }
  // The damage is small enough that much of it gets to the swap.
  expect(Math.min(seen.loaded, seen.filled * 4, seen.refused * 4)).toBeGreaterThan(RUNS / 4);
}, 36_000_000);

test(`decoders answer ${RUNS} mutations of accounts, instructions and events`, () => {
  const random = seededRandom("hostile bytes of DLMM");
  const real = targets().flatMap(({ accounts }) => [...accounts.values()]);
  const decoders: readonly Decoder[] = [
    decodeLbPair,
    decodeBinArray,
    decodeBitmapExtension,
    decodeOracle,
    transferHookOf,
  ];
  for (let i = 0; i < RUNS; i++) {
    const [seed, decode] = SEEDS[i % SEEDS.length] as (typeof SEEDS)[number];
    decode(damaged(seed, random));
    const bytes = damaged((real[i % real.length] as AccountBytes).data, random);
    for (const decodeAccount of decoders) decodeAccount(bytes);
  }
}, 36_000_000);

test("decoders answer any bytes", () => {
  const decoders = [...SEEDS.map(([, decode]) => decode), decodeLbPair, decodeBinArray, decodeBitmapExtension];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1_600 }), fc.nat(decoders.length - 1), (bytes, which) => {
      decoders[which]?.(bytes);
    }),
  );
});
