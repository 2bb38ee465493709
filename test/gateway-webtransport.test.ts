/**
 * Live data in a real browser over WebTransport, and what happens when it cannot be had: UDP that is blocked, a gateway
 * that is killed, tokens that are bad or end, a foreign origin. The tables are away throughout.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT } from "jose";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Bus } from "#bus/bus.ts";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { loadConfig } from "#core/config.ts";
import { createLog } from "#core/log.ts";
import { runPaths } from "#core/paths.ts";
import { AccessTokens, openTokenKey } from "#gateway/auth/access-token.ts";
import { Sessions } from "#gateway/auth/sessions.ts";
import { type Gateway, startGateway } from "#gateway/gateway.ts";
import { storeData } from "#gateway/store-data.ts";
import { connectStore } from "#store/client.ts";
import { encodeEnvelope, outcomeEnvelope } from "#wire/envelope.ts";
import { eventually } from "./support/supervised-run.ts";
import { startUdpRelay } from "./support/udp-relay.ts";

const CHROMIUM = "/usr/bin/chromium";
const MODULE = join(import.meta.dir, "../native/sandpiper-native.node");
const CI = process.env["CI"] === "true";
const missing = [
  ...(existsSync(CHROMIUM) || CI ? [] : [CHROMIUM]),
  ...(existsSync(MODULE) || (CI && Bun.which("cargo") !== null) ? [] : ["native/ (bun scripts/build-native.ts)"]),
];
if (missing.length > 0)
  process.stderr.write(`SKIPPED: WebTransport in a browser, because there is no ${missing.join(", no ")}\n`);

const QUIET = createLog({ process: "test", level: "error", format: "text" });
const folder = mkdtempSync(join(tmpdir(), "sandpiper-webtransport-"));
const paths = runPaths(folder);
const { config } = loadConfig({ environment: {}, flags: ["--dataDir", folder] });
const store = connectStore({ port: 1, secretPath: paths.clickhouseSecret });
let bus: Bus;
let gateway: Gateway;
let browser: Browser;
let outcomes = 0;

const start = (port: number) =>
  startGateway({ config, paths, runId: "test", bus, data: storeData(store), log: QUIET, port, show: () => {} });
const url = () => `http://127.0.0.1:${gateway.port}/`;
const way = (page: Page) => page.getAttribute("#bar", "data-way");
const isOver = (page: Page, name: string) =>
  eventually(`over ${name}`, async () => ((await way(page)) === name ? true : undefined), 60_000);

/** A page whose WebTransport goes by another port. */
async function openBehind(udpPort: number) {
  // The page's own policy allows its gateway's port alone.
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  await page.route("**/api/realtime", async (route) => {
    const answer = await route.fetch();
    const body = (await answer.json()) as { webtransport: { port: number } };
    await route.fulfill({ json: { ...body, webtransport: { ...body.webtransport, port: udpPort } } });
  });
  return { context, page };
}

async function publishOutcomes(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const number = ++outcomes;
    const landNs = BigInt(Date.now()) * 1_000_000n + BigInt(number);
    const fields = { bundleId: `bundle-${number}`, decisionId: `d-${number}`, landed: true, state: "landed", landNs };
    await bus.publish("bundle-outcomes-proto", "k", encodeEnvelope(outcomeEnvelope(fields)));
  }
}

/** All outcomes from `first` on are on the page, which keeps the newest thirty and shows eight. */
const shows = (page: Page, newest: number, count: number) =>
  eventually(
    `outcomes up to ${newest}`,
    async () => {
      const ids = await page
        .locator("#outcomes tr:not(.vacant) td:first-child")
        .evaluateAll((cells) => cells.map((cell) => (cell as unknown as { title: string }).title));
      return Array.from({ length: count }, (_, i) => `bundle-${newest - i}`).every((id) => ids.includes(id))
        ? true
        : undefined;
    },
    60_000,
  );

describe.skipIf(missing.length > 0)("live data in Chromium", () => {
  beforeAll(async () => {
    bus = openEmbeddedBus({ path: paths.bus, lingerMs: 1, retainMiB: 64, log: QUIET });
    gateway = await start(0);
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await gateway?.stop();
    await bus?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("comes over WebTransport, outcomes and all, with our own certificate and under our own policy", async () => {
    const page = await browser.newPage();
    const troubles: string[] = [];
    page.on("pageerror", (error) => troubles.push(error.message));
    await page.goto(url());
    await isOver(page, "WebTransport");
    await publishOutcomes(3);
    await shows(page, outcomes, 3);
    expect(await page.textContent("#link")).toContain("WebTransport");
    expect(troubles).toEqual([]);
    await page.close();
  }, 120_000);

  test("falls back to WebSocket when UDP is blocked, misses nothing, and comes back when it passes again", async () => {
    const relay = await startUdpRelay(gateway.port);
    const { context, page } = await openBehind(relay.port);
    await page.goto(url());
    await isOver(page, "WebTransport");
    const blockedAtMs = performance.now();
    relay.blocked = true;
    await publishOutcomes(2);
    await isOver(page, "WebSocket");
    process.stdout.write(`UDP blocked: over WebSocket after ${Math.round(performance.now() - blockedAtMs)} ms\n`);
    await shows(page, outcomes, 2);
    relay.blocked = false;
    await isOver(page, "WebTransport");
    process.stdout.write(
      `UDP passes: over WebTransport ${Math.round(performance.now() - blockedAtMs)} ms after the block\n`,
    );
    await context.close();
    relay.stop();
  }, 180_000);

  test("misses nothing of what came before the first way failed", async () => {
    const relay = await startUdpRelay(gateway.port);
    relay.blocked = true;
    const { context, page } = await openBehind(relay.port);
    const asked = page.waitForResponse("**/api/realtime");
    await page.goto(url());
    await asked;
    // The browser waits for UDP that never answers; nothing else has told the page a time to resume from.
    await publishOutcomes(2);
    await isOver(page, "WebSocket");
    await shows(page, outcomes, 2);
    await context.close();
    relay.stop();
  }, 180_000);

  test("resumes after the gateway was away, with no outcome missing", async () => {
    const page = await browser.newPage();
    await page.goto(url());
    await isOver(page, "WebTransport");
    await publishOutcomes(1);
    await shows(page, outcomes, 1);
    const { port } = gateway;
    await gateway.stop();
    await publishOutcomes(5);
    gateway = await start(port);
    await publishOutcomes(2);
    await shows(page, outcomes, 8);
    await page.close();
  }, 180_000);

  test("is refused with a bad token, a token that has ended and a foreign origin", async () => {
    const key = openTokenKey(paths.tokenKey);
    const { session } = new Sessions(paths.sessions, Date.now).begin("admin", "admin");
    const good = await new AccessTokens(key, Date.now).issue(session.id);
    const ended = await new AccessTokens(key, () => Date.now() - 3_600_000).issue(session.id);
    // The gateway reads its sessions at its start.
    const { port } = gateway;
    await gateway.stop();
    gateway = await start(port);
    const page = await browser.newPage();
    await page.goto(url());
    expect(await opens(page, port, good)).toBe("open");
    expect(await opens(page, port, "nonsense")).toBe("refused");
    expect(await opens(page, port, ended)).toBe("refused");
    expect(await opens(page, port, `${good}x`)).toBe("refused");
    const soon = await new SignJWT({ sid: session.id })
      .setProtectedHeader({ alg: "HS256" })
      .setIssuer("sandpiper")
      .setAudience("sandpiper-api")
      .setIssuedAt()
      .setExpirationTime(Math.floor(Date.now() / 1_000) + 3)
      .sign(key);
    expect(await opens(page, port, soon, true)).toBe("closed 4401");
    await page.close();
    const foreign = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("a page of somebody else") });
    const stranger = await browser.newPage();
    await stranger.goto(foreign.url.href);
    const { webtransport } = (await (await fetch(`${url()}api/realtime`)).json()) as {
      webtransport: { certificate_sha256: string[] };
    };
    expect(await opens(stranger, port, good, false, webtransport.certificate_sha256[0])).toBe("refused");
    await stranger.close();
    await foreign.stop(true);
  }, 180_000);
});

/** What became of a session that a page opened itself: open, refused, or closed with a code when it was waited for. */
const opens = (page: Page, port: number, token: string, untilClosed = false, hash?: string): Promise<string> =>
  page.evaluate(
    async ({ port, token, untilClosed, hash }) => {
      const answer = hash ? undefined : await (await fetch("/api/realtime")).json();
      const hex: string = hash ?? answer.webtransport.certificate_sha256[0];
      const value = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
      const transport = new WebTransport(`https://127.0.0.1:${port}/live?token=${token}`, {
        serverCertificateHashes: [{ algorithm: "sha-256", value }],
      });
      const closed = transport.closed.then(
        ({ closeCode }) => `closed ${closeCode}`,
        () => "broken",
      );
      try {
        await transport.ready;
      } catch {
        return "refused";
      }
      if (untilClosed) return await closed;
      transport.close();
      return "open";
    },
    { port, token, untilClosed, hash },
  );
