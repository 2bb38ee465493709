/**
 * What is in force in an agent: what operators want (control writes it on a switchboard of its own), within the limits that the guard sets or, when the guard is dead,
 * the agent itself. The main thread keeps it; the hot thread reads the result from the switchboard.
 */
import type { GuardLimits, GuardLineReader } from "#memory/guard-line.ts";
import { createPolicyTarget, type Switchboard } from "#memory/switchboard.ts";

export class PolicyDesk {
  readonly #operator = createPolicyTarget();
  #limits: GuardLimits | undefined;

  constructor(
    private readonly switchboard: Switchboard,
    private readonly guard: Pick<GuardLineReader, "limits">,
    /** What operators want; before its first policy nothing is sent. */
    private readonly operator: Pick<Switchboard, "readPolicyInto">,
    /** Told when the guard's limits have changed. */
    private readonly onLimits: (limits: GuardLimits) => void,
  ) {}

  /** Keeps to both: call it in every turn of the loop; it costs four loads while nothing changed. */
  keep(nowNs: number): void {
    const asked = this.operator.readPolicyInto(this.#operator);
    const limits = this.guard.limits(nowNs);
    if (!asked && limits === this.#limits) return;
    if (this.#operator.tipCount > 0) this.#write(limits);
    if (limits === this.#limits) return;
    this.#limits = limits;
    this.onLimits(limits);
  }

  #write({ throttlePct, killed }: GuardLimits): void {
    const asked = this.#operator;
    this.switchboard.writePolicy({
      killed: asked.killed || killed,
      stopped: asked.stopped,
      throttlePct: Math.max(asked.throttlePct, throttlePct),
      evMinLamports: asked.evMinLamports,
      tipLadderLamports: [...asked.tipLadderLamports.subarray(0, asked.tipCount)],
    });
  }
}
