import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { covers, keysFromEnvironment, parseKeys, readKeyFile } from "./keys.ts";
import { ANA, BEN } from "./test-command.ts";

const folder = mkdtempSync(join(tmpdir(), "sandpiper-keys-"));
afterAll(() => rmSync(folder, { recursive: true }));

const entry = (more: object = {}) => ({ id: "ana", publicKeyHex: ANA.publicKeyHex, scopes: ["*:*"], ...more });
const file = (...keys: unknown[]) => ({ version: 1, keys });

describe("readKeyFile()", () => {
  test("reads every field", () => {
    const path = join(folder, "keys.json");
    const times = { notBefore: "2026-01-01T00:00:00Z", notAfter: "2027-01-01T00:00:00Z" };
    writeFileSync(path, JSON.stringify(file(entry({ scopes: ["mev:kill", "*:throttle"], revoked: true, ...times }))));
    const key = readKeyFile(path).get("ana");
    expect(key).toMatchObject({
      id: "ana",
      revoked: true,
      notBeforeSeconds: 1_767_225_600n,
      notAfterSeconds: 1_798_761_600n,
    });
    expect(covers(key?.scopes ?? [], "mev", "kill")).toBe(true);
    expect(covers(key?.scopes ?? [], "arbitrage", "throttle")).toBe(true);
    expect(covers(key?.scopes ?? [], "arbitrage", "kill")).toBe(false);
  });

  test("names a file that is not there or is no JSON", () => {
    expect(() => readKeyFile(join(folder, "none"))).toThrow("none: a JSON file");
    writeFileSync(join(folder, "text"), "keys");
    expect(() => readKeyFile(join(folder, "text"))).toThrow("text: a JSON file");
  });
});

describe("parseKeys()", () => {
  const refused: [what: string, value: unknown, words: string][] = [
    ["a list", [], '{"version": 1'],
    ["another version", { version: 2, keys: [] }, '{"version": 1'],
    ["an unknown name beside keys", { ...file(), more: 1 }, 'version and keys, was "more"'],
    [
      "an unknown field",
      file(entry({ scope: [] })),
      'only id, publicKeyHex, scopes, notBefore, notAfter, revoked, was "scope"',
    ],
    ["an id of spaces", file(entry({ id: " " })), "an id of 1 to 64"],
    ["a short key", file(entry({ publicKeyHex: "00" })), "64 hexadecimal digits"],
    ["a small-order key", file(entry({ publicKeyHex: "00".repeat(32) })), "of small order"],
    ["no scopes", file(entry({ scopes: [] })), "1 to 100 scopes"],
    ["an unknown action", file(entry({ scopes: ["mev:sell"] })), "a scope module:action"],
    ["a scope with three parts", file(entry({ scopes: ["mev:kill:x"] })), "a scope module:action"],
    ["a time without a zone", file(entry({ notAfter: "2027-01-01T00:00:00" })), "a time like"],
    ["a month that is none", file(entry({ notAfter: "2027-13-01T00:00:00Z" })), "a time like"],
    ["revoked as text", file(entry({ revoked: "no" })), "revoked true or false"],
    ["an id twice", file(entry(), entry({ publicKeyHex: BEN.publicKeyHex })), "each id once"],
    ["one public key under two ids", file(entry(), entry({ id: "ben" })), "each public key once"],
    [
      "one public key in two spellings",
      file(entry(), entry({ id: "ben", publicKeyHex: ANA.publicKeyHex.toUpperCase() })),
      "each public key once",
    ],
  ];
  test.each(refused)("refuses %s", (_, value, words) => {
    expect(() => parseKeys(value, "keys.json")).toThrow(words);
  });
});

describe("keysFromEnvironment()", () => {
  test("makes one key of the two variables, and none of none", () => {
    const keys = keysFromEnvironment({ CTRL_PUBKEY_HEX: ANA.publicKeyHex, CTRL_PUBKEY_ID: "ana" });
    expect(keys?.get("ana")?.key.publicKeyHex).toBe(ANA.publicKeyHex);
    expect(keysFromEnvironment({})).toBeUndefined();
    expect(() => keysFromEnvironment({ CTRL_PUBKEY_HEX: ANA.publicKeyHex })).toThrow("an id of 1 to 64");
  });
});
