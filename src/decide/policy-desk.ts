/**
 * What is in force in an agent: the operator's policy, within the limits that the guard sets or, when the guard is dead,
 * the agent itself. The main thread keeps it; the hot thread reads the result from the switchboard.
 */
import type { GuardLimits, GuardLineReader } from "#memory/guard-line.ts";
import type { PolicyFields, Switchboard } from "#memory/switchboard.ts";

export class PolicyDesk {
  #operator: PolicyFields;
  #limits: GuardLimits | undefined;

  constructor(
    private readonly switchboard: Switchboard,
    private readonly guard: Pick<GuardLineReader, "limits">,
    first: PolicyFields,
    /** Told when the guard's limits have changed. */
    private readonly onLimits: (limits: GuardLimits) => void,
  ) {
    this.#operator = first;
  }

  /** What the operator last asked for, whatever the guard says. */
  get operator(): PolicyFields {
    return this.#operator;
  }

  /** The operator's policy from now on. Throws a SandpiperError, changing nothing, when a field is out of its range. */
  set(policy: PolicyFields, nowNs: number): void {
    this.#write(policy, this.guard.limits(nowNs));
    this.#operator = policy;
  }

  /** Keeps to the guard's line: call it in every turn of the loop; it costs three loads while nothing changed. */
  keep(nowNs: number): void {
    const limits = this.guard.limits(nowNs);
    if (limits === this.#limits) return;
    this.#write(this.#operator, limits);
    this.#limits = limits;
    this.onLimits(limits);
  }

  #write(policy: PolicyFields, { throttlePct, killed }: GuardLimits): void {
    this.switchboard.writePolicy({
      ...policy,
      killed: policy.killed || killed,
      throttlePct: Math.max(policy.throttlePct, throttlePct),
    });
  }
}
