/**
 * Training jobs while things die: the trainer and its worker are killed in the middle of a fit, and the disk fills up. No
 * job is lost, each ends once, and what is in the models folder is whole.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Bus } from "#bus/bus.ts";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { createLog } from "#core/log.ts";
import { passGates } from "#model/gates.ts";
import { fileInUse, hashInName, listVersions } from "#model/models-folder.ts";
import { askToCancel, readJob, type TrainingJob } from "#train/job.ts";
import { findTrainingSources } from "#train/sources.ts";
import { Trainer } from "#train/trainer.ts";
import { encodeTrainRequest } from "#wire/train-request.ts";
import { GatewayStage } from "./support/gateway-stage.ts";
import { smallDisk } from "./support/small-disk.ts";
import { eventually } from "./support/supervised-run.ts";
import { PYTHON_DIR, PYTHON_INSTALL_MS, trainingPython } from "./support/training-python.ts";
import { recordPairs } from "./support/training-rows.ts";

const STORY_MS = 300_000;
const TRAINER = join(import.meta.dir, "../agents/trainer.ts");
const LOG = createLog({ process: "test", level: "error", format: "text", write: () => {} });
const PAIRS = 2_000;
const RANGE = { startMs: 1_700_000_000_000, endMs: 1_700_000_900_000 };
/** So slow a learner that it uses every tree: a fit that lasts long enough to be killed in. */
const SLOW = { maxDepth: 8, nEstimators: 2_000, learningRate: 0.001 };
const QUICK = { maxDepth: 3, nEstimators: 20, learningRate: 0.3 };

let stage: GatewayStage;
beforeAll(async () => {
  await trainingPython();
  stage = await GatewayStage.start(Date.now());
  await recordPairs(stage, PAIRS, RANGE);
}, PYTHON_INSTALL_MS + STORY_MS);
afterAll(() => stage?.stop(), STORY_MS);

async function ask(bus: Bus, jobId: string, params: typeof SLOW): Promise<void> {
  const range = { start: new Date(RANGE.startMs).toISOString(), end: new Date(RANGE.endMs).toISOString() };
  const request = {
    ...{ jobId, module: "arbitrage", range, model: "xgb", issuer: "test", params: { ...params, gpu: false } },
    features: { name: "", include: [], exclude: [] },
  };
  await bus.publish("train-requests-proto", jobId, encodeTrainRequest(request));
}

const jobWhen = (folder: string, id: string, holds: (job: TrainingJob) => boolean): Promise<TrainingJob> =>
  eventually(
    `job ${id} as wanted, now ${JSON.stringify(readJob(folder, id))}`,
    () => {
      const job = readJob(folder, id);
      return job !== undefined && holds(job) ? job : undefined;
    },
    120_000,
  );
const isOver = ({ state }: TrainingJob) => state !== "queued" && state !== "running";
const isFitting = ({ state, message }: TrainingJob) => state === "running" && message.includes("fitted");

/** Processes whose command line names the folder. */
function workersIn(folder: string): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
    try {
      return readFileSync(`/proc/${name}/cmdline`, "utf8").includes(folder) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** What is in the models folder beside whole versions, symlinks and the history. */
function halfMade(modelsDir: string): string[] {
  if (!existsSync(modelsDir)) return [];
  const whole = new Set(listVersions(modelsDir, "arb").map(({ hash }) => hash));
  return readdirSync(modelsDir).filter((name) => {
    const hash = /^libarb_v([0-9a-f]{16})\./.exec(name)?.[1];
    return hash === undefined ? !/^(libarb_shadow\.so|arb-history\.ndjson)$/.test(name) : !whole.has(hash);
  });
}

function startTrainer() {
  const dataDir = dirname(stage.paths.models);
  const flags = ["--dataDir", dataDir, "--clickhouse.port", String(stage.clickhousePort)];
  return Bun.spawn([process.execPath, TRAINER, ...flags, "--training.pythonDir", PYTHON_DIR], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
}

test(
  "a job outlives its trainer and its worker; jobs behind it wait, and can be cancelled",
  async () => {
    const folder = stage.paths.training;
    const work = join(folder, "work");
    for (const [id, params] of [
      ["slow", SLOW],
      ["waits", QUICK],
      ["quick", QUICK],
    ] as const)
      await ask(stage.bus, id, params);
    const first = startTrainer();
    await jobWhen(folder, "slow", isFitting);
    expect(readJob(folder, "waits")?.state).toBe("queued");
    expect(askToCancel(folder, "waits", "somebody")).toBe(true);
    await jobWhen(folder, "waits", ({ state }) => state === "cancelled");
    first.kill("SIGKILL");
    await first.exited;
    await eventually("its worker is gone too", () => (workersIn(work).length === 0 ? true : undefined));
    expect(readJob(folder, "slow")?.state).toBe("running");
    expect(halfMade(stage.paths.models)).toEqual([]);

    const second = startTrainer();
    await jobWhen(folder, "slow", (job) => job.attempts === 2 && isFitting(job));
    for (const pid of workersIn(work)) process.kill(pid, "SIGKILL");
    const again = await jobWhen(folder, "slow", (job) => job.attempts === 3 && isFitting(job));
    expect(again.startedMs).toBeGreaterThan(0);
    expect(askToCancel(folder, "slow", "somebody")).toBe(true);
    const cancelled = await jobWhen(folder, "slow", isOver);
    expect([cancelled.state, cancelled.message]).toEqual(["cancelled", "cancelled by somebody"]);
    expect(listVersions(stage.paths.models, "arb").map(({ manifest }) => manifest.jobId)).not.toContain("slow");

    const done = await jobWhen(folder, "quick", isOver);
    expect([done.state, done.attempts]).toEqual(["done", 1]);
    const shadow = fileInUse(stage.paths.models, "arb", "shadow") ?? "";
    expect(hashInName(shadow)).toBe(done.modelHash);
    await passGates(shadow, "arb");
    expect(halfMade(stage.paths.models)).toEqual([]);
    expect(workersIn(work)).toEqual([]);
    second.kill("SIGTERM");
    expect(await second.exited).toBe(0);
  },
  STORY_MS,
);

describe("a disk that fills up in the middle of a job", () => {
  const disk = smallDisk(48);
  if (disk === undefined) console.warn("SKIPPED: the full-disk test of training needs the right to mount a tmpfs");
  const elsewhere = mkdtempSync(join(tmpdir(), "sandpiper-training-bus-"));
  afterAll(() => {
    disk?.remove();
    rmSync(elsewhere, { recursive: true, force: true });
  });

  test.skipIf(disk === undefined)(
    "ends it with the reason, publishes nothing, and loses no job that is asked for meanwhile",
    async () => {
      const root = disk?.folder ?? "";
      const [folder, modelsDir] = [join(root, "training"), join(root, "models")];
      const bus = openEmbeddedBus({ path: join(elsewhere, "bus.sqlite"), lingerMs: 1, retainMiB: 64, log: LOG });
      const trainer = new Trainer({
        ...{ bus, store: stage.store, log: LOG, nowMs: Date.now, mode: "sim", rowsMin: 1_000, folder, modelsDir },
        ...{ ...findTrainingSources(), pythonDir: PYTHON_DIR, torchPython: "" },
      });
      trainer.start();
      await ask(bus, "unlucky", SLOW);
      await jobWhen(folder, "unlucky", isFitting);
      fill(join(root, "filler"));
      await ask(bus, "meanwhile", QUICK);
      await eventually(
        "its worker has ended",
        () => (workersIn(join(folder, "work")).length === 0 ? true : undefined),
        120_000,
      );
      expect(listVersions(modelsDir, "arb")).toEqual([]);
      expect(halfMade(modelsDir)).toEqual([]);
      rmSync(join(root, "filler"));
      const unlucky = await jobWhen(folder, "unlucky", isOver);
      expect([unlucky.state, unlucky.attempts]).toEqual(["failed", 1]);
      expect(unlucky.message).toContain("No space left on device");
      const meanwhile = await jobWhen(folder, "meanwhile", isOver);
      expect([meanwhile.state, meanwhile.message]).toEqual([
        "done",
        `version ${meanwhile.modelHash} is the shadow now`,
      ]);
      expect(halfMade(modelsDir)).toEqual([]);
      await trainer.stop();
      await bus.close();
    },
    STORY_MS,
  );
});

/** Until not a byte more fits. */
function fill(path: string): void {
  for (let bytes = 1 << 20; bytes >= 1; bytes >>= 1) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(bytes), { flag: "a" });
    } catch {
      // So large a piece no longer fits: a smaller one may.
    }
  }
}
