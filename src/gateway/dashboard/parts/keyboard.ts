/** Keys for the whole page: digits go to views, K kills, ? lists them. Never while somebody types or a dialog is open. */
import { byId, make } from "./elements.ts";

export type Keys = Readonly<Record<string, { readonly about: string; readonly press: () => void }>>;

export function listenToKeys(keys: Keys, digits: { readonly count: number; readonly press: (digit: number) => void }) {
  const help = byId("keys") as HTMLDialogElement;
  const rows = [
    ["1 … 9", "the views, in their order"] as const,
    ...Object.entries(keys).map(([key, { about }]) => [key.toUpperCase(), about] as const),
    ["?", "this list"] as const,
    ["Esc", "closes what is open"] as const,
  ];
  byId("keys-list").append(
    ...rows.flatMap(([key, about]) => [make("dt", "", make("kbd", "", key)), make("dd", "", about)]),
  );
  byId("keys-open").addEventListener("click", () => help.showModal());
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (target instanceof HTMLElement && target.closest("input:not([type=radio],[type=checkbox]), select, textarea"))
      return;
    const digit = /^[1-9]$/.test(key) ? Number(key) : 0;
    const own = keys[key.toLowerCase()];
    if (digit > 0 && digit <= digits.count) digits.press(digit);
    else if (key === "?") help.showModal();
    else if (own) own.press();
    else return;
    event.preventDefault();
  });
}
