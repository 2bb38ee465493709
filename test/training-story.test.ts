/**
 * A model's whole life in a running Sandpiper: an admin starts a training job over the API and watches it on the page, its
 * acks go over the bus, the version is published as the shadow, scores live decisions beside the model in use, is promoted
 * on the page, decides, and is taken back there.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { createLog } from "#core/log.ts";
import { encodeEnvelope } from "#wire/envelope.ts";
import { decodeTrainAck } from "#wire/train-ack.ts";
import { ModelDesk } from "./support/model-desk.ts";
import { eventually, SupervisedRun } from "./support/supervised-run.ts";
import { PYTHON_DIR, PYTHON_INSTALL_MS, trainingPython } from "./support/training-python.ts";
import { trainingPairs } from "./support/training-rows.ts";

const STORY_MS = 300_000;
const PAIRS = 3_000;
/** An hour that is over: what is in it never changes. */
const END_MS = Date.now() - 60_000;
const RANGE = { startMs: END_MS - 3_600_000, endMs: END_MS };

type Job = { id: string; state: string; message: string; modelHash: string | null; progressShare: number };
type Version = { hash: string; role: string; jobId: string | null; metrics: Record<string, number> };

let run: SupervisedRun;
beforeAll(async () => {
  await trainingPython();
  run = await SupervisedRun.start(["--training.pythonDir", PYTHON_DIR]);
}, PYTHON_INSTALL_MS + STORY_MS);
afterAll(() => run?.discard(), STORY_MS);

async function read<T>(path: string): Promise<T> {
  return (await (await fetch(`${run.gateway}${path}`)).json()) as T;
}

async function count(condition: string): Promise<number> {
  const rows = await run.store.query<{ n: string }>(`SELECT count() AS n FROM sandpiper.${condition}`);
  return Number(rows[0]?.n);
}

test(
  "a training job from the API becomes a shadow version, and decides once it is promoted",
  async () => {
    await run.allReady();
    const log = createLog({ process: "test", level: "error", format: "text" });
    const bus = openEmbeddedBus({ path: run.paths.bus, lingerMs: 1, retainMiB: 2_048, log });
    const acks = bus.consumer({ group: "test-acks", topics: ["train-acks-proto"], start: "first" });
    await Promise.all(
      trainingPairs(PAIRS, RANGE).flatMap(({ decision, outcome }) => [
        bus.publish("arbitrage-decisions-proto", "test", encodeEnvelope(decision)),
        bus.publish("bundle-outcomes-proto", "test", encodeEnvelope(outcome)),
      ]),
    );
    const seeded = "bundle_outcomes_typed WHERE decision_id LIKE 'rows-%'";
    await eventually("the rows are on record", async () => ((await count(seeded)) === PAIRS ? true : undefined));

    const token = await run.signIn();
    const range = { start: new Date(RANGE.startMs).toISOString(), end: new Date(RANGE.endMs).toISOString() };
    const desk = await ModelDesk.open(run.gateway);
    const asked = await run.post(
      "/api/training/start",
      { kind: "arb", library: "xgb", range, params: { nEstimators: 60, gpu: true } },
      token,
    );
    await desk.seesJobRunning(String(asked["id"]));
    const job = await eventually(
      "the job is over",
      async () => {
        const { jobs } = await read<{ jobs: Job[] }>("/api/training/jobs");
        const found = jobs.find(({ id }) => id === asked["id"]);
        return found !== undefined && !["queued", "running"].includes(found.state) ? found : undefined;
      },
      120_000,
    );
    const hash = String(job.modelHash);
    expect([job.state, job.progressShare, job.message]).toEqual(["done", 1, `version ${hash} is the shadow now`]);
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
    const { versions } = await read<{ versions: Version[] }>("/api/models");
    const made = versions.find((one) => one.hash === hash);
    expect(made).toMatchObject({ role: "shadow", library: "xgb", askedBy: "admin", jobId: job.id });
    expect(made?.metrics["logLoss"]).toBeLessThan(made?.metrics["baseLogLoss"] ?? 0);

    const told = (await acks.poll(1_000)).map(({ value }) => decodeTrainAck(value));
    expect(told[0]).toEqual({ jobId: job.id, state: "queued", message: "waits for its turn" });
    expect(told.at(-1)).toEqual({ jobId: job.id, state: "done", message: `version ${hash} is the shadow now` });
    expect(told.some(({ message }) => message.startsWith("a gpu was asked for"))).toBe(true);

    const beside = `arb_opportunities WHERE shadow_model_hash = '${hash}' AND model_hash != '${hash}'`;
    await eventually("it scores beside the one in use", async () => ((await count(beside)) > 0 ? true : undefined));
    await desk.seesJobDone(job.id, hash);
    const before = versions.find(({ role }) => role === "latest")?.hash ?? "";
    await desk.promotes(hash, run.password);
    const decided = `arb_opportunities WHERE model_hash = '${hash}'`;
    await eventually("it decides", async () => ((await count(decided)) > 0 ? true : undefined));
    await desk.rollsBack(hash, before);
    const after = (await read<{ versions: Version[] }>("/api/models")).versions;
    expect(after.find(({ role }) => role === "latest")?.hash).toBe(before);
    await desk.close();

    const recorded = `train_job_states WHERE job_id = '${job.id}' AND state = 'done'`;
    await eventually("the job is on record", async () => ((await count(recorded)) === 1 ? true : undefined));
    expect(await count(`train_jobs WHERE job_id = '${job.id}' AND issuer = 'admin'`)).toBe(1);
    await acks.close();
    await bus.close();
    expect(await run.stop()).toBe(0);
  },
  STORY_MS,
);
