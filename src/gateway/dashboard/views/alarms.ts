/** What sounds now, each with the page of the runbook that says what to do. */
import { make } from "#gateway/dashboard/parts/elements.ts";
import { RUNBOOK } from "#gateway/dashboard/parts/router.ts";
import type { PageAlarm } from "#gateway/dashboard/parts/status.ts";

export const runbookHref = (name: string): string => RUNBOOK + name;

export function alarmElements(alarms: readonly PageAlarm[]): HTMLElement[] {
  return alarms.map(({ name, severity, summary, says }) => {
    const link = make("a", "", name);
    link.href = runbookHref(name);
    link.title = "what to do";
    return make(
      "p",
      `alarm ${severity}`,
      make("strong", "", link),
      " ",
      make("span", "", says),
      " ",
      make("span", "quiet", summary),
    );
  });
}
