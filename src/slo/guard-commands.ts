/**
 * The guard's orders as signed commands on the control topic, beside the shared memory: for the agents' acks, the ledger
 * and whoever watches. The memory is what stops the bleeding; a bus that is down delays this record and nothing else.
 *
 * One order waits at most, the newest: an older one that the bus never took is not true any more, and is counted.
 */
import { randomUUID } from "node:crypto";
import type { CommandRequest } from "#control/commander.ts";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { GuardAction } from "./guard.ts";

/** Sends the command, and says for the ledger why. The same request may come again after a failure. */
type Send = (request: CommandRequest & { readonly requestId: string }, action: GuardAction) => Promise<unknown>;
type Order = { readonly request: CommandRequest & { readonly requestId: string }; readonly action: GuardAction };

export class GuardCommands {
  #waiting: Order | undefined;
  #sending = false;
  #failed = false;
  /** Orders that a newer one overtook before the bus took them. */
  overtaken = 0;

  constructor(
    private readonly send: Send,
    private readonly log: Log,
  ) {}

  /** What an action is as a command; a lift answers an operator's own, and needs none. */
  order(action: GuardAction): void {
    const { kind, throttlePct } = action;
    if (kind === "lift") return;
    if (this.#waiting !== undefined) this.overtaken++;
    const target = { module: "arbitrage", requestId: randomUUID() } as const;
    const args = new Map([["throttle_pct", String(throttlePct)]]);
    const request = kind === "kill" ? { ...target, action: kind } : { ...target, action: "throttle" as const, args };
    this.#waiting = { request, action };
  }

  /** Tries what waits, once at a time; call it every second. Never throws. */
  async tryNow(): Promise<void> {
    const order = this.#waiting;
    if (order === undefined || this.#sending) return;
    this.#sending = true;
    try {
      await this.send(order.request, order.action);
      if (this.#waiting === order) this.#waiting = undefined;
      this.#failed = false;
    } catch (thrown) {
      if (!this.#failed) this.log.warn("guard command not on the bus yet", { why: errorText(thrown) });
      this.#failed = true;
    } finally {
      this.#sending = false;
    }
  }
}
