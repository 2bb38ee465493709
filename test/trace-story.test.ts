/**
 * `sandpiper trace` beside a process that sends datagrams to itself, as the run report of a supervisor names it. Where the
 * kernel lets bpftrace watch, its histograms are in the report and on the terminal; where it does not, the command says
 * why, and ends so that nobody starts it again.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeFileAtomic } from "#core/atomic-file.ts";
import { runPaths } from "#core/paths.ts";
import type { ThreadReport } from "#core/run-report.ts";
import { readTraceReport } from "#core/trace-report.ts";

const MAIN = join(import.meta.dir, "..", "src/cli/main.ts");
const TALKS = `const socket = await Bun.udpSocket({ port: 0, socket: { data() {} } });
setInterval(() => socket.send("to myself", socket.port, "127.0.0.1"), 2);`;
const LONG_MS = 90_000;

const folder = mkdtempSync(join(tmpdir(), "sandpiper-trace-"));
const paths = runPaths(folder);
const talker = Bun.spawn([process.execPath, "-e", TALKS], { stdout: "ignore", stderr: "inherit" });
afterAll(() => {
  talker.kill();
  rmSync(folder, { recursive: true, force: true });
});

function report(threads: readonly Partial<ThreadReport>[]): void {
  const process = { name: "arbitrage", pid: talker.pid, state: "ready", threads };
  writeFileAtomic(paths.runReport, JSON.stringify({ startedAtMs: Date.now(), processes: [process], off: [] }));
}

const trace = (environment: Readonly<Record<string, string>> = {}, ...flags: readonly string[]) =>
  Bun.spawnSync([process.execPath, MAIN, "trace", "--dataDir", folder, ...flags], {
    env: { ...process.env, ...environment },
  });

/** Whether this kernel and this user may watch at all, by the smallest program that needs both. */
const MAY_WATCH =
  Bun.which("bpftrace") !== null &&
  Bun.spawnSync(["bpftrace", "-e", "tracepoint:sched:sched_switch { exit(); }"]).exitCode === 0;

describe("sandpiper trace", () => {
  beforeAll(() => report([{ name: "arbitrage", id: talker.pid, core: "shared" }]));

  test.if(MAY_WATCH)(
    "measures waits for a core and the way of datagrams, on the terminal and for the gateway",
    () => {
      const { exitCode, stdout } = trace({}, "--seconds", "3");
      expect([exitCode, stdout.toString()]).toEqual([0, expect.stringContaining(`watching arbitrage (${talker.pid}`)]);
      expect(stdout.toString()).toMatch(/\nscheduling-delay arbitrage +\d+ +\d+ µs +< \d+ µs +< \d+ µs +< \d+ µs\n/);
      const programs = readTraceReport(paths.traceReport)?.programs ?? [];
      expect(programs.map(({ program }) => program)).toEqual(["scheduling-delay", "send-path", "receive-path"]);
      for (const { state, why, histograms } of programs) {
        // What a kernel may lack is the newest of the tracepoints.
        if (state === "refused") expect(why).toContain("sk_data_ready");
        for (const { figure, buckets, sumUs } of histograms) {
          const least = buckets.reduce((sum, [belowUs, count]) => sum + (belowUs / 2) * count, 0);
          const count = buckets.reduce((sum, [, inside]) => sum + inside, 0);
          // What is in the bucket of 1 µs is 0: its sum is no less, either.
          expect(sumUs, figure).toBeGreaterThanOrEqual(least - count);
          expect(count, figure).toBeGreaterThan(0);
        }
      }
      const figures = programs.flatMap(({ histograms }) => histograms.map(({ figure }) => figure));
      for (const figure of ["scheduling-delay", "send-to-queue", "send-call"] as const)
        expect(figures).toContain(figure);
    },
    LONG_MS,
  );

  test(
    "says of each program why it cannot watch, and ends for good",
    () => {
      const { exitCode, stdout } = trace({ PATH: join(folder, "empty") });
      expect(exitCode).toBe(65);
      expect(stdout.toString()).toContain(
        "Cannot watch send-path: bpftrace on the PATH (Debian: apt install bpftrace), was none",
      );
      const programs = readTraceReport(paths.traceReport)?.programs ?? [];
      expect(programs.map(({ state }): string => state)).toEqual([...["refused", "refused", "refused"]]);
    },
    LONG_MS,
  );

  test(
    "asks for a run, and for a time that is one",
    () => {
      expect(trace({}, "--seconds", "0").stderr.toString()).toContain("Cannot trace: --seconds above 0, was");
      report([]);
      const { exitCode, stderr } = trace();
      expect([exitCode, stderr.toString()]).toEqual([1, expect.stringContaining("Cannot trace: a run under")]);
    },
    LONG_MS,
  );
});
