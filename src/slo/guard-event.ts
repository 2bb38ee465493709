/** What the guard did and the figures that made it, as an event for the ledger. */
import type { AuditEvent } from "#wire/audit.ts";
import type { GuardAction } from "./guard.ts";
import { wordsOf } from "./report.ts";

export function guardEvent(module: string, requestId: string, action: GuardAction): AuditEvent {
  const { kind, throttlePct, because } = action;
  const figures: Record<string, string> = { throttle_pct: String(throttlePct) };
  if (because !== undefined) {
    const { objective, value, samples } = because;
    Object.assign(figures, { objective: objective.name, limit: String(objective.limit) });
    Object.assign(figures, { value: String(value), samples: String(samples) });
  }
  return { case: "guard", value: { module, action: kind, requestId, reason: wordsOf(action), figures } };
}
