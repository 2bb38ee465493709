/**
 * An OpenAPI fuzzer against the running API: `bun bench/api-fuzz.ts [seconds = 60]` installs schemathesis (PyPI, pinned) into a
 * temporary environment and lets it loose on a gateway with both agents and the ledger behind it, signed in as admin.
 * Answers schemathesis' own exit code: 0 when no answer was a 5xx and each was what the document says.
 */
import { join } from "node:path";
import { ControlStage } from "../test/support/control-stage.ts";

const PACKAGE = "schemathesis==4.32.5";
const CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
const seconds = Number(process.argv[2] ?? 60);

const stage = await ControlStage.start();
await stage.signIn();
const venv = join(stage.folder, "venv");
const run = async (command: string[]) => {
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "inherit", stderr: "inherit" });
  const timer = setTimeout(() => child.kill("SIGINT"), (seconds + 120) * 1_000);
  const code = await child.exited;
  clearTimeout(timer);
  return code;
};
if (process.env["VENV"] === undefined) await run(["python3", "-m", "venv", venv]);
await run([join(venv, "bin/pip"), "install", "--quiet", "--disable-pip-version-check", PACKAGE]);
const code = await run([
  join(venv, "bin/schemathesis"),
  ...["run", `${stage.url}/openapi.json`, "--checks", CHECKS, "--header", `Authorization: Bearer ${stage.token}`],
  // /health answers 503 by design where no supervisor reports. A session that the fuzzer ends by itself would leave it before closed doors.
  ...["--exclude-path-regex", "sign-out|revoke|health", "--max-time", String(seconds), "--seed", "7", "--no-color"],
]);
await stage.stop();
process.exit(code);
