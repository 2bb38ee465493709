import { describe, expect, test } from "bun:test";
import { loadConfig } from "#core/config.ts";
import { assertLoopback, isOwnOrigin, publicOriginOf, refusalOf, withSecurityHeaders } from "./door.ts";

const request = (headers: Record<string, string>, init: RequestInit = {}, path = "/") =>
  new Request(`http://localhost:8080${path}`, { ...init, headers });

describe("refusalOf()", () => {
  test.each(["localhost", "localhost:8080", "LOCALHOST:9", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080"])(
    "lets a request for the host %s in",
    (host) => {
      expect(refusalOf(request({ host }))).toBeUndefined();
    },
  );

  test.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example:8080",
    "evil.example:8080",
    "localhost:8080@evil.example",
    "10.0.0.1",
    "::1",
    "",
  ])("turns a request for the host %j away", async (host) => {
    const refusal = refusalOf(request({ host }));
    expect(refusal?.status).toBe(421);
    expect(await refusal?.json()).toMatchObject({ error: { code: "host_refused" } });
  });

  test.each([
    ["http://localhost:8080", undefined],
    ["https://localhost:8080", undefined],
    ["http://localhost:3000", 403],
    ["http://127.0.0.1:8080", 403],
    ["http://evil.example", 403],
    ["null", 403],
    ["", 403],
  ])("answers the origin %j with %j", (origin, status) => {
    expect(refusalOf(request({ host: "localhost:8080", origin }))?.status).toBe(status as number);
  });

  test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])("turns %s away and says what it takes", (method) => {
    const refusal = refusalOf(request({ host: "localhost" }, { method }));
    expect(refusal?.status).toBe(405);
    expect(refusal?.headers.get("allow")).toBe("GET, HEAD");
  });

  test("turns an address without end away", () => {
    expect(refusalOf(request({ host: "localhost" }, {}, `/${"a".repeat(3_000)}`))?.status).toBe(414);
  });
});

describe("a public origin", () => {
  const desk = new URL("https://desk.example");
  const config = (...flags: string[]) => loadConfig({ environment: {}, flags }).config;

  test.each([
    ["desk.example", null, undefined],
    ["DESK.example", "https://desk.example", undefined],
    ["localhost:8080", "http://localhost:8080", undefined],
    ["desk.example", "http://desk.example", 403],
    ["desk.example", "https://evil.example", 403],
    ["localhost:8080", "https://desk.example", 403],
    ["desk.example:8080", null, 421],
    ["evil.example", "https://desk.example", 421],
  ])("at the host %s, origin %s, answers %j", (host, origin, status) => {
    const headers = origin === null ? { host } : { host, origin };
    expect(refusalOf(request(headers), desk)?.status).toBe(status as number);
  });

  test("may open live sessions, and nobody else may", () => {
    expect(isOwnOrigin("https://desk.example", 8080, desk)).toBe(true);
    expect(isOwnOrigin("https://desk.example", 8080)).toBe(false);
    expect(isOwnOrigin("https://desk.example.evil.example", 8080, desk)).toBe(false);
  });

  test("must have TLS, be an origin alone, and hide everything from who is not signed in", () => {
    const none = ["--gateway.anonymous", "none"];
    expect(publicOriginOf(config())).toBeUndefined();
    expect(publicOriginOf(config("--gateway.publicOrigin", "https://desk.example", ...none))?.host).toBe(
      "desk.example",
    );
    for (const text of ["http://desk.example", "https://desk.example/", "desk.example", "https://desk.example/page"])
      expect(() => publicOriginOf(config("--gateway.publicOrigin", text, ...none))).toThrow("an origin such as");
    expect(() => publicOriginOf(config("--gateway.publicOrigin", "https://desk.example"))).toThrow(
      'Cannot serve gateway.publicOrigin: gateway.anonymous = "none"',
    );
  });
});

describe("assertLoopback()", () => {
  test.each(["127.0.0.1", "localhost", "::1", "127.9.9.9"])("takes %s", (host) => {
    expect(() => assertLoopback(host)).not.toThrow();
  });
  test.each(["0.0.0.0", "::", "192.168.1.2", "example.com", "", "127.0.0.1.example.com"])("refuses %j", (host) => {
    expect(() => assertLoopback(host)).toThrow(
      `Cannot listen on gateway.host: a loopback address (127.0.0.1, ::1, localhost; others come through a proxy with TLS), was "${host}"`,
    );
  });
});

test("withSecurityHeaders() forbids inline scripts and frames, and caching where nothing else was said", () => {
  const dressed = withSecurityHeaders(new Response("x"));
  const policy = dressed.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("script-src 'self';");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain("unsafe");
  expect(dressed.headers.get("x-content-type-options")).toBe("nosniff");
  expect(dressed.headers.get("cache-control")).toBe("no-store");
  const kept = withSecurityHeaders(new Response("x", { headers: { "Cache-Control": "no-cache" } }));
  expect(kept.headers.get("cache-control")).toBe("no-cache");
});
