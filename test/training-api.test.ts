/** Training jobs over the API: who may start and cancel one, what is refused at the door, and what goes on the bus. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cancelledBy, type TrainingJob, writeJob } from "#train/job.ts";
import { decodeTrainRequest } from "#wire/train-request.ts";
import { ControlStage } from "./support/control-stage.ts";

const LONG_MS = 60_000;
const RANGE = { start: "2026-11-01", end: "2026-11-02T12:00:00Z" };
const BODY = { kind: "arb", library: "lgbm", range: RANGE } as const;
let stage: ControlStage;
beforeAll(async () => {
  stage = await ControlStage.start();
  await stage.signIn();
}, LONG_MS);
afterAll(() => stage.stop());

const errorOf = ({ body }: { body: Record<string, unknown> }) => body["error"] as { code: string; message: string };
const read = async (path: string) => (await (await fetch(`${stage.url}${path}`)).json()) as Record<string, unknown>;

const JOB: TrainingJob = {
  id: "job-1",
  plan: {
    ...{ kind: "arb", library: "xgb", startMs: 1, endMs: 2, features: ["hops"] },
    ...{ maxDepth: 3, trees: 10, learningRate: 0.1, gpu: false },
  },
  ...{ askedBy: "somebody", askedMs: 5, state: "running", progressShare: 0.5, message: "fitting", modelHash: "" },
  ...{ startedMs: 6, endedMs: 0, attempts: 1 },
};

describe("POST /api/training/start", () => {
  test("puts what an admin asks for on the bus, under their name", async () => {
    const consumer = stage.bus.consumer({ group: "test-training", topics: ["train-requests-proto"], start: "first" });
    const params = { maxDepth: 4, gpu: true };
    const { status, body } = await stage.post("/api/training/start", {
      ...BODY,
      features: { exclude: ["hops"] },
      params,
    });
    expect(status).toBe(202);
    const [message] = await consumer.poll(10);
    expect(message?.key).toBe(String(body["id"]));
    expect(decodeTrainRequest(message?.value ?? new Uint8Array())).toEqual({
      ...{ jobId: String(body["id"]), module: "arbitrage", model: "lgbm", range: RANGE, issuer: "admin" },
      features: { name: "", include: [], exclude: ["hops"] },
      params: { maxDepth: 4, nEstimators: 0, learningRate: 0, gpu: true },
    });
    await consumer.close();
  });

  test("is for admins, and takes what it describes and nothing else", async () => {
    expect(errorOf(await stage.post("/api/training/start", BODY, "")).code).toBe("sign_in_needed");
    const bodies = [
      { ...BODY, library: "sklearn" },
      { ...BODY, range: { start: "2026-11-02", end: "2026-11-01" } },
      { ...BODY, features: { include: ["nothing of ours"] } },
      { ...BODY, surprise: 1 },
      { ...BODY, kind: "mev" },
    ];
    for (const body of bodies) expect(errorOf(await stage.post("/api/training/start", body)).code).toBe("invalid_body");
    const mev = errorOf(await stage.post("/api/training/start", { ...BODY, kind: "mev" }));
    expect(mev.message).toContain("decisions of mev have no outcomes");
  });
});

describe("the trainer's jobs", () => {
  test("are listed newest first, and cancelled by an admin while they are not over", async () => {
    writeJob(stage.paths.training, JOB);
    writeJob(stage.paths.training, { ...JOB, id: "job-2", askedMs: 7, state: "done", modelHash: "0123456789abcdef" });
    const { jobs } = (await read("/api/training/jobs")) as { jobs: Record<string, unknown>[] };
    expect(jobs.map(({ id }) => id)).toEqual(["job-2", "job-1"]);
    expect(jobs[1]).toMatchObject({
      ...{ kind: "arb", library: "xgb", state: "running", progressShare: 0.5, message: "fitting", modelHash: null },
      ...{ startedMs: 6, endedMs: null, askedBy: "somebody" },
    });
    expect(errorOf(await stage.post("/api/training/jobs/job-1/cancel", {}, "")).code).toBe("sign_in_needed");
    expect((await stage.post("/api/training/jobs/job-1/cancel", {})).status).toBe(202);
    expect(cancelledBy(stage.paths.training, "job-1")).toBe("admin");
    expect(errorOf(await stage.post("/api/training/jobs/job-2/cancel", {})).code).toBe("job_over");
    for (const id of ["job-3", "..", "%2e%2e%2fkeys"])
      expect((await stage.post(`/api/training/jobs/${id}/cancel`, {})).status).toBeGreaterThanOrEqual(404);
  });

  test("leave an empty list of versions where there is no model", async () => {
    expect(await read("/api/models")).toEqual({ versions: [] });
  });
});
