/** Profit over the run as a step line in SVG: drawn only when its points or its size changed. */
import { lamportsToSol } from "#core/units.ts";
import { ageText, solText } from "./format.ts";
import type { ProfitPoint } from "./page-state.ts";

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { top: 10, right: 8, bottom: 22, left: 64 } as const;
const LINES_MAX = 4;

type Scale = { readonly x: (atMs: number) => number; readonly y: (sol: number) => number };

export class ProfitPlot {
  readonly #host: HTMLElement;
  #drawn = "";

  constructor(host: HTMLElement) {
    this.#host = host;
  }

  draw(points: readonly ProfitPoint[], nowMs: number): void {
    const { clientWidth: width, clientHeight: height } = this.#host;
    const last = points.at(-1);
    // The time axis moves by the second; nothing finer can be seen.
    const state = `${points.length} ${last?.lamports} ${width} ${height} ${Math.floor(nowMs / 1_000)}`;
    if (state === this.#drawn || width === 0) return;
    this.#drawn = state;
    const first = points[0];
    if (!first || !last || points.length < 2) {
      this.#drawEmpty();
      return;
    }
    const endMs = Math.max(nowMs, last.atMs, first.atMs + 1_000);
    const values = points.map(({ lamports }) => lamportsToSol(lamports));
    const ticks = niceTicks(Math.min(0, ...values), Math.max(0, ...values));
    const scale = scales(first.atMs, endMs, ticks, width, height);
    const svg = element("svg", { role: "img", "aria-label": `Profit of the run: ${solText(last.lamports)} SOL` });
    svg.append(
      ...grid(ticks, scale, width),
      ...times(first.atMs, endMs, scale, height),
      ...line(points, values, endMs, scale),
    );
    this.#host.replaceChildren(svg);
  }

  #drawEmpty(): void {
    const empty = document.createElement("p");
    empty.className = "empty";
    empty.textContent = "Nothing has landed in this run yet.";
    this.#host.replaceChildren(empty);
  }
}

function scales(startMs: number, endMs: number, ticks: readonly number[], width: number, height: number): Scale {
  const low = ticks[0] ?? 0;
  const span = (ticks.at(-1) ?? 1) - low;
  const plotHeight = height - MARGIN.top - MARGIN.bottom;
  return {
    x: (atMs) => MARGIN.left + ((atMs - startMs) / (endMs - startMs)) * (width - MARGIN.left - MARGIN.right),
    y: (sol) => MARGIN.top + plotHeight - ((sol - low) / span) * plotHeight,
  };
}

/** Round values that enclose the range, at most a few of them. */
function niceTicks(low: number, high: number): number[] {
  const rough = (high - low || 1e-6) / LINES_MAX;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const ticks: number[] = [];
  for (let i = Math.floor(low / step); i <= Math.ceil(high / step); i++) ticks.push(i * step);
  return ticks;
}

function grid(ticks: readonly number[], { y }: Scale, width: number): SVGElement[] {
  const step = (ticks[1] ?? 1) - (ticks[0] ?? 0);
  const decimals = Math.max(0, Math.min(9, -Math.floor(Math.log10(step))));
  return ticks.flatMap((tick) => [
    element("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(tick), y2: y(tick) }),
    label(tick.toFixed(decimals), { x: MARGIN.left - 8, y: y(tick) + 4, "text-anchor": "end" }),
  ]);
}

function times(startMs: number, endMs: number, { x }: Scale, height: number): SVGElement[] {
  const middleMs = (startMs + endMs) / 2;
  return [
    label(`${ageText(endMs - startMs)} ago`, { x: x(startMs), y: height - 4 }),
    label(`${ageText(endMs - middleMs)} ago`, { x: x(middleMs), y: height - 4, "text-anchor": "middle" }),
    label("now", { x: x(endMs), y: height - 4, "text-anchor": "end" }),
  ];
}

function line(points: readonly ProfitPoint[], values: readonly number[], endMs: number, { x, y }: Scale): SVGElement[] {
  let path = "";
  points.forEach(({ atMs }, i) => {
    const at = x(atMs).toFixed(1);
    const value = y(values[i] ?? 0).toFixed(1);
    path += i === 0 ? `M${at} ${value}` : `H${at}V${value}`;
  });
  path += `H${x(endMs).toFixed(1)}`;
  const zero = y(0).toFixed(1);
  const start = x(points[0]?.atMs ?? endMs).toFixed(1);
  return [
    element("path", { class: "area", d: `${path}V${zero}H${start}Z` }),
    element("path", { class: "line", d: path }),
    element("circle", { class: "now", cx: x(endMs), cy: y(values.at(-1) ?? 0), r: 4.5 }),
  ];
}

function element(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

function label(text: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const made = element("text", attributes);
  made.textContent = text;
  return made;
}
