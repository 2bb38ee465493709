/**
 * The guard's orders as signed commands on the control topic, beside the shared memory: for the agents' acks, the ledger
 * and whoever watches. The memory is what stops the bleeding; a bus that is down delays this record and nothing else.
 *
 * One order waits at most, the newest: an older one that the bus never took is not true any more, and is counted.
 */
import type { CommandRequest } from "#control/commander.ts";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { GuardAction } from "./guard.ts";

type Send = (request: CommandRequest) => Promise<unknown>;

export class GuardCommands {
  #waiting: CommandRequest | undefined;
  #sending = false;
  #failed = false;
  /** Orders that a newer one overtook before the bus took them. */
  overtaken = 0;

  constructor(
    private readonly send: Send,
    private readonly log: Log,
  ) {}

  /** What an action is as a command; a lift answers an operator's own, and needs none. */
  order({ kind, throttlePct }: GuardAction): void {
    if (kind === "lift") return;
    if (this.#waiting !== undefined) this.overtaken++;
    this.#waiting =
      kind === "kill"
        ? { module: "arbitrage", action: "kill" }
        : { module: "arbitrage", action: "throttle", args: new Map([["throttle_pct", String(throttlePct)]]) };
  }

  /** Tries what waits, once at a time; call it every second. Never throws. */
  async tryNow(): Promise<void> {
    const request = this.#waiting;
    if (request === undefined || this.#sending) return;
    this.#sending = true;
    try {
      await this.send(request);
      if (this.#waiting === request) this.#waiting = undefined;
      this.#failed = false;
    } catch (thrown) {
      if (!this.#failed) this.log.warn("guard command not on the bus yet", { why: errorText(thrown) });
      this.#failed = true;
    } finally {
      this.#sending = false;
    }
  }
}
