/**
 * npx stands between the operator and the supervisor when it is started as the README says, and it does not pass SIGTERM
 * on: killed, it would leave the whole run behind, unseen. So the supervisor knows it and ends with it.
 */
import { existsSync, readFileSync } from "node:fs";

/** The supervisor, its `bun run`, a shell at most: npx is not further up than this. */
const ANCESTORS_MAX = 4;

/** Answers whether npx started this process and is gone by now. */
export function watchLauncher(): () => boolean {
  const pid = findNpx();
  return () => pid !== undefined && !existsSync(`/proc/${pid}`);
}

function findNpx(): number | undefined {
  let pid = process.ppid;
  for (let i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
    try {
      if (/^(npm exec|npx)\b/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8"))) return pid;
      const afterName = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1) ?? "";
      pid = Number(afterName.split(" ")[1]);
    } catch {
      return undefined;
    }
  }
  return undefined;
}
