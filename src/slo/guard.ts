/**
 * What the guard does about verdicts: patience, then steps, then the end. A pure state machine; time comes in.
 *
 *   good ──30 s violated──▸ throttle 50 % ──30 s more──▸ throttle 90 % ──30 s more──▸ killed (or paused, see `ends`)
 *     │                          │  ▴                        │
 *     └──30 s severe─────────────┼──┼────────────────────────┴──────────────────────▸ killed (or paused)
 *                                │  └──60 s without a violation: one step back───────┘
 *                                └─────60 s without a violation──────▸ good
 *
 * A kill is latched: only an operator's START lifts it. A pause is a throttle of 100 % that is lifted like any other.
 * "unknown" (too few samples) neither begins a violation nor ends one, so that a throttled agent, which has few, is not
 * let go for that alone; after RESTORE_S of nothing else the step is taken back all the same.
 */
import type { GuardOrder } from "#memory/guard-line.ts";
import type { Verdict } from "./objectives.ts";

/** Seconds of violation before each step, seconds without one before each step back. */
export const PATIENCE_S = 30;
export const RESTORE_S = 60;
/** The steps, in % of opportunities passed over. */
const STEPS = [0, 50, 90] as const;
const PAUSED = STEPS.length;

/** What changed, for the record and the operator. */
export type GuardAction = {
  readonly kind: "throttle" | "pause" | "kill" | "restore" | "lift";
  readonly throttlePct: number;
  /** The worst verdict that made it; undefined for a restore and a lift. */
  readonly because: Verdict | undefined;
};

export class Guard {
  /** Place in STEPS, or PAUSED. */
  #step: number;
  #killed: boolean;
  #violatedS = 0;
  #severeS = 0;
  #quietS = 0;

  /** `before`: what was in force when an earlier guard ended. */
  constructor(before: GuardOrder = { throttlePct: 0, killed: false }) {
    const step = STEPS.findIndex((pct) => pct >= before.throttlePct);
    this.#step = step < 0 ? PAUSED : step;
    this.#killed = before.killed;
  }

  order(): GuardOrder {
    return { throttlePct: STEPS[this.#step] ?? 100, killed: this.#killed };
  }

  /** Seconds for which the present violation has lasted. */
  get violatedS(): number {
    return this.#violatedS;
  }

  /** An operator has started the agent again: the slate is clean. */
  lift(): GuardAction {
    this.#killed = false;
    this.#step = 0;
    this.#forget();
    return { kind: "lift", throttlePct: 0, because: undefined };
  }

  /** Takes the verdicts of one more second; answers what is to be done, if anything. */
  second(verdicts: readonly Verdict[]): GuardAction | undefined {
    if (this.#killed) return undefined;
    const severe = verdicts.filter(({ state }) => state === "severe");
    const bad = verdicts.filter(({ state }) => state === "severe" || state === "violated");
    this.#severeS = severe.length > 0 ? this.#severeS + 1 : 0;
    this.#violatedS = bad.length > 0 ? this.#violatedS + 1 : 0;
    this.#quietS = bad.length > 0 ? 0 : this.#quietS + 1;
    if (this.#severeS >= PATIENCE_S) return this.#end(severe);
    if (this.#violatedS >= PATIENCE_S) return this.#climb(bad);
    return this.#quietS >= RESTORE_S ? this.#restore() : undefined;
  }

  #climb(bad: readonly Verdict[]): GuardAction | undefined {
    if (this.#step + 1 >= STEPS.length) return this.#end(bad);
    this.#step++;
    this.#forget();
    return { kind: "throttle", throttlePct: this.order().throttlePct, because: bad[0] };
  }

  /** The last step: the strongest that any of the verdicts allows. */
  #end(bad: readonly Verdict[]): GuardAction | undefined {
    this.#forget();
    const deadly = bad.find(({ objective }) => objective.ends === "kill");
    if (deadly !== undefined) {
      this.#killed = true;
      return { kind: "kill", throttlePct: this.order().throttlePct, because: deadly };
    }
    if (this.#step === PAUSED) return undefined;
    this.#step = PAUSED;
    return { kind: "pause", throttlePct: 100, because: bad[0] };
  }

  #restore(): GuardAction | undefined {
    this.#quietS = 0;
    if (this.#step === 0) return undefined;
    this.#step--;
    return { kind: "restore", throttlePct: this.order().throttlePct, because: undefined };
  }

  #forget(): void {
    this.#violatedS = 0;
    this.#severeS = 0;
    this.#quietS = 0;
  }
}
