/**
 * A run on record: a whole Sandpiper in sim mode with record.path, then the judge on what it left. Every decision of the
 * run comes again from its tape, two replays give the same bytes, and one changed byte on record is found and shown.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runJudge } from "#cli/judge.ts";
import { runReplay } from "#cli/replay.ts";
import { openRecording } from "#market/recording/recording-source.ts";
import { SupervisedRun } from "./support/supervised-run.ts";

const LONG_MS = 240_000;
const LANDED_MIN = 5;
const folder = mkdtempSync(join(tmpdir(), "sandpiper-record-"));
let recording = "";
let run: SupervisedRun | undefined;

beforeAll(async () => {
  const recordings = join(folder, "recordings");
  const started = await SupervisedRun.start([
    "--sim.seed",
    "recorded",
    "--sim.slotMs",
    "200",
    "--record.path",
    recordings,
  ]);
  run = started;
  await started.allReady();
  await started.landed(LANDED_MIN);
  expect(await started.stop()).toBe(0);
  const [name] = readdirSync(recordings);
  recording = join(recordings, name ?? "none");
}, LONG_MS);
afterAll(async () => {
  await run?.discard();
  rmSync(folder, { recursive: true });
});

async function judge(path: string): Promise<{ code: number; said: string }> {
  let said = "";
  const code = await runJudge(["replay", path], (text) => {
    said += text;
  });
  return { code, said };
}

describe("a recorded run", () => {
  test(
    "replays: every decision equal, two replays byte-equal",
    async () => {
      const { code, said } = await judge(recording);
      expect(said).toMatch(/decisions of the run and of its replay\s+[1-9]\d* passed\s+0 failed/);
      expect(said).toMatch(/two replays of the market, envelopes\.bin\s+1 passed\s+0 failed/);
      expect(said).toMatch(/\d+ passed, 0 failed\n$/);
      expect(code).toBe(0);
    },
    LONG_MS,
  );

  test(
    "replays from a slot to a slot",
    async () => {
      const { firstSlot, lastSlot } = openRecording(recording);
      const middle = (firstSlot + lastSlot) / 2n;
      const out = join(folder, "part");
      const range = ["--from", `${middle}`, "--to", `${middle + 2n}`];
      expect(await runReplay([recording, "--out", out, ...range, "--dataDir", join(folder, "data")], () => {})).toBe(0);
      const summary = await Bun.file(join(out, "summary.json")).json();
      expect(summary.pools).toBeGreaterThan(0);
    },
    LONG_MS,
  );
});
