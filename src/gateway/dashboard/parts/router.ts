/**
 * Views by address: #/decisions is a view, #/decisions/<id> the decision in full over it. One view is shown at a time; a view
 * that cannot be read says why above what it last knew.
 */
import { decisionIdOf } from "#gateway/dashboard/decision/decision-link.ts";
import { byId, make, setText } from "./elements.ts";
import type { View } from "./view.ts";

type Shown = { readonly view: View; readonly host: HTMLElement; readonly trouble: HTMLElement; built: boolean };

export class Router {
  readonly #views: readonly Shown[];
  readonly #drawNow: () => void;
  #present: Shown | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #reading: Shown | undefined;

  constructor(views: readonly View[], drawNow: () => void) {
    this.#drawNow = drawNow;
    this.#views = views.map((view) => {
      const trouble = make("p", "trouble", "");
      trouble.setAttribute("role", "status");
      const body = make("div", "view");
      const host = make("section", "", trouble, body);
      host.id = `view-${view.id}`;
      host.hidden = true;
      host.setAttribute("aria-label", view.title);
      return { view, host, trouble, built: false };
    });
    byId("main").append(...this.#views.map(({ host }) => host));
    byId("views").append(...this.#views.map(({ view }, i) => tab(view, i + 1)));
  }

  /** Shows the view of the address, and follows it from then on. */
  start(): void {
    addEventListener("hashchange", () => this.#follow());
    this.#follow();
  }

  get count(): number {
    return this.#views.length;
  }

  /** The address of the view that is shown. */
  home(): string {
    return this.#present ? hrefOf(this.#present.view) : location.pathname;
  }

  /** By its place, from 1. */
  go(place: number): void {
    const view = this.#views[place - 1]?.view;
    if (view) location.hash = hrefOf(view);
  }

  draw(nowMs: number): void {
    this.#present?.view.draw(nowMs);
    const every = this.#present?.view.readEveryMs;
    if (every !== undefined && performance.now() - this.#readAtMs >= every) void this.readNow();
  }

  /** Reads what the shown view needs. */
  async readNow(): Promise<void> {
    const present = this.#present;
    if (!present?.view.read || this.#reading === present) return;
    this.#reading = present;
    this.#readAtMs = performance.now();
    try {
      await present.view.read();
      setText(present.trouble, "");
    } catch (thrown) {
      setText(present.trouble, `Cannot read this view: ${(thrown as Error).message}`);
    } finally {
      if (this.#reading === present) this.#reading = undefined;
    }
  }

  #follow(): void {
    const name = location.hash.match(/^#\/([a-z]+)/)?.[1] ?? "";
    const wanted = this.#views.find(({ view }) => view.id === name) ?? this.#views[0];
    // A decision and a page of the runbook open over the view that is there.
    const over = decisionIdOf(location.hash) !== undefined || location.hash.startsWith(RUNBOOK);
    if (!wanted || wanted === this.#present || (this.#present && over)) return;
    for (const shown of this.#views) shown.host.hidden = shown !== wanted;
    for (const [i, link] of [...byId("views").querySelectorAll("a")].entries())
      if (this.#views[i] === wanted) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    if (!wanted.built) wanted.view.build(wanted.host.lastElementChild as HTMLElement);
    wanted.built = true;
    this.#present = wanted;
    this.#drawNow();
    void this.readNow();
    scrollTo(0, 0);
  }
}

/** The address of a page of the runbook, before its name. */
export const RUNBOOK = "#/runbook/";

const hrefOf = ({ id }: Pick<View, "id">): string => `#/${id}`;

function tab(view: View, place: number): HTMLElement {
  const link = make("a", "", view.title, " ", make("kbd", "", String(place)));
  link.href = hrefOf(view);
  link.setAttribute("aria-keyshortcuts", String(place));
  return make("li", "", link);
}
