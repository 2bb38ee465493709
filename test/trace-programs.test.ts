/**
 * The programs of tuning/trace/, read by bpftrace itself. Where the kernel has tracepoints every name and field in them must
 * exist; where it has none, as in a container, their grammar is what can be judged, and bpftrace says which it was.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const TRACES = join(import.meta.dir, "..", "tuning", "trace");
const folder = mkdtempSync(join(tmpdir(), "sandpiper-trace-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Compiles a program for process 1 and does not run it, with tracefs where it can be mounted; answers the complaints. */
function complaints(path: string): string[] {
  const script = 'mount -t tracefs none /sys/kernel/tracing 2>/dev/null; exec bpftrace -d "$1" 1';
  const ran = Bun.spawnSync(["unshare", "--mount", "sh", "-c", script, "sh", path]);
  expect(ran.signalCode).toBeUndefined();
  const lines = `${ran.stdout}${ran.stderr}`.split("\n");
  const found = lines.filter((line) => line.includes("ERROR") && !line.includes("RLIMIT_MEMLOCK"));
  if (found.length === 0) expect(ran.exitCode).toBe(0);
  return found.filter((line) => !line.includes("tracepoint not found"));
}

describe("bpftrace", () => {
  test.each(readdirSync(TRACES))(
    "reads %s without a complaint",
    (name) => {
      expect(complaints(join(TRACES, name))).toEqual([]);
    },
    60_000,
  );

  test("complains of a program that is none", () => {
    const broken = join(folder, "broken.bt");
    writeFileSync(broken, "tracepoint:sched:sched_switch { @x = hist(; }\n");
    expect(complaints(broken).join()).toContain("syntax error");
  }, 60_000);
});
