/**
 * Query parameters: one table per route, from which both the check and the OpenAPI document are made. Whatever is
 * unknown, given twice or out of range is refused; nothing is coerced silently.
 */
import { SandpiperError } from "#core/error.ts";
import type { Cursor, DecisionQuery, OutcomeQuery, SandwichQuery } from "#gateway/data.ts";
import { GATEWAY_ERROR } from "#gateway/errors.ts";

type Parameter = {
  readonly about: string;
  /** What must hold, in the words of the error. */
  readonly expected: string;
  readonly pattern: RegExp;
  readonly schema: Readonly<Record<string, unknown>>;
};
type Parameters = Readonly<Record<string, Parameter>>;

const LIMIT_MAX = 1_000;
const LIMIT_DEFAULT = 100;
const POINTS_MAX = 1_000;
const POINTS_DEFAULT = 240;
const LEAVES_MAX = 200;
const LEAVES_DEFAULT = 50;
/** What the tables' times can hold: the year 2262. */
const NS_MAX = 2n ** 63n - 1n;

const before: Parameter = {
  about: "Only rows older than this: `next` of the last answer, or a time in ns since the Unix epoch.",
  expected: "the next of an earlier answer or nanoseconds since 1970",
  pattern: /^[0-9]{1,20}(\.[\x21-\x7e]{1,128})?$/,
  schema: { type: "string", maxLength: 149, example: "1700000000000031000" },
};
const limit: Parameter = {
  about: "Most rows to answer.",
  expected: `a whole number from 1 to ${LIMIT_MAX}`,
  pattern: /^([1-9][0-9]{0,2}|1000)$/,
  schema: { type: "integer", minimum: 1, maximum: LIMIT_MAX, default: LIMIT_DEFAULT },
};

export const DECISION_PARAMETERS = {
  limit,
  before,
  action: {
    about: "Only decisions with this action.",
    expected: "send or skip",
    pattern: /^(send|skip)$/,
    schema: { type: "string", enum: ["send", "skip"] },
  },
  reason: {
    about: "Only decisions with exactly this reason.",
    expected: "1 to 64 letters, digits, spaces or _ . : -",
    pattern: /^[A-Za-z0-9_.: -]{1,64}$/,
    schema: { type: "string", minLength: 1, maxLength: 64, example: "profitable" },
  },
} as const satisfies Parameters;

export const OUTCOME_PARAMETERS = {
  limit,
  before,
  landed: {
    about: "Only bundles that landed (true), or only those that did not (false).",
    expected: "true or false",
    pattern: /^(true|false)$/,
    schema: { type: "boolean" },
  },
} as const satisfies Parameters;

export const SANDWICH_PARAMETERS = {
  limit,
  before,
  attacker: {
    about: "Only sandwiches of this wallet.",
    expected: "an address in base58",
    pattern: /^[1-9A-HJ-NP-Za-km-z]{32,44}$/,
    schema: { type: "string", minLength: 32, maxLength: 44 },
  },
} as const satisfies Parameters;

export const LEAVES_PARAMETERS = {
  limit: {
    about: "Most leaves to answer.",
    expected: `a whole number from 1 to ${LEAVES_MAX}`,
    pattern: /^([1-9][0-9]?|1[0-9]{2}|200)$/,
    schema: { type: "integer", minimum: 1, maximum: LEAVES_MAX, default: LEAVES_DEFAULT },
  },
} as const satisfies Parameters;

export const PROFIT_PARAMETERS = {
  points: {
    about: "About how many buckets the run is cut into; a bucket is never shorter than a second.",
    expected: `a whole number from 2 to ${POINTS_MAX}`,
    pattern: /^([2-9]|[1-9][0-9]{1,2}|1000)$/,
    schema: { type: "integer", minimum: 2, maximum: POINTS_MAX, default: POINTS_DEFAULT },
  },
} as const satisfies Parameters;

/** The table in OpenAPI's words. */
export const openapiParameters = (parameters: Parameters) =>
  Object.entries(parameters).map(([name, { about, schema }]) => ({
    name,
    in: "query" as const,
    required: false,
    description: about,
    schema,
  }));

export function readDecisionQuery(url: URL): DecisionQuery {
  const given = readParameters(url, DECISION_PARAMETERS);
  return { ...page(given), ...pick(given, "action"), ...pick(given, "reason") };
}

export function readOutcomeQuery(url: URL): OutcomeQuery {
  const given = readParameters(url, OUTCOME_PARAMETERS);
  return { ...page(given), ...(given.landed === undefined ? {} : { landed: given.landed === "true" }) };
}

export function readSandwichQuery(url: URL): SandwichQuery {
  const given = readParameters(url, SANDWICH_PARAMETERS);
  return { ...page(given), ...pick(given, "attacker") };
}

export function readProfitQuery(url: URL): { readonly points: number } {
  const given = readParameters(url, PROFIT_PARAMETERS);
  return { points: Number(given.points ?? POINTS_DEFAULT) };
}

export function readLeavesQuery(url: URL): { readonly limit: number } {
  return { limit: Number(readParameters(url, LEAVES_PARAMETERS).limit ?? LEAVES_DEFAULT) };
}

/** Throws when there is any parameter: for the routes that take none. */
export function readNoQuery(url: URL): void {
  readParameters(url, {});
}

/** The cursor behind the last row of a page, or null when the page was not full. */
export function nextCursor<Row>(rows: readonly Row[], limit: number, cursor: (row: Row) => Cursor): string | null {
  const last = rows.at(-1);
  if (last === undefined || rows.length < limit) return null;
  const { ns, id } = cursor(last);
  return `${ns}.${id}`;
}

function readParameters<P extends Parameters>(url: URL, known: P): { [K in keyof P]?: string } {
  const given: { [K in keyof P]?: string } = {};
  for (const [name, value] of url.searchParams) {
    const parameter = Object.hasOwn(known, name) ? known[name] : undefined;
    if (parameter === undefined) refuse("the query", `one of ${Object.keys(known).join(", ") || "nothing"}`, name);
    if (Object.hasOwn(given, name)) refuse(name, "given once", "given twice");
    if (!parameter.pattern.test(value)) refuse(name, parameter.expected, value);
    given[name as keyof P] = value;
  }
  return given;
}

function page(given: { limit?: string; before?: string }): { limit: number; before?: Cursor } {
  const limit = Number(given.limit ?? LIMIT_DEFAULT);
  if (given.before === undefined) return { limit };
  const dot = given.before.indexOf(".");
  const ns = BigInt(dot < 0 ? given.before : given.before.slice(0, dot));
  if (ns > NS_MAX) refuse("before", before.expected, given.before);
  return { limit, before: { ns, id: dot < 0 ? "" : given.before.slice(dot + 1) } };
}

const pick = <K extends string>(given: { [N in K]?: string }, name: K): { [N in K]?: string } => {
  const value = given[name];
  return value === undefined ? {} : ({ [name]: value } as { [N in K]?: string });
};

const SHOWN_LENGTH_MAX = 60;

function refuse(what: string, expected: string, came: string): never {
  const shown = came.length > SHOWN_LENGTH_MAX ? `${came.slice(0, SHOWN_LENGTH_MAX)}…` : came;
  throw new SandpiperError(GATEWAY_ERROR.query, `Cannot read ${what}: ${expected}, was ${JSON.stringify(shown)}`);
}
