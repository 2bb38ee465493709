import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "#core/clock.ts";
import { admitCommand, type GateOptions } from "./gate.ts";
import { NonceFile } from "./nonces.ts";
import { signCommand, type UnsignedCommand } from "./sign.ts";
import { ANA, BEN, command, controlKey, keySet, NOW_SECONDS } from "./test-command.ts";
import { TwoPersonRule } from "./two-person.ts";

const folder = mkdtempSync(join(tmpdir(), "sandpiper-gate-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

const KEYS = keySet(controlKey("ana-1", ANA.publicKeyHex), controlKey("ben-1", BEN.publicKeyHex));
const KILLS_NEED_TWO = { scopes: [{ module: "*", action: "kill" }], windowSeconds: 60n } as const;
const kill: Partial<UnsignedCommand> = { action: "kill", args: new Map() };

/** A gate as an agent has it; `restart` is a new process on the same nonces. */
function agent() {
  const path = join(folder, `${files++}`);
  const clock = new ManualClock(NOW_SECONDS * 1_000_000_000n);
  let nonces = new NonceFile(path);
  let options: GateOptions = { keys: KEYS, nonces, twoPerson: new TwoPersonRule(KILLS_NEED_TWO), clock };
  return {
    clock,
    restart: () => {
      nonces.close();
      nonces = new NonceFile(path);
      options = { ...options, nonces, twoPerson: new TwoPersonRule(KILLS_NEED_TWO) };
    },
    admit: (bytes: Uint8Array) => {
      const answer = admitCommand(bytes, options);
      return answer.ok ? answer.value.kind : answer.error.name;
    },
    keyIds: (bytes: Uint8Array) => {
      const answer = admitCommand(bytes, options);
      return answer.ok && answer.value.kind === "carryOut" ? answer.value.keyIds : [];
    },
  };
}

const byAna = (more: Partial<UnsignedCommand> = {}) => signCommand(command(more), ANA, "ana-1");
const byBen = (more: Partial<UnsignedCommand> = {}) => signCommand(command(more), BEN, "ben-1");

describe("admitCommand()", () => {
  test("carries a command out once, also after a restart", () => {
    const gate = agent();
    expect(gate.admit(byAna())).toBe("carryOut");
    expect(gate.admit(byAna())).toBe("nonce");
    gate.restart();
    expect(gate.admit(byAna())).toBe("nonce");
    expect(gate.admit(byAna({ nonce: 8n }))).toBe("carryOut");
  });

  test("takes no nonce for a command that does not verify", () => {
    const gate = agent();
    expect(gate.admit(signCommand(command({ nonce: 1_000n }), BEN, "ana-1"))).toBe("signature");
    expect(gate.admit(byAna())).toBe("carryOut");
  });
});

describe("the two-person rule", () => {
  test("needs two keys over the same bytes, in any order", () => {
    const gate = agent();
    expect(gate.admit(byBen(kill))).toBe("secondKeyNeeded");
    expect(gate.keyIds(byAna(kill))).toEqual(["ben-1", "ana-1"]);
    expect(gate.admit(byAna(kill))).toBe("nonce");
    expect(gate.admit(byBen(kill))).toBe("nonce");
  });

  test("does not count one key twice, nor two keys over different commands", () => {
    const gate = agent();
    expect(gate.admit(byAna(kill))).toBe("secondKeyNeeded");
    expect(gate.admit(byAna({ ...kill, nonce: 8n }))).toBe("secondKeyNeeded");
    expect(gate.admit(byBen({ ...kill, nonce: 9n }))).toBe("secondKeyNeeded");
    expect(gate.admit(byBen({ ...kill, nonce: 10n, requestId: "other" }))).toBe("secondKeyNeeded");
  });

  test("forgets the first key after the window", () => {
    const gate = agent();
    expect(gate.admit(byAna(kill))).toBe("secondKeyNeeded");
    gate.clock.advanceNs(61_000_000_000);
    expect(gate.admit(byBen(kill))).toBe("secondKeyNeeded");
  });

  test("lets the listed actions of others pass with one key", () => {
    expect(agent().admit(byAna())).toBe("carryOut");
  });

  test("holds 64 first signatures and counts those that gave way", () => {
    const rule = new TwoPersonRule(KILLS_NEED_TWO);
    const item = (n: number) =>
      ({ module: "mev", action: "kill", signed: Uint8Array.of(n), keyId: "a", publicKeyHex: "a" }) as const;
    for (let n = 0; n < 66; n++) rule.add(item(n), 0n);
    expect(rule.dropped).toBe(2);
    expect(rule.add({ ...item(65), keyId: "b", publicKeyHex: "b" }, 0n).kind).toBe("complete");
    expect(rule.add({ ...item(0), keyId: "b", publicKeyHex: "b" }, 0n).kind).toBe("waiting");
  });
});

describe("signCommand()", () => {
  test("refuses what no agent would carry out", () => {
    expect(() => byAna({ args: new Map([["throttle_pct", "101"]]) })).toThrow("Cannot sign a command: throttle_pct");
  });
});
