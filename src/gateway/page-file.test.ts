import { describe, expect, test } from "bun:test";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { encodingFor, PageFile } from "./page-file.ts";

const TEXT = "const answer = 42; ".repeat(500);
const script = new PageFile(new TextEncoder().encode(TEXT), "text/javascript;charset=utf-8", true);
const ask = (headers: Record<string, string>) => new Request("http://localhost/script.js", { headers });
const CHROMIUM = "gzip, deflate, br, zstd";

describe("encodingFor()", () => {
  test.each([
    ["", "identity"],
    [CHROMIUM, "br"],
    ["gzip, deflate", "gzip"],
    ["gzip;q=0.5, zstd", "zstd"],
    ["br;q=0, gzip", "gzip"],
    ["*", "br"],
    ["*;q=0", "identity"],
    ["gzip;q=0.2, identity;q=0.9", "identity"],
    ["GZIP ; q=1.0", "gzip"],
    ["br;q=nonsense", "identity"],
    ["__proto__, constructor, toString", "identity"],
  ])("answers %j with %s", (header, encoding) => {
    expect(encodingFor(header)).toBe(encoding);
  });

  test("answers whatever a client sends with one of its own", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 2_000 }), (header) => {
        expect(["br", "zstd", "gzip", "identity"]).toContain(encodingFor(header));
      }),
    );
  });
});

describe("PageFile", () => {
  test.each([
    ["br", brotliDecompressSync],
    ["zstd", zstdDecompressSync],
    ["gzip", gunzipSync],
  ] as const)("goes out in %s, and comes back the same", async (encoding, decompress) => {
    const response = script.response(ask({ "accept-encoding": encoding }));
    expect(response.headers.get("content-encoding")).toBe(encoding);
    expect(response.headers.get("vary")).toBe("Accept-Encoding");
    const sent = await response.bytes();
    expect(sent.length).toBeLessThan(TEXT.length / 10);
    expect(new TextDecoder().decode(decompress(sent))).toBe(TEXT);
  });

  test("goes out as it is to who takes no encoding, and still varies", async () => {
    const response = script.response(ask({}));
    expect(response.headers.get("content-encoding")).toBeNull();
    expect(response.headers.get("vary")).toBe("Accept-Encoding");
    expect(await response.text()).toBe(TEXT);
  });

  test("is not sent again to who has it, in the same encoding alone", async () => {
    const tag = script.response(ask({ "accept-encoding": CHROMIUM })).headers.get("etag") ?? "";
    for (const held of [tag, `W/${tag}`, `"other", ${tag}`, "*"]) {
      const again = script.response(ask({ "accept-encoding": CHROMIUM, "if-none-match": held }));
      expect(again.status).toBe(304);
      expect(again.headers.get("etag")).toBe(tag);
      expect(again.headers.get("vary")).toBe("Accept-Encoding");
      expect(await again.text()).toBe("");
    }
    expect(script.response(ask({ "accept-encoding": "gzip", "if-none-match": tag })).status).toBe(200);
  });

  test("is cached for ever only under a name that tells its content", () => {
    expect(script.response(ask({})).headers.get("cache-control")).toContain("immutable");
    const page = new PageFile(new TextEncoder().encode("<!doctype html>"), "text/html", false);
    expect(page.response(ask({})).headers.get("cache-control")).toBe("no-cache");
  });

  test("is left as it is when it is no text", async () => {
    const image = new PageFile(new Uint8Array(5_000), "image/png", true);
    const response = image.response(ask({ "accept-encoding": CHROMIUM }));
    expect(response.headers.get("content-encoding")).toBeNull();
    expect(response.headers.get("vary")).toBeNull();
  });
});
