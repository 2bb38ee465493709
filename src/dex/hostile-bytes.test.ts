/** Every decoder of this room on bytes that mean no good: it answers, and throws nothing. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { TOKEN_PROGRAM } from "./program-addresses.ts";
import {
  decodePumpSwapEvent,
  decodePumpSwapGlobalConfig,
  decodePumpSwapPool,
  decodePumpSwapTrade,
} from "./pumpswap/decode.ts";
import { decodePumpSwapFeeConfig } from "./pumpswap/fees.ts";
import { PUMPSWAP_DISCRIMINATOR, PUMPSWAP_TRADE } from "./pumpswap/layout.ts";
import { decodeAmmInfo, decodeAmmV4Swap, decodeAmmV4SwapV2, decodeRayLog } from "./raydium-amm-v4/decode.ts";
import {
  decodeAmmConfig,
  decodeCpmmSwap,
  decodePoolState,
  decodeSwapEvent,
  decodeTokenAmount,
} from "./raydium-cpmm/decode.ts";
import { CPMM_DISCRIMINATOR, POOL_STATE_BYTES, SWAP_EVENT_BYTES_MIN } from "./raydium-cpmm/layout.ts";
import { decodeTokenTransfer } from "./token-transfer.ts";

const MUTATIONS = Number(process.env["SANDPIPER_FUZZ_RUNS"] ?? 20_000);
/** Room for what the runs take: they are many on purpose. */
const TIMEOUT_MS = 30_000 + MUTATIONS;
const ACCOUNTS = Array.from({ length: 18 }, (_, i) => `account ${i}` as Address);
const RAY_LOG_LINE =
  "Program log: ray_log: A7IsngEAAAAAwAMOhgIAAAACAAAAAAAAALIsngEAAAAA3I9p6UUAAAAhNLDVNHIAAK6j1aICAAAA";

const DECODERS: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  decodePoolState,
  decodeAmmConfig,
  decodeSwapEvent,
  decodeTokenAmount,
  decodeAmmInfo,
  decodePumpSwapPool,
  decodePumpSwapGlobalConfig,
  decodePumpSwapFeeConfig,
  decodePumpSwapEvent,
  decodePumpSwapTrade: (bytes) => decodePumpSwapTrade(bytes, ACCOUNTS.slice(0, bytes.length % 19)),
  decodeCpmmSwap: (bytes) => decodeCpmmSwap(bytes, ACCOUNTS.slice(0, bytes.length % 15)),
  decodeAmmV4SwapV2: (bytes) => decodeAmmV4SwapV2(bytes, ACCOUNTS.slice(0, bytes.length % 9)),
  decodeAmmV4Swap: (bytes) => decodeAmmV4Swap(bytes, ACCOUNTS.slice(0, bytes.length % 19)),
  decodeTokenTransfer: (bytes) => decodeTokenTransfer(TOKEN_PROGRAM, bytes, ACCOUNTS.slice(0, bytes.length % 4)),
  decodeRayLog: (bytes) => decodeRayLog(`Program log: ray_log: ${Buffer.from(bytes).toString("base64")}`),
};

/** Good bytes to start from, so that a mutation gets past the first check. */
function seedOf(name: string): Uint8Array {
  const sizes: Readonly<Record<string, [number, readonly number[]]>> = {
    decodePoolState: [POOL_STATE_BYTES, CPMM_DISCRIMINATOR.poolState],
    decodeAmmConfig: [236, CPMM_DISCRIMINATOR.ammConfig],
    decodeSwapEvent: [SWAP_EVENT_BYTES_MIN, CPMM_DISCRIMINATOR.swapEvent],
    decodeTokenAmount: [165, []],
    decodeAmmInfo: [752, []],
    decodePumpSwapPool: [301, PUMPSWAP_DISCRIMINATOR.pool],
    decodePumpSwapGlobalConfig: [949, PUMPSWAP_DISCRIMINATOR.globalConfig],
    decodePumpSwapFeeConfig: [400, PUMPSWAP_DISCRIMINATOR.feeConfig],
    decodePumpSwapEvent: [450, PUMPSWAP_DISCRIMINATOR.buyEvent],
    decodePumpSwapTrade: [25, PUMPSWAP_TRADE.sell],
    decodeCpmmSwap: [24, CPMM_DISCRIMINATOR.swapBaseInput],
    decodeAmmV4SwapV2: [17, [16]],
    decodeAmmV4Swap: [17, [9]],
    decodeTokenTransfer: [9, [3]],
    decodeRayLog: [57, [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
  };
  const [size, start] = sizes[name] ?? [0, []];
  const bytes = new Uint8Array(size);
  bytes.set(start);
  return bytes;
}

describe("decoders", () => {
  test.each(Object.entries(DECODERS))("%s answers any bytes", (_, decode) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), (bytes) => {
        decode(bytes);
      }),
    );
  });

  test(
    `answer ${MUTATIONS} mutations of good bytes`,
    () => {
      const random = seededRandom("hostile bytes");
      const names = Object.keys(DECODERS);
      const seeds = names.map(seedOf);
      for (let i = 0; i < MUTATIONS; i++) {
        const which = i % names.length;
        const seed = seeds[which] as Uint8Array;
        let bytes = seed.slice();
        for (let left = random.between(1, 5); left > 0; left--)
          bytes[random.between(0, bytes.length)] = random.between(0, 256);
        if (random.unit() < 0.2) bytes = bytes.subarray(0, random.between(0, bytes.length + 1));
        DECODERS[names[which] as string]?.(bytes);
      }
    },
    TIMEOUT_MS,
  );

  test(
    "decodeRayLog() answers any damage to a good line",
    () => {
      const random = seededRandom("hostile lines");
      for (let i = 0; i < MUTATIONS; i++) {
        const at = random.between(0, RAY_LOG_LINE.length);
        const damage = String.fromCharCode(random.between(0, 0xffff));
        decodeRayLog(RAY_LOG_LINE.slice(0, at) + damage + RAY_LOG_LINE.slice(at + random.between(0, 3)));
      }
    },
    TIMEOUT_MS,
  );
});

describe("decodeRayLog()", () => {
  test("reads a swap of mainnet (slot 285000037)", () => {
    const log = decodeRayLog(RAY_LOG_LINE);
    expect(log).toEqual({
      ok: true,
      value: {
        kind: "base-in",
        inputSide: 0,
        amountIn: 27_143_346n,
        amountOut: 11_321_844_654n,
        reservesBefore: [300_268_752_860n, 125_571_248_960_545n],
      },
    });
  });

  test.each([
    ["another program's line", "Program log: Instruction: Transfer"],
    ["a deposit's log", `Program log: ray_log: ${Buffer.alloc(113, 1).toString("base64")}`],
  ])("passes over %s", (_, line) => {
    expect(decodeRayLog(line)).toEqual({ ok: true, value: undefined });
  });

  test.each([
    ["no base64", "Program log: ray_log: A7Is*gEA"],
    ["a swap's log that ends early", "Program log: ray_log: A7IsngEAAAAAwAMO"],
    ["a third direction", RAY_LOG_LINE.replace("gIAAAACAAAA", "gIAAAADAAAA")],
  ])("refuses %s", (_, line) => {
    expect(decodeRayLog(line).ok).toBe(false);
  });
});
