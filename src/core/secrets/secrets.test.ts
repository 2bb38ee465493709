import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "#core/read-config.ts";
import { parseReference } from "./reference.ts";
import { openSecrets, readConfigWithSecrets } from "./secrets.ts";
import { secretSource } from "./source.ts";

const folder = mkdtempSync(join(tmpdir(), "sandpiper-secrets-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function secretFile(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe("parseReference()", () => {
  test("reads the three places, and takes anything else for a value", () => {
    expect(parseReference("file:/run/x", "o")).toEqual({ kind: "file", path: "/run/x" });
    expect(parseReference("credential:a.b", "o")).toEqual({ kind: "credential", name: "a.b" });
    expect(parseReference("vault:kv/a/b#c", "o")).toEqual({
      kind: "vault",
      place: { mount: "kv", path: "a/b", field: "c" },
    });
    for (const value of ["", "hunter2", "https://node/key", "files:x"])
      expect(parseReference(value, "o")).toBeUndefined();
  });

  test.each([
    "file:",
    "credential:",
    "credential:../keys",
    "vault:",
    "vault:secret",
    "vault:secret/a",
    "vault:secret/a#",
    "vault:secret/../sys#a",
    "vault:secret/a?x=1#a",
    "vault:/a#b",
  ])("refuses %s", (text) => {
    expect(() => parseReference(text, "kafka.saslPassword")).toThrow(/^Cannot read the secret kafka\.saslPassword: /);
  });
});

describe("openSecrets()", () => {
  test("reads files and credentials; a credential named after its option wins over the file and loses to a flag", async () => {
    const path = secretFile("password", "from a file\n");
    secretFile("clickhouse.password", "from a credential", 0o400);
    const environment = { CREDENTIALS_DIRECTORY: folder };
    const flags = ["--kafka.saslPassword", `file:${path}`];
    const config = await readConfigWithSecrets(flags, environment);
    expect(config["kafka.saslPassword"]).toBe("from a file");
    expect(config["clickhouse.password"]).toBe("from a credential");
    const beaten = await readConfigWithSecrets(["--clickhouse.password", "by hand"], environment);
    expect(beaten["clickhouse.password"]).toBe("by hand");
  });

  test("leaves out what a process must not know", async () => {
    const loaded = readConfig(["--control.signKey", "ab", "--kafka.saslPassword", "p"], {});
    const { config } = await openSecrets(loaded, {}, (key) => key !== "control.signKey");
    expect([config["control.signKey"], config["kafka.saslPassword"]]).toEqual(["", "p"]);
  });

  const refused: [what: string, make: () => string, words: RegExp][] = [
    [
      "a file that others may read",
      () => `file:${secretFile("open", "x", 0o644)}`,
      /mode 0600 or 0400\), was mode 0644/,
    ],
    ["a file that is not there", () => `file:${join(folder, "none")}`, /none as a file that can be read/],
    ["an empty file", () => `file:${secretFile("empty", "\n")}`, /was an empty file/],
    ["a credential outside of a service", () => "credential:x", /CREDENTIALS_DIRECTORY/],
    ["Vault without an address", () => "vault:secret/a#b", /vault\.address as https/],
  ];
  test.each(refused)("refuses %s", async (_, make, words) => {
    const reading = readConfigWithSecrets(["--kafka.saslPassword", make()], {});
    await expect(reading).rejects.toThrow(words);
  });

  test("refuses Vault by plain HTTP beyond loopback", async () => {
    const flags = ["--kafka.saslPassword", "vault:secret/a#b", "--vault.address", "http://vault.example:8200"];
    await expect(readConfigWithSecrets(flags, {})).rejects.toThrow(/https:\/\/…, or http:\/\/ on loopback/);
  });

  test("refuses secrets of the environment in mode live, and takes a place that the environment names", async () => {
    const live = ["--mode", "live"];
    await expect(readConfigWithSecrets(live, { SANDPIPER_KAFKA_SASL_PASSWORD: "p" })).rejects.toThrow(
      /Cannot trade live: the secret kafka\.saslPassword .* was in the environment/,
    );
    await expect(readConfigWithSecrets(live, { CTRL_SIGN_SK_HEX: "00" })).rejects.toThrow(/control\.signKey/);
    const place = { SANDPIPER_KAFKA_SASL_PASSWORD: `file:${secretFile("live", "p")}` };
    expect((await readConfigWithSecrets(live, place))["kafka.saslPassword"]).toBe("p");
  });
});

test("secretSource() names the place of a secret, never the secret", () => {
  const flags = ["--kafka.saslPassword", "file:/run/x", "--clickhouse.password", "hunter2"];
  const loaded = readConfig(flags, { SANDPIPER_MARKET_GRPC_TOKEN: "hunter3" });
  expect(secretSource(loaded, "kafka.saslPassword")).toBe("file /run/x");
  expect(secretSource(loaded, "clickhouse.password")).toStartWith("flag --clickhouse.password (whoever");
  expect(secretSource(loaded, "market.grpcToken")).toStartWith("environment, SANDPIPER_MARKET_GRPC_TOKEN (for dev");
  expect(secretSource(loaded, "clickhouse.s3Secret")).toBeUndefined();
});
