import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createLog } from "#core/log.ts";
import { PROCESS_NAMES, type ProcessState } from "#core/run-report.ts";
import { HEARTBEAT_BYTES, Heartbeat, readHeartbeat } from "#memory/heartbeat.ts";
import { createRegion } from "#memory/region.ts";
import { LOOK_EVERY_MS } from "./stall-watch.ts";
import { WatchedProcess } from "./watched-process.ts";

const quiet = createLog({ process: "test", level: "error", format: "text", write: () => {} });

/** A watched process over real children that run `script`; its heartbeat is whatever the test sets. */
function watch(script: string, kind: { hot?: true } = { hot: true }) {
  const heart: { beats: number; state: ProcessState } = { beats: 0, state: "starting" };
  const fatal: [why: string, exitCode: number][] = [];
  const said: string[] = [];
  const log = createLog({
    process: "test",
    level: "info",
    format: "json",
    write: (line) => said.push((JSON.parse(line) as { message: string }).message),
  });
  let spawned = 0;
  const watched = new WatchedProcess({
    spec: { name: "mev", stopPhase: 0, ...kind },
    core: undefined,
    log,
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
  return { watched, heart, fatal, said, spawned: () => spawned };
}

/** Waits for something the operating system does; a minute is far beyond what it may take. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("the condition did not come true");
    await Bun.sleep(5);
  }
}

const SIGTERM_BIT = 1n << 14n;
const caughtSignals = (status: string): bigint => BigInt(`0x${/SigCgt:\s*([0-9a-f]+)/.exec(status)?.[1] ?? "0"}`);

describe("WatchedProcess", () => {
  test("starts a killed process again, at once the first time", async () => {
    const { watched, spawned } = watch("exec sleep 60");
    watched.tick(Date.now());
    const first = watched.report().pid;
    process.kill(first, "SIGKILL");
    await until(() => !watched.running);
    expect(watched.report()).toMatchObject({
      state: "restarting",
      lastExit: "killed by SIGKILL",
      restarts: 1,
    });
    watched.tick(Date.now() + 51);
    expect(spawned()).toBe(2);
    expect(watched.report().pid).not.toBe(first);
    watched.signal("SIGKILL");
    await until(() => !watched.running);
    expect(watched.report().state).toBe("stopped");
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
      process.kill(watched.report().pid, "SIGKILL");
      await until(() => !watched.running);
    }
    expect(fatal).toEqual([]);
    expect(watched.report().restarts).toBe(8);
  });

  test("renew() starts it again at once, time after time, and counts no failure", async () => {
    const { watched, heart, fatal } = watch("trap 'exit 0' TERM; while :; do sleep 0.02; done");
    watched.renew();
    expect(watched.running).toBe(false);
    for (let round = 0; round < 8; round++) {
      watched.tick(Date.now());
      expect(watched.running).toBe(true);
      // Until then the signal would kill it.
      const status = `/proc/${watched.report().pid}/status`;
      await until(() => (caughtSignals(readFileSync(status, "utf8")) & SIGTERM_BIT) !== 0n);
      watched.renew();
      await until(() => !watched.running);
    }
    expect(heart.state).toBe("starting");
    expect(fatal).toEqual([]);
    expect(watched.report()).toMatchObject({ restarts: 8, lastExit: "exit code 0" });
  });

  test("ends the run when the process says that its input is bad", async () => {
    const { watched, fatal } = watch("exit 65");
    watched.tick(Date.now());
    await until(() => !watched.running);
    expect(fatal).toEqual([["mev cannot run with this configuration or input", 65]]);
  });

  test("sees, counts and reports a stall, shows a long one as stalled, and kills it later", async () => {
    const { watched, heart, said } = watch("exec sleep 60");
    const start = Date.now();
    /** Looks as the supervisor does, up to so many ms after the start. */
    let atMs = 0;
    const lookUntil = (endMs: number) => {
      for (; atMs <= endMs; atMs += LOOK_EVERY_MS) watched.tick(start + atMs);
    };
    lookUntil(0);
    heart.state = "ready";
    for (const beatMs of [20, 40]) {
      heart.beats++;
      lookUntil(beatMs);
    }
    expect(watched.report()).toMatchObject({ state: "ready", stalls: { count: 0 } });
    lookUntil(40 + 100);
    expect(watched.report()).toMatchObject({ state: "ready", stalls: { count: 1, totalMs: 0 } });
    lookUntil(1_200);
    expect(watched.report()).toMatchObject({ state: "stalled", stalls: { count: 1 } });
    heart.beats++;
    lookUntil(1_250);
    expect(watched.report()).toMatchObject({ state: "ready", stalls: { count: 1 } });
    expect(watched.report().stalls.longestMs).toBeGreaterThan(1_000);
    expect(said).toEqual(["mev stands still", "mev goes on after a stall"]);
    lookUntil(16_400);
    await until(() => !watched.running);
    expect(watched.report().lastExit).toBe("killed by SIGKILL");
    expect(said.slice(2)).toEqual([
      "mev stands still",
      "mev did not beat for 15000 ms: killed",
      "mev ended: started again",
    ]);
  });

  test("a stall that is no stall of a hot process is one of any other only after a second", () => {
    const { watched, heart } = watch("exec sleep 60", {});
    heart.state = "ready";
    const start = Date.now();
    watched.tick(start);
    heart.state = "ready";
    for (let atMs = 0; atMs <= 900; atMs += LOOK_EVERY_MS) watched.tick(start + atMs);
    expect(watched.report().stalls.count).toBe(0);
    for (let atMs = 915; atMs <= 1_100; atMs += LOOK_EVERY_MS) watched.tick(start + atMs);
    expect(watched.report().stalls.count).toBe(1);
    watched.signal("SIGKILL");
  });

  test("sees a process of the system that was stopped (SIGSTOP), through shared memory, and that it goes on", async () => {
    const table = mkdtempSync("/dev/shm/sandpiper-test-");
    const region = createRegion(join(table, "heartbeats"), HEARTBEAT_BYTES);
    const index = PROCESS_NAMES.indexOf("mev");
    const beating = `
      const { Heartbeat, HEARTBEAT_BYTES } = await import("${join(import.meta.dir, "../memory/heartbeat.ts")}");
      const { createRegion } = await import("${join(import.meta.dir, "../memory/region.ts")}");
      const heartbeat = new Heartbeat(createRegion("${join(table, "heartbeats")}", HEARTBEAT_BYTES), ${index});
      setInterval(() => { heartbeat.beat(); heartbeat.setState("ready"); }, 10);`;
    const watched = new WatchedProcess({
      spec: { name: "mev", stopPhase: 0, hot: true },
      core: undefined,
      log: quiet,
      spawn: () =>
        Bun.spawn([process.execPath, "-e", beating], { stdin: "ignore", stdout: "ignore", stderr: "inherit" }),
      readHeartbeat: () => readHeartbeat(region, index),
      resetHeartbeat: () => new Heartbeat(region, index).setState("starting"),
      onFatal: () => {},
    });
    const looking = setInterval(() => watched.tick(Date.now()), LOOK_EVERY_MS);
    try {
      await until(() => watched.ready);
      const before = watched.report();
      process.kill(before.pid, "SIGSTOP");
      await until(() => watched.report().stalls.count > before.stalls.count);
      process.kill(before.pid, "SIGCONT");
      await until(() => watched.report().stalls.totalMs > before.stalls.totalMs);
      expect(watched.report()).toMatchObject({ pid: before.pid, restarts: 0 });
    } finally {
      clearInterval(looking);
      watched.signal("SIGKILL");
      await until(() => !watched.running);
      rmSync(table, { recursive: true });
    }
  }, 60_000);
});
