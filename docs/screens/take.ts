/**
 * Takes the screens of this folder from a run that goes on now:
 *
 *   bun run supervisor              and, when it has traded for a while,
 *   bun docs/screens/take.ts [http://127.0.0.1:8080]
 *
 * The gateway is asked for nothing that a visitor does not ask for. lost-*.png needs the run to end: it is taken when
 * the page has lost its connection within a minute (Ctrl-C the run), and left as it is otherwise.
 */
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";
/** A browser that starts takes the cores from a small machine: the figures are its own again after this. */
const SETTLE_MS = 6_000;
const LOSS_MS_MAX = 60_000;
const PHONE = { width: 390, height: 844 };
const LAPTOP = { width: 1366, height: 900 };
const SCHEMES = ["dark", "light"] as const;

const url = process.argv[2] ?? "http://127.0.0.1:8080";
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
const shoot = (page: Page, name: string, fullPage: boolean) =>
  page.screenshot({ path: join(import.meta.dir, `${name}.png`), fullPage });

for (const viewport of [LAPTOP, PHONE])
  for (const colorScheme of SCHEMES) {
    const page = await browser.newPage({ viewport, colorScheme });
    await page.goto(url);
    await page.waitForTimeout(SETTLE_MS);
    await shoot(page, `page-${viewport.width}-${colorScheme}`, true);
    await page.close();
  }
for (const [viewport, colorScheme] of [
  [{ ...LAPTOP, height: 1_400 }, "dark"],
  [{ ...PHONE, height: 1_600 }, "light"],
] as const) {
  const page = await browser.newPage({ viewport, colorScheme });
  await page.goto(url);
  await page.waitForTimeout(SETTLE_MS);
  await page.locator("#outcomes tr a").first().click();
  await page.waitForTimeout(SETTLE_MS);
  await shoot(page, `decision-${viewport.width}-${colorScheme}`, false);
  await page.close();
}
const swagger = await browser.newPage({ viewport: LAPTOP, colorScheme: "light" });
await swagger.goto(`${url}/swagger`);
await swagger.locator(".opblock").first().waitFor();
await shoot(swagger, "swagger-1366-light", false);
await swagger.close();

const last = await browser.newPage({ viewport: LAPTOP, colorScheme: "dark" });
await last.goto(url);
await last
  .locator('#bar[data-link="lost"]')
  .waitFor({ timeout: LOSS_MS_MAX })
  .then(() => shoot(last, "lost-1366-dark", false))
  .catch(() => process.stderr.write("lost-1366-dark.png is the old one: the run went on\n"));
await browser.close();
