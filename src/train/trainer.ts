/**
 * The dispatcher of training jobs: takes requests from the bus, keeps each job on disk, runs one at a time, says on the bus
 * what becomes of it. A request is committed on the bus only when its job is on disk, and a job that was running when the
 * trainer died is begun anew, so none is lost; an attempt publishes as its last step, so nothing half-made is seen.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Bus, Consumer, Message } from "#bus/bus.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { encodeTrainAck } from "#wire/train-ack.ts";
import { decodeTrainRequest } from "#wire/train-request.ts";
import { type AttemptParts, attemptJob, cancelledError } from "./attempt.ts";
import { checkRequest } from "./check-request.ts";
import { TRAIN_ERROR } from "./errors.ts";
import { cancelledBy, isOver, JOB_ID, readJobs, removeJob, type TrainingJob, writeJob } from "./job.ts";

const LOOK_EVERY_MS = 250;
/** Further requests are refused while so many jobs wait. */
const QUEUED_MAX = 32;
/** Jobs that are over are forgotten from the oldest on beyond so many; the tables keep them all. */
const OVER_KEPT_MAX = 200;
/** How often a job is begun whose worker was killed, or which the store or the network failed. */
const ATTEMPTS_MAX = 3;
/** Progress goes on the bus at most so often; a change of state always does. */
const TELL_EVERY_MS = 1_000;
const REQUESTS_PER_POLL = 16;

export type TrainerOptions = AttemptParts & {
  /** Folder of the jobs. */
  readonly folder: string;
  readonly bus: Pick<Bus, "publish" | "consumer">;
  readonly log: Pick<Log, "info" | "warn" | "error">;
};

type Running = { job: TrainingJob; readonly abort: AbortController; readonly done: Promise<void> };

export class Trainer {
  readonly #options: TrainerOptions;
  readonly #requests: Consumer;
  /** Every job that is on disk, and changes of them that a full disk has not taken yet. */
  readonly #jobs = new Map<string, TrainingJob>();
  readonly #unwritten = new Set<string>();
  /** Requests polled whose job is not on disk yet. */
  #intake: Message[] = [];
  #running: Running | undefined;
  #toldAtMs = 0;
  #looking: ReturnType<typeof setTimeout> | undefined;
  #looked: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: TrainerOptions) {
    this.#options = options;
    this.#requests = options.bus.consumer({ group: "trainer", topics: ["train-requests-proto"], start: "first" });
    rmSync(this.#workFolder, { recursive: true, force: true });
    for (const job of readJobs(options.folder)) {
      this.#jobs.set(job.id, job);
      if (job.state !== "running") continue;
      if (job.attempts >= ATTEMPTS_MAX) this.#end(job, "failed", `the trainer died ${job.attempts} times in this job`);
      else this.#change(job, { state: "queued", message: "the trainer was started again" });
    }
  }

  start(): void {
    this.#looked = this.#look();
  }

  /** A job that is running waits again, for the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#looking);
    this.#running?.abort.abort(new SandpiperError(TRAIN_ERROR.worker, "the trainer stops", "later"));
    await Promise.all([this.#looked, this.#running?.done]);
    await this.#requests.close();
  }

  get #workFolder(): string {
    return join(this.#options.folder, "work");
  }

  async #look(): Promise<void> {
    try {
      for (const id of this.#unwritten) this.#write(id);
      await this.#takeRequests();
      this.#cancelWhatIsAskedFor();
      if (this.#running === undefined) this.#begin();
      this.#forgetOld();
    } catch (thrown) {
      this.#options.log.warn("the trainer tries again", { why: errorText(thrown) });
    }
    if (!this.#stopped) this.#looking = setTimeout(() => this.start(), LOOK_EVERY_MS);
  }

  async #takeRequests(): Promise<void> {
    if (this.#intake.length === 0) this.#intake = [...(await this.#requests.poll(REQUESTS_PER_POLL))];
    if (this.#intake.length === 0) return;
    for (let message = this.#intake[0]; message !== undefined; message = this.#intake[0]) {
      // Throws on a full disk: the message stays, and the bus is told nothing.
      this.#take(message);
      this.#intake.shift();
    }
    await this.#requests.commit();
  }

  #take({ key, value, publishedMs }: Message): void {
    let request: ReturnType<typeof decodeTrainRequest>;
    try {
      request = decodeTrainRequest(value);
    } catch (thrown) {
      this.#options.log.warn("a request that is none", { key, why: errorText(thrown) });
      return;
    }
    const { jobId } = request;
    // A message may come twice.
    if (this.#jobs.has(jobId)) return;
    try {
      const plan = checkRequest(request, publishedMs);
      const waiting = [...this.#jobs.values()].filter(({ state }) => state === "queued").length;
      if (waiting >= QUEUED_MAX)
        throw new SandpiperError(
          TRAIN_ERROR.request,
          `Cannot train: fewer than ${QUEUED_MAX} jobs waiting, was ${waiting}`,
        );
      const job: TrainingJob = {
        ...{ id: jobId, plan, askedBy: request.issuer, askedMs: publishedMs, state: "queued", progressShare: 0 },
        ...{ message: "waits for its turn", modelHash: "", startedMs: 0, endedMs: 0, attempts: 0 },
      };
      writeJob(this.#options.folder, job);
      this.#jobs.set(jobId, job);
      this.#tell(job);
    } catch (thrown) {
      if (!(thrown instanceof SandpiperError)) throw thrown;
      if (JOB_ID.test(jobId)) this.#say(jobId, "failed", thrown.message);
      this.#options.log.warn("a request that makes no job", { jobId: jobId.slice(0, 64), why: thrown.message });
    }
  }

  #cancelWhatIsAskedFor(): void {
    for (const job of this.#jobs.values()) {
      if (isOver(job)) continue;
      const by = cancelledBy(this.#options.folder, job.id);
      if (by === undefined) continue;
      if (this.#running?.job.id === job.id) this.#running.abort.abort(cancelledError(by));
      else this.#end(job, "cancelled", cancelledError(by).message);
    }
  }

  /** Begins the oldest job that waits. */
  #begin(): void {
    const next = [...this.#jobs.values()].find(({ state }) => state === "queued");
    if (next === undefined || this.#stopped || this.#unwritten.size > 0) return;
    const attempts = next.attempts + 1;
    const { nowMs } = this.#options;
    const job = this.#change(next, {
      ...{ state: "running", startedMs: next.startedMs || nowMs(), progressShare: 0, attempts },
      message: attempts === 1 ? "begins" : `begins for the ${attempts}. time`,
    });
    // Not begun before that is on disk: else a crash could begin it without end.
    if (this.#unwritten.has(job.id)) {
      this.#jobs.set(job.id, next);
      return;
    }
    const abort = new AbortController();
    const running: Running = { job, abort, done: this.#run(job, abort.signal) };
    this.#running = running;
    void running.done.finally(() => {
      this.#running = undefined;
    });
  }

  async #run(job: TrainingJob, signal: AbortSignal): Promise<void> {
    const folder = join(this.#workFolder, `${job.id}-${job.attempts}-${process.pid}`);
    const now = () => this.#jobs.get(job.id) ?? job;
    const tell = (progressShare: number, message: string) => this.#progress(now(), progressShare, message);
    try {
      const modelHash = await attemptJob(job, folder, this.#options, { tell, signal });
      const words = `version ${modelHash} is the shadow now`;
      this.#end({ ...now(), modelHash, progressShare: 1 }, "done", words);
    } catch (thrown) {
      const why = errorText(thrown);
      if (this.#stopped)
        this.#change(now(), { state: "queued", message: "the trainer stopped", attempts: job.attempts - 1 });
      else if (thrown instanceof SandpiperError && thrown.code === TRAIN_ERROR.cancelled)
        this.#end(now(), "cancelled", why);
      else if (thrown instanceof SandpiperError && thrown.retry !== "never" && job.attempts < ATTEMPTS_MAX)
        this.#change(now(), { state: "queued", message: `tried again: ${why}` });
      else this.#end(now(), "failed", why);
    }
  }

  #progress(job: TrainingJob, progressShare: number, message: string): void {
    const nowMs = this.#options.nowMs();
    if (nowMs - this.#toldAtMs < TELL_EVERY_MS && progressShare - job.progressShare < 0.05) return;
    this.#change(job, { progressShare, message });
  }

  #end(job: TrainingJob, state: "done" | "failed" | "cancelled", message: string): void {
    this.#change(job, { state, message, endedMs: this.#options.nowMs() });
    this.#options.log.info(`training job ${state}`, { id: job.id, message });
  }

  #change(job: TrainingJob, changes: Partial<TrainingJob>): TrainingJob {
    const changed = { ...job, ...changes };
    this.#jobs.set(job.id, changed);
    this.#unwritten.add(job.id);
    this.#write(job.id);
    this.#tell(changed);
    return changed;
  }

  #write(id: string): void {
    const job = this.#jobs.get(id);
    try {
      if (job !== undefined) writeJob(this.#options.folder, job);
      this.#unwritten.delete(id);
    } catch (thrown) {
      this.#options.log.warn("a job's file waits for the disk", { id, why: errorText(thrown) });
    }
  }

  #tell({ id, state, message }: TrainingJob): void {
    this.#toldAtMs = this.#options.nowMs();
    this.#say(id, state, message);
  }

  /** On the bus for whoever listens; the job's file is what counts. */
  #say(jobId: string, state: string, message: string): void {
    void this.#options.bus
      .publish("train-acks-proto", jobId, encodeTrainAck({ jobId, state, message }))
      .catch((thrown) => this.#options.log.warn("an ack was not published", { jobId, state, why: errorText(thrown) }));
  }

  #forgetOld(): void {
    const over = [...this.#jobs.values()].filter(isOver);
    for (const { id } of over.slice(0, Math.max(0, over.length - OVER_KEPT_MAX))) {
      removeJob(this.#options.folder, id);
      this.#jobs.delete(id);
    }
  }
}
