/** An operator at the page who watches a training job, promotes its version and takes it back, each after reading what will happen. */
import { expect } from "bun:test";
import { type Browser, chromium, type Locator, type Page } from "playwright-core";
import { eventually } from "./supervised-run.ts";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
const SEEN_MS = 60_000;

export class ModelDesk {
  readonly #browser: Browser;
  readonly #page: Page;

  private constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.#page = page;
  }

  static async open(gateway: string): Promise<ModelDesk> {
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    const page = await browser.newPage({ viewport: { width: 1366, height: 900 } });
    await page.goto(`${gateway}/#/training`);
    return new ModelDesk(browser, page);
  }

  /** The row of a job in progress: its state, how far it is, and the bar of it. */
  async seesJobRunning(id: string): Promise<void> {
    const row = this.#jobRow(id);
    await eventually("the job's row in progress", () => this.#holds(row, /running\d+(\.\d)? %/), SEEN_MS);
    expect(await row.locator(".meter").count()).toBe(1);
  }

  async seesJobDone(id: string, hash: string): Promise<void> {
    await eventually("the finished job's row", () => this.#holds(this.#jobRow(id), `done100 %`), SEEN_MS);
    expect(await this.#jobRow(id).textContent()).toContain(hash);
  }

  async promotes(hash: string, password: string): Promise<void> {
    const page = this.#page;
    await this.#view("models");
    const row = this.#versionRow(hash);
    await eventually("the shadow's row", () => this.#holds(row, `${hash}shadow`), SEEN_MS);
    const promote = row.getByRole("button", { name: "Promote" });
    await promote.waitFor();
    // On a machine that others use too a service level may be broken: then an operator unlocks what adds risk.
    await eventually(
      "a button that may be used",
      async () => {
        if (await promote.isEnabled()) return true;
        await this.#unlock(password);
        await this.#view("models");
        return undefined;
      },
      SEEN_MS,
    );
    await promote.click();
    if (await page.locator("#sign-in").isVisible()) await this.#signIn(password);
    await this.#confirm("Every agent tries it in a child process", `promote: ${hash}`);
    await eventually("it has the role", () => this.#holds(row, `${hash}decides`), SEEN_MS);
  }

  async rollsBack(hash: string, before: string): Promise<void> {
    await this.#page.getByRole("button", { name: "Roll back" }).click();
    await this.#confirm("decides again, in every agent, within a second", `${before} decides again`);
    const row = this.#versionRow(before);
    await eventually("the one before has the role", () => this.#holds(row, `${before}decides`), SEEN_MS);
    expect(await this.#versionRow(hash).textContent()).not.toContain("decides");
  }

  close(): Promise<void> {
    return this.#browser.close();
  }

  /** Reads what will happen, confirms, reads the answer, and closes. */
  async #confirm(consequence: string, answer: string): Promise<void> {
    const order = this.#page.locator("#order");
    await order.getByText("What will happen:").waitFor();
    await order.getByText(consequence).waitFor();
    await this.#page.locator("#order-go").click();
    await order.getByText(answer).waitFor();
    await order.getByRole("button", { name: "Close" }).click();
    await order.waitFor({ state: "hidden" });
  }

  async #unlock(password: string): Promise<void> {
    await this.#view("guard");
    const unlock = this.#page.locator("#view-guard .banner button");
    if (!(await unlock.isVisible())) return;
    await unlock.click();
    if (await this.#page.locator("#sign-in").isVisible()) await this.#signIn(password);
    await this.#confirm("The guard goes on", "unlocked for a minute");
  }

  async #signIn(password: string): Promise<void> {
    const signIn = this.#page.locator("#sign-in");
    await signIn.getByLabel("Name").fill("admin");
    await signIn.getByLabel("Password").fill(password);
    await this.#page.keyboard.press("Enter");
    await signIn.waitFor({ state: "hidden" });
  }

  async #view(name: string): Promise<void> {
    await this.#page.evaluate((hash) => {
      location.hash = hash;
    }, `#/${name}`);
    await this.#page.locator(`#view-${name}`).waitFor();
  }

  #jobRow(id: string): Locator {
    return this.#page.locator("#jobs tr", { has: this.#page.locator(`td[title="${id}"]`) });
  }

  #versionRow(hash: string): Locator {
    return this.#page.locator("#models tr", { hasText: hash });
  }

  async #holds(row: Locator, text: string | RegExp): Promise<true | undefined> {
    const said = (await row.count()) === 1 ? ((await row.textContent()) ?? "") : "";
    return (typeof text === "string" ? said.includes(text) : text.test(said)) ? true : undefined;
  }
}
