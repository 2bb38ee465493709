/**
 * Everything the page knows: the last status, the newest decisions and outcomes, and the profit line. Records come twice
 * (read from the API at each connect, and live); each is kept once. All lists are bounded.
 */
import type { Arb, Envelope, Metrics, Outcome } from "#wire/envelope.ts";
import type { PageProfit, PageStatus } from "./status.ts";

/** Enough for filters to find something in. */
export const ROWS_MAX = 200;
/** Seconds of what agents measured that are kept for the plots. */
const SECONDS_MAX = 600;
const AGENTS_MAX = 32;
/** The plot is about this many pixels wide. */
const POINTS_MAX = 800;

export type ProfitPoint = { readonly atMs: number; readonly lamports: bigint };

export class PageState {
  status: PageStatus | undefined;
  /** The gateway's clock minus ours: ages are told by its clock. */
  clockSkewMs = 0;
  /** Messages the gateway could not send us. */
  dropped = 0;
  readonly decisions = new NewestFirst<Arb>(
    (row) => row.decisionId,
    (row) => row.decideNs,
  );
  readonly sent = new NewestFirst<Arb>(
    (row) => row.decisionId,
    (row) => row.decideNs,
  );
  readonly outcomes = new NewestFirst<Outcome>(
    (row) => row.bundleId,
    (row) => row.landNs,
  );
  profit: ProfitPoint[] = [];
  /** The newest of each agent. */
  readonly metrics = new Map<string, Metrics>();
  /** What the arbitrage agent measured, second by second, oldest first. */
  seconds: Metrics[] = [];
  /** Envelopes that came since the page was opened. */
  received = 0;

  nowMs(): number {
    return Date.now() + this.clockSkewMs;
  }

  acceptStatus(status: PageStatus): void {
    if (this.status && this.status.run_id !== status.run_id) this.profit = [];
    this.status = status;
    this.clockSkewMs = status.now_ms - Date.now();
    const lamports = BigInt(status.profit_lamports);
    if (status.store.totals_age_ms === null || this.profit.at(-1)?.lamports === lamports) return;
    this.profit.push({ atMs: status.now_ms, lamports });
    if (this.profit.length > POINTS_MAX) this.profit = thinned(this.profit);
  }

  acceptProfit({ started_at_ms, points }: PageProfit): void {
    const start = { atMs: started_at_ms, lamports: 0n };
    this.profit = [start, ...points.map((point) => ({ atMs: point.at_ms, lamports: BigInt(point.profit_lamports) }))];
  }

  acceptEnvelopes(envelopes: readonly Envelope[]): void {
    this.received += envelopes.length;
    for (const { payload } of envelopes) {
      if (payload.case === "arb") this.acceptDecision(payload.value);
      if (payload.case === "outcome") this.outcomes.add(payload.value);
      if (payload.case === "metrics") this.#acceptMetrics(payload.value);
    }
  }

  #acceptMetrics(metrics: Metrics): void {
    const { agent } = metrics;
    if (!this.metrics.has(agent) && this.metrics.size >= AGENTS_MAX) return;
    this.metrics.set(agent, metrics);
    if (!agent.startsWith("arbitrage") || metrics.hotpathP99Ns === 0n) return;
    this.seconds.push(metrics);
    if (this.seconds.length > SECONDS_MAX) this.seconds = this.seconds.slice(-SECONDS_MAX / 2);
  }

  acceptDecision(decision: Arb): void {
    this.decisions.add(decision);
    if (decision.action === "send") this.sent.add(decision);
  }
}

/** The newest rows by time, each id once. */
class NewestFirst<Row> {
  readonly #id: (row: Row) => string;
  readonly #ns: (row: Row) => bigint;
  readonly #kept = new Set<string>();
  rows: readonly Row[] = [];

  constructor(id: (row: Row) => string, ns: (row: Row) => bigint) {
    this.#id = id;
    this.#ns = ns;
  }

  add(row: Row): void {
    const id = this.#id(row);
    if (this.#kept.has(id)) return;
    const ns = this.#ns(row);
    const at = this.rows.findIndex((kept) => this.#ns(kept) < ns);
    const place = at < 0 ? this.rows.length : at;
    if (place >= ROWS_MAX) return;
    const last = this.rows[ROWS_MAX - 1];
    if (last !== undefined) this.#kept.delete(this.#id(last));
    this.#kept.add(id);
    this.rows = [...this.rows.slice(0, place), row, ...this.rows.slice(place, ROWS_MAX - 1)];
  }
}

/** Every second point, and always the last. */
const thinned = (points: readonly ProfitPoint[]): ProfitPoint[] =>
  points.filter((_, i) => i % 2 === 0 || i === points.length - 1);
