/** Training jobs and model versions over the API. */
import { Elysia } from "elysia";
import { SandpiperError } from "#core/error.ts";
import type { Auth } from "#gateway/auth/auth.ts";
import { failure, TurnedAway } from "#gateway/door.ts";
import { GATEWAY_ERROR } from "#gateway/errors.ts";
import type { TrainingDesk } from "#gateway/training-desk.ts";
import type { ModelVersion } from "#model/models-folder.ts";
import { TRAIN_ERROR } from "#train/errors.ts";
import type { TrainingJob } from "#train/job.ts";
import { NothingSchema } from "./control-schemas.ts";
import { readNoQuery } from "./query.ts";
import { DOOR_REFUSALS, ErrorSchema } from "./schemas.ts";
import {
  CancelAnswerSchema,
  JobListSchema,
  ModelListSchema,
  type TrainBody,
  TrainBodySchema,
  TrainStartedSchema,
} from "./training-schemas.ts";

const refusals = { ...DOOR_REFUSALS, 503: ErrorSchema } as const;
const MODULE_OF_KIND = { arb: "arbitrage", mev: "mev" } as const;

export function trainingRoutes({ auth, training }: { readonly auth: Auth; readonly training: TrainingDesk }) {
  return new Elysia({ normalize: false })
    .onBeforeHandle(({ request }) => readNoQuery(new URL(request.url)))
    .post(
      "/api/training/start",
      async ({ request, body, status }) => {
        // The gateway has let in nobody but an admin before the body was read.
        const visitor = await auth.visitor(request);
        return status(202, { id: await start(body, visitor?.name ?? "") });
      },
      {
        parse: "json",
        body: TrainBodySchema,
        response: { 202: TrainStartedSchema, ...refusals },
        detail: {
          tags: ["Models"],
          summary: "Fit a model on what is on record",
          description:
            "Answers when the request is on the bus; the job then shows in /api/training/jobs. What passes its gates becomes a shadow version. Role admin.",
          security: [{ bearer: [] }],
        },
      },
    )
    .post(
      "/api/training/jobs/:id/cancel",
      async ({ request, params, status }) => {
        const visitor = await auth.visitor(request);
        const answer = training.cancel(String(params.id), visitor?.name ?? "");
        if (answer === "asked") return status(202, { id: params.id });
        const [code, want] =
          answer === "over" ? ([409, "that is not over"] as const) : ([404, "that the trainer has"] as const);
        throw new TurnedAway(
          failure(
            code,
            code === 409 ? "job_over" : "not_found",
            `Cannot cancel the job: one ${want}, was ${JSON.stringify(String(params.id).slice(0, 64))}`,
          ),
        );
      },
      {
        parse: "json",
        body: NothingSchema,
        response: { 202: CancelAnswerSchema, 404: ErrorSchema, 409: ErrorSchema, ...refusals },
        detail: {
          tags: ["Models"],
          summary: "Cancel a job that is not over",
          description: "Its state becomes cancelled when the worker has ended. Role admin.",
          security: [{ bearer: [] }],
        },
      },
    )
    .get("/api/training/jobs", () => ({ jobs: training.jobs().map(jobRow) }), {
      response: { 200: JobListSchema, ...refusals },
      detail: {
        tags: ["Models"],
        summary: "Training jobs, newest first",
        description: "As the trainer keeps them on disk: queued, running and the last that are over.",
      },
    })
    .get("/api/models", () => ({ versions: training.versions().map(versionRow) }), {
      response: { 200: ModelListSchema, ...refusals },
      detail: {
        tags: ["Models"],
        summary: "Versions of the arbitrage model, newest first",
        description: "Which one decides (latest), which one scores beside it (shadow), and how each was made.",
      },
    });

  async function start({ kind, library, range, features, params }: TrainBody, issuer: string): Promise<string> {
    try {
      return await training.start({
        ...{ module: MODULE_OF_KIND[kind], model: library, range, issuer },
        features: { name: "", include: features?.include ?? [], exclude: features?.exclude ?? [] },
        params: {
          maxDepth: params?.maxDepth ?? 0,
          nEstimators: params?.nEstimators ?? 0,
          learningRate: params?.learningRate ?? 0,
          gpu: params?.gpu ?? false,
        },
      });
    } catch (thrown) {
      if (!(thrown instanceof SandpiperError) || thrown.code !== TRAIN_ERROR.request) throw thrown;
      throw new SandpiperError(GATEWAY_ERROR.body, thrown.message);
    }
  }
}

const jobRow = ({ id, plan, askedBy, state, progressShare, message, modelHash, ...job }: TrainingJob) => ({
  ...{ id, kind: plan.kind, library: plan.library, state, progressShare, message, askedBy },
  modelHash: modelHash || null,
  askedMs: job.askedMs,
  startedMs: job.startedMs || null,
  endedMs: job.endedMs || null,
  attempts: job.attempts,
  range: { startMs: plan.startMs, endMs: plan.endMs },
  features: [...plan.features],
  params: { maxDepth: plan.maxDepth, nEstimators: plan.trees, learningRate: plan.learningRate, gpu: plan.gpu },
});

const versionRow = ({ hash, role, manifest }: ModelVersion) => ({
  ...{ hash, kind: "arb" as const, role },
  library: manifest.trainer ?? null,
  madeMs: manifest.madeAtMs ?? null,
  askedBy: manifest.askedBy ?? null,
  jobId: manifest.jobId ?? null,
  metrics: { ...manifest.metrics },
  parity: manifest.parity === undefined ? null : { ...manifest.parity },
  trainedOn: manifest.trainedOn === undefined ? null : { ...manifest.trainedOn },
  features: manifest.features === undefined ? null : [...manifest.features],
  latencyNsP50: manifest.latencyNsP50 ?? null,
  compiledBy: manifest.compiledBy,
});
