/**
 * Which program said which log line. The runtime brackets each invocation with "Program X invoke [n]" and "Program X
 * success" or "failed", and prefixes what programs say themselves, so that no program can speak for another.
 */
import type { Address } from "#core/units.ts";

const INVOKE = /^Program ([1-9A-HJ-NP-Za-km-z]{32,44}) invoke \[\d+\]$/;
const RETURN = /^Program [1-9A-HJ-NP-Za-km-z]{32,44} (?:success|failed.*)$/s;

/** The own lines of each invocation of each program, in the order in which the invocations began. */
export function invocationLines(logs: readonly string[]): ReadonlyMap<Address, readonly (readonly string[])[]> {
  const byProgram = new Map<Address, string[][]>();
  const stack: string[][] = [];
  for (const line of logs) {
    // Most lines: what a program says. Neither pattern fits them, and asking costs more than all else here.
    if (line.startsWith("Program log: ") || line.startsWith("Program data: ")) {
      stack.at(-1)?.push(line);
      continue;
    }
    const program = INVOKE.exec(line)?.[1] as Address | undefined;
    if (program !== undefined) {
      const own: string[] = [];
      const invocations = byProgram.get(program);
      if (invocations === undefined) byProgram.set(program, [own]);
      else invocations.push(own);
      stack.push(own);
    } else if (RETURN.test(line)) stack.pop();
    else stack.at(-1)?.push(line);
  }
  return byProgram;
}
