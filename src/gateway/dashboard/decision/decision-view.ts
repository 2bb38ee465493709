/** One decision in full, as elements: what it was, its path, its money, its times, what the model was told, its ids. */

import { make } from "#gateway/dashboard/parts/elements.ts";
import {
  clockText,
  countText,
  exactSolText,
  latencyText,
  namedIn,
  percentText,
  shortReason,
  tokenText,
  wordsText,
} from "#gateway/dashboard/parts/format.ts";
import type { Arb, Outcome } from "#wire/envelope.ts";
import { swapsOf } from "./decision-swaps.ts";
import { timeline } from "./timeline.ts";

export type PageFeature = {
  readonly name: string;
  readonly unit: string;
  readonly source: string;
  readonly value: number;
};

export type DecisionView = {
  readonly decision: Arb;
  /** Undefined while it is not known, or when nothing was sent. */
  readonly outcome: Outcome | undefined;
  readonly features: readonly PageFeature[];
};

export const decisionElements = (view: DecisionView): HTMLElement[] => [
  verdict(view),
  ...part("Path", path(view.decision)),
  ...part("Money", money(view), "SOL"),
  ...part("Tip ladder", ladder(view.decision), "lamports"),
  ...part("From event to end", times(view), "UTC"),
  ...part("What the model was told", features(view.features)),
  ...part("Ids", ids(view)),
];

function part(title: string, content: HTMLElement, unit = ""): HTMLElement[] {
  return [make("h3", "", title, " ", make("small", "quiet", unit)), content];
}

function verdict({ decision, outcome }: DecisionView): HTMLElement {
  const sent = decision.action === "send";
  const decided = make("p", "verdict", make("strong", sent ? "good" : "quiet", sent ? "Sent" : "Skipped"));
  decided.append(`: ${wordsText(decision.reason)}`);
  if (!sent) return decided;
  const state = outcome === undefined ? "in flight" : wordsText(outcome.state);
  const tone = outcome?.landed ? "good" : outcome === undefined ? "quiet" : "trouble";
  const ended = make("p", "verdict", make("strong", tone, capital(state)));
  if (outcome && outcome.reason !== "") ended.append(`: ${shortReason(outcome.reason)}`);
  return make("div", "", decided, ended);
}

function path(decision: Arb): HTMLElement {
  const { mints } = decision;
  const rows = swapsOf(decision).map(({ name, hop, amountIn, amountOut, dex, pool }) => {
    const input = mints[hop] ?? "";
    const output = mints[hop + 1] ?? mints[0] ?? "";
    return [
      name,
      make("span", "", tokenText(input), " › ", tokenText(output)),
      amountText(amountIn, input),
      amountText(amountOut, output),
      dex,
      copyable(pool),
    ];
  });
  const columns = ["wide number quiet", "", "number", "number", "wide quiet", ""];
  return table(["Hop", "Swap", "In", "Out", "DEX", "Pool"], columns, rows);
}

/** The decimals of other tokens are not on record: their amounts are whole units. */
const amountText = (amount: bigint | undefined, mint: string): string =>
  amount === undefined ? "" : tokenText(mint) === "SOL" ? exactSolText(amount) : `${countText(amount)} units`;

function money({ decision, outcome }: DecisionView): HTMLElement {
  const lines: [string, string, string?][] = [
    ["Gross", exactSolText(decision.grossLamports)],
    ...(decision.splitHop > 0
      ? [["Of it by the split", exactSolText(decision.splitGainLamports)] as [string, string]]
      : []),
    ["Fee", exactSolText(-decision.feeLamports)],
    ["Tip", exactSolText(-decision.tipLamports)],
    ["Net, predicted", exactSolText(decision.netLamports), "good"],
    ["Net, realised", outcome === undefined ? "–" : exactSolText(outcome.realisedNetLamports)],
    ["Exact", outcome?.landed ? (outcome.exact ? "yes, to the unit" : "no") : "–"],
    ["Expected value", exactSolText(decision.evLamports)],
    ["Model score", decision.score.toFixed(4)],
    ["Chance to land", percentText(decision.pLandEst)],
    ["Simulated first", simulationText(decision)],
  ];
  return facts(lines);
}

function simulationText({ simNs, simNetLamports, simError }: Arb): string {
  if (simError !== "") return wordsText(simError);
  if (simNs === 0n) return "no";
  return `${exactSolText(simNetLamports)} in ${latencyText(Number(simNs) / 1e6)}`;
}

function ladder({ tipLadder, tipLamports }: Arb): HTMLElement {
  if (tipLadder.length === 0) return make("p", "quiet", "none on record");
  const rungs = tipLadder.map((rung) => {
    const chosen = rung === tipLamports;
    const item = make("li", chosen ? "chosen" : "", countText(rung));
    if (chosen) item.append(make("span", "unseen", " (chosen)"));
    return item;
  });
  return make("ol", "ladder", ...rungs);
}

function times({ decision, outcome }: DecisionView): HTMLElement {
  const steps = timeline(decision, outcome).map(({ name, atNs, afterNs, sinceNs }, i) =>
    make(
      "li",
      "",
      make("span", "", capital(name)),
      make("span", "number", i === 0 ? "" : `+ ${latencyText(Number(afterNs) / 1e6)}`),
      make("span", "number quiet", i === 0 ? "" : latencyText(Number(sinceNs) / 1e6)),
      make("time", "mono quiet", clockText(atNs)),
    ),
  );
  return make("ol", "timeline", ...steps);
}

function features(values: readonly PageFeature[]): HTMLElement {
  if (values.length === 0) return make("p", "quiet", "not read yet");
  const rows = values.map(({ name, unit, source, value }, i) => [
    name === "" ? `feature ${i + 1}` : name,
    featureText(value),
    unit,
    source,
  ]);
  return table(["Feature", "Value", "Unit", "Made from"], ["mono", "number", "quiet", "wide quiet words"], rows);
}

const featureText = (value: number) => (Number.isInteger(value) ? countText(value) : value.toPrecision(5));

function ids({ decision, outcome }: DecisionView): HTMLElement {
  const known: [string, string][] = [
    ["Decision", decision.decisionId],
    ["Bundle", decision.bundleId],
    ["Signature", decision.txSignature],
    ["Model", decision.modelHash],
    ["Agent", `${decision.agent} ${decision.version}`],
    ["Market slot", decision.slot.toString()],
    ["Landed slot", outcome?.landed ? outcome.landedSlot.toString() : ""],
    ["Route", outcome?.path ?? ""],
    ["Leader", outcome?.leader ?? ""],
    ...namedIn(outcome?.reason ?? "").map((named): [string, string] => ["Named in the reason", named]),
  ];
  const list = make("dl", "ids");
  for (const [name, value] of known)
    if (value !== "") list.append(make("dt", "", name), make("dd", "", copyable(value, value)));
  return list;
}

/** The text and a button that copies the whole of it. */
function copyable(value: string, shown = `${value.slice(0, 6)}…${value.slice(-4)}`): HTMLElement {
  const button = make("button", "copy", "Copy");
  button.type = "button";
  button.dataset["copy"] = value;
  button.setAttribute("aria-label", `Copy ${value}`);
  const text = make("span", "mono", shown);
  text.title = value;
  return make("span", "copyable", text, button);
}

function facts(lines: readonly (readonly [string, string, string?])[]): HTMLElement {
  const list = make("dl", "facts");
  for (const [name, value, tone = ""] of lines)
    list.append(make("div", "", make("dt", "", name), make("dd", tone, value)));
  return list;
}

function table(
  heads: readonly string[],
  columns: readonly string[],
  rows: readonly (readonly (Node | string)[])[],
): HTMLElement {
  const head = heads.map((text, i) => {
    const cell = make("th", (columns[i] ?? "").replaceAll(/quiet|mono|words/g, "").trim(), text);
    cell.scope = "col";
    return cell;
  });
  const body = rows.map((cells) => make("tr", "", ...cells.map((cell, i) => make("td", columns[i] ?? "", cell))));
  const made = make("table", "", make("thead", "", make("tr", "", ...head)), make("tbody", "", ...body));
  return make("div", "scroll", made);
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
