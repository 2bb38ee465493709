/** `sandpiper release install|rollback|list`: which version of the program runs on this machine. Data is never touched. */
import { parseArgs } from "node:util";
import { SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { installRelease, listReleases, rollBack } from "#supervise/service/releases.ts";
import { CLI_ERROR } from "./errors.ts";

/** Of what the units start (SERVICE_PATHS.program). */
const ROOT = "/opt/sandpiper";
const NEXT = "Next: systemctl restart sandpiper (or sandpiper.target)";
const USAGE = "release install FOLDER|TARBALL, rollback [NAME] or list [--root FOLDER]";

export async function runRelease(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { root: { type: "string", default: ROOT } },
  });
  const [action, subject, ...more] = positionals;
  const usage = (): never => {
    throw new SandpiperError(CLI_ERROR.usage, `Cannot release: ${USAGE}, was ${args.join(" ") || "nothing"}`);
  };
  if (more.length > 0) return usage();
  switch (action) {
    case "install":
      if (subject === undefined) return usage();
      process.stdout.write(`${await installRelease(values.root, subject)} is current. ${NEXT}\n`);
      return EXIT_CODE.ok;
    case "rollback":
      process.stdout.write(`${rollBack(values.root, subject)} is current again. ${NEXT}\n`);
      return EXIT_CODE.ok;
    case "list":
      for (const { name, role } of listReleases(values.root)) process.stdout.write(`${role.padEnd(9)} ${name}\n`);
      return EXIT_CODE.ok;
    default:
      return usage();
  }
}
