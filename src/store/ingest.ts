/**
 * The pump from the bus into the tables: all topics, a batch of each per round. While ClickHouse is away the messages
 * wait on the bus, not in memory, and the same batches are tried again, ever more seldom, for ever.
 */
import type { Bus } from "#bus/bus.ts";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { Store } from "./client.ts";
import { ROUTES } from "./routes.ts";
import { TopicRecorder } from "./topic-recorder.ts";

/** Rounds start at least this far apart, unless a batch was full: fewer, larger parts. */
const ROUND_MS = 100;
/** A round that moved this many goes on at once: there is more. */
const FULL_ROUND_MESSAGES = 5_000;
/** How long one look at an idle bus lasts. */
const WAIT_MS_MAX = 500;
/** First and longest pause after a failed round. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;
/** How long stop() goes on with what is on the bus; the rest is for the next start. */
const DRAIN_MS_MAX = 500;
/** Longest wait of stop() for an insert that is under way. */
const STOP_MS_MAX = 2_000;

export type IngestStats = {
  /** Messages written since the start; one that was in doubt and already there is not counted. */
  readonly recorded: number;
  readonly deadLetters: number;
  /** Rounds that failed. */
  readonly failures: number;
  /** Messages on the bus that are not in the tables. */
  readonly lag: number;
};

export interface Ingest {
  stats(): IngestStats;
  stop(): Promise<void>;
}

export function startIngest({ bus, store, log }: { bus: Bus; store: Store; log: Log }): Ingest {
  const recorders = ROUTES.map((route) => new TopicRecorder(bus, store, route));
  let failures = 0;
  let failuresInARow = 0;
  let stopAt = Number.POSITIVE_INFINITY;
  let wake: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const pause = (ms: number) => Promise.race([Bun.sleep(ms), stopped]);

  const round = async (): Promise<number> => {
    const steps = await Promise.allSettled(recorders.map((recorder) => recorder.step()));
    const failed = steps.flatMap((step, i) =>
      step.status === "rejected" ? [`${recorders[i]?.topic}: ${errorText(step.reason)}`] : [],
    );
    failuresInARow = failed.length > 0 ? failuresInARow + 1 : 0;
    failures += failed.length > 0 ? 1 : 0;
    if (failed.length > 0 && isPowerOfTwo(failuresInARow))
      log.warn("recorder: a round failed and is tried again", { inARow: failuresInARow, why: failed[0] ?? "" });
    return steps.reduce((sum, step) => sum + (step.status === "fulfilled" ? step.value : 0), 0);
  };

  const run = async () => {
    while (performance.now() < stopAt) {
      const startedAt = performance.now();
      const moved = await round();
      const stopping = stopAt !== Number.POSITIVE_INFINITY;
      if (failuresInARow > 0) {
        if (stopping) return;
        await pause(Math.min(RETRY_MS_MIN * 2 ** Math.min(failuresInARow - 1, 10), RETRY_MS_MAX));
      } else if (moved === 0) {
        if (stopping) return;
        await Promise.race([recorders[0]?.wait(WAIT_MS_MAX), stopped]);
      } else if (moved < FULL_ROUND_MESSAGES) await pause(ROUND_MS - (performance.now() - startedAt));
    }
  };
  const running = run().catch((thrown: unknown) => {
    log.error("recorder: stopped", { why: errorText(thrown) });
    throw thrown;
  });
  return {
    stats: () => ({
      recorded: recorders.reduce((sum, recorder) => sum + recorder.recorded, 0),
      deadLetters: recorders.reduce((sum, recorder) => sum + recorder.deadLetters, 0),
      failures,
      lag: recorders.reduce((sum, recorder) => sum + recorder.lag(), 0),
    }),
    stop: async () => {
      stopAt = performance.now() + DRAIN_MS_MAX;
      wake();
      await Promise.race([running, Bun.sleep(STOP_MS_MAX)]);
    },
  };
}

/** So that a long outage is said once, twice, four times …, not ten times a second. */
const isPowerOfTwo = (count: number) => (count & (count - 1)) === 0;
