/**
 * The faults that bench/faults.ts puts a whole run through: how each comes about, who acts on it, and what somebody who
 * sees it for the first time should make of it (the readings of docs/fault-walkthrough.md).
 */
import { Database } from "bun:sqlite";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runPaths } from "#core/paths.ts";
import type { ProcessName } from "#core/run-report.ts";
import type { Address } from "#core/units.ts";
import { ensureWallet } from "#supervise/first-start.ts";
import { startFakeGeyser } from "../test/support/fake-geyser/fake-geyser.ts";
import { startOrigin } from "../test/support/origin-cluster.ts";
import { fillDisk } from "../test/support/small-disk.ts";
import type { SupervisedRun } from "../test/support/supervised-run.ts";
import { type Lie, lyingCluster } from "./lying-cluster.ts";
import { losePackets } from "./packet-loss.ts";

/** A market outside of the run: what the run must be told, and what has to be done once it is up. */
export type Stage = {
  readonly flags: readonly string[];
  readonly ready: (run: SupervisedRun) => Promise<void>;
  readonly inject: () => () => void;
  readonly stop: () => Promise<void>;
};

export type Fault = {
  /** What happens, for a table and a heading. */
  readonly about: string;
  readonly flags?: readonly string[];
  /** Before the start, into the data folder; the fault is then there from the first decision on. */
  readonly prepare?: (dataDir: string) => void;
  readonly stage?: (dataDir: string) => Promise<Stage>;
  /** Into the running system; answers how to take it back. */
  readonly inject?: (run: SupervisedRun) => () => void;
  /** Where a throttle is all that is called for, or the guard is not the one to act: what was done, once it is safe. */
  readonly safe?: (run: SupervisedRun) => string | undefined;
  readonly diskMiB?: number;
  /** What the alarms mean together, and what to do. */
  readonly reading: string;
};

const ROOT = join(import.meta.dir, "..");
const MAIN = join(ROOT, "src/cli/main.ts");
/** Of the packets of a bad line. */
const LOSS_SHARE = 0.3;
const CLOCK_STEP_S = 0.5;
/** What the false account says it holds, against what it does. */
const LIE_FACTOR = 1.05;
/** As in the sim. */
const ORIGIN_SLOT_MS = 400;
/** The last of the run's log that is looked at for its words. */
const LOG_TAIL = 200_000;

export const FAULTS: Readonly<Record<string, Fault>> = {
  "slow-model": {
    about: "a model that takes 20 ms a rung of the tip ladder",
    prepare: slowModel,
    reading:
      "`hot-path-p99` is red and nothing else is: the market is heard, the route answers, so the time goes into the decision itself. The page of the alarm says to look at the model first, and `sandpiper models` says when it came: roll it back, then Start.",
  },
  "slow-model-bus-down": {
    about: "a model that takes 20 ms a rung of the tip ladder, and somebody holds the bus's file",
    prepare: slowModel,
    inject: lockBus,
    reading:
      "As before, and the guard acts all the same: its orders go through shared memory. What cannot be written waits; the kill is put on record when the bus is back.",
  },
  "lossy-network": {
    about: `${100 * LOSS_SHARE} % of the packets of RPC, WebSocket and block engine are lost`,
    inject: ({ ports }) =>
      losePackets([ports["sim.rpcPort"], ports["sim.wsPort"], ports["sim.blockEnginePort"]], LOSS_SHARE),
    reading:
      "`send-p99` is red while the hot path is not: decisions are as quick as ever, what leaves the box is not. With `chain-lag` or `market-lag` beside it every way out of the box is bad, and not one route: look at the line before the provider (`mtr`).",
  },
  "black-hole": {
    about: "nothing reaches RPC and block engine any more; the market is still heard",
    inject: ({ ports }) => losePackets([ports["sim.rpcPort"], ports["sim.blockEnginePort"]], 1),
    reading:
      "`chain-lag` comes first, while the market is heard: the node that is asked is gone, not the one that is listened to, so nothing can be signed. `send-p99` stands at its timeout of 2 s, so the block engine is gone as well: the way out. The last bundle on the page is as old as the fault, and the landed share stands still rather than falls, for nobody learns what became of the open bundles. Another RPC, or wait: the pause ends by itself.",
  },
  "poisoned-prices": {
    about: `a node's stream says of one pool's vault that it holds ${Math.round(100 * (LIE_FACTOR - 1))} % more than it does`,
    stage: poisonedMarket,
    reading:
      "`false-quotes`: the quotes of one pool fail on the accounts that the RPC tells, again and again, while the hot path is quick, the market is heard and most bundles still land. Every swap asks for what it was quoted, so it costs no money, but nothing true is traded meanwhile. The query of the alarm's page names the pool; deny it, restart `feed`, and ask the provider.",
  },
  rivals: {
    about: "sixteen rivals that bid against us, where one is usual",
    flags: ["--sim.rivals", "16"],
    safe: said("guard: throttle", "throttle"),
    reading:
      "`landed-share` with every other level green: nothing is broken here, others are better. The outcomes on the page say `outbid` (tips too low) or `state_moved` (too slow). Raise `ev_min` to stay out of contested pools, or the ladder.",
  },
  "clock-step": {
    about: `the wall clock jumps ${CLOCK_STEP_S} s ahead`,
    inject: stepClock,
    safe: said("guard: throttle", "throttle"),
    reading:
      "`clock-step` alone. Latencies are measured with the monotonic clock and stay right; stamps on record around the jump are not. Look who set the clock (chrony, ptp4l, a person).",
  },
  "disk-full": {
    about: "the data folder's disk is full to the last byte",
    inject: ({ dataDir }) => {
      const filler = fillDisk(dataDir);
      return () => rmSync(filler, { force: true });
    },
    diskMiB: 700,
    safe: said("MiB must stay free under", "run stopped, nothing lost"),
    reading:
      "`disk` before anything else. The supervisor ends the run while there is still room to write the last records, and the page loses its connection. Make room, start again: what was open is followed to its end.",
  },
  "broker-down": {
    about: "somebody holds the bus's file: nothing can be published or read",
    inject: lockBus,
    reading:
      "`bus-down`, and every level of the guard is green: trading goes on and the records wait in the agent's memory and journal, so there is no hurry of seconds. But what the page shows of money and bundles is as old as the fault. Find who holds the file (`fuser -v data/bus/*`), or look at the brokers.",
    safe: () => "none: trades go on, records wait",
  },
  "tables-down": {
    about: "ClickHouse stands still",
    inject: freeze("clickhouse"),
    reading:
      "`process-down` names it. Trading does not need the tables, and the bus keeps everything for them; the supervisor starts a process again that does not beat for 15 s.",
    safe: restarted("clickhouse"),
  },
  "guard-killed": {
    about: "the guard's process is killed",
    inject: (run) => {
      process.kill(pidOf(run, "guard"), "SIGKILL");
      return () => {};
    },
    reading:
      "`process-down` for the moment in which it is started again. What it had ordered is in shared memory and in force all the time.",
    safe: restarted("guard"),
  },
  "guard-frozen": {
    about: "the guard's process stands still",
    inject: freeze("guard"),
    reading:
      "`process-down` names it, `guard-dead` says that nobody watches. Agents notice by themselves after 5 s and pass over 75 % until a guard speaks again.",
    safe: said("guardSilent=true", "agent reduces by itself: 75 % passed over"),
  },
  "market-silent": {
    about: "the cluster stands still",
    inject: freeze("sim"),
    reading:
      "`process-down` names sim, and `market-lag` with `chain-lag` says what that means: nothing is heard and nothing answers. On the network there is no such process; then the two levels together mean the provider or this box's network. The supervisor starts it again.",
    safe: restarted("sim"),
  },
  "feed-stalled": {
    about: "the feed's process stands still",
    inject: freeze("feed"),
    reading:
      "`process-down` names feed, `market-lag` what follows; `chain-lag` is green, so the network is not it. The supervisor starts it again, and agents ask for a whole snapshot.",
    safe: restarted("feed"),
  },
};

/** A model that answers after 20 ms a rung of the tip ladder, in a folder as an operator would leave it. */
function slowModel(dataDir: string): void {
  const { models } = runPaths(dataDir);
  mkdirSync(models, { recursive: true });
  const source = join(models, "slow.c");
  writeFileSync(
    source,
    `#include "model_abi.h"
#include <time.h>
static float predict(const float *features, size_t length) {
  struct timespec from, now;
  (void)features; (void)length;
  clock_gettime(CLOCK_MONOTONIC, &from);
  do clock_gettime(CLOCK_MONOTONIC, &now);
  while ((now.tv_sec - from.tv_sec) * 1000000000L + now.tv_nsec - from.tv_nsec < 20000000L);
  return 0.9f;
}
static const model_abi_v1 table = {1, 15, 0.5f, predict, predict, 0};
const model_abi_v1 *model_abi_v1_export(void) { return &table; }
`,
  );
  const library = join(models, "libarb_v0123456789abcdef.so");
  const made = Bun.spawnSync(["gcc", "-shared", "-fPIC", "-O2", `-I${join(ROOT, "abi")}`, source, "-o", library]);
  if (!made.success) throw new Error(made.stderr.toString());
  symlinkSync("libarb_v0123456789abcdef.so", join(models, "libarb_latest.so"));
}

function pidOf(run: SupervisedRun, name: ProcessName): number {
  return run.report().processes.find((process) => process.name === name)?.pid ?? 0;
}

/** The process stands still until it is let go, or is killed for it. */
function freeze(name: ProcessName) {
  return (run: SupervisedRun) => {
    const pid = pidOf(run, name);
    process.kill(pid, "SIGSTOP");
    return () => {
      if (pidOf(run, name) === pid) process.kill(pid, "SIGCONT");
    };
  };
}

/** It was started again, and serves. */
function restarted(name: ProcessName) {
  return (run: SupervisedRun) => {
    const found = run.report().processes.find((process) => process.name === name);
    return found !== undefined && found.restarts > 0 && found.state === "ready" ? `${name} started again` : undefined;
  };
}

/** The run's log has these words. */
function said(words: string, means: string) {
  return (run: SupervisedRun) => (run.output().slice(-LOG_TAIL).includes(words) ? means : undefined);
}

/** Somebody holds the bus's file: nothing can be published or read from it. */
function lockBus(run: SupervisedRun): () => void {
  const database = new Database(run.paths.bus);
  database.run("PRAGMA busy_timeout = 20000");
  database.run("BEGIN EXCLUSIVE");
  return () => database.close();
}

function setClock(bySeconds: number): void {
  const { success, stderr } = Bun.spawnSync(["date", "-s", `@${(Date.now() / 1_000 + bySeconds).toFixed(3)}`]);
  if (!success) throw new Error(`Cannot set the clock: root on this machine must hold, was ${stderr}`);
}

function stepClock(): () => void {
  setClock(CLOCK_STEP_S);
  return () => setClock(-CLOCK_STEP_S);
}

/** Mode live against a cluster of ours, armed, whose Yellowstone stream can lie; its RPC is honest. */
async function poisonedMarket(dataDir: string): Promise<Stage> {
  const origin = await startOrigin("poison", ensureWallet(runPaths(dataDir)) as Address, ORIGIN_SLOT_MS);
  const account = origin.box.market.pools[0]?.facts.vaults[1];
  if (account === undefined) throw new Error("the cluster has no pool");
  const lie: Lie = { account, factor: 1 };
  const geyser = await startFakeGeyser(lyingCluster(origin.cluster, lie));
  return {
    flags: [
      ...["--mode", "live", "--market.rpcUrl", origin.rpcUrl, "--market.grpcUrl", geyser.url],
      ...["--market.genesisHash", origin.genesisHash, "--execute.blockEngineUrl", origin.blockEngineUrl],
    ],
    ready: async (run) => {
      const arming = Bun.spawn([process.execPath, MAIN, "arm", "--minutes", "10", "--dataDir", dataDir], {
        stdout: "ignore",
      });
      if ((await arming.exited) !== 0) throw new Error("the run could not be armed");
      await run.landed(1);
    },
    inject: () => {
      lie.factor = LIE_FACTOR;
      return () => {
        lie.factor = 1;
      };
    },
    stop: async () => {
      await geyser.stop();
      await origin.stop();
    },
  };
}
