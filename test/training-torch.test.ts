/**
 * A network by torch: torch itself against the library on many shapes, what cannot be exported, and a job from the request
 * on the bus to the shadow version. Needs torch, which no test downloads: test/support/training-python.ts.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runJudge } from "#cli/judge.ts";
import { createLog } from "#core/log.ts";
import { openModelLibrary } from "#ffi/model-library.ts";
import { FEATURES } from "#model/features.ts";
import { passGates } from "#model/gates.ts";
import { goldenOf, listVersions } from "#model/models-folder.ts";
import { readJob } from "#train/job.ts";
import { ensureTorchPython } from "#train/python.ts";
import { findTrainingSources } from "#train/sources.ts";
import { Trainer } from "#train/trainer.ts";
import { decodeTrainAck } from "#wire/train-ack.ts";
import { encodeTrainRequest } from "#wire/train-request.ts";
import { GatewayStage } from "./support/gateway-stage.ts";
import { eventually } from "./support/supervised-run.ts";
import { PYTHON_DIR, PYTHON_INSTALL_MS, TRAINING_DIR, torchPython, trainingPython } from "./support/training-python.ts";
import { recordPairs } from "./support/training-rows.ts";

const STORY_MS = 300_000;
const PAIRS = 3_000;
const RANGE = { startMs: 1_700_000_000_000, endMs: 1_700_000_900_000 };
const LOG = createLog({ process: "test", level: "error", format: "text", write: () => {} });
const torch = torchPython();

const REFUSED: Readonly<Record<string, string>> = {
  "torch multi-output": "multi-output models",
  "torch NaN weight": "not-finite models",
  "torch float64": "other-precision models",
  "torch convolution": "conv.weight",
  "torch cut layer": "layers that do not fit one another",
  "torch too wide": "too-wide models",
  "torch no network": "not a multilayer perceptron",
  "torch a whole module": "not a state dict",
};
type Line = { kind: string; refused?: string; same?: boolean; rows?: number; largest?: number };

describe.skipIf(torch === undefined)("training with torch", () => {
  test(
    "each network answers as torch does within 1e-6, fits to the same weights again, or is refused by its name",
    () => {
      const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
      const ran = Bun.spawnSync(["nice", torch ?? "", join(TRAINING_DIR, "parity_mlp.py")], { env });
      expect(ran.success ? "" : ran.stderr.toString()).toBe("");
      const lines = ran.stdout.toString().trim().split("\n");
      expect(lines.length).toBe(13);
      for (const { kind, refused, same, rows, largest } of lines.map((line) => JSON.parse(line) as Line)) {
        const name = REFUSED[kind];
        if (name !== undefined) expect([kind, refused]).toEqual([kind, expect.stringContaining(name)]);
        else if (same !== undefined) expect([kind, same]).toEqual([kind, true]);
        else expect([kind, rows, (largest ?? 1) <= 1e-6]).toEqual([kind, 20_480, true]);
      }
    },
    STORY_MS,
  );

  test(
    "a Python without torch is refused with its own words",
    async () => {
      const { python } = await trainingPython();
      await expect(ensureTorchPython(PYTHON_DIR, TRAINING_DIR, python)).rejects.toThrow("No module named 'torch'");
      await expect(ensureTorchPython(PYTHON_DIR, TRAINING_DIR, "/nowhere/python")).rejects.toThrow("no such program");
    },
    PYTHON_INSTALL_MS,
  );

  describe("a job", () => {
    let stage: GatewayStage;
    const folder = mkdtempSync(join(tmpdir(), "sandpiper-training-torch-"));
    beforeAll(async () => {
      await trainingPython();
      stage = await GatewayStage.start(Date.now());
      await recordPairs(stage, PAIRS, RANGE);
    }, PYTHON_INSTALL_MS + STORY_MS);
    afterAll(async () => {
      rmSync(folder, { recursive: true, force: true });
      await stage?.stop();
    }, STORY_MS);

    test(
      "for torch becomes a shadow version that the gates pass, with what torch answers beside it",
      async () => {
        const acks = stage.bus.consumer({ group: "test-acks", topics: ["train-acks-proto"], start: "first" });
        const [jobs, modelsDir] = [join(folder, "jobs"), join(folder, "models")];
        const trainer = new Trainer({
          ...{ bus: stage.bus, store: stage.store, log: LOG, nowMs: Date.now, mode: "sim", rowsMin: 1_000 },
          ...{ ...findTrainingSources(), folder: jobs, modelsDir, pythonDir: PYTHON_DIR, torchPython: torch ?? "" },
        });
        trainer.start();
        const range = { start: new Date(RANGE.startMs).toISOString(), end: new Date(RANGE.endMs).toISOString() };
        const params = { maxDepth: 0, nEstimators: 30, learningRate: 0, gpu: true };
        await stage.bus.publish(
          "train-requests-proto",
          "net",
          encodeTrainRequest({
            ...{ jobId: "net", module: "arbitrage", range, model: "torch", issuer: "test", params },
            features: { name: "", include: [], exclude: ["hops"] },
          }),
        );
        const done = await eventually(
          "the job is over",
          () => {
            const job = readJob(jobs, "net");
            return job === undefined || ["queued", "running"].includes(job.state) ? undefined : job;
          },
          180_000,
        );
        expect([done.state, done.message]).toEqual(["done", `version ${done.modelHash} is the shadow now`]);
        const told = (await acks.poll(1_000)).map(({ value }) => decodeTrainAck(value).message).join("\n");
        expect(told).toContain("passes over the rows");
        expect(told).toContain("a gpu was asked for");

        const [version] = listVersions(modelsDir, "arb");
        expect(version).toMatchObject({ hash: done.modelHash, role: "shadow", manifest: { trainer: "torch" } });
        const { metrics, parity } = version?.manifest ?? {};
        expect(metrics?.["logLoss"]).toBeLessThan(metrics?.["baseLogLoss"] ?? 0);
        expect(metrics?.["passes"]).toBeGreaterThan(0);
        expect([parity?.rows, (parity?.largest ?? 1) <= 1e-6]).toEqual([20_480, true]);
        const path = version?.path ?? "";
        const report = await passGates(path, "arb");
        expect(report.has).toContain("calibrate_tip");
        let said = "";
        const judged = await runJudge(["model", path, goldenOf(path) ?? ""], (text) => {
          said += text;
        });
        expect([judged, / 0 failed\n$/.test(said)]).toEqual([0, true]);

        // What may not be used changes nothing; what may does.
        const library = openModelLibrary(path, "predict_arb");
        const row = new Float32Array(new ArrayBuffer(4 * FEATURES.length));
        FEATURES.forEach(({ low, high }, i) => {
          row[i] = (low + high) / 2;
        });
        const score = () => library.predict(row);
        const at = (name: string) => FEATURES.findIndex((feature) => feature.name === name);
        const usual = score();
        row[at("hops")] = Number.NaN;
        expect(score()).toBe(usual);
        row[at("tip_share")] = Number.NEGATIVE_INFINITY;
        const least = score();
        row[at("tip_share")] = FEATURES[at("tip_share")]?.low ?? 0;
        // The end of the range that was seen lies within a thousandth of it.
        expect(Math.abs(score() - least)).toBeLessThan(0.01);
        expect(least).toBeLessThan(usual);
        expect(readFileSync(goldenOf(path) ?? "", "utf8")).toContain("nan");
        await acks.close();
        await trainer.stop();
      },
      STORY_MS,
    );
  });
});
