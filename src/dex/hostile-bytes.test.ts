/**
 * Every decoder of this room, each by itself, on bytes that mean no good: it answers with a value or a typed error, throws
 * nothing and ends. SANDPIPER_FUZZ_RUNS says how many mutations each one gets.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { seededRandom } from "#core/random.ts";
import { decodeRayLog } from "./raydium-amm-v4/decode.ts";
import { ACCOUNTS_MAX, type Answer, everyDecoder, MARKS_BYTES } from "./test-decoders.ts";
import { damaged, FUZZ_RUNS, FUZZ_TIMEOUT_MS } from "./test-hostile.ts";

const RAY_LOG_LINE =
  "Program log: ray_log: A7IsngEAAAAAwAMOhgIAAAACAAAAAAAAALIsngEAAAAA3I9p6UUAAAAhNLDVNHIAAK6j1aICAAAA";
const DECODERS = everyDecoder().map((decoder) => [decoder.name, decoder] as const);

describe("every decoder", () => {
  test.each(DECODERS)("%s reads each of its seeds", (_, { seeds, answer }) => {
    expect(seeds.length).toBeGreaterThan(0);
    for (const seed of seeds) expect(answer(seed, ACCOUNTS_MAX)).toBe("read");
  });

  test.each(DECODERS)("%s answers any bytes", (_, { answer }) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_600 }), fc.nat(ACCOUNTS_MAX), (bytes, accountCount) => {
        answer(bytes, accountCount);
      }),
    );
  });

  test.each(DECODERS)(
    `%s answers ${FUZZ_RUNS} mutations of good bytes`,
    (name, { seeds, answer }) => {
      const random = seededRandom(`hostile bytes for ${name}`);
      const answers: Record<Answer, number> = { read: 0, "passed over": 0, refused: 0 };
      for (let run = 0; run < FUZZ_RUNS; run++) {
        const seed = seeds[run % seeds.length] as Uint8Array;
        // Half of the changes spare the marks, so that they reach the fields.
        const bytes = damaged(seed, random, random.unit() < 0.5 ? Math.min(MARKS_BYTES, seed.length - 1) : 0);
        answers[answer(bytes, random.unit() < 0.8 ? ACCOUNTS_MAX : random.between(0, ACCOUNTS_MAX))]++;
      }
      // The damage is small enough that much of it gets past the first check, and large enough that some does not.
      expect(answers.read).toBeGreaterThan(FUZZ_RUNS / 50);
      expect(answers.refused + answers["passed over"]).toBeGreaterThan(0);
    },
    FUZZ_TIMEOUT_MS,
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
