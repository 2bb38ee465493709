/**
 * Takes docs/screenshots from a running sim: each view light and dark, some of them on a phone, one decision, a kill before it
 * is confirmed.
 *
 *   bun run screenshots                               starts a run of its own and stops it
 *   bun run screenshots http://127.0.0.1:8080 PASSWORD   of a run that goes on
 *
 * It does what an operator would: signs in, throttles and lifts the throttle again, so that the ledger has something to show.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { eventually, SupervisedRun } from "../test/support/supervised-run.ts";

const CHROMIUM = "/usr/bin/chromium";
const FOLDER = join(import.meta.dir, "../docs/screenshots");
const VIEWS = ["now", "decisions", "tips", "sandwiches", "models", "training", "processes", "commands", "guard"];
const PHONE_VIEWS = ["now", "decisions", "guard"];
const SCHEMES = ["light", "dark"] as const;
const LAPTOP = { width: 1366, height: 860 };
const PHONE = { width: 390, height: 844 };
/** For the second's figures and the view's own reads. */
const SETTLE_MS = 3_500;
const LANDED_MIN = 40;
const WEBP_QUALITY = 0.82;

const [given, password = ""] = process.argv.slice(2);
mkdirSync(FOLDER, { recursive: true });
if (given === undefined) {
  const run = await SupervisedRun.start(["--arbitrage.tipPolicy", "thompson", "--sim.sandwichShare", "0.5"]);
  try {
    await run.allReady();
    await run.landed(LANDED_MIN);
    await eventually(
      "a sandwich",
      async () => {
        const answer = await (await fetch(`${run.gateway}/api/sandwiches?limit=1`)).json();
        return (answer as { sandwiches: unknown[] }).sandwiches[0];
      },
      240_000,
    );
    await take(run.gateway, run.output().match(/with the password (\S+)/)?.[1] ?? "");
  } finally {
    await run.stop();
    await run.discard();
  }
} else await take(given, password);

async function take(url: string, secret: string): Promise<void> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  await command(url, secret);
  for (const scheme of SCHEMES) {
    const page = await browser.newPage({ viewport: LAPTOP, colorScheme: scheme });
    await page.goto(url);
    await signIn(page, secret);
    for (const view of VIEWS) await shoot(page, browser, view, `${view}-${scheme}`);
    await page.keyboard.press("2");
    await page.locator("#decisions tr:has(.good) a").first().click();
    await page.waitForTimeout(SETTLE_MS);
    await save(page, browser, `decision-${scheme}`);
    await page.keyboard.press("Escape");
    await page.keyboard.press("k");
    await page.waitForTimeout(500);
    await save(page, browser, `kill-${scheme}`);
    await page.keyboard.press("Escape");
    await page.setViewportSize(PHONE);
    for (const view of PHONE_VIEWS) await shoot(page, browser, view, `${view}-phone-${scheme}`);
    await page.close();
  }
  await browser.close();
}

/** So that the ledger holds a command, its ack and a policy. */
async function command(url: string, secret: string): Promise<void> {
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(url + path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  const answer = await post("/api/auth/sign-in", { name: "admin", password: secret });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  for (const pct of [25, 0])
    await post(
      "/api/control/module/arbitrage:throttle",
      { throttle_pct: pct, wait_ms: 5_000 },
      { Authorization: `Bearer ${token}` },
    );
}

async function signIn(page: Page, secret: string): Promise<void> {
  await page.keyboard.press("s");
  await page.getByLabel("Name").fill("admin");
  await page.getByLabel("Password").fill(secret);
  await page.keyboard.press("Enter");
  await page.locator("body[data-role=admin]").waitFor();
}

async function shoot(page: Page, browser: Browser, view: string, name: string): Promise<void> {
  await page.keyboard.press(String(VIEWS.indexOf(view) + 1));
  await page.waitForTimeout(SETTLE_MS);
  await save(page, browser, name);
}

/** As WebP, made by the browser itself: a third of the PNG. */
async function save(page: Page, browser: Browser, name: string): Promise<void> {
  const png = (await page.screenshot()).toString("base64");
  const studio = await browser.newPage();
  const webp = await studio.evaluate(
    async ([data, quality]) => {
      const image = new Image();
      image.src = `data:image/png;base64,${data}`;
      await image.decode();
      const canvas = document.createElement("canvas");
      Object.assign(canvas, { width: image.width, height: image.height });
      canvas.getContext("2d")?.drawImage(image, 0, 0);
      return canvas.toDataURL("image/webp", quality).split(",")[1] ?? "";
    },
    [png, WEBP_QUALITY] as const,
  );
  await studio.close();
  writeFileSync(join(FOLDER, `${name}.webp`), Buffer.from(webp, "base64"));
  process.stdout.write(`docs/screenshots/${name}.webp\n`);
}
