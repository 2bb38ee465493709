/**
 * How often something may be tried: a bucket of tries per name, filled again with time; and a lock after failures in a
 * row, which doubles with each further one. Names are bounded: a stranger's flood of them costs a fixed amount of memory.
 */

/** Names remembered; the one that was seen longest ago gives way. */
const NAMES_MAX = 4_096;

type Bucket = { tries: number; atMs: number };

export class RateLimit {
  readonly #buckets = new Map<string, Bucket>();

  constructor(
    private readonly options: { readonly burst: number; readonly perSecond: number; readonly nowMs: () => number },
  ) {}

  /** False when there was one too many. */
  take(name: string): boolean {
    const { burst, perSecond, nowMs } = this.options;
    const now = nowMs();
    const bucket = this.#buckets.get(name) ?? { tries: burst, atMs: now };
    bucket.tries = Math.min(burst, bucket.tries + ((now - bucket.atMs) / 1_000) * perSecond);
    bucket.atMs = now;
    remember(this.#buckets, name, bucket);
    if (bucket.tries < 1) return false;
    bucket.tries -= 1;
    return true;
  }
}

type Failures = { count: number; untilMs: number };

export class LockOut {
  readonly #failures = new Map<string, Failures>();

  constructor(
    private readonly options: {
      readonly failuresMax: number;
      readonly firstMs: number;
      readonly longestMs: number;
      readonly nowMs: () => number;
    },
  ) {}

  /** Milliseconds that this name has to wait; 0 when it may try. */
  waitMs(name: string): number {
    return Math.max(0, (this.#failures.get(name)?.untilMs ?? 0) - this.options.nowMs());
  }

  failed(name: string): void {
    const { failuresMax, firstMs, longestMs, nowMs } = this.options;
    const failures = this.#failures.get(name) ?? { count: 0, untilMs: 0 };
    failures.count += 1;
    const over = failures.count - failuresMax;
    if (over >= 0) failures.untilMs = nowMs() + Math.min(firstMs * 2 ** over, longestMs);
    remember(this.#failures, name, failures);
  }

  succeeded(name: string): void {
    this.#failures.delete(name);
  }
}

function remember<T>(map: Map<string, T>, name: string, value: T): void {
  map.delete(name);
  map.set(name, value);
  const oldest = map.keys().next();
  if (map.size > NAMES_MAX && oldest.done !== true) map.delete(oldest.value);
}
