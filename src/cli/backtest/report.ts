/** What fills add up to: the base scenario in full, the others as rows beside it. Money as decimal texts. */
import type { PoolFacts } from "#core/pool.ts";
import { WSOL_MINT } from "#core/units.ts";
import { swapsOf } from "#decide/swaps.ts";
import { bootstrap, type SlotSum } from "./block-bootstrap.ts";
import { FILL_STATES, type Fill, type FillState, type Scenario } from "./paper-fills.ts";

/** What a fill is filed under. */
export type Place = { readonly route: string; readonly leader: string; readonly hour: string };

class Tally {
  attempts = 0;
  landed = 0;
  net = 0n;
  predicted = 0n;

  add({ state, netLamports, decision }: Fill): void {
    if (state === "repeat" || state === "open") return;
    this.attempts++;
    this.predicted += decision.netLamports;
    if (state !== "landed") return;
    this.landed++;
    this.net += netLamports;
  }

  get row() {
    return {
      attempts: this.attempts,
      landed: this.landed,
      landed_share: this.attempts === 0 ? 0 : this.landed / this.attempts,
      net_lamports: `${this.net}`,
    };
  }
}

type Row = Tally["row"];

export class ScenarioReport {
  readonly #states = new Map<FillState, number>();
  readonly #all = new Tally();
  readonly #by = {
    route: new Map<string, Tally>(),
    token: new Map<string, Tally>(),
    leader: new Map<string, Tally>(),
    hour: new Map<string, Tally>(),
    slotDelta: new Map<string, Tally>(),
  };
  readonly #slots = new Map<number, { netLamports: number; attempts: number; landed: number }>();
  #inputMax = 0n;

  constructor(readonly scenario: Scenario) {}

  add(fill: Fill, place: Place, pool: (index: number) => PoolFacts | undefined): void {
    const { decision, state, netLamports } = fill;
    this.#states.set(state, (this.#states.get(state) ?? 0) + 1);
    if (state === "repeat" || state === "open") return;
    this.#all.add(fill);
    this.#file("route", place.route, fill);
    this.#file("leader", place.leader, fill);
    this.#file("hour", place.hour, fill);
    if (state === "landed") this.#file("slotDelta", `${fill.slotDelta}`, fill);
    const tokens = new Set(swapsOf(decision).flatMap(({ hop }) => pool(hop.pool)?.mints ?? []));
    for (const mint of tokens) if (mint !== WSOL_MINT) this.#file("token", mint, fill);
    const slot = Number(decision.slot);
    const sum = this.#slots.get(slot) ?? { netLamports: 0, attempts: 0, landed: 0 };
    sum.netLamports += Number(netLamports);
    sum.attempts++;
    if (state === "landed") sum.landed++;
    this.#slots.set(slot, sum);
    const input = decision.amounts[0] as bigint;
    if (state === "landed" && input > this.#inputMax) this.#inputMax = input;
  }

  #file(kind: keyof ScenarioReport["groups"], name: string, fill: Fill): void {
    const group = this.#by[kind];
    let tally = group.get(name);
    if (tally === undefined) {
      tally = new Tally();
      group.set(name, tally);
    }
    tally.add(fill);
  }

  get groups() {
    const { route, token, leader, hour, slotDelta } = this.#by;
    const rows = (group: ReadonlyMap<string, Tally>) =>
      Object.fromEntries([...group].sort(([a], [b]) => compare(a, b)).map(([name, tally]) => [name, tally.row]));
    return {
      route: rows(route),
      token: rows(token),
      leader: rows(leader),
      hour: rows(hour),
      slotDelta: rows(slotDelta),
    };
  }

  /** With its 95 % intervals. */
  total(firstSlot: number, slots: number) {
    const { latencyMs, size } = this.scenario;
    const sums: SlotSum[] = [...this.#slots].map(([slot, sum]) => ({ slot, ...sum }));
    const { blockSlots, netLamports, landedShare } = bootstrap(sums, firstSlot, slots, `${latencyMs} ${size}`);
    return {
      latency_ms: latencyMs,
      size,
      ...this.#all.row,
      net_lamports_low: Math.round(netLamports.low),
      net_lamports_high: Math.round(netLamports.high),
      landed_share_low: landedShare.low,
      landed_share_high: landedShare.high,
      bootstrap_block_slots: blockSlots,
      predicted_lamports: `${this.#all.predicted}`,
      input_lamports_max: `${this.#inputMax}`,
      states: Object.fromEntries(FILL_STATES.map((state) => [state, this.#states.get(state) ?? 0])),
    };
  }
}

/** Numbers by their value, names by their letters: the same order everywhere. */
const compare = (a: string, b: string): number => Number(a) - Number(b) || (a < b ? -1 : a > b ? 1 : 0);

export type BacktestSummary = {
  readonly version: string;
  readonly source: string;
  readonly first_slot: number;
  readonly last_slot: number;
  readonly slots: number;
  readonly decisions: number;
  readonly sends: number;
  readonly model_hash: string;
  readonly total: ReturnType<ScenarioReport["total"]>;
  readonly by: ScenarioReport["groups"];
  readonly latency: readonly ReturnType<ScenarioReport["total"]>[];
  readonly capacity: readonly ReturnType<ScenarioReport["total"]>[];
};

const sol = (lamports: string | number): string => (Number(lamports) / 1e9).toFixed(6);
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** For people. */
export function describeBacktest(summary: BacktestSummary): string {
  const { total, by, latency, capacity } = summary;
  const states = Object.entries(total.states).filter(([, count]) => count > 0);
  const table = (title: string, rows: readonly (readonly string[])[]) => {
    if (rows.length === 0) return [];
    const head = [title, "attempts", "landed", "share", "net SOL"];
    const all = [head, ...rows];
    const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
    return [
      "",
      ...all.map((row) =>
        row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  "),
      ),
    ];
  };
  const cells = (name: string, row: Row) => [
    name,
    `${row.attempts}`,
    `${row.landed}`,
    percent(row.landed_share),
    sol(row.net_lamports),
  ];
  const group = (title: string, rows: Readonly<Record<string, Row>>) =>
    table(
      title,
      Object.entries(rows).map(([name, row]) => cells(name, row)),
    );
  return [
    `${summary.slots} slots, ${summary.first_slot} to ${summary.last_slot}; ${summary.decisions} decisions, ${summary.sends} to send`,
    `net ${sol(total.net_lamports)} SOL (95 %: ${sol(total.net_lamports_low)} to ${sol(total.net_lamports_high)}, blocks of ${total.bootstrap_block_slots} slots), decided on ${sol(total.predicted_lamports)}`,
    `landed ${total.landed} of ${total.attempts}, ${percent(total.landed_share)} (95 %: ${percent(total.landed_share_low)} to ${percent(total.landed_share_high)}), ${total.latency_ms} ms after the event`,
    states.map(([state, count]) => `${count} ${state}`).join(", "),
    ...table(
      "latency, ms",
      latency.map((row) => cells(`${row.latency_ms}`, row)),
    ),
    ...table(
      "size",
      capacity.map((row) => cells(`${row.size} ×`, row)),
    ),
    ...group("slots later", by.slotDelta),
    ...group("route", by.route),
    ...group("token", by.token),
    ...group("leader", by.leader),
    ...group("hour, UTC", by.hour),
    "",
  ].join("\n");
}
