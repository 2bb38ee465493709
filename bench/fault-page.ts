/**
 * What the page's view Now says, in words, to somebody who has it open in a browser. The browser gets what nobody else
 * wants of the processors: on a machine of two cores its drawing would break the hot path's level by itself.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

const NICE_CHROMIUM = '#!/bin/sh\nexec nice -n 19 /usr/bin/chromium "$@"\n';
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
/** The page asks for its status every second or two. */
const SETTLE_MS = 2_500;

export class FaultPage {
  private constructor(
    private readonly browser: Browser,
    private readonly page: Page,
    private readonly folder: string,
  ) {}

  static async open(url: string): Promise<FaultPage> {
    const folder = mkdtempSync(join(tmpdir(), "sandpiper-browser-"));
    const executablePath = join(folder, "chromium");
    writeFileSync(executablePath, NICE_CHROMIUM);
    chmodSync(executablePath, 0o700);
    const browser = await chromium.launch({ executablePath, args: FLAGS });
    const page = await browser.newPage({ viewport: { width: 1366, height: 900 } });
    await page.goto(url);
    return new FaultPage(browser, page, folder);
  }

  /** The connection when it is lost, the figures on top, the alarms, the agents, and how the newest bundles ended. */
  async words(): Promise<string> {
    await this.page.waitForTimeout(SETTLE_MS);
    const lines = await this.page.evaluate(() => {
      const text = (element: Element) =>
        (element as HTMLElement).innerText
          .trim()
          .split(/\s*[\n\t]+\s*/)
          .join("  ");
      const all = (selector: string) => [...document.querySelectorAll(selector)].map(text);
      const lost = document.querySelector("#bar")?.getAttribute("data-link") === "live" ? [] : all("#link");
      const ends = all("#outcomes tr:not(.vacant)").slice(0, 3);
      return [...lost, ...all("#view-now dl.figures > *"), ...all("#view-now .alarm"), ...all("#agents tr"), ...ends];
    });
    return lines.join("\n");
  }

  async close(): Promise<void> {
    await this.browser.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
