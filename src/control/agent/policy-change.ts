/** What an order made of an agent's limits, as an event for the ledger: all that stands on its switchboard, before and after. */
import type { PolicyFields } from "#memory/switchboard.ts";
import type { AuditEvent } from "#wire/audit.ts";
import type { ModuleName } from "#wire/command.ts";
import { type AgentState, policyIn } from "./agent-state.ts";

/** Undefined when nothing changed. */
export function policyChange(
  { module, requestId, configured }: { module: ModuleName; requestId: string; configured: PolicyFields },
  before: AgentState,
  after: AgentState,
): AuditEvent | undefined {
  const [old, now] = [limitsOf(before, configured), limitsOf(after, configured)];
  if (Object.entries(old).every(([name, value]) => now[name] === value)) return undefined;
  return { case: "policy", value: { module, requestId, before: old, after: now } };
}

function limitsOf(state: AgentState, configured: PolicyFields): Record<string, string> {
  const { throttlePct, evMinLamports, tipLadderLamports } = policyIn(state, configured);
  return {
    trading: state.trading,
    throttle_pct: String(throttlePct),
    ev_min: String(evMinLamports),
    tip_ladder: tipLadderLamports.join(","),
  };
}
