/** Axe-core in a page: the faults that shut somebody out, as one line each. */
import axe from "axe-core";
import type { Page } from "playwright-core";

type Found = { readonly id: string; readonly impact: string | null; readonly targets: readonly string[] };

/** Serious and critical faults of what is shown now. The page's policy allows no inline script: it is evaluated instead. */
export async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = (await page.evaluate(`
    axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
      violations.map(({ id, impact, nodes }) => ({ id, impact, targets: nodes.map(({ target }) => target.join(" ")) })))
  `)) as Found[];
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, impact, targets }) => `${impact} ${id}: ${targets.slice(0, 4).join(", ")}`);
}
