/**
 * CLMM's decoders, loader and swaps on bytes that mean no good: each answers, in bounded time, and throws nothing.
 * SANDPIPER_FUZZ_RUNS raises the number of mutations.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { SandpiperError } from "#core/error.ts";
import { type Random, seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { GOLDEN_VECTORS } from "#dex/test-data.ts";
import type { AccountBytes, SwapOrder } from "#dex/venue.ts";
import { decodeAmmConfig, decodeObservation, decodePoolState } from "./decode.ts";
import { decodeSwap, decodeSwapEvent } from "./decode-swap.ts";
import { decodeBitmapExtension, decodeTickArray } from "./decode-ticks.ts";
import { CLMM_DISCRIMINATOR, SWAP_DATA_BYTES, SWAP_EVENT_BYTES_MIN } from "./layout.ts";
import type { ClmmState } from "./state.ts";
import { SYNTHETIC, syntheticPool } from "./synthetic-pool.ts";
import { raydiumClmmVenue } from "./venue.ts";

const RUNS = Number(process.env["SANDPIPER_FUZZ_RUNS"] ?? 20_000);
/** For millions of runs on a busy machine. */
const TIMEOUT_MS = 3_600_000;
const GOLDEN = join(GOLDEN_VECTORS, "raydium-clmm__UVXY-USDC-ANyC.json");
const ACCOUNTS = Array.from({ length: 20 }, (_, i) => `account ${i}` as Address);
const DECODERS: readonly ((bytes: Uint8Array) => { ok: boolean })[] = [
  decodePoolState,
  decodeAmmConfig,
  decodeObservation,
  decodeTickArray,
  decodeBitmapExtension,
  decodeSwapEvent,
  (bytes) => decodeSwap(bytes, ACCOUNTS.slice(0, bytes.length % 21)),
];

type Target = { readonly pool: Address; readonly accounts: Map<Address, AccountBytes> };

const POSITIONS = [
  { lower: -6_000, upper: 6_000, liquidity: 10n ** 12n },
  { lower: -600, upper: 1_200, liquidity: 10n ** 13n },
  { lower: -40_000, upper: 45_000, liquidity: 10n ** 9n },
];
const synthetic = (build: "2024" | "2026"): Target => ({
  pool: SYNTHETIC.pool,
  accounts: syntheticPool({ build, tickSpacing: 1, tick: 17, positions: POSITIONS }),
});

async function targets(): Promise<readonly Target[]> {
  const golden = await Bun.file(GOLDEN).json();
  const accounts = new Map<Address, AccountBytes>();
  for (const { pubkey, owner, data } of golden.accounts)
    accounts.set(pubkey, { owner, data: new Uint8Array(Buffer.from(data, "base64")) });
  return [synthetic("2024"), synthetic("2026"), { pool: golden.pool, accounts }];
}

test(
  `decoders, load and swap answer ${RUNS} mutations of a pool's accounts`,
  async () => {
    const random = seededRandom("hostile pools of CLMM");
    const all = await targets();
    let [loaded, filled] = [0, 0];
    for (let i = 0; i < RUNS; i++) {
      const target = all[i % all.length] as Target;
      const [, account] = random.pick([...target.accounts]);
      const undo = mutate(account.data, random);
      for (const decode of DECODERS) checkResult(decode(account.data));
      const state = raydiumClmmVenue.load(target.pool, target.accounts);
      checkResult(state);
      if (state.ok) {
        loaded++;
        filled += swapAround(state.value, random);
      }
      undo();
    }
    expect(loaded).toBeGreaterThan(RUNS / 10);
    expect(filled).toBeGreaterThan(RUNS / 10);
  },
  TIMEOUT_MS,
);

test(
  "decodeSwap() and decodeSwapEvent() answer any bytes behind their marks",
  () => {
    const random = seededRandom("hostile swaps of CLMM");
    const marks = [CLMM_DISCRIMINATOR.swap, CLMM_DISCRIMINATOR.swapV2, CLMM_DISCRIMINATOR.swapEvent];
    for (let i = 0; i < RUNS; i++) {
      const bytes = new Uint8Array(random.between(0, SWAP_EVENT_BYTES_MIN + SWAP_DATA_BYTES)).map(() =>
        random.uint32(),
      );
      bytes.set(random.pick(marks).slice(0, bytes.length));
      checkResult(decodeSwap(bytes, ACCOUNTS.slice(0, random.between(0, 21))));
      checkResult(decodeSwapEvent(bytes));
    }
  },
  TIMEOUT_MS,
);

/** Flips bits or overwrites a word, and answers how to undo it. */
function mutate(data: Uint8Array, random: Random): () => void {
  const before: [number, number][] = [];
  for (let count = random.between(1, 6); count > 0; count--) {
    // Half of the changes go to the first bytes, where the headers are.
    const at = random.between(0, random.unit() < 0.5 ? Math.min(data.length, 1_200) : data.length);
    const bytes = random.unit() < 0.3 ? Math.min(8, data.length - at) : 1;
    for (let i = at; i < at + bytes; i++) {
      before.push([i, data[i] as number]);
      data[i] = bytes === 1 ? (data[i] as number) ^ (1 << random.between(0, 8)) : random.pick([0, 255, 127, 128]);
    }
  }
  return () => {
    for (const [i, byte] of before.reverse()) data[i] = byte;
  };
}

/** How many of a few swaps the state fills. */
function swapAround(state: ClmmState, random: Random): number {
  let filled = 0;
  for (const inputSide of [0, 1] as const) {
    const mode = random.pick(["exact-in", "exact-out"] as const);
    const order: SwapOrder = { inputSide, mode, amount: BigInt(random.uint32()) << BigInt(random.between(0, 33)) };
    const fill = raydiumClmmVenue.swap(state, order, {
      slot: 1n,
      epoch: 1_062n,
      unixSeconds: 1_792_441_691n,
    });
    if (!fill.ok) {
      expect(fill.error.name).not.toBe("");
      continue;
    }
    filled++;
    const { amountIn, amountOut, after } = fill.value;
    if (amountIn < 0n || amountOut < 0n || after.vaults[0] < 0n || after.vaults[1] < 0n || after.liquidity < 0n)
      throw new Error(`a swap made less than nothing: ${amountIn} ${amountOut}`);
  }
  return filled;
}

function checkResult(result: { ok: boolean; error?: unknown }): void {
  if (!result.ok && !(result.error instanceof SandpiperError)) throw new Error("refused without a typed error");
}
