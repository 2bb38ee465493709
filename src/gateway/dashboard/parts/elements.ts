/** Small helpers over the DOM: elements that must be there, text that is only touched when it changed, rows that stay. */

export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`Cannot draw the page: an element #${id}, was none`);
  return element;
}

export function setText(element: Element, text: string): void {
  const { firstChild } = element;
  // Writing into the text node that is there costs a fraction of replacing it.
  if (firstChild instanceof Text && firstChild === element.lastChild) {
    if (firstChild.data !== text) firstChild.data = text;
  } else if (element.textContent !== text) element.textContent = text;
}

export type Cell = {
  readonly text: string;
  /** A class beside its column's own. */
  readonly tone?: string;
  /** The whole of what is shown in short. */
  readonly title?: string;
  /** Makes the text a link; its row opens it, too. */
  readonly href?: string;
  /** What the link stands for, for who listens to it. */
  readonly id?: string;
  /** The cell is somebody else's: nothing in it is touched. */
  readonly foreign?: boolean;
  /** Draws a bar of this share of the cell, 0 to 1, instead of text. */
  readonly share?: number;
};

/**
 * Draws rows into a table body, reusing the elements that are there. `columns` holds the class of each column. There are
 * never fewer rows than `rowsMin`, so that nothing jumps. `keys` tell which row is which: a row that moved down takes its
 * element along, and only what is new in it is touched; laying a whole table out anew costs more than a frame has.
 */
export function drawRows(
  body: HTMLElement,
  rows: readonly (readonly Cell[])[],
  columns: readonly string[],
  rowsMin: number,
  keys?: readonly string[],
): void {
  const wanted = Math.max(rows.length, rowsMin);
  while (body.childElementCount > wanted) body.lastElementChild?.remove();
  while (body.childElementCount < wanted) body.append(emptyRow(columns.length));
  if (keys) moveRows(body, keys);
  for (let i = 0; i < wanted; i++) {
    const row = body.children[i];
    row?.classList.toggle("vacant", rows[i] === undefined);
    // Told by a class, since :has() is looked up anew with every cell that changes.
    row?.classList.toggle("opens", rows[i]?.some(({ href }) => href !== undefined) === true);
    row?.classList.toggle("chosen", rows[i]?.some(({ tone = "" }) => tone.includes("chosen")) === true);
    columns.forEach((column, j) => {
      const element = row?.children[j];
      if (element) drawCell(element as HTMLElement, column, rows[i]?.[j]);
    });
  }
}

/** Each key's element to its key's place; elements that no key wants any more stand in for new ones. */
function moveRows(body: HTMLElement, keys: readonly string[]): void {
  const elements = [...body.children] as HTMLElement[];
  const present = new Map(elements.map((element) => [element.dataset["key"] ?? "", element]));
  const wanted = new Set(keys);
  const spare = elements.filter(({ dataset: { key } }) => key === undefined || !wanted.has(key));
  keys.forEach((key, i) => {
    const there = body.children[i] as HTMLElement | undefined;
    if (there?.dataset["key"] === key) return;
    const element = present.get(key) ?? spare.pop();
    if (!element) return;
    element.dataset["key"] = key;
    if (element !== there) body.insertBefore(element, there ?? null);
  });
}

const NOTHING: Cell = { text: "" };
/** What each element shows: the very same cell is not looked at again. */
const shownCells = new WeakMap<HTMLElement, Cell>();

function drawCell(element: HTMLElement, column: string, cell: Cell = NOTHING): void {
  const { text, tone = "", title = "", href, share } = cell;
  if (cell.foreign || shownCells.get(element) === cell) return;
  shownCells.set(element, cell);
  if (href !== undefined) drawLink(element, text, href, cell.id);
  else if (share !== undefined) drawBar(element, share);
  else setText(element, text);
  const className = `${column} ${tone}`.trim();
  if (element.className !== className) element.className = className;
  if (element.title !== title) element.title = title;
}

function drawLink(cell: HTMLElement, text: string, href: string, id = ""): void {
  let link = cell.querySelector("a");
  if (!link) {
    link = document.createElement("a");
    cell.replaceChildren(link);
  }
  setText(link, text);
  if (link.getAttribute("href") !== href) link.setAttribute("href", href);
  if (link.dataset["id"] !== id) link.dataset["id"] = id;
}

/** The text beside it says the figure: the bar is for the eye alone. */
function drawBar(cell: HTMLElement, share: number): void {
  let meter = cell.querySelector<HTMLElement>("span");
  if (!meter) {
    meter = make("span", "meter");
    meter.setAttribute("aria-hidden", "true");
    cell.replaceChildren(meter);
  }
  const width = `${Math.round(1_000 * Math.min(1, Math.max(0, share))) / 10}%`;
  if (meter.style.width !== width) meter.style.width = width;
}

/** A click anywhere in a row of `body` follows the row's link. */
export function openRowsOnClick(body: HTMLElement): void {
  body.addEventListener("click", ({ target }) => {
    if (
      !(target instanceof Element) ||
      target.closest("a, button, input, select") ||
      getSelection()?.isCollapsed === false
    )
      return;
    target.closest("tr")?.querySelector("a")?.click();
  });
}

/** An element with a class and children; text stays text. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className: string,
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  if (className !== "") element.className = className;
  element.append(...children);
  return element;
}

function emptyRow(columns: number): HTMLTableRowElement {
  const row = document.createElement("tr");
  for (let i = 0; i < columns; i++) row.append(document.createElement("td"));
  return row;
}

/** A table with its heads, in a frame that scrolls sideways by itself. */
export function tableOf(
  id: string,
  heads: readonly string[],
  columns: readonly string[],
): { readonly scroll: HTMLElement; readonly body: HTMLElement } {
  const head = heads.map((text, i) => {
    const kind = (columns[i] ?? "").split(" ").filter((word) => word === "number" || word === "wide");
    const cell = make("th", kind.join(" "), text);
    cell.scope = "col";
    return cell;
  });
  const body = make("tbody", "");
  body.id = id;
  const scroll = make("div", "scroll", make("table", id, make("thead", "", make("tr", "", ...head)), body));
  // What scrolls must be reachable by keyboard.
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "group");
  scroll.setAttribute("aria-label", `table of ${id}`);
  return { scroll, body };
}
