/**
 * The panel of one decision: a modal dialog that follows the page's fragment. It opens at once with what the live stream
 * brought, reads the record for the rest, and asks again until the end of what was sent is known.
 */

import type { ApiTrouble } from "#gateway/dashboard/operator/session.ts";
import { byId, setText } from "#gateway/dashboard/parts/elements.ts";
import { type Arb, arbFromJson, type Outcome, outcomeFromJson } from "#wire/envelope.ts";
import { decisionIdOf } from "./decision-link.ts";
import { type DecisionView, decisionElements, type PageFeature } from "./decision-view.ts";

const ASK_EVERY_MS = 1_000;
/** A bundle is decided within seconds and on record soon after; longer than this something is wrong, and it says so. */
const ASKS_MAX = 60;
const COPIED_MS = 1_200;

/** What the page knows without asking. */
export type KnownRecord = {
  readonly decision: (id: string) => Arb | undefined;
  readonly outcome: (decisionId: string) => Outcome | undefined;
  /** Reads the rest. Throws an ApiTrouble. */
  readonly read: <Answer>(path: string) => Promise<Answer>;
  /** Where the page goes when the panel is closed. */
  readonly home: () => string;
};

type Answer = {
  readonly decision: Parameters<typeof arbFromJson>[0];
  readonly features: readonly PageFeature[];
  readonly outcome: Parameters<typeof outcomeFromJson>[0];
};

export class DecisionPanel {
  readonly #dialog = byId("decision") as HTMLDialogElement;
  readonly #known: KnownRecord;
  #id: string | undefined;
  #view: DecisionView | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(known: KnownRecord) {
    this.#known = known;
    this.#dialog.addEventListener("close", () => this.#forget());
    this.#dialog.addEventListener("click", ({ target }) => this.#clicked(target));
    addEventListener("hashchange", () => this.#follow());
    this.#follow();
  }

  #follow(): void {
    const id = decisionIdOf(location.hash);
    if (id === this.#id) return;
    if (id === undefined) this.#dialog.close();
    else this.#open(id);
  }

  #open(id: string): void {
    clearTimeout(this.#timer);
    this.#id = id;
    this.#view = undefined;
    byId("decision-body").replaceChildren();
    setText(byId("decision-id"), id);
    setText(byId("decision-note"), "reading the record …");
    const decision = this.#known.decision(id);
    if (decision) this.#draw({ decision, outcome: this.#known.outcome(id), features: [] });
    if (!this.#dialog.open) this.#dialog.showModal();
    void this.#ask(id, 1);
  }

  async #ask(id: string, asked: number): Promise<void> {
    const trouble = await this.#read(id);
    if (id !== this.#id) return;
    const outcome = this.#known.outcome(id);
    if (this.#view && !this.#view.outcome && outcome) this.#draw({ ...this.#view, outcome });
    const waiting = trouble !== "" || (this.#view?.decision.action === "send" && this.#view.outcome === undefined);
    const again = waiting && asked < ASKS_MAX;
    setText(byId("decision-note"), again || trouble === "" ? trouble : `${trouble}; open it again to ask once more`);
    if (again) this.#timer = setTimeout(() => void this.#ask(id, asked + 1), ASK_EVERY_MS);
  }

  /** What is wrong, or nothing when the record answered. */
  async #read(id: string): Promise<string> {
    try {
      const path = `/api/decisions/${encodeURIComponent(id)}`;
      const { decision, features, outcome } = await this.#known.read<Answer>(path);
      if (id !== this.#id) return "";
      const ended = outcome === null ? this.#known.outcome(id) : outcomeFromJson(outcome);
      this.#draw({ decision: arbFromJson(decision), features, outcome: ended });
      return "";
    } catch (thrown) {
      const { code, message } = thrown as ApiTrouble;
      if (code === "not_found") return "not on record yet";
      return code === "store_unreachable" ? "the record cannot be read now" : message;
    }
  }

  /** Only what is new is drawn: a selection or a focused button must not vanish under the reader. */
  #draw(view: DecisionView): void {
    const same =
      this.#view?.outcome?.state === view.outcome?.state && this.#view?.features.length === view.features.length;
    if (this.#view && same) return;
    this.#view = view;
    byId("decision-body").replaceChildren(...decisionElements(view));
  }

  #clicked(target: EventTarget | null): void {
    if (!(target instanceof Element)) return;
    // The dialog itself is its backdrop; everything else is inside its frame.
    if (target === this.#dialog || target.closest("#decision-close")) this.#dialog.close();
    const button = target.closest<HTMLElement>("[data-copy]");
    if (button) void copy(button);
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#id = undefined;
    if (decisionIdOf(location.hash) !== undefined) history.replaceState(null, "", this.#known.home());
  }
}

async function copy(button: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(button.dataset["copy"] ?? "");
    setText(button, "Copied");
  } catch {
    setText(button, "Refused");
  }
  setTimeout(() => setText(button, "Copy"), COPIED_MS);
}
