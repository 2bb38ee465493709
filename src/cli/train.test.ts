/** `sandpiper train`: what goes on the bus, what is listed, what is refused. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { createLog } from "#core/log.ts";
import { runPaths } from "#core/paths.ts";
import { checkRequest } from "#train/check-request.ts";
import { cancelledBy, writeJob } from "#train/job.ts";
import { decodeTrainRequest } from "#wire/train-request.ts";
import { runTrain } from "./train.ts";

const NOW_MS = Date.parse("2026-11-20");
const dataDir = mkdtempSync(join(tmpdir(), "sandpiper-train-"));
const paths = runPaths(dataDir);
afterAll(() => rmSync(dataDir, { recursive: true }));

async function train(...words: string[]): Promise<string[]> {
  const lines: string[] = [];
  await runTrain([...words, "--dataDir", dataDir], NOW_MS, (line) => lines.push(line));
  return lines;
}

test("runTrain() start puts a request on the bus; list and cancel see the trainer's jobs", async () => {
  const settings = ["maxDepth=4", "gpu=yes", "exclude=hops,tip_share"];
  const [line = ""] = await train("start", "lgbm", "2026-11-01", "2026-11-08", ...settings);
  const log = createLog({ process: "test", level: "error", format: "text" });
  const bus = openEmbeddedBus({ path: paths.bus, lingerMs: 0, retainMiB: 16, log });
  const consumer = bus.consumer({ group: "test", topics: ["train-requests-proto"], start: "first" });
  const [message] = await consumer.poll(1);
  const request = decodeTrainRequest(message?.value ?? new Uint8Array());
  await consumer.close();
  await bus.close();
  expect(line).toBe(`asked for: ${request.jobId}`);
  expect(request).toMatchObject({ model: "lgbm", range: { start: "2026-11-01", end: "2026-11-08" } });
  expect(request.params).toEqual({ maxDepth: 4, nEstimators: 0, learningRate: 0, gpu: true });
  expect(request.features.exclude).toEqual(["hops", "tip_share"]);

  expect(await train("list")).toEqual([]);
  writeJob(paths.training, {
    ...{ id: request.jobId, plan: checkRequest(request, NOW_MS), askedBy: "me", askedMs: 1, state: "running" },
    ...{ progressShare: 0.25, message: "fitting", modelHash: "", startedMs: 2, endedMs: 0, attempts: 1 },
  });
  expect((await train("list"))[0]).toMatch(/running +25 % +lgbm +fitting$/);
  expect(await train("cancel", request.jobId)).toEqual([`asked to cancel: ${request.jobId}`]);
  expect(cancelledBy(paths.training, request.jobId)).toStartWith("operator");
});

test.each([
  [["start", "sklearn", "2026-11-01", "2026-11-08"], "model xgb or lgbm or torch"],
  [["start", "xgb", "2026-11-01", "2026-11-08", "depth=3"], "settings of maxDepth"],
  [["cancel", "nobody"], "a job of the list that is not over"],
  [["stop"], "start, list or cancel"],
])("runTrain() refuses %p", async (words, why) => {
  await expect(train(...words)).rejects.toThrow(why);
});
