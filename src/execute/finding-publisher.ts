/**
 * Puts findings about others' trades on the bus, each with its stamps and the leader of its slot. What waits is bounded;
 * what does not get through is counted and told once in a while.
 */
import type { Clock } from "#core/clock.ts";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { encodeEnvelope, type MevFields, mevEnvelope } from "#wire/envelope.ts";
import { Leaders } from "./leaders.ts";
import type { Rpc } from "./rpc.ts";

/** Findings that wait for the leader or the bus. */
const WAITING_MAX = 1_024;

export type FindingPublisherOptions = {
  readonly identity: { readonly version: string; readonly agent: string; readonly mode: string };
  /** Undefined where no cluster can be asked for leaders. */
  readonly rpc: Rpc | undefined;
  readonly publish: (key: string, envelope: Uint8Array) => Promise<unknown>;
  readonly clock: Pick<Clock, "wallNs" | "wallQuality">;
  readonly log: Log;
};

export class FindingPublisher {
  published = 0;
  dropped = 0;
  readonly #options: FindingPublisherOptions;
  readonly #leaders: Leaders | undefined;
  readonly #waiting = new Set<Promise<void>>();

  constructor(options: FindingPublisherOptions) {
    this.#options = options;
    this.#leaders = options.rpc && new Leaders(options.rpc);
  }

  /** `ageMs` is how long ago the transaction came that made it certain. */
  give(finding: MevFields & { readonly attacker: string; readonly slot: bigint }, ageMs: number): void {
    if (this.#waiting.size >= WAITING_MAX) {
      this.dropped++;
      return;
    }
    const decideNs = this.#options.clock.wallNs();
    const eventNs = decideNs - BigInt(ageMs) * 1_000_000n;
    const publishing: Promise<void> = this.#publish(
      { ...finding, eventNs, decideNs },
      finding.attacker,
      finding.slot,
    ).finally(() => void this.#waiting.delete(publishing));
    this.#waiting.add(publishing);
  }

  /** When all that was given is through, or given up. */
  async stop(): Promise<void> {
    await Promise.all(this.#waiting);
  }

  async #publish(fields: MevFields, attacker: string, slot: bigint): Promise<void> {
    const { identity, publish, clock, log } = this.#options;
    try {
      const leader = (await this.#leaders?.of(Number(slot))) ?? "";
      await publish(attacker, encodeEnvelope(mevEnvelope({ ...fields, ...identity, leader }), clock.wallQuality()));
      this.published++;
    } catch (thrown) {
      this.dropped++;
      log.warn("finding not published", { why: errorText(thrown), decisionId: fields.decisionId ?? "" });
    }
  }
}
