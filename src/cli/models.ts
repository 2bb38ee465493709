/**
 * `sandpiper models …`: the versions of the models folder, and which of them decides.
 *
 *   list                       every version, newest first, and who made the last changes
 *   diff HASH HASH             what their manifests say differently
 *   shadow HASH|none           lets a version score beside the one that decides
 *   promote HASH [why]         lets it decide; every agent tries it itself and takes it within 50 ms of that
 *   rollback [why]             back to the version that decided before
 *   retire HASH [why]          out for good; explain still finds it
 */
import { SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import { readConfig } from "#core/read-config.ts";
import { flip, listVersions, type ModelManifest, readHistory, retire, versionBefore } from "#model/models-folder.ts";
import { useVersion } from "#model/use-version.ts";
import { CLI_ERROR } from "./errors.ts";

const HISTORY_SHOWN = 10;
type Write = (text: string) => void;

export async function runModels(
  args: readonly string[],
  write: Write = (text) => void process.stdout.write(`${text}\n`),
): Promise<number> {
  const flagsAt = args.findIndex((word) => word.startsWith("--"));
  const words = flagsAt < 0 ? args : args.slice(0, flagsAt);
  const { config } = readConfig(flagsAt < 0 ? [] : args.slice(flagsAt), process.env);
  const models = runPaths(config.dataDir).models;
  const [verb = "list", first = "", ...rest] = words;
  const note = (why: string) => ({ by: `operator ${process.env["USER"] ?? ""}`.trim(), why, atMs: Date.now() });
  if (verb === "list") list(models, write);
  else if (verb === "diff") diff(models, first, rest[0] ?? "", write);
  else if (verb === "retire") retire(models, "arb", first, note(rest.join(" ")));
  else if (verb === "shadow" && first === "none")
    flip(models, "arb", "shadow", undefined, { action: "unshadow", ...note("") });
  else if (verb === "shadow" || verb === "promote") {
    const role = verb === "shadow" ? "shadow" : "latest";
    const isUsed = await useVersion(models, "arb", role, first, { action: verb, ...note(rest.join(" ")) });
    if (!isUsed) return refuse(`a version on record to ${verb}`, first);
    write(`${verb}: ${first}`);
  } else if (verb === "rollback") {
    const back = versionBefore(models, "arb");
    if (back === undefined) return refuse("a version that decided before", "none");
    flip(models, "arb", "latest", back, { action: "rollback", ...note([first, ...rest].join(" ").trim()) });
    write(`rollback: ${back}`);
  } else return refuse("list, diff, shadow, promote, rollback or retire", verb);
  return EXIT_CODE.ok;
}

function list(models: string, write: Write): void {
  write(`${"hash".padEnd(18)}${"role".padEnd(10)}${"trainer".padEnd(10)}${"made".padEnd(26)}metrics`);
  for (const { hash, role, manifest } of listVersions(models, "arb")) {
    const made = manifest.madeAtMs === undefined ? "-" : new Date(manifest.madeAtMs).toISOString();
    const trainer = manifest.sourceHash === undefined ? (manifest.trainer ?? "-") : "default";
    const metrics = Object.entries(manifest.metrics ?? {}).map(([name, value]) => `${name} ${value}`);
    write(`${hash.padEnd(18)}${role.padEnd(10)}${trainer.padEnd(10)}${made.padEnd(26)}${metrics.join(", ")}`);
  }
  for (const { atMs, action, from, to, by, why } of readHistory(models, "arb").slice(-HISTORY_SHOWN))
    write(`${new Date(atMs).toISOString()} ${action} ${from || "-"} to ${to || "-"} by ${by}: ${why}`);
}

function diff(models: string, left: string, right: string, write: Write): void {
  const [a, b] = [left, right].map((hash) => {
    const found = listVersions(models, "arb").find((one) => one.hash === hash);
    return found?.manifest ?? refuse("two versions on record", hash);
  }) as [ModelManifest, ModelManifest];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])] as (keyof ModelManifest)[];
  for (const name of names) {
    const [one, other] = [JSON.stringify(a[name]), JSON.stringify(b[name])];
    if (one !== other) write(`${name}: ${one ?? "-"} | ${other ?? "-"}`);
  }
}

function refuse(want: string, was: string): never {
  throw new SandpiperError(CLI_ERROR.usage, `Cannot run models: ${want}, was ${JSON.stringify(was)}`);
}
