import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseKeys } from "#control/keys.ts";
import { verifyCommand } from "#control/verify.ts";
import { runKeys } from "./keys.ts";
import { runSign } from "./sign.ts";

const folder = mkdtempSync(join(tmpdir(), "sandpiper-sign-"));
afterAll(() => rmSync(folder, { recursive: true }));
const NOW_NS = 1_790_000_000_000_000_000n;

async function said(run: (write: (text: string) => void) => Promise<number>): Promise<string> {
  let text = "";
  const write = (more: string) => {
    text += more;
  };
  expect(await run(write)).toBe(0);
  return text.trimEnd();
}
const sign = (args: string[], environment = {}, nowNs = NOW_NS) =>
  said((write) => runSign(args, { write, environment, wallNs: () => nowNs }));

async function newKey(name: string) {
  const path = join(folder, name);
  const entry: unknown = JSON.parse(await said((write) => runKeys(["new", path, "--id", name], write, {})));
  return { path, entry, keys: parseKeys({ version: 1, keys: [entry] }, "test") };
}

describe("keys new", () => {
  test("writes a secret that only its owner may read, and prints none of it", async () => {
    const { path, entry } = await newKey("ana");
    const secret = readFileSync(path, "utf8").trim();
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.stringify(entry)).not.toContain(secret);
    expect(runKeys(["new", path, "--id", "ana"])).rejects.toThrow("a new file");
    expect(readFileSync(path, "utf8").trim()).toBe(secret);
  });
});

describe("keys list", () => {
  test("says what each key may do", async () => {
    const { entry } = await newKey("guard");
    const file = join(folder, "keys.json");
    const scoped = { ...(entry as object), scopes: ["*:throttle", "*:kill"], notAfter: "2027-01-01T00:00:00Z" };
    writeFileSync(file, JSON.stringify({ version: 1, keys: [scoped] }));
    const text = await said((write) => runKeys(["list", file], write, {}));
    expect(text).toMatch(/^guard {2}[0-9a-f]{64} {2}\*:throttle \*:kill until 2027-01-01T00:00:00Z\n1 key$/);
    expect(runKeys(["list"], () => undefined, {})).rejects.toThrow("no CTRL_PUBKEY_HEX");
  });
});

describe("sign", () => {
  test("gives commands that verify, each with a higher nonce, even when the clock steps back", async () => {
    const { path, keys } = await newKey("ben");
    let last: bigint | undefined;
    for (const nowNs of [NOW_NS, NOW_NS, NOW_NS - 5_000_000_000n]) {
      const text = await sign(
        ["mev:throttle", "throttle_pct=25", "--issuer", "ben", "--id", "ben", "--key", path],
        {},
        nowNs,
      );
      const answer = verifyCommand(Buffer.from(text, "hex"), keys, NOW_NS / 1_000_000_000n, () => last);
      expect(answer.ok && answer.value.command.args.get("throttle_pct")).toBe("25");
      last = answer.ok ? answer.value.command.nonce : undefined;
    }
    expect(last).toBe(NOW_NS / 1_000n + 2n);
  });

  test("takes the key of the environment and writes base64", async () => {
    const { path, keys } = await newKey("dev");
    const environment = { CTRL_SIGN_SK_HEX: readFileSync(path, "utf8").trim(), CTRL_PUBKEY_ID: "dev" };
    const text = await sign(["arbitrage:kill", "--issuer", "dev", "--format", "base64"], environment);
    expect(verifyCommand(Buffer.from(text, "base64"), keys, NOW_NS / 1_000_000_000n, () => undefined).ok).toBe(true);
  });

  test("refuses a key that others may read, and never says what is in it", async () => {
    const path = join(folder, "open");
    writeFileSync(path, "ab".repeat(40), { mode: 0o644 });
    const args = ["mev:kill", "--issuer", "a", "--id", "a", "--key", path];
    expect(sign(args)).rejects.toThrow("mode 0600), was mode 0644");
    chmodSync(path, 0o600);
    expect(sign(args)).rejects.toThrow("64 hexadecimal digits, was 80 characters of something else");
  });

  test.each([
    [["mev:*", "--issuer", "a"], "* as module or action"],
    [["mev:sell", "--issuer", "a"], "a scope module:action"],
    [["mev:kill"], "no --issuer"],
    [["mev:kill", "--issuer", "a"], "neither --id nor CTRL_PUBKEY_ID"],
    [["mev:kill", "--issuer", "a", "--id", "a"], "neither --key nor CTRL_SIGN_SK_HEX"],
    [["mev:kill", "--isuer", "a"], "Cannot sign"],
  ] as [string[], string][])("refuses %j", (args, words) => {
    expect(sign(args)).rejects.toThrow(words);
  });

  test("uses up no nonce for a command that is refused", async () => {
    const { path } = await newKey("eve");
    const args = ["mev:throttle", "throttle_pct=101", "--issuer", "e", "--id", "eve", "--key", path];
    expect(sign(args)).rejects.toThrow("throttle_pct from 0 to 100");
    expect(await Bun.file(`${path}.nonces`).exists()).toBe(false);
  });
});
