/** Secrets from a real OpenBao server, and what the commands say of secrets: the source of each, never a value. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "#core/log.ts";
import { readConfig } from "#core/read-config.ts";
import { openSecrets, readConfigWithSecrets } from "#core/secrets/secrets.ts";
import { VaultSession } from "#core/secrets/vault.ts";
import { type OpenBaoServer, startOpenBao } from "./support/openbao-server.ts";
import { eventually } from "./support/supervised-run.ts";

const ROOT = join(import.meta.dir, "..");
const START_MS_MAX = 240_000;
const TEST_MS_MAX = 120_000;
const TOKEN_SECONDS = 3_600;
const PLACE = { mount: "secret", path: "sandpiper", field: "kafka" };
const VALUES = { kafka: "kafka-value-1", clickhouse: "clickhouse-value-1" };
const folder = mkdtempSync(join(tmpdir(), "sandpiper-secrets-"));
const log = createLog({ process: "test", level: "error", format: "text" });
let vault: OpenBaoServer;

/** Vault for two secrets, a file for its secret id, a systemd credential for a third. */
function environment(): Record<string, string> {
  writeFileSync(join(folder, "secret-id"), `${vault.secretId}\n`, { mode: 0o600 });
  writeFileSync(join(folder, "clickhouse.s3Secret"), "s3-value-1", { mode: 0o400 });
  return {
    CREDENTIALS_DIRECTORY: folder,
    SANDPIPER_DATA_DIR: join(folder, "data"),
    SANDPIPER_VAULT_ADDRESS: vault.address,
    SANDPIPER_VAULT_ROLE_ID: vault.roleId,
    SANDPIPER_VAULT_SECRET_ID: `file:${join(folder, "secret-id")}`,
    SANDPIPER_KAFKA_SASL_PASSWORD: "vault:secret/sandpiper#kafka",
    SANDPIPER_CLICKHOUSE_PASSWORD: "vault:secret/sandpiper#clickhouse",
    SANDPIPER_MARKET_GRPC_TOKEN: "token-value-1",
  };
}

const session = (nowMs?: () => number, secretId = vault.secretId) =>
  new VaultSession({
    ...{ address: vault.address, roleId: vault.roleId, secretId, appRolePath: "approle", namespace: "", tlsCaPath: "" },
    ...(nowMs && { nowMs }),
  });

beforeAll(async () => {
  vault = await startOpenBao(TOKEN_SECONDS);
  await vault.put(VALUES);
}, START_MS_MAX);
afterAll(async () => {
  await vault?.close();
  rmSync(folder, { recursive: true, force: true });
});

test(
  "readConfigWithSecrets() reads Vault by AppRole, a file, a credential and the environment",
  async () => {
    const config = await readConfigWithSecrets([], environment());
    expect(config["kafka.saslPassword"]).toBe("kafka-value-1");
    expect(config["clickhouse.password"]).toBe("clickhouse-value-1");
    expect(config["clickhouse.s3Secret"]).toBe("s3-value-1");
    expect(config["market.grpcToken"]).toBe("token-value-1");
  },
  TEST_MS_MAX,
);

test(
  "a VaultSession renews its lease when half of it is over, signs in anew at the end of the token's life, and when it was revoked",
  async () => {
    let nowMs = 0;
    const opened = session(() => nowMs);
    expect(await opened.read(PLACE)).toBe(VALUES.kafka);
    nowMs += (TOKEN_SECONDS * 1_000) / 2 - 1;
    await opened.keepAlive();
    expect([opened.logins, opened.renewals]).toEqual([1, 0]);
    nowMs += 1;
    await opened.keepAlive();
    expect([opened.logins, opened.renewals]).toEqual([1, 1]);
    await vault.ask("POST", "auth/approle/role/sandpiper", { token_ttl: 2, token_max_ttl: 2 });
    const { keys } = (await vault.ask("GET", "auth/token/accessors/?list=true")) as { keys: string[] };
    const accessors = await Promise.all(
      keys.map((accessor) => vault.ask("POST", "auth/token/lookup-accessor", { accessor })),
    );
    for (const { path, accessor } of accessors)
      if (path === "auth/approle/login") await vault.ask("POST", "auth/token/revoke-accessor", { accessor });
    expect(await opened.read(PLACE)).toBe(VALUES.kafka);
    expect([opened.logins, opened.renewals]).toEqual([2, 1]);
    // This token lives for 2 s at most: renewing it gives too little, so its heir is asked for.
    nowMs += 1_000;
    await opened.keepAlive();
    expect([opened.logins, opened.renewals]).toEqual([3, 1]);
    await vault.ask("POST", "auth/approle/role/sandpiper", {
      token_ttl: TOKEN_SECONDS,
      token_max_ttl: 2 * TOKEN_SECONDS,
    });
    await opened.close();
  },
  TEST_MS_MAX,
);

test(
  "openSecrets().watch() tells which secret was changed in Vault",
  async () => {
    const loaded = readConfig(["--vault.refreshSeconds", "1"], environment());
    const secrets = await openSecrets(loaded, environment());
    const changed: string[] = [];
    secrets.watch(log, (key) => changed.push(key));
    await vault.put({ ...VALUES, kafka: "kafka-value-2" });
    await eventually("the change", async () => (changed.length > 0 ? true : undefined));
    expect(changed).toEqual(["kafka.saslPassword"]);
    await secrets.close();
    await vault.put(VALUES);
  },
  TEST_MS_MAX,
);

test(
  "a wrong secret id, a missing field, a path that the role may not read and a Vault that is away are each told in a line",
  async () => {
    const refused = async (from: VaultSession, place = PLACE) =>
      await from.read(place).then(
        () => "read",
        (thrown: Error) => thrown.message,
      );
    expect(await refused(session(undefined, "wrong"))).toMatch(
      /^Cannot read secrets from Vault: a role and secret id that may sign in, was status 400: invalid role or secret/,
    );
    expect(await refused(session(), { ...PLACE, field: "nothing" })).toContain(
      "field nothing of secret/sandpiper, was no such",
    );
    expect(await refused(session(), { ...PLACE, path: "others" })).toContain("status 403");
    const away = new VaultSession({
      ...{
        address: "http://127.0.0.1:9",
        roleId: "r",
        secretId: "s",
        appRolePath: "approle",
        namespace: "",
        tlsCaPath: "",
      },
    });
    expect(await refused(away)).toMatch(/Vault at http:\/\/127\.0\.0\.1:9 that answers/);
  },
  TEST_MS_MAX,
);

test(
  "config and doctor say where each secret comes from, and show none",
  async () => {
    const run = (command: string) =>
      Bun.spawnSync([process.execPath, "src/cli/main.ts", command], {
        cwd: ROOT,
        env: { PATH: process.env["PATH"] ?? "", ...environment() },
      }).stdout.toString();
    const [config, doctor] = [run("config"), run("doctor")];
    for (const said of [config, doctor]) {
      expect(said).toContain(`Vault at ${vault.address}, secret/sandpiper, field kafka`);
      expect(said).toContain("systemd credential clickhouse.s3Secret");
      expect(said).toContain(`file ${join(folder, "secret-id")}`);
      expect(said).toContain("environment, SANDPIPER_MARKET_GRPC_TOKEN (for development only)");
      for (const value of [...Object.values(VALUES), "s3-value-1", "token-value-1", vault.secretId])
        expect(said).not.toContain(value);
    }
    expect(doctor).toMatch(/ok +kafka\.saslPassword/);
    await vault.put({ clickhouse: VALUES.clickhouse });
    expect(run("doctor")).toMatch(/WRONG +kafka\.saslPassword .*no such field/);
    await vault.put(VALUES);
  },
  TEST_MS_MAX,
);
