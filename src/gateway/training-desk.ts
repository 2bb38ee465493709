/** The API's end of training: puts a checked request on the bus, shows the jobs that the trainer keeps, and the models' versions. */
import { randomBytes } from "node:crypto";
import type { Bus } from "#bus/bus.ts";
import { listVersions, type ModelVersion } from "#model/models-folder.ts";
import { checkRequest } from "#train/check-request.ts";
import { askToCancel, readJob, readJobs, type TrainingJob } from "#train/job.ts";
import { encodeTrainRequest, type TrainRequest } from "#wire/train-request.ts";

export type TrainingDeskOptions = {
  readonly bus: Pick<Bus, "publish">;
  readonly trainingDir: string;
  readonly modelsDir: string;
  readonly nowMs: () => number;
};

export class TrainingDesk {
  readonly #options: TrainingDeskOptions;

  constructor(options: TrainingDeskOptions) {
    this.#options = options;
  }

  /** Answers the job's id once the request is durable. Throws a SandpiperError when it makes no job. */
  async start(request: Omit<TrainRequest, "jobId">): Promise<string> {
    const { bus, nowMs } = this.#options;
    const jobId = `${nowMs().toString(36)}-${randomBytes(4).toString("hex")}`;
    checkRequest({ ...request, jobId }, nowMs());
    await bus.publish("train-requests-proto", jobId, encodeTrainRequest({ ...request, jobId }));
    return jobId;
  }

  /** Newest first. */
  jobs(): TrainingJob[] {
    return readJobs(this.#options.trainingDir).reverse();
  }

  /** "asked" when the trainer will end it, "over" when it has ended already, undefined when there is none. */
  cancel(id: string, by: string): "asked" | "over" | undefined {
    if (readJob(this.#options.trainingDir, id) === undefined) return undefined;
    return askToCancel(this.#options.trainingDir, id, by) ? "asked" : "over";
  }

  /** Newest first. */
  versions(): ModelVersion[] {
    return listVersions(this.#options.modelsDir, "arb");
  }
}
