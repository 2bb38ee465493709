/**
 * `sandpiper judge <what> …`: how an outsider checks Sandpiper on data of his own (docs/judges.md). Each judge prints a
 * row per case group and ends with `N passed, N failed`; the exit code is 0 only when something was judged and none failed.
 */
import { SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { CLI_ERROR } from "./errors.ts";
import { judgeCommands } from "./judge-commands.ts";
import { judgeDex } from "./judge-dex.ts";
import { judgeMerkle } from "./judge-merkle.ts";
import { judgeMev } from "./judge-mev.ts";
import { judgeModel } from "./judge-model.ts";
import { judgeOrca } from "./judge-orca.ts";
import { judgeReplay } from "./judge-replay.ts";
import { judgeSwaps, type Verdict } from "./judge-swaps.ts";

/** `second` is another path, where a judge takes one. */
type Judge = (path: string, write: (text: string) => void, second?: string) => Verdict | Promise<Verdict>;

const JUDGES: ReadonlyMap<string, Judge> = new Map<string, Judge>([
  ["commands", judgeCommands],
  ["dex", judgeDex],
  ["merkle", judgeMerkle],
  ["mev", judgeMev],
  ["model", judgeModel],
  ["orca", judgeOrca],
  ["replay", judgeReplay],
  ["swaps", judgeSwaps],
]);

const TWO_PATHS: ReadonlySet<string> = new Set(["mev", "model"]);

/** Answers the exit code. Throws a SandpiperError for input that cannot be judged. */
export async function runJudge(
  args: readonly string[],
  write: (text: string) => void = (text) => void process.stdout.write(text),
): Promise<number> {
  const [name, path, second, ...more] = args;
  const judge = name === undefined ? undefined : JUDGES.get(name);
  if (
    judge === undefined ||
    path === undefined ||
    more.length > 0 ||
    (second !== undefined && !TWO_PATHS.has(name ?? ""))
  )
    throw new SandpiperError(
      CLI_ERROR.usage,
      `Cannot judge: one of "${[...JUDGES.keys()].join('", "')}" and one path (mev: and a file of findings; model: and golden rows), was ${JSON.stringify(args.join(" "))}`,
    );
  const { passed, failed } = await judge(path, write, second);
  return failed === 0 && passed > 0 ? EXIT_CODE.ok : EXIT_CODE.failure;
}
