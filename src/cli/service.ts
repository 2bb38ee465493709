/**
 * `sandpiper service install|uninstall|list|prepare`: Sandpiper as a service of systemd. install writes the units and
 * changes nothing that is not ours; uninstall takes them away and leaves the data. prepare is what the supervisor does
 * before the first process, for the layout of one unit per process.
 */
import { existsSync, rmSync } from "node:fs";
import { parseArgs } from "node:util";
import { ensureControlKeys } from "#control/key-files.ts";
import { writeFileAtomic } from "#core/atomic-file.ts";
import { SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import { readConfig } from "#core/read-config.ts";
import { ensureWallet, makeRegions } from "#supervise/first-start.ts";
import { UnitReport } from "#supervise/service/unit-report.ts";
import { SERVICE_PATHS, serviceFiles } from "#supervise/service/units.ts";
import { CLI_ERROR } from "./errors.ts";

/** Where systemd looks for what each kind of file says. */
const FOLDERS: Readonly<Record<string, string>> = {
  system: "/etc/systemd/system",
  "sysusers.d": "/etc/sysusers.d",
  "tmpfiles.d": "/etc/tmpfiles.d",
};

export async function runService(args: readonly string[]): Promise<number> {
  const [action, ...rest] = args;
  if (action === "prepare") return prepare(rest);
  const { values } = parseArgs({ args: rest, options: { root: { type: "string", default: "" } } });
  const files = Object.entries(serviceFiles()).map(([name, text]) => ({ path: values.root + pathOf(name), text }));
  switch (action) {
    case "list":
      for (const { path } of files) process.stdout.write(`${existsSync(path) ? "installed" : "absent   "}  ${path}\n`);
      return EXIT_CODE.ok;
    case "install":
      for (const { path, text } of files) writeFileAtomic(path, text);
      process.stdout.write(
        `${files.length} files written. Next: systemd-sysusers; systemd-tmpfiles --create; systemctl daemon-reload; the program at ${SERVICE_PATHS.program}; then systemctl enable --now sandpiper.service (or sandpiper.target: one unit per process), and sandpiper-tune.service for the machine\n`,
      );
      return EXIT_CODE.ok;
    case "uninstall":
      for (const { path } of files) rmSync(path, { force: true });
      process.stdout.write(`the units are gone; ${SERVICE_PATHS.state} and ${SERVICE_PATHS.config} are left\n`);
      return EXIT_CODE.ok;
    default:
      throw new SandpiperError(
        CLI_ERROR.usage,
        `Cannot run service: install, uninstall, list or prepare, was ${action ?? "nothing"}`,
      );
  }
}

function pathOf(name: string): string {
  const [kind = "", file = ""] = name.split("/");
  return `${FOLDERS[kind]}/${file}`;
}

function prepare(args: readonly string[]): number {
  const { config } = readConfig(args, process.env);
  const paths = runPaths(config.dataDir);
  const wallet = ensureWallet(paths);
  ensureControlKeys(paths, process.env);
  makeRegions(paths);
  new UnitReport(config, paths, Date.now()).look(Date.now());
  process.stdout.write(`keys under ${config.dataDir}, shared memory in ${paths.shm}, wallet ${wallet}\n`);
  return EXIT_CODE.ok;
}
