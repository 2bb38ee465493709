/**
 * envoy/ against Envoy's own schema (its protobuf definitions, from PyPI), and against what the gateway does: the token's
 * issuer, audience and key, the paths that need none, host and origin.
 */
import { beforeAll, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importJWK, jwtVerify } from "jose";
import { AccessTokens } from "#gateway/auth/access-token.ts";
import { refusalOf } from "#gateway/door.ts";
import { ensureTrainingPython } from "#train/python.ts";
import { PYTHON_INSTALL_MS } from "./support/training-python.ts";

const ROOT = join(import.meta.dir, "..");
const CHECK = join(import.meta.dir, "support", "envoy");
const MAIN = join(ROOT, "envoy", "envoy.yaml");

/** What stands at a path of the printed JSON; a name in a list is that of the entry. */
function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((found, name) => {
    if (Array.isArray(found)) return found.find((one: { name?: string }) => one.name === name) ?? found[Number(name)];
    return (found as Readonly<Record<string, unknown>> | undefined)?.[name];
  }, value);
}
const namesOf = (list: unknown) => (list as readonly { name: string }[]).map(({ name }) => name);

let python = "";
beforeAll(async () => {
  const folder = join(tmpdir(), `sandpiper-envoy-${process.getuid?.() ?? 0}`);
  python = (await ensureTrainingPython(folder, CHECK)).python;
}, PYTHON_INSTALL_MS);

function read(...files: readonly string[]): { readonly config: unknown; readonly words: string } {
  const { stdout, stderr } = Bun.spawnSync([python, join(CHECK, "check.py"), ...files]);
  return { config: stdout.length === 0 ? {} : JSON.parse(stdout.toString()), words: stderr.toString() };
}

const listenersOf = (config: unknown) => at(config, "staticResources", "listeners");
const httpOf = (config: unknown, listener: string) =>
  at(listenersOf(config), listener, "filterChains", "0", "filters", "0", "typedConfig");

test("both layouts are what Envoy's schema takes, and a word that it does not know is refused", async () => {
  const { config, words } = read(MAIN);
  expect(words).toBe("");
  expect(namesOf(listenersOf(config))).toEqual(["tcp", "quic"]);
  expect(httpOf(config, "quic")).toMatchObject({
    codecType: "HTTP3",
    httpFilters: at(httpOf(config, "tcp"), "httpFilters"),
  });

  const passing = read(MAIN, join(ROOT, "envoy", "webtransport.yaml"));
  expect(passing.words).toBe("");
  expect(namesOf(listenersOf(passing.config))).toEqual(["tcp", "webtransport"]);

  const wrong = join(tmpdir(), `sandpiper-envoy-${process.pid}.yaml`);
  await Bun.write(wrong, (await Bun.file(MAIN).text()).replace("use_remote_address", "use_remote_adress"));
  expect(read(wrong).words).toContain("use_remote_adress");
});

test("its tokens are the gateway's, and only these paths need none", async () => {
  const http = httpOf(read(MAIN).config, "tcp");
  const jwt = at(http, "httpFilters", "envoy.filters.http.jwt_authn", "typedConfig");
  const { issuer, audiences } = at(jwt, "providers", "sandpiper") as { issuer: string; audiences: string[] };
  const key = crypto.getRandomValues(new Uint8Array(32));
  const token = await new AccessTokens(key, Date.now).issue("a session");
  // As README.md makes token.jwks.json.
  const jwk = await importJWK({ kty: "oct", alg: "HS256", k: Buffer.from(key).toString("base64url") });
  const { payload } = await jwtVerify(token, jwk, { issuer, audience: audiences });
  expect(payload["sid"]).toBe("a session");

  const needsToken = (path: string) => {
    const rules = at(jwt, "rules") as readonly { match: { prefix?: string; path?: string }; requires?: unknown }[];
    for (const { match, requires } of rules)
      if (match.path === path || (match.prefix !== undefined && path.startsWith(match.prefix)))
        return requires !== undefined;
    return undefined;
  };
  for (const path of ["/api/status", "/api/control/module/arbitrage:kill", "/api/decisions", "/metrics"])
    expect({ path, needs: needsToken(path) }).toEqual({ path, needs: true });
  for (const path of ["/", "/health", "/live", "/api/auth/sign-in"])
    expect({ path, needs: needsToken(path) }).toEqual({ path, needs: false });

  const host = String(at(http, "routeConfig", "virtualHosts", "0", "domains", "0"));
  const request = new Request("http://localhost/", { headers: { host, origin: `https://${host}` } });
  expect(refusalOf(request, new URL(`https://${host}`))).toBeUndefined();
});
