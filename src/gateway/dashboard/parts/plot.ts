/**
 * A plot over time or over a plain axis, by uPlot: drawn anew only when its data, its size or the scheme changed. A canvas
 * says nothing to a screen reader: who draws gives a sentence that does.
 */
import UPlot from "uplot";

type Line = {
  readonly label: string;
  /** A custom property of the page's style: "--accent". */
  readonly color: string;
  readonly kind: "step" | "line" | "points" | "bars";
  readonly fill?: boolean;
  readonly dash?: readonly number[];
};
export type PlotOptions = {
  readonly lines: readonly Line[];
  readonly yText: (value: number) => string;
  /** Left out: x is Unix seconds. */
  readonly xText?: (value: number) => string;
  readonly yMin?: number;
  readonly yMax?: number;
  readonly xRange?: readonly [number, number];
  /** Room left and right of the outermost points, in units of x. */
  readonly xPad?: number;
  /** Of its left axis, in pixels. */
  readonly axisWidth?: number;
  readonly empty: string;
};
type Columns = readonly (readonly (number | null)[])[];

/** Steps of a time axis, in seconds. */
const SECONDS = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400];
const FONT = "11px system-ui, sans-serif";

export class Plot {
  readonly #host: HTMLElement;
  readonly #options: PlotOptions;
  #plot: UPlot | undefined;
  #columns: Columns = [];
  #state = "";

  constructor(host: HTMLElement, options: PlotOptions) {
    this.#host = host;
    this.#options = options;
    host.setAttribute("role", "img");
    new ResizeObserver(() => this.#resize()).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#make());
  }

  /** x first, then one column a line; `state` is equal when nothing changed; `says` is the whole of it in a sentence. */
  draw(columns: Columns, state: string, says: string): void {
    if (this.#host.getAttribute("aria-label") !== says) this.#host.setAttribute("aria-label", says);
    if (state === this.#state && this.#plot) return;
    this.#state = state;
    this.#columns = columns;
    if ((columns[0]?.length ?? 0) < 2) this.#drawEmpty();
    else if (this.#plot) this.#plot.setData(columns as UPlot.AlignedData);
    else this.#make();
  }

  #drawEmpty(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    if (this.#host.querySelector(".empty")) return;
    const empty = document.createElement("p");
    empty.className = "empty";
    empty.textContent = this.#options.empty;
    this.#host.replaceChildren(empty);
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#host;
    if (this.#plot && width > 0) this.#plot.setSize({ width, height });
    else if (width > 0 && (this.#columns[0]?.length ?? 0) >= 2) this.#make();
  }

  #make(): void {
    const { clientWidth: width, clientHeight: height } = this.#host;
    if (width === 0 || (this.#columns[0]?.length ?? 0) < 2) return;
    const { lines, yText, xText, yMin, yMax, xRange, xPad = 0, axisWidth = 62 } = this.#options;
    const style = getComputedStyle(document.documentElement);
    const color = (name: string) => style.getPropertyValue(name).trim();
    const axis = { stroke: color("--soft"), font: FONT, ticks: { show: false } };
    this.#plot?.destroy();
    this.#host.replaceChildren();
    this.#plot = new UPlot(
      {
        width,
        height,
        padding: [8, 22, 0, 0],
        cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
        legend: { show: false },
        scales: {
          x: { time: false, range: (_, low, high) => (xRange ? [...xRange] : [low - xPad, high + xPad]) },
          y: {
            range: (_, low, high) => {
              const bottom = yMin ?? Math.min(0, low);
              const top = yMax ?? (high > bottom ? high * 1.08 : bottom + 1);
              return [bottom, top];
            },
          },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            size: 24,
            ...(xText ? {} : { incrs: SECONDS }),
            values: (_, ticks) => ticks.map(xText ?? clockOf),
          },
          {
            ...axis,
            size: axisWidth,
            grid: { stroke: color("--line"), width: 1 },
            values: (_, ticks) => ticks.map(yText),
          },
        ],
        series: [{}, ...lines.map((line) => seriesOf(line, color))],
      },
      this.#columns as UPlot.AlignedData,
      this.#host,
    );
  }
}

/** UTC, as everything on the page. */
const clockOf = (seconds: number): string => new Date(seconds * 1_000).toISOString().slice(11, 19);

function seriesOf({ label, color: name, kind, fill, dash }: Line, color: (name: string) => string): UPlot.Series {
  const { stepped, bars } = UPlot.paths;
  const paths = kind === "step" ? stepped?.({ align: 1 }) : kind === "bars" ? bars?.({ size: [0.7, 60] }) : undefined;
  return {
    label,
    stroke: color(name),
    width: kind === "points" ? 0 : 1.75,
    spanGaps: true,
    points: kind === "points" ? { show: true, size: 8, fill: color(name) } : { show: false },
    ...(paths && { paths }),
    ...(fill && { fill: color("--accent-wash") }),
    ...(dash && { dash: [...dash] }),
  };
}
