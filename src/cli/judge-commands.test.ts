import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signCommand, type UnsignedCommand } from "#control/sign.ts";
import { ANA, BEN, command, NOW_SECONDS } from "#control/test-command.ts";
import { encodeCommand, signingBytes } from "#wire/command.ts";
import { runJudge } from "./judge.ts";

const folder = mkdtempSync(join(tmpdir(), "sandpiper-judge-commands-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function judge(...lines: (object | string)[]) {
  const path = join(folder, "commands.ndjson");
  writeFileSync(path, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
  let said = "";
  const code = await runJudge(["commands", path], (text) => {
    said += text;
  });
  return { code, said };
}

const signed = (more: Partial<UnsignedCommand> = {}) => Buffer.from(signCommand(command(more), ANA, "ana-1"));
const line = (expect: string, why: string, more: object = {}) => ({
  command_hex: signed().toString("hex"),
  pubkey_hex: ANA.publicKeyHex,
  pubkey_id: "ana-1",
  expect,
  why,
  ...more,
});

/** Signed by hand: signCommand() would refuse the argument. */
function withUnknownArgument(): string {
  const unsigned = command({ args: new Map([["note", "x"]]), pubkeyId: "ana-1", sigAlg: "ed25519-v1" });
  return Buffer.from(encodeCommand({ ...unsigned, sig: ANA.sign(signingBytes(unsigned)) })).toString("hex");
}

describe("judge commands", () => {
  test("prints a row per expectation and reason and the closing line", async () => {
    const { code, said } = await judge(
      line("accept", "good"),
      line("accept", "good"),
      line("refuse", "another's key", { pubkey_hex: BEN.publicKeyHex }),
      "",
    );
    expect(said).toBe(
      [
        `${"expect  why".padEnd(57)}   cases  passed  failed`,
        `${"accept  good".padEnd(57)}       2       2       0`,
        `${"refuse  another's key".padEnd(57)}       1       1       0`,
        "3 passed, 0 failed\n",
      ].join("\n"),
    );
    expect(code).toBe(0);
  });

  test("names what was answered otherwise, and fails", async () => {
    const { code, said } = await judge(
      line("refuse", "nothing wrong with it"),
      line("accept", "wrong key", { pubkey_hex: BEN.publicKeyHex }),
    );
    expect(said).toContain("line 1: accepted; expected a refusal: nothing wrong with it\n");
    expect(said).toContain("line 2: Cannot accept a command: a signature of key ana-1 over this command, was another;");
    expect(said).toEndWith("0 passed, 2 failed\n");
    expect(code).toBe(1);
  });

  test("keeps nonces within a session and nowhere else, and the time of the line", async () => {
    const late = Number(NOW_SECONDS) + 1_000;
    const { said } = await judge(
      line("accept", "first", { session: "s" }),
      line("refuse", "replay", { session: "s" }),
      line("accept", "alone"),
      line("refuse", "stale", { now: late }),
      line("refuse", "scope", { scopes: ["*:kill"] }),
    );
    expect(said).toEndWith("5 passed, 0 failed\n");
  });

  test("asks for the arguments with apply and refuse, not with accept", async () => {
    const command_hex = withUnknownArgument();
    const { said } = await judge(
      line("accept", "it verifies", { command_hex }),
      line("refuse", "an unknown argument", { command_hex }),
      line("apply", "an unknown argument", { command_hex }),
    );
    expect(said).toContain("line 3: Cannot accept a command: the arguments throttle_pct with throttle");
    expect(said).toEndWith("2 passed, 1 failed\n");
  });

  test("counts a small-order key as a refusal of the command", async () => {
    expect((await judge(line("refuse", "key", { pubkey_hex: "00".repeat(32) }))).code).toBe(0);
  });

  test("counts what it cannot read as failed, and nothing as nothing", async () => {
    const { said } = await judge("{", "[]", line("maybe", ""), line("accept", "", { command_hex: "abc" }), "{}");
    expect(said).toContain("line 3: Cannot read a case: expect accept, apply or refuse");
    expect(said).toEndWith("0 passed, 5 failed\n");
    expect((await judge("")).code).toBe(1);
  });
});
