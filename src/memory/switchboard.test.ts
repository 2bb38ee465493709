import { describe, expect, test } from "bun:test";
import { createPolicyTarget, type PolicyFields, Switchboard, TIP_LADDER_MAX } from "./switchboard.ts";
import { stressPolicy, type WriterOrder } from "./switchboard-writer.ts";

const POLICY: PolicyFields = {
  killed: false,
  stopped: false,
  throttlePct: 25,
  evMinLamports: 10_000,
  tipLadderLamports: [1_000, 5_000, 9_000_000_000_000_000],
};

const make = () => {
  const buffer = new SharedArrayBuffer(Switchboard.bytes);
  return { buffer, writer: new Switchboard(buffer), reader: new Switchboard(buffer), target: createPolicyTarget() };
};

describe("Switchboard", () => {
  test("readPolicyInto() is false before the first policy and leaves a target that sends nothing", () => {
    const { reader, target } = make();
    expect(reader.readPolicyInto(target)).toBe(false);
    expect([target.killed, target.throttlePct, target.tipCount]).toEqual([true, 100, 0]);
  });

  test("readPolicyInto() is true once per policy, for each reader", () => {
    const { buffer, writer, reader, target } = make();
    writer.writePolicy(POLICY);
    expect([reader.readPolicyInto(target), reader.readPolicyInto(target)]).toEqual([true, false]);
    expect([target.killed, target.throttlePct, target.evMinLamports, target.tipCount]).toEqual([false, 25, 10_000, 3]);
    expect([...target.tipLadderLamports.subarray(0, 3)]).toEqual([...POLICY.tipLadderLamports]);
    writer.writePolicy({ ...POLICY, killed: true });
    expect(reader.readPolicyInto(target)).toBe(true);
    expect(target.killed).toBe(true);
    expect(new Switchboard(buffer).readPolicyInto(createPolicyTarget())).toBe(true);
  });

  test("isKilled() is true before the first policy and while the newest one kills, whatever a reader has taken over", () => {
    const { writer, reader } = make();
    expect(reader.isKilled()).toBe(true);
    writer.writePolicy(POLICY);
    expect(reader.isKilled()).toBe(false);
    writer.writePolicy({ ...POLICY, killed: true });
    expect(reader.isKilled()).toBe(true);
  });

  test("a shorter ladder leaves nothing of the longer one before it", () => {
    const { writer, reader, target } = make();
    writer.writePolicy(POLICY);
    reader.readPolicyInto(target);
    writer.writePolicy({ ...POLICY, tipLadderLamports: [7] });
    reader.readPolicyInto(target);
    expect([target.tipCount, ...target.tipLadderLamports.subarray(0, 3)]).toEqual([1, 7, 0, 0]);
  });

  test("a writer that died half-way keeps readers on their policy, and the next writer repairs it", () => {
    const { buffer, writer, reader, target } = make();
    writer.writePolicy(POLICY);
    reader.readPolicyInto(target);
    const words = new Int32Array(buffer);
    words[0] = (words[0] as number) + 1;
    words[4] = 123;
    expect(reader.readPolicyInto(target)).toBe(false);
    expect(target.throttlePct).toBe(25);
    new Switchboard(buffer).writePolicy({ ...POLICY, throttlePct: 50 });
    expect(reader.readPolicyInto(target)).toBe(true);
    expect(target.throttlePct).toBe(50);
  });

  const refused: [string, Partial<PolicyFields>][] = [
    ["a throttle above 100", { throttlePct: 101 }],
    ["a throttle that is no number", { throttlePct: Number.NaN }],
    ["a negative minimum", { evMinLamports: -1 }],
    ["an inexact minimum", { evMinLamports: 2 ** 60 }],
    ["an empty ladder", { tipLadderLamports: [] }],
    ["a ladder that is too long", { tipLadderLamports: Array.from({ length: TIP_LADDER_MAX + 1 }, (_, i) => i + 1) }],
    ["a ladder that does not ascend", { tipLadderLamports: [5, 5] }],
    ["a tip of zero", { tipLadderLamports: [0] }],
    ["a broken lamport", { tipLadderLamports: [1.5] }],
  ];
  test.each(refused)("writePolicy() refuses %s and changes nothing", (_name, change) => {
    const { writer, reader, target } = make();
    writer.writePolicy(POLICY);
    reader.readPolicyInto(target);
    expect(() => writer.writePolicy({ ...POLICY, ...change })).toThrow("Cannot set the policy");
    expect(reader.readPolicyInto(target)).toBe(false);
  });

  test("a buffer too short is refused", () => {
    expect(() => new Switchboard(new SharedArrayBuffer(64))).toThrow("Cannot use a switchboard");
  });

  test("no read mixes two policies while another thread writes 200,000 and more", async () => {
    const { buffer, reader, target } = make();
    const worker = new Worker(new URL("./switchboard-writer.ts", import.meta.url).href);
    const enough = new Int32Array(new SharedArrayBuffer(4));
    let last = 0;
    const finished = new Promise<void>((resolve, reject) => {
      worker.onmessage = (event: MessageEvent<number>) => {
        last = event.data;
        resolve();
      };
      worker.onerror = (event) => reject(new Error(event.message));
    });
    worker.postMessage({ buffer, policies: 200_000, enough: enough.buffer as SharedArrayBuffer } satisfies WriterOrder);
    let reads = 0;
    let torn = 0;
    while (last === 0) {
      for (let i = 0; i < 2_000; i++) {
        if (!reader.readPolicyInto(target)) continue;
        reads++;
        if (!isWhole(target)) torn++;
      }
      // On a busy machine the two threads rarely run at once: the writer goes on until the reads prove something.
      if (reads >= READS_MIN) Atomics.store(enough, 0, 1);
      await Bun.sleep(0);
    }
    await finished;
    worker.terminate();
    reader.readPolicyInto(target);
    expect(target.evMinLamports).toBe(last * 1_000_003);
    expect(torn).toBe(0);
    expect(reads).toBeGreaterThanOrEqual(READS_MIN);
  }, 60_000);
});

/** Policies that the reader must have met while they were being written. */
const READS_MIN = 50;

function isWhole(target: ReturnType<typeof createPolicyTarget>): boolean {
  const expected = stressPolicy(target.evMinLamports / 1_000_003);
  return (
    target.killed === expected.killed &&
    target.throttlePct === expected.throttlePct &&
    target.tipCount === expected.tipLadderLamports.length &&
    expected.tipLadderLamports.every((tip, i) => target.tipLadderLamports[i] === tip)
  );
}
