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

type Json = { readonly [key: string]: Json } & Iterable<Json> & {
    readonly length: number;
    find(test: (one: Json) => boolean): Json;
  };

let python = "";
beforeAll(async () => {
  const folder = join(tmpdir(), `sandpiper-envoy-${process.getuid?.() ?? 0}`);
  python = (await ensureTrainingPython(folder, CHECK)).python;
}, PYTHON_INSTALL_MS);

function read(...files: readonly string[]): { readonly config: Json; readonly words: string } {
  const { stdout, stderr } = Bun.spawnSync([python, join(CHECK, "check.py"), ...files]);
  return { config: stdout.length === 0 ? ({} as Json) : JSON.parse(stdout.toString()), words: stderr.toString() };
}

const named = (list: Json | undefined, name: string): Json =>
  (list?.find((one) => (one["name"] as unknown) === name) ?? {}) as Json;
const httpOf = (listener: Json): Json =>
  named([...(listener["filterChains"] as Json)][0]?.["filters"], "envoy.filters.network.http_connection_manager")[
    "typedConfig"
  ] as Json;

test("both layouts are what Envoy's schema takes, and a word that it does not know is refused", async () => {
  const { config, words } = read(MAIN);
  expect(words).toBe("");
  const listeners = config["staticResources"]?.["listeners"] as Json;
  expect([...listeners].map((listener) => listener["name"] as unknown)).toEqual(["tcp", "quic"]);
  expect(httpOf(named(listeners, "quic"))).toMatchObject({
    codecType: "HTTP3",
    httpFilters: httpOf(named(listeners, "tcp"))["httpFilters"],
  });

  const passing = read(MAIN, join(ROOT, "envoy", "webtransport.yaml"));
  expect(passing.words).toBe("");
  const names = [...(passing.config["staticResources"]?.["listeners"] as Json)].map(({ name }) => name as unknown);
  expect(names).toEqual(["tcp", "webtransport"]);

  const wrong = join(tmpdir(), `sandpiper-envoy-${process.pid}.yaml`);
  await Bun.write(wrong, (await Bun.file(MAIN).text()).replace("use_remote_address", "use_remote_adress"));
  expect(read(wrong).words).toContain("use_remote_adress");
});

test("its tokens are the gateway's, and only these paths need none", async () => {
  const listeners = read(MAIN).config["staticResources"]?.["listeners"] as Json;
  const http = httpOf(named(listeners, "tcp"));
  const { providers, rules } = named(http["httpFilters"], "envoy.filters.http.jwt_authn")["typedConfig"] as Json;
  const { issuer, audiences } = providers?.["sandpiper"] as unknown as { issuer: string; audiences: string[] };
  const key = crypto.getRandomValues(new Uint8Array(32));
  const token = await new AccessTokens(key, Date.now).issue("a session");
  // As README.md makes token.jwks.json.
  const jwk = await importJWK({ kty: "oct", alg: "HS256", k: Buffer.from(key).toString("base64url") });
  const { payload } = await jwtVerify(token, jwk, { issuer, audience: audiences });
  expect(payload["sid"]).toBe("a session");

  const needsToken = (path: string) => {
    for (const { match, requires } of rules as unknown as Iterable<{
      match: { prefix?: string; path?: string };
      requires?: unknown;
    }>)
      if (match.path === path || (match.prefix !== undefined && path.startsWith(match.prefix)))
        return requires !== undefined;
    return undefined;
  };
  for (const path of ["/api/status", "/api/control/module/arbitrage:kill", "/api/decisions", "/metrics"])
    expect({ path, needs: needsToken(path) }).toEqual({ path, needs: true });
  for (const path of ["/", "/health", "/live", "/api/auth/sign-in"])
    expect({ path, needs: needsToken(path) }).toEqual({ path, needs: false });

  const [host] = [
    ...([...(http["routeConfig"]?.["virtualHosts"] as Json)][0]?.["domains"] as Json),
  ] as unknown as string[];
  const request = new Request("http://localhost/", { headers: { host: host ?? "", origin: `https://${host}` } });
  expect(refusalOf(request, new URL(`https://${host}`))).toBeUndefined();
});
