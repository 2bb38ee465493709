/**
 * Commands across languages: what Python signs with protobuf and PyNaCl is judged here, and what is signed here Python
 * verifies. Installs both packages into a temporary environment; without a network it is skipped, loudly, but never in CI.
 */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { signCommand } from "#control/sign.ts";
import { ANA, command } from "#control/test-command.ts";
import { seededRandom } from "#core/random.ts";
import { file_control } from "#wire/gen/control_pb.js";
import { runJudge } from "./judge.ts";

const PACKAGES = ["protobuf==7.36.2", "PyNaCl==1.6.2"];
const COMMANDS = 1_000;
const folder = mkdtempSync(join(tmpdir(), "sandpiper-python-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The interpreter of a new environment with both packages, or why there is none. */
function installPython(): { readonly python: string } | { readonly missing: string } {
  const python = join(folder, "venv", "bin", "python");
  for (const args of [
    ["python3", "-m", "venv", join(folder, "venv")],
    [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PACKAGES],
  ]) {
    try {
      const { exitCode, stderr } = Bun.spawnSync(args, { stdin: "ignore", stdout: "ignore", timeout: 120_000 });
      if (exitCode !== 0) return { missing: stderr.toString().trim().split("\n").at(-1) ?? `exit code ${exitCode}` };
    } catch (thrown) {
      return { missing: String(thrown) };
    }
  }
  return { python };
}

/** Commands of Sandpiper's, some with arguments whose order matters. */
function ownCommands(): { hex: string; publicKeyHex: string }[] {
  const random = seededRandom("python");
  return Array.from({ length: COMMANDS }, (_, n) => {
    const policy = [
      ["tip_ladder", `${random.between(1, 1_000)},${random.between(1_000, 1_000_000)}`],
      ["ev_min", `${random.between(0, 1_000_000)}`],
    ] as const;
    const unsigned = command({
      tsSeconds: BigInt(random.uint32()),
      module: random.pick(["arbitrage", "mev"]),
      action: "policy",
      args: new Map(policy.slice(0, random.between(1, 3))),
      requestId: random.pick(["", "é\u{1f426}", "request"]),
      nonce: BigInt(random.uint32()) * BigInt(random.uint32()),
    });
    return {
      hex: Buffer.from(signCommand(unsigned, ANA, `own-${n}`)).toString("hex"),
      publicKeyHex: ANA.publicKeyHex,
    };
  });
}

const installed = installPython();
const skipped = "missing" in installed && process.env["CI"] !== "true";
if (skipped) process.stderr.write(`SKIPPED: commands of Python were not judged: ${installed.missing}\n`);

test.skipIf(skipped)(
  "1,000 commands of Python verify here, each flipped bit is refused, and 1,000 of ours verify there",
  async () => {
    if ("missing" in installed) throw new Error(`Cannot install ${PACKAGES.join(" ")}: ${installed.missing}`);
    const job = {
      descriptor: Buffer.from(toBinary(FileDescriptorProtoSchema, file_control.proto)).toString("hex"),
      commands: ownCommands(),
      count: COMMANDS,
      seed: 7,
    };
    const peer = join(import.meta.dir, "..", "control", "python-peer.py");
    const { exitCode, stdout, stderr } = Bun.spawnSync([installed.python, peer], {
      stdin: Buffer.from(JSON.stringify(job)),
      timeout: 120_000,
    });
    expect([exitCode, stderr.toString()]).toEqual([0, ""]);
    const answer = JSON.parse(stdout.toString()) as { verified: number; cases: object[] };
    expect(answer.verified).toBe(COMMANDS);
    const path = join(folder, "python.ndjson");
    writeFileSync(path, answer.cases.map((line) => JSON.stringify(line)).join("\n"));
    let said = "";
    const code = await runJudge(["commands", path], (text) => {
      said += text;
    });
    expect(said).toEndWith(`${2 * COMMANDS} passed, 0 failed\n`);
    expect(code).toBe(0);
  },
  300_000,
);
