/** What the trainer says of requests that make no job. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { createLog } from "#core/log.ts";
import { decodeTrainAck } from "#wire/train-ack.ts";
import { encodeTrainRequest, type TrainRequest } from "#wire/train-request.ts";
import { readJobs } from "./job.ts";
import { findTrainingSources } from "./sources.ts";
import { Trainer } from "./trainer.ts";

const LOG = createLog({ process: "test", level: "error", format: "text", write: () => {} });
const REQUEST: TrainRequest = {
  ...{ jobId: "mev-1", module: "mev", model: "xgb", issuer: "test", range: { start: "2026-11-01", end: "2026-11-02" } },
  features: { name: "", include: [], exclude: [] },
  params: { maxDepth: 0, nEstimators: 0, learningRate: 0, gpu: false },
};

test("Trainer says in an ack why a request makes no job, and makes none", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-trainer-"));
  const bus = openEmbeddedBus({ path: join(folder, "bus.sqlite"), lingerMs: 1, retainMiB: 64, log: LOG });
  const store = { query: () => Promise.reject(new Error("no job reads rows here")) };
  const trainer = new Trainer({
    ...{ bus, store, log: LOG, nowMs: Date.now, mode: "sim", rowsMin: 1_000, folder: join(folder, "jobs") },
    ...{ ...findTrainingSources(), modelsDir: folder, pythonDir: folder, torchPython: "" },
  });
  const asked = [REQUEST, { ...REQUEST, jobId: "net-1", module: "arbitrage", model: "sklearn" }];
  for (const request of asked) await bus.publish("train-requests-proto", "job", encodeTrainRequest(request));
  await bus.publish("train-requests-proto", "job", new Uint8Array([0xff, 0xff]));
  const acks = bus.consumer({ group: "test", topics: ["train-acks-proto"], start: "first" });
  trainer.start();
  const said: ReturnType<typeof decodeTrainAck>[] = [];
  while (said.length < asked.length) {
    said.push(...(await acks.poll(10)).map(({ value }) => decodeTrainAck(value)));
    await acks.commit();
    await Bun.sleep(5);
  }
  expect(said.map(({ jobId, state }) => [jobId, state])).toEqual([
    ["mev-1", "failed"],
    ["net-1", "failed"],
  ]);
  expect(said[0]?.message).toContain("decisions of mev have no outcomes and no features on record");
  expect(said[1]?.message).toContain("model xgb or lgbm or torch");
  expect(readJobs(join(folder, "jobs"))).toEqual([]);
  await trainer.stop();
  await acks.close();
  await bus.close();
  rmSync(folder, { recursive: true });
}, 60_000);
