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
/** First and longest pause of a topic after a failed batch. */
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;
/** How long stop() goes on with what is on the bus; the rest is for the next start. */
const DRAIN_MS_MAX = 500;
/** Longest wait of stop() for an insert that is under way. */
const STOP_MS_MAX = 2_000;

type IngestStats = {
  /** Messages written since the start; one that was in doubt and already there is not counted. */
  readonly recorded: number;
  readonly deadLetters: number;
  /** Batches that failed and were tried again. */
  readonly failures: number;
  /** Messages on the bus that are not in the tables. */
  readonly lag: number;
};

export interface Ingest {
  stats(): IngestStats;
  stop(): Promise<void>;
}

type Lane = { readonly recorder: TopicRecorder; failed: number; retryAt: number };

export function startIngest({ bus, store, log }: { bus: Bus; store: Store; log: Log }): Ingest {
  const lanes = ROUTES.map(
    (route): Lane => ({ recorder: new TopicRecorder(bus, store, route), failed: 0, retryAt: 0 }),
  );
  let failures = 0;
  let stopAt = Number.POSITIVE_INFINITY;
  let wake: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const pause = (ms: number) => Promise.race([Bun.sleep(Math.max(0, ms)), stopped]);

  /** One batch of a topic, unless it is waiting after a failure; one topic's trouble does not hold up the others. */
  const step = async (lane: Lane): Promise<number> => {
    if (performance.now() < lane.retryAt) return 0;
    try {
      const moved = await lane.recorder.step();
      lane.failed = 0;
      return moved;
    } catch (thrown) {
      failures++;
      lane.failed++;
      lane.retryAt = performance.now() + Math.min(RETRY_MS_MIN * 2 ** Math.min(lane.failed - 1, 10), RETRY_MS_MAX);
      if (isPowerOfTwo(lane.failed))
        log.warn("recorder: a batch failed and is tried again", {
          topic: lane.recorder.topic,
          inARow: lane.failed,
          why: errorText(thrown),
        });
      return 0;
    }
  };
  const run = async () => {
    while (performance.now() < stopAt) {
      const startedAt = performance.now();
      const steps = await Promise.all(lanes.map(step));
      const moved = steps.reduce((sum, count) => sum + count, 0);
      if (moved === 0 && stopAt !== Number.POSITIVE_INFINITY) return;
      if (moved >= FULL_ROUND_MESSAGES) continue;
      // What failed waits on the bus still, so that wait() would return at once.
      if (moved > 0 || lanes.some((lane) => lane.failed > 0)) await pause(ROUND_MS - (performance.now() - startedAt));
      else await Promise.race([...lanes.map(({ recorder }) => recorder.wait(WAIT_MS_MAX)), stopped]);
    }
  };
  const running = run().catch((thrown: unknown) => {
    log.error("recorder: stopped", { why: errorText(thrown) });
    throw thrown;
  });
  return {
    stats: () => ({
      recorded: lanes.reduce((sum, { recorder }) => sum + recorder.recorded, 0),
      deadLetters: lanes.reduce((sum, { recorder }) => sum + recorder.deadLetters, 0),
      failures,
      lag: lanes.reduce((sum, { recorder }) => sum + recorder.lag(), 0),
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
