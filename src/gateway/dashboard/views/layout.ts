/** The frames that every view is made of: a section with its heading, a row of figures, a radio choice. */
import { make } from "#gateway/dashboard/parts/elements.ts";

/** `aside`: a quiet note or a control beside the heading. */
export function section(title: string, content: HTMLElement, ...aside: readonly (string | HTMLElement)[]): HTMLElement {
  const beside = aside.map((part) => (typeof part === "string" ? make("span", "quiet", part) : part));
  const made = make("section", "", make("div", "heading", make("h2", "", title), ...beside), content);
  made.setAttribute("aria-label", title);
  return made;
}

export const figures = (...each: readonly HTMLElement[]): HTMLElement => make("dl", "figures", ...each);

/** A figure with a unit behind it and a note under it: #id, #id-unit and #id-note. */
export function figure(id: string, title: string, unit = ""): HTMLElement {
  const value = make("span", "", "–");
  value.id = id;
  const behind = make("small", "", unit);
  behind.id = `${id}-unit`;
  const note = make("dd", "note");
  note.id = `${id}-note`;
  return make("div", "", make("dt", "", title), make("dd", "figure", value, " ", behind), note);
}

/** One of a few, as radio buttons that look like one control. */
export function choice(
  name: string,
  legend: string,
  options: readonly (readonly [value: string, text: string])[],
  changed: (value: string) => void,
): HTMLElement {
  const labels = options.map(([value, text], i) => {
    const input = make("input", "");
    Object.assign(input, { type: "radio", name, value, checked: i === 0 });
    input.addEventListener("change", () => changed(value));
    return make("label", "", input, make("span", "", text));
  });
  return make("fieldset", "choice", make("legend", "unseen", legend), ...labels);
}

/** Name and value pairs in two columns. */
export function facts(
  lines: readonly (readonly [name: string, value: string | HTMLElement, tone?: string])[],
): HTMLElement {
  const list = make("dl", "facts");
  for (const [name, value, tone = ""] of lines)
    list.append(make("div", "", make("dt", "", name), make("dd", tone, value)));
  return list;
}

export function button(text: string, press: () => void, className = ""): HTMLButtonElement {
  const made = make("button", className, text);
  made.type = "button";
  made.addEventListener("click", press);
  return made;
}
