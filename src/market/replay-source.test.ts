import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createReplaySource } from "./replay-source.ts";
import type { MarketEvent } from "./source.ts";
import { testAmmPool, testBlock, testSwapTransaction } from "./test-block.ts";

const folder = mkdtempSync(join(tmpdir(), "sandpiper-source-"));
afterAll(() => rmSync(folder, { recursive: true }));

const pool = testAmmPool("pool", "token", 1_000_000_000n, 1_000_000_000n);
const block = (slot: number, time: number, transactions: number) =>
  JSON.stringify(
    testBlock(
      slot - 1,
      time,
      Array.from({ length: transactions }, (_, i) =>
        testSwapTransaction(`${slot} ${i}`, { pool, inputSide: 0, amount: 1_000n }),
      ),
    ),
  );
writeFileSync(join(folder, "8.json"), block(8, 1_700_000_000, 2));
writeFileSync(join(folder, "10.json"), block(10, 1_700_000_002, 1));
// A clock of the network that steps back: time must not.
writeFileSync(join(folder, "11.json"), block(11, 1_700_000_001, 1));

test("createReplaySource() gives slots and transactions in order, on the recording's time, then the end", async () => {
  const events: MarketEvent[] = [];
  await createReplaySource({ path: folder }).run((event) => events.push(event));
  const shown = events.map((event) => [
    event.kind,
    Number(event.kind === "transaction" ? event.transaction.slot : event.slot),
    event.arrivedNs,
  ]);
  expect(shown).toEqual([
    ["slot", 8, 0],
    ["transaction", 8, 1_000],
    ["transaction", 8, 2_000],
    ["slot", 10, 2_000_000_000],
    ["transaction", 10, 2_000_001_000],
    ["slot", 11, 2_000_001_000],
    ["transaction", 11, 2_000_002_000],
    ["end", 11, 2_000_002_000],
  ]);
});

test("createReplaySource() waits its pace before each block, and stops between two", async () => {
  const kinds: string[] = [];
  let paces = 0;
  const source = createReplaySource({
    path: folder,
    pace: async () => {
      if (++paces === 2) source.stop();
    },
  });
  await source.run(({ kind }) => kinds.push(kind));
  expect(paces).toBe(2);
  expect(kinds).toEqual(["slot", "transaction", "transaction"]);
});
