/**
 * What commands have made of one agent: whether it trades, what share it sheds, and the limits that stand instead of the
 * configured ones. Plain data, so that it can be written to disk and read back after a restart.
 */

import type { Order } from "#control/arguments.ts";
import type { PolicyFields } from "#memory/switchboard.ts";
import type { TradingName } from "#wire/ack.ts";

export type AgentState = {
  readonly trading: TradingName;
  /** What operators have it pass over, and what the guard does: each stands until whoever set it changes it. */
  readonly throttlePct: number;
  readonly guardThrottlePct: number;
  /** How often it was started by an operator: the guard lets go of a kill when this has grown. */
  readonly starts: number;
  /** Undefined: as configured. */
  readonly evMinLamports?: number | undefined;
  readonly tipLadderLamports?: readonly number[] | undefined;
};

export const FIRST_STATE: AgentState = {
  trading: "running",
  throttlePct: 0,
  guardThrottlePct: 0,
  starts: 0,
};

/**
 * The state after an order. `byGuard`: signed by the guard's key alone. A kill is latched: nothing but an explicit start ends it. A restart changes nothing here: the
 * process ends and its successor takes this state over.
 */
export function stateAfter(state: AgentState, order: Order, byGuard: boolean): AgentState {
  switch (order.kind) {
    case "start":
      return { ...state, trading: "running", guardThrottlePct: 0, starts: state.starts + 1 };
    case "stop":
      return state.trading === "killed" ? state : { ...state, trading: "stopped" };
    case "kill":
      return { ...state, trading: "killed" };
    case "restart":
      return state;
    case "throttle":
      return byGuard ? { ...state, guardThrottlePct: order.throttlePct } : { ...state, throttlePct: order.throttlePct };
    case "policy":
      return {
        ...state,
        evMinLamports: order.evMinLamports ?? state.evMinLamports,
        tipLadderLamports: order.tipLadderLamports ?? state.tipLadderLamports,
      };
  }
}

/** What the switchboard says in this state; `configured` is what holds where no command said otherwise. */
export const policyIn = (state: AgentState, configured: PolicyFields): PolicyFields => ({
  killed: state.trading === "killed",
  stopped: state.trading === "stopped",
  throttlePct: Math.max(state.throttlePct, state.guardThrottlePct),
  evMinLamports: state.evMinLamports ?? configured.evMinLamports,
  tipLadderLamports: state.tipLadderLamports ?? configured.tipLadderLamports,
});
