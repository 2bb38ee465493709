/**
 * The first page in a real browser, on real parts: it reaches live data, shows a lost connection and recovers, and says
 * what is wrong. In CI a missing Chromium is a failure; elsewhere these tests are skipped, loudly.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { seriousFaults } from "./support/axe.ts";
import { GatewayStage } from "./support/gateway-stage.ts";
import { SeededEnvelopes } from "./support/seeded-envelopes.ts";
import { eventually } from "./support/supervised-run.ts";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const WITHOUT_BROWSER = !existsSync(CHROMIUM) && process.env["CI"] !== "true";
if (WITHOUT_BROWSER) process.stderr.write(`SKIPPED: the page in a browser, because there is no ${CHROMIUM}\n`);

const RUN_MS = 14 * 60_000;
const DECISION_EVERY_MS = 6_000;
const WIDTHS = [1366, 390] as const;
const SCHEMES = ["light", "dark"] as const;
const VIEWS = [
  ...["now", "decisions", "tips", "sandwiches", "models", "training", "processes", "commands", "guard"],
] as const;

let stage: GatewayStage;
let browser: Browser;
let page: Page;
const seeds = new SeededEnvelopes("page");
const troubles: string[] = [];

async function publishSeeded(atMs: number): Promise<void> {
  const { decision, outcome } = seeds.next(atMs, 0.45);
  await stage.publish(decision);
  if (outcome) await stage.publish(outcome);
}

/** Publishes a decision and waits until the page has it, drawn or not: a slot that came later is on the page. */
async function publishAndSee(): Promise<void> {
  await stage.publish(seeds.next(Date.now()).decision);
  const later = seeds.metrics(Date.now());
  await stage.publish(later);
  const slot = later.payload.case === "metrics" ? later.payload.value.slot.toLocaleString("en") : "";
  await eventually("the later slot", async () => ((await shown("run"))?.includes(`slot ${slot} `) ? true : undefined));
}

const shown = (id: string) => page.textContent(`#${id}`);
const link = () => page.getAttribute("#bar", "data-link");
const view = (name: string) =>
  page.evaluate((hash) => {
    location.hash = hash;
  }, `#/${name}`);
const firstDecision = () => page.getAttribute("#decisions tr:first-child td:first-child", "title");

describe.skipIf(WITHOUT_BROWSER)("the first page", () => {
  beforeAll(async () => {
    const startedAtMs = Date.now() - RUN_MS;
    stage = await GatewayStage.start(startedAtMs);
    stage.report();
    for (let atMs = startedAtMs + 5_000; atMs < Date.now() - 2_000; atMs += DECISION_EVERY_MS)
      await publishSeeded(atMs);
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    page = await browser.newPage({ viewport: { width: 1366, height: 900 } });
    page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
    page.on("pageerror", (error) => troubles.push(error.message));
    await page.goto(stage.url);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await stage?.stop();
  });

  async function showSentAlone(): Promise<void> {
    await page.locator(".choice").getByText("Sent", { exact: true }).click();
    await eventually("only sent", async () => {
      const ends = await page.locator("#decisions tr:not(.vacant) td:nth-child(11)").allTextContents();
      return ends.length > 0 && ends.every((end) => end !== "skipped") ? true : undefined;
    });
  }

  test("reaches live data: the record first, then what happens now", async () => {
    await eventually("live", async () => ((await link()) === "live" ? true : undefined));
    await eventually("profit", async () => (/^\d+\.\d{6}$/.test((await shown("profit")) ?? "") ? true : undefined));
    expect(await shown("mode")).toBe("sim");
    expect(await shown("ready")).toBe("8 of 8 processes ready");
    await view("decisions");
    await publishSeeded(Date.now());
    const { decision } = seeds.next(Date.now());
    await stage.publish(decision);
    await stage.publish(seeds.metrics(Date.now()));
    if (decision.payload.case !== "arb") throw new Error("a decision, was something else");
    const { decisionId } = decision.payload.value;
    await eventually("the newest decision", async () => ((await firstDecision()) === decisionId ? true : undefined));
    await view("now");
    await eventually("the hot path", async () => (/^\d+$/.test((await shown("p99")) ?? "") ? true : undefined));
    expect(await page.locator("#plot").getAttribute("aria-label")).toStartWith("Profit of the run: ");
    expect(troubles).toEqual([]);
  }, 180_000);

  test("each view fits and shuts nobody out, dark and light, wide and narrow", async () => {
    for (const name of VIEWS) {
      await view(name);
      await page.locator(`#view-${name} .view > *`).first().waitFor();
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(overflow, `${name} at ${width}`).toBeLessThanOrEqual(0);
      }
      await page.setViewportSize({ width: 1366, height: 900 });
      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme });
        expect(await seriousFaults(page), `${name}, ${colorScheme}`).toEqual([]);
      }
    }
  }, 300_000);

  test("shows what was sent alone, and holds still when paused", async () => {
    await view("decisions");
    await showSentAlone();
    await page.locator(".choice").getByText("All", { exact: true }).click();
    await page.getByRole("button", { name: "Pause" }).click();
    const held = await firstDecision();
    await publishAndSee();
    expect(await firstDecision()).toBe(held);
    await page.getByRole("button", { name: "Paused" }).click();
    await eventually("on again", async () => ((await firstDecision()) !== held ? true : undefined));
  }, 180_000);

  test("holds the rows still under the pointer, and says so", async () => {
    const row = page.locator("#decisions tr").nth(2);
    await row.hover();
    await eventually("the word for it", async () => ((await page.locator("#held").isVisible()) ? true : undefined));
    const held = await firstDecision();
    await publishAndSee();
    expect(await firstDecision()).toBe(held);
    await page.mouse.move(0, 0);
    await eventually("on again", async () => ((await firstDecision()) !== held ? true : undefined));
    expect(await page.locator("#held").isVisible()).toBe(false);
  }, 180_000);

  test("opens one decision in full by keyboard, at an address of its own, and closes again", async () => {
    await showSentAlone();
    const link = page.locator("#decisions tr:not(.vacant) a").first();
    await link.focus();
    const address = await link.getAttribute("href");
    await page.keyboard.press("Enter");
    const panel = page.getByRole("dialog");
    await eventually("the features by name", async () =>
      (await panel.textContent())?.includes("gross_log10") ? true : undefined,
    );
    expect(new URL(page.url()).hash).toBe(address ?? "no link");
    for (const title of ["Path", "Money", "Tip ladder", "From event to end", "What the model was told", "Ids"])
      expect(await panel.getByRole("heading", { name: title }).count(), title).toBe(1);
    expect(await panel.locator(".timeline li").count()).toBe(6);
    expect(await panel.locator(".ladder .chosen").count()).toBeLessThanOrEqual(1);
    await page.keyboard.press("Escape");
    await panel.waitFor({ state: "hidden" });
    expect(new URL(page.url()).hash).toBe("#/decisions");
    expect(await link.evaluate((element) => element === document.activeElement)).toBe(true);
    await link.blur();
    await page.locator(".choice").getByText("All", { exact: true }).click();
  }, 180_000);

  test("opens a decision by a click on its row and from an outcome's row, and says when there is none", async () => {
    const panel = page.getByRole("dialog");
    await page.locator("#decisions tr:not(.vacant) td:nth-child(8)").first().click();
    await panel.waitFor();
    await panel.getByRole("button", { name: "Close" }).click();
    await panel.waitFor({ state: "hidden" });
    await view("now");
    await page.locator("#outcomes tr:not(.vacant) td:nth-child(7)").first().click();
    await eventually("the outcome's bundle", async () =>
      (await panel.locator(".ids").textContent())?.includes("Bundle") ? true : undefined,
    );
    await panel.getByRole("button", { name: "Close" }).click();
    await page.goto(`${stage.url}/#/decisions/nobody`);
    await eventually("what is wrong", async () =>
      (await shown("decision-note")) === "not on record yet" ? true : undefined,
    );
    await page.keyboard.press("Escape");
    await page.mouse.move(0, 0);
  }, 180_000);

  test("asks who somebody is before a kill, says what will happen, and is given by K and Enter", async () => {
    await page.keyboard.press("k");
    const signIn = page.locator("#sign-in");
    await signIn.getByText("Kill: stop all trading now needs an admin.").waitFor();
    await signIn.getByLabel("Name").fill("admin");
    await signIn.getByLabel("Password").fill("wrong");
    await page.keyboard.press("Enter");
    await signIn.getByText("Cannot answer: the name and password of an account").waitFor();
    await signIn.getByLabel("Password").fill(stage.password);
    await page.keyboard.press("Enter");
    const order = page.locator("#order");
    await order.getByText("Only an explicit Start by an admin ends it.").waitFor();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("order-go");
    expect(await seriousFaults(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await order.waitFor({ state: "hidden" });
    expect(await shown("who-name")).toBe("admin · admin");
    await page.keyboard.press("k");
    await page.keyboard.press("Enter");
    // No agent runs here: the page says that nobody has answered, for each module.
    for (const module of ["arbitrage", "mev"]) await order.getByText(`${module}: no answer within 5 s`).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("s");
    await eventually("signed out", async () => ((await shown("who-name")) === "" ? true : undefined));
    // The browser tells of the wrong password's 401 itself.
    troubles.length = 0;
  }, 180_000);

  test("opens an alarm's page of the runbook at an address of its own", async () => {
    await page.goto(`${stage.url}/#/runbook/market-lag`);
    await page.locator("#runbook").getByRole("heading", { name: "What it means" }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#runbook").waitFor({ state: "hidden" });
    expect(new URL(page.url()).hash).toBe("#/now");
  }, 180_000);

  test("says that the supervisor is silent instead of repeating what it last knew", async () => {
    stage.report({ updatedAtMs: Date.now() - 42_000 });
    await eventually("the silence", async () =>
      (await shown("ready"))?.startsWith("supervisor silent for 4") ? true : undefined,
    );
    await view("processes");
    await eventually("what it last knew in grey", async () =>
      (await page.locator("#processes").getAttribute("class")) === "stale" ? true : undefined,
    );
    await view("now");
    stage.report();
    await eventually("a voice again", async () =>
      (await shown("ready")) === "8 of 8 processes ready" ? true : undefined,
    );
  }, 180_000);

  test("shows trouble in words: a process that restarts", async () => {
    stage.report({
      processes: [
        {
          name: "feed",
          pid: 0,
          state: "restarting",
          core: "shared",
          restarts: 2,
          startedAtMs: 0,
          heartbeatAgeMs: 0,
          stalls: { count: 0, totalMs: 0, longestMs: 0 },
          lastExit: "exit 1",
        },
      ],
    });
    await eventually("the trouble", async () =>
      (await shown("ready")) === "0 of 1 processes ready" ? true : undefined,
    );
    await page.locator(".alarm", { hasText: "feed is restarting (exit 1)" }).waitFor();
    await page.keyboard.press("7");
    await eventually("the process", async () =>
      (await page.locator("#processes tr:first-child").textContent())?.includes("restarting") ? true : undefined,
    );
    await view("decisions");
    stage.report();
  }, 180_000);

  test("says that the connection is lost, and recovers by itself with what it missed", async () => {
    await stage.gateway.stop();
    await eventually("lost", async () => ((await link()) === "lost" ? true : undefined));
    expect(await shown("link")).toContain("Connection lost");
    expect(await shown("announcement")).toBe("Connection lost");
    const { decision } = seeds.next(Date.now());
    await stage.publish(decision);
    await stage.startGatewayAgain();
    await eventually("live again", async () => ((await link()) === "live" ? true : undefined));
    if (decision.payload.case !== "arb") throw new Error("a decision, was something else");
    const { decisionId } = decision.payload.value;
    await eventually("what was missed", async () => ((await firstDecision()) === decisionId ? true : undefined));
  }, 180_000);

  test("Swagger UI at /swagger lists every route and tries one, with nothing from another origin", async () => {
    const reference = await browser.newPage();
    const foreign: string[] = [];
    const complaints: string[] = [];
    reference.on("request", (request) => {
      if (!request.url().startsWith(stage.url) && !request.url().startsWith("data:")) foreign.push(request.url());
    });
    reference.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    reference.on("pageerror", (error) => complaints.push(error.message));
    await reference.goto(`${stage.url}/swagger`);
    await reference.locator('[data-path="/api/status"]').click();
    await reference.getByRole("button", { name: "Execute" }).click();
    await eventually("an answer", async () =>
      (await reference.locator(".live-responses-table").textContent())?.includes("profit_lamports") ? true : undefined,
    );
    const { paths } = (await (await fetch(`${stage.url}/openapi.json`)).json()) as { paths: Record<string, object> };
    const operations = Object.values(paths).flatMap((path) => Object.keys(path));
    expect(await reference.locator(".opblock").count()).toBe(operations.length);
    expect(foreign).toEqual([]);
    expect(complaints).toEqual([]);
    await reference.close();
  }, 180_000);
});
