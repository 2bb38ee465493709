/** The one block a start prints: where the page is, what runs on which core, what is off and why. */
import type { RunReport } from "#core/run-report.ts";

export function statusBlock(report: RunReport): string {
  const lines = [
    "",
    `  Sandpiper ${report.version}   mode ${report.mode}`,
    `  page      ${report.page}`,
    "",
    "  process      pid       state       core",
    ...report.processes.map(
      ({ name, pid, state, core }) => `  ${name.padEnd(12)} ${String(pid).padEnd(9)} ${state.padEnd(11)} ${core}`,
    ),
    "",
    "  off",
    ...report.off.map(({ part, why }) => `  - ${part}: ${why}`),
    "",
    "  Ctrl-C stops everything cleanly.",
    "",
  ];
  return lines.join("\n");
}
