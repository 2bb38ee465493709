import { describe, expect, test } from "bun:test";
import { createLog } from "#core/log.ts";
import type { ProcessState } from "#core/run-report.ts";
import { WatchedProcess } from "./watched-process.ts";

const quiet = createLog({ process: "test", level: "error", format: "text", write: () => {} });

/** A watched process over real children that run `script`; its heartbeat is whatever the test sets. */
function watch(script: string) {
  const heart: { beats: number; state: ProcessState } = { beats: 0, state: "starting" };
  const fatal: [why: string, exitCode: number][] = [];
  let spawned = 0;
  const watched = new WatchedProcess({
    spec: { name: "mev", stopPhase: 0, modes: ["sim"] },
    core: undefined,
    log: quiet,
    spawn: () => {
      spawned++;
      return Bun.spawn(["sh", "-c", script], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
    },
    readHeartbeat: () => heart,
    resetHeartbeat: () => {
      heart.state = "starting";
    },
    onFatal: (why, exitCode) => fatal.push([why, exitCode]),
  });
  return { watched, heart, fatal, spawned: () => spawned };
}

/** Waits for something the operating system does; a minute is far beyond what it may take. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("the condition did not come true");
    await Bun.sleep(5);
  }
}

describe("WatchedProcess", () => {
  test("starts a killed process again, at once the first time", async () => {
    const { watched, spawned } = watch("exec sleep 60");
    watched.tick(Date.now());
    const first = watched.report(Date.now()).pid;
    process.kill(first, "SIGKILL");
    await until(() => !watched.running);
    expect(watched.report(Date.now())).toMatchObject({
      state: "restarting",
      lastExit: "killed by SIGKILL",
      restarts: 1,
    });
    watched.tick(Date.now() + 51);
    expect(spawned()).toBe(2);
    expect(watched.report(Date.now()).pid).not.toBe(first);
    watched.signal("SIGKILL");
    await until(() => !watched.running);
    expect(watched.report(Date.now()).state).toBe("stopped");
  });

  test("waits twice as long after each further failure, and gives up before the first service", async () => {
    const { watched, fatal, spawned } = watch("exit 1");
    let now = Date.now();
    for (let start = 1; start <= 6; start++) {
      watched.tick(now);
      await until(() => !watched.running);
      const tooEarly = spawned();
      watched.tick(Date.now());
      if (start < 6) expect(spawned()).toBe(tooEarly);
      now = Date.now() + 50 * 2 ** (start - 1) + 1;
    }
    expect(fatal).toEqual([["mev ended 6 times before it served", 1]]);
  });

  test("keeps on restarting a process that served once", async () => {
    const { watched, heart, fatal } = watch("exec sleep 60");
    for (let round = 0; round < 8; round++) {
      watched.tick(Date.now() + 10_000);
      heart.state = "ready";
      watched.tick(Date.now());
      process.kill(watched.report(Date.now()).pid, "SIGKILL");
      await until(() => !watched.running);
    }
    expect(fatal).toEqual([]);
    expect(watched.report(Date.now()).restarts).toBe(8);
  });

  test("ends the run when the process says that its input is bad", async () => {
    const { watched, fatal } = watch("exit 65");
    watched.tick(Date.now());
    await until(() => !watched.running);
    expect(fatal).toEqual([["mev cannot run with this configuration or input", 65]]);
  });

  test("shows a process that stopped beating as stalled, and kills it later", async () => {
    const { watched, heart } = watch("exec sleep 60");
    const start = Date.now();
    watched.tick(start);
    heart.beats = 1;
    heart.state = "ready";
    watched.tick(start + 10);
    expect(watched.report(start + 900).state).toBe("ready");
    expect(watched.report(start + 1_100).state).toBe("stalled");
    watched.tick(start + 15_100);
    await until(() => !watched.running);
    expect(watched.report(Date.now()).lastExit).toBe("killed by SIGKILL");
  });
});
