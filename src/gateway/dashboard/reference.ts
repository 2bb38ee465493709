/**
 * The page at /swagger: the generated OpenAPI document for people, with a form to try each route. Swagger UI itself would
 * have to come from a CDN, and the box may have no internet.
 */
import { byId } from "./elements.ts";

type Schema = {
  readonly type?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
};
type Parameter = {
  readonly name: string;
  readonly in: "query" | "path";
  readonly description: string;
  readonly schema: Schema;
};
type Answer = {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
};
type Operation = {
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly responses: Readonly<Record<string, Answer>>;
};
type OpenApi = {
  readonly info: { readonly title: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, { readonly get?: Operation }>>;
};

/** Deeper than any answer of ours: a schema that nests for ever must not. */
const DEPTH_MAX = 6;

void draw();

async function draw(): Promise<void> {
  const main = byId("swagger-ui");
  try {
    const document = (await (await fetch("/openapi.json")).json()) as OpenApi;
    main.replaceChildren(...prose(document.info.description), ...document.tags.flatMap((tag) => group(document, tag)));
  } catch {
    main.replaceChildren(make("p", "trouble", "Cannot read /openapi.json: a running gateway, was no answer."));
  }
}

function group(document: OpenApi, tag: OpenApi["tags"][number]): Node[] {
  const operations = Object.entries(document.paths).flatMap(([path, { get }]) =>
    get?.tags?.includes(tag.name) ? [operationOf(path, get)] : [],
  );
  return [make("h2", "", tag.name), make("p", "quiet", tag.description), ...operations];
}

function operationOf(path: string, operation: Operation): HTMLElement {
  const summary = make("summary", "");
  summary.append(make("span", "good", "GET"), make("code", "", path), make("span", "quiet", operation.summary ?? ""));
  const body = make("div", "body");
  body.append(make("p", "", operation.description ?? ""), ...tryForm(path, operation.parameters ?? []));
  for (const [status, answer] of Object.entries(operation.responses)) {
    const content = Object.entries(answer.content ?? {})[0];
    body.append(make("h3", "", `${status} · ${content?.[0] ?? ""}`));
    if (content) body.append(schemaTable(content[1].schema));
  }
  const details = make("details", "operation");
  details.append(summary, body);
  return details;
}

function tryForm(path: string, parameters: readonly Parameter[]): HTMLElement[] {
  const form = make("form", "try");
  for (const { name, schema, description } of parameters) {
    const label = make("label", "", name);
    const input = make("input", "") as HTMLInputElement;
    input.name = name;
    input.title = description;
    input.placeholder = rangeText(schema);
    label.append(input);
    form.append(label);
  }
  const button = make("button", "", "Try it") as HTMLButtonElement;
  form.append(button);
  const shown = make("pre", "answer");
  shown.hidden = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void askAndShow(addressOf(path, parameters, new FormData(form as HTMLFormElement)), shown);
  });
  const rows = parameters.map((parameter) => [parameter.name, rangeText(parameter.schema), parameter.description]);
  return rows.length === 0
    ? [form, shown]
    : [make("h3", "", "Parameters"), table(rows), make("h3", "", "Try"), form, shown];
}

function addressOf(path: string, parameters: readonly Parameter[], values: FormData): string {
  const search = new URLSearchParams();
  let filled = path;
  for (const { name, in: place } of parameters) {
    const value = String(values.get(name) ?? "");
    if (place === "path") filled = filled.replace(`{${name}}`, encodeURIComponent(value));
    else if (value !== "") search.set(name, value);
  }
  return search.size === 0 ? filled : `${filled}?${search}`;
}

async function askAndShow(address: string, shown: HTMLElement): Promise<void> {
  shown.hidden = false;
  try {
    const response = await fetch(address);
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") ?? false;
    const body = isJson ? JSON.stringify(JSON.parse(text), null, 2) : text;
    shown.textContent = `GET ${address}\n${response.status} ${response.statusText}\n\n${body}`;
  } catch {
    shown.textContent = `GET ${address}\n\nno answer`;
  }
}

function schemaTable(schema: Schema): HTMLElement {
  return table(fieldsOf(schema, "", 0));
}

/** One row per field, nested fields by their path: processes[].name. */
function fieldsOf(schema: Schema, name: string, depth: number): string[][] {
  const kinds = schema.anyOf ?? [];
  const inner = kinds.find(({ properties }) => properties) ?? schema;
  const rows = name === "" ? [] : [[name, typeText(schema), aboutText(schema)]];
  if (depth >= DEPTH_MAX) return rows;
  if (inner.properties) {
    const prefix = name === "" ? "" : `${name}.`;
    for (const [key, value] of Object.entries(inner.properties))
      rows.push(...fieldsOf(value, `${prefix}${key}`, depth + 1));
  } else if (schema.items?.properties) rows.push(...fieldsOf(schema.items, `${name}[]`, depth + 1).slice(1));
  return rows.length === 0 ? [["", typeText(schema), aboutText(schema)]] : rows;
}

const typeText = (schema: Schema): string =>
  schema.anyOf
    ? schema.anyOf.map(typeText).join(" or ")
    : schema.items
      ? `list of ${typeText(schema.items)}`
      : (schema.type ?? "");

function aboutText({ description = "", examples = [] }: Schema): string {
  const example = examples[0];
  return example === undefined || example === ""
    ? description
    : `${description} For example ${JSON.stringify(example)}.`;
}

function rangeText(schema: Schema): string {
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.minimum === undefined) return schema.type ?? "";
  return `${schema.minimum}–${schema.maximum}${schema.default === undefined ? "" : `, else ${schema.default}`}`;
}

function table(rows: readonly (readonly string[])[]): HTMLElement {
  const body = make("tbody", "");
  for (const [name = "", type = "", about = ""] of rows) {
    const row = make("tr", "");
    const cells = [make("td", ""), make("td", "quiet", type), make("td", "", about)];
    cells[0]?.append(make("code", "", name));
    row.append(...cells);
    body.append(row);
  }
  const made = make("table", "");
  made.append(body);
  return made;
}

/** Paragraphs and lists of the little Markdown that the description uses. */
function prose(text: string): HTMLElement[] {
  return text.split("\n\n").map((block) => {
    if (!block.startsWith("- ")) return make("p", "", block);
    const list = make("ul", "");
    for (const item of block.split("\n")) list.append(make("li", "", item.slice(2).replaceAll("`", "")));
    return list;
  });
}

function make(name: string, className: string, text = ""): HTMLElement {
  const element = document.createElement(name);
  if (className !== "") element.className = className;
  if (text !== "") element.textContent = text;
  return element;
}
