/**
 * A page of the runbook over the view, at an address of its own. Its text is ours and in a small part of Markdown: headings,
 * paragraphs, lists, code; what else there might be stays text.
 */
import type { Session } from "#gateway/dashboard/operator/session.ts";
import { byId, make, setText } from "./elements.ts";
import { RUNBOOK } from "./router.ts";

export function followRunbook(session: Session, home: () => string): void {
  const dialog = byId("runbook") as HTMLDialogElement;
  const follow = async () => {
    const name = location.hash.startsWith(RUNBOOK) ? location.hash.slice(RUNBOOK.length) : "";
    if (name === "") return dialog.close();
    setText(byId("runbook-title"), name);
    byId("runbook-body").replaceChildren(make("p", "quiet", "reading …"));
    if (!dialog.open) dialog.showModal();
    try {
      const { markdown } = await session.read<{ markdown: string }>(`/api/runbook/${encodeURIComponent(name)}`);
      byId("runbook-body").replaceChildren(...markdownElements(markdown));
    } catch (thrown) {
      byId("runbook-body").replaceChildren(make("p", "trouble", (thrown as Error).message));
    }
  };
  byId("runbook-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    if (location.hash.startsWith(RUNBOOK)) history.replaceState(null, "", home());
  });
  addEventListener("hashchange", () => void follow());
  void follow();
}

function markdownElements(markdown: string): HTMLElement[] {
  const blocks = markdown.trim().split(/\n{2,}/);
  return blocks.flatMap((block): HTMLElement[] => {
    const lines = block.split("\n");
    const first = lines[0] ?? "";
    // The title stands above already.
    if (first.startsWith("# ")) return [];
    if (first.startsWith("## ")) return [make("h3", "", first.slice(3))];
    if (first.startsWith("```")) return [make("pre", "mono", lines.slice(1, -1).join("\n"))];
    const item = /^(- |\d+\. )/;
    if (!item.test(first)) return [make("p", "", ...inline(lines.join(" ")))];
    const items = block.split(/\n(?=- |\d+\. )/).map((text) => text.replace(item, "").replaceAll(/\n\s*/g, " "));
    return [make(first.startsWith("- ") ? "ul" : "ol", "", ...items.map((text) => make("li", "", ...inline(text))))];
  });
}

/** Text with `code` in it. */
const inline = (text: string): (string | HTMLElement)[] =>
  text.split("`").map((part, i) => (i % 2 === 1 ? make("code", "mono", part) : part));
