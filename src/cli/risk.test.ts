import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runPaths } from "#core/paths.ts";
import { readArmedUntilMs, readResumedMs } from "#execute/risk/orders.ts";
import { runArm, runRisk } from "./risk.ts";

const NOW_MS = Date.UTC(2026, 0, 31);
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cli-risk-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function said(run: (write: (text: string) => void) => Promise<number>): Promise<string> {
  let out = "";
  await run((text) => {
    out += text;
  });
  return out;
}

test("sandpiper arm writes until when, --off takes it back, and risk shows both", async () => {
  const flags = ["--dataDir", folder];
  expect(await said((write) => runRisk(flags, NOW_MS, write))).toContain("not armed: a dry run");
  expect(await said((write) => runArm(["--minutes", "5", ...flags], NOW_MS, write))).toContain("2026-01-31T00:05");
  expect(readArmedUntilMs(runPaths(folder).armed)).toBe(NOW_MS + 300_000);
  expect(await said((write) => runRisk(flags, NOW_MS, write))).toContain("armed until 2026-01-31T00:05");
  expect(await said((write) => runRisk(flags, NOW_MS + 300_000, write))).toContain("not armed");
  await said((write) => runArm(["--off", ...flags], NOW_MS, write));
  expect(readArmedUntilMs(runPaths(folder).armed)).toBe(0);
  await said((write) => runRisk(["resume", ...flags], NOW_MS, write));
  expect(readResumedMs(runPaths(folder).riskResumed)).toBe(NOW_MS);
});

test.each([[[]], [["--minutes"]], [["--minutes", "0"]], [["--minutes", "1441"]], [["--minutes", "x"]]])(
  "sandpiper arm refuses %p",
  async (args) => {
    expect(runArm(args, NOW_MS, () => {})).rejects.toThrow("Cannot arm: --minutes from 1 to 1440, or --off");
  },
);
