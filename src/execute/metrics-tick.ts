/** Publishes an agent's figures once a window, and once more when it stops; what does not get through is counted. */
import type { Clock } from "#core/clock.ts";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { encodeEnvelope, type MetricsFields, metricsEnvelope } from "#wire/envelope.ts";

export type MetricsTickOptions = {
  readonly windowMs: number;
  /** The window that ends now; `failed` windows did not get through since the start. */
  readonly read: (failed: number) => MetricsFields;
  readonly publish: (envelope: Uint8Array) => Promise<unknown>;
  readonly clock: Pick<Clock, "wallQuality">;
  readonly log: Log;
};

export function startMetricsTick({ windowMs, read, publish, clock, log }: MetricsTickOptions): {
  stop(): Promise<void>;
} {
  let failed = 0;
  const tick = async () => {
    try {
      await publish(encodeEnvelope(metricsEnvelope(read(failed)), clock.wallQuality()));
    } catch (thrown) {
      failed++;
      log.warn("metrics not published", { why: errorText(thrown) });
    }
  };
  const ticking = setInterval(() => void tick(), windowMs);
  return {
    stop: async () => {
      clearInterval(ticking);
      await tick();
    },
  };
}
