/**
 * `sandpiper tune` as an operator runs it, on the real kernel: in a network namespace of its own, whose values are ours to
 * change, apply sets them and undo puts each back; outside of it check changes nothing.
 */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const folder = mkdtempSync(join(tmpdir(), "sandpiper-tune-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TUNE = `${process.execPath} ${join(ROOT, "src/cli/main.ts")} tune`;
const VALUES = "cat /proc/sys/net/ipv4/tcp_slow_start_after_idle /proc/sys/net/ipv4/tcp_autocorking";

/** The values before apply, after it, and after undo, in one namespace. */
const STORY = `${VALUES}
${TUNE} apply --only tcp-latency --record ${folder}/record.json >&2
${VALUES}
${TUNE} apply --only tcp-latency --record ${folder}/record.json >&2
${TUNE} undo --only tcp-latency --record ${folder}/record.json >&2
${VALUES}`;

test("apply then undo in a network namespace leaves every value as it was", () => {
  const ran = Bun.spawnSync(["unshare", "--net", "sh", "-ec", STORY]);
  expect([ran.exitCode, ran.stderr.toString()]).toEqual([0, expect.stringContaining("changed  tcp-latency")]);
  const values = ran.stdout.toString().trim().split("\n");
  expect(values.slice(2, 4)).toEqual(["0", "0"]);
  expect(values.slice(4)).toEqual(values.slice(0, 2));
}, 120_000);

test("check has a line for every knob and needs no privilege; report says why; nonsense is refused", () => {
  const run = (...args: string[]) => {
    const ran = Bun.spawnSync([process.execPath, join(ROOT, "src/cli/main.ts"), "tune", ...args]);
    return { code: ran.exitCode, out: ran.stdout.toString(), err: ran.stderr.toString() };
  };
  const check = run("check", "--json");
  expect(check.code).toBe(0);
  const rows = check.out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { knob: string; verdict: string });
  expect(new Set(rows.map(({ knob }) => knob)).size).toBeGreaterThan(20);
  expect(run("report").out).toContain("Risk: ");
  expect(run("check", "--only", "nonsense").err).toContain("Cannot choose knobs");
  expect(run().err).toContain("Cannot tune");
}, 120_000);
