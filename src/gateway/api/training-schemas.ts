/** The shapes of training jobs and model versions, as TypeBox schemas; see schemas.ts. */
import { type Static, t } from "elysia";

const kind = t.Union([t.Literal("arb"), t.Literal("mev")], { description: "What the model scores." });
const library = t.Union([t.Literal("xgb"), t.Literal("lgbm"), t.Literal("torch")], {
  description: "XGBoost, LightGBM, or a multilayer perceptron by torch.",
});
const featureNames = t.Array(t.String({ minLength: 1, maxLength: 64 }), { maxItems: 64 });
const orNull = <T extends ReturnType<typeof t.Integer> | ReturnType<typeof t.String>>(schema: T) =>
  t.Union([schema, t.Null()]);
const unixMs = orNull(t.Integer({ description: "Unix ms; null while it has not." }));

export const TrainBodySchema = t.Object(
  {
    kind,
    library,
    range: t.Object(
      {
        start: t.String({ maxLength: 40, description: "ISO 8601 date or instant.", examples: ["2026-11-01"] }),
        end: t.String({ maxLength: 40, description: "Not included; nothing known later is used." }),
      },
      { additionalProperties: false },
    ),
    features: t.Optional(
      t.Object(
        {
          include: t.Optional(featureNames),
          exclude: t.Optional(featureNames),
        },
        { additionalProperties: false, description: "All of the set when left out." },
      ),
    ),
    params: t.Optional(
      t.Object(
        {
          maxDepth: t.Optional(
            t.Integer({ minimum: 1, maximum: 12, description: "Of a tree; torch: hidden layers, at most 4." }),
          ),
          nEstimators: t.Optional(
            t.Integer({ minimum: 1, maximum: 2_000, description: "Most trees; torch: most passes over the rows." }),
          ),
          learningRate: t.Optional(
            t.Number({ minimum: 0.0001, maximum: 1, description: "From 0.001; torch: from 0.0001 to 0.1." }),
          ),
          gpu: t.Optional(t.Boolean({ description: "Where there is none the job says so and uses the CPU." })),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
export type TrainBody = Static<typeof TrainBodySchema>;

export const TrainStartedSchema = t.Object({ id: t.String({ description: "The job." }) });
export const CancelAnswerSchema = t.Object({ id: t.String() });

export const JobListSchema = t.Object({
  jobs: t.Array(
    t.Object({
      id: t.String(),
      kind,
      library,
      state: t.Union([
        t.Literal("queued"),
        t.Literal("running"),
        t.Literal("done"),
        t.Literal("failed"),
        t.Literal("cancelled"),
      ]),
      progressShare: t.Number({ minimum: 0, maximum: 1 }),
      message: t.String({ description: "What it does now, or why it ended." }),
      modelHash: orNull(t.String({ description: "The version that came of it." })),
      askedMs: t.Integer({ description: "Unix ms." }),
      startedMs: unixMs,
      endedMs: unixMs,
      askedBy: t.String(),
      attempts: t.Integer({ description: "How often it was begun." }),
      range: t.Object({ startMs: t.Integer(), endMs: t.Integer() }),
      features: t.Array(t.String()),
      params: t.Object({
        maxDepth: t.Integer(),
        nEstimators: t.Integer(),
        learningRate: t.Number(),
        gpu: t.Boolean(),
      }),
    }),
  ),
});

export const ModelListSchema = t.Object({
  versions: t.Array(
    t.Object({
      hash: t.String(),
      kind,
      role: t.Union([t.Literal("latest"), t.Literal("shadow"), t.Literal("none"), t.Literal("retired")]),
      library: orNull(t.String({ description: "xgb, lgbm, torch; null for the default model." })),
      madeMs: unixMs,
      askedBy: orNull(t.String()),
      jobId: orNull(t.String()),
      metrics: t.Record(t.String(), t.Number(), {
        description:
          "On rows behind those it was fitted on: auc, logLoss, brier, calibrationGap, and of others beside it.",
      }),
      parity: t.Union([t.Object({ rows: t.Integer(), largest: t.Number() }), t.Null()], {
        description: "Against its trainer's own predictor: golden rows, and the largest difference.",
      }),
      trainedOn: t.Union([t.Object({ start: t.String(), end: t.String(), rows: t.Integer() }), t.Null()]),
      features: t.Union([t.Array(t.String()), t.Null()]),
      latencyNsP50: t.Union([t.Number(), t.Null()]),
      compiledBy: t.String(),
    }),
  ),
});
