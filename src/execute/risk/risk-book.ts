/**
 * The books of the risk limits: what the trades of this day lost and tipped, together and per pool and token, and the
 * state that follows:
 *
 *   active ──(a loss or tip limit is used to REDUCE_SHARE)──▸ reducing ──(used up)──▸ halted
 *
 * Reducing allows one open attempt. The state only ever gets worse until an operator resumes (`sandpiper risk resume`) or,
 * for reducing, the day (UTC) ends; a halt outlives the day. Gains are not set against losses: a day that wins a lot must
 * still not lose a lot. A pool or token whose own losses pass their limit is left alone until the day ends.
 *
 * Kept in a file that is replaced before an Outcome is published and the journal closes the bundle, with the ids of what
 * was counted last: a kill in between has the bundle settled again, and it is not counted again.
 */
import { readJsonFile, writeFileAtomicUnsynced } from "#core/atomic-file.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { RISK_STATES, type RiskState } from "#decide/risk/risk-words.ts";
import { EXECUTE_ERROR } from "#execute/errors.ts";

export type RiskLimits = {
  readonly lossPerDayLamportsMax: number;
  readonly tipsPerDayLamportsMax: number;
  readonly lossPerPoolLamportsMax: number;
  readonly openAttemptsMax: number;
};

export type RiskReport = {
  readonly state: RiskState;
  /** What brought the state about; empty while active. */
  readonly reason: string;
  /** Unix ms of the last change of the state. */
  readonly changedMs: number;
  /** UTC day that the sums are of, as 2026-01-31. */
  readonly day: string;
  readonly lossLamports: number;
  readonly tipsLamports: number;
  readonly attempts: number;
  /** Losses by pool and by token. */
  readonly losses: Readonly<Record<string, number>>;
  /** Decision ids that are counted already, newest last. */
  readonly counted: readonly string[];
};

/** What an ended attempt cost. */
export type RiskEntry = {
  readonly decisionId: string;
  readonly netLamports: bigint;
  /** 0n when it did not land. */
  readonly tipLamports: bigint;
  /** Its pools and tokens. */
  readonly places: readonly string[];
};

const REDUCE_SHARE = 0.75;
const REDUCING_ATTEMPTS = 1;
/** As many as can be settled and not yet closed in the journal, and some. */
const COUNTED_KEPT = 1_024;
const PLACES_MAX = 4_096;

export class RiskBook {
  #report: RiskReport;

  /** Throws a SandpiperError when the file cannot be understood: without it nobody knows whether there is a halt. */
  constructor(
    private readonly path: string,
    private readonly limits: RiskLimits,
    private readonly wallMs: () => number,
    /** Told after every change, and once at the start. */
    private readonly onChange: (report: RiskReport, attemptsMax: number) => void,
  ) {
    this.#report = readRiskFile(path) ?? nothing(wallMs());
    this.#turnDay();
    this.#worsen();
    this.#tell();
  }

  get report(): RiskReport {
    return this.#report;
  }

  get attemptsMax(): number {
    if (this.#report.state === "halted") return 0;
    return this.#report.state === "reducing" ? REDUCING_ATTEMPTS : this.limits.openAttemptsMax;
  }

  isBlocked(place: string): boolean {
    return lossOf(this.#report.losses, place) >= this.limits.lossPerPoolLamportsMax;
  }

  /** Counts an ended attempt, once for each decision, and keeps it before it returns. */
  settled(entry: RiskEntry): void {
    if (this.#report.counted.includes(entry.decisionId)) return;
    this.#turnDay();
    const before = this.#report;
    const loss = entry.netLamports < 0n ? Number(-entry.netLamports) : 0;
    const losses = new Map(Object.entries(before.losses));
    if (loss > 0)
      for (const place of new Set(entry.places))
        if (losses.has(place) || losses.size < PLACES_MAX) losses.set(place, (losses.get(place) ?? 0) + loss);
    this.#report = {
      ...before,
      lossLamports: before.lossLamports + loss,
      tipsLamports: before.tipsLamports + Number(entry.tipLamports),
      attempts: before.attempts + 1,
      losses: Object.fromEntries(losses),
      counted: [...before.counted, entry.decisionId].slice(-COUNTED_KEPT),
    };
    this.#worsen();
    // An attempt that cost nothing changes nothing that must be remembered.
    if (loss > 0 || entry.tipLamports > 0n || this.#report.state !== before.state) this.#keep();
    this.#tell();
  }

  /** What is due by the clock: a new day, or an operator's resume given after the halt. Call it now and then. */
  look(resumedMs: number): void {
    const before = this.#report;
    this.#turnDay();
    if (this.#report.state !== "active" && resumedMs > this.#report.changedMs)
      this.#report = { ...nothing(this.wallMs()), attempts: this.#report.attempts, counted: this.#report.counted };
    if (this.#report === before) return;
    this.#keep();
    this.#tell();
  }

  #turnDay(): void {
    const now = this.wallMs();
    if (dayOf(now) === this.#report.day) return;
    const { state, reason, changedMs, counted } = this.#report;
    const halted = state === "halted";
    this.#report = { ...nothing(now), counted, ...(halted && { state, reason, changedMs }) };
  }

  #worsen(): void {
    const { lossLamports, tipsLamports, state } = this.#report;
    const { lossPerDayLamportsMax, tipsPerDayLamportsMax } = this.limits;
    const [share, reason] = [
      [
        lossLamports / lossPerDayLamportsMax,
        `lost ${lossLamports} of ${lossPerDayLamportsMax} lamports a day`,
      ] as const,
      [
        tipsLamports / tipsPerDayLamportsMax,
        `tipped ${tipsLamports} of ${tipsPerDayLamportsMax} lamports a day`,
      ] as const,
    ].reduce((worst, one) => (one[0] > worst[0] ? one : worst));
    const next: RiskState = share >= 1 ? "halted" : share >= REDUCE_SHARE ? "reducing" : "active";
    if (RISK_STATES.indexOf(next) <= RISK_STATES.indexOf(state)) return;
    this.#report = { ...this.#report, state: next, reason, changedMs: this.wallMs() };
  }

  #tell(): void {
    this.onChange(this.#report, this.attemptsMax);
  }

  /** Not synced: a killed process leaves it in the page cache, as the journal's lines. */
  #keep(): void {
    writeFileAtomicUnsynced(this.path, `${JSON.stringify(this.#report)}\n`, 0o600);
  }
}

/** The books of a file; undefined when there is none. Throws a SandpiperError on one that cannot be understood. */
export function readRiskFile(path: string): RiskReport | undefined {
  let was: string;
  try {
    const read = readJsonFile(path);
    if (read === undefined) return undefined;
    if (isReport(read)) return read;
    was = "something else";
  } catch (thrown) {
    was = errorText(thrown);
  }
  throw new SandpiperError(
    EXECUTE_ERROR.risk,
    `Cannot read the risk file ${path}: the books of this agent, was ${was}`,
  );
}

function isReport(value: unknown): value is RiskReport {
  if (typeof value !== "object" || value === null) return false;
  const report = value as Readonly<Record<string, unknown>>;
  const numbers = ["changedMs", "lossLamports", "tipsLamports", "attempts"].map((name) => report[name]);
  return (
    RISK_STATES.some((state) => state === report["state"]) &&
    typeof report["reason"] === "string" &&
    typeof report["day"] === "string" &&
    numbers.every((number) => typeof number === "number" && number >= 0) &&
    typeof report["losses"] === "object" &&
    report["losses"] !== null &&
    Object.values(report["losses"]).every((loss) => typeof loss === "number") &&
    Array.isArray(report["counted"]) &&
    report["counted"].every((id) => typeof id === "string")
  );
}

const lossOf = (losses: Readonly<Record<string, number>>, place: string): number =>
  Object.hasOwn(losses, place) ? (losses[place] as number) : 0;

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

const nothing = (nowMs: number): RiskReport => ({
  state: "active",
  reason: "",
  changedMs: nowMs,
  day: dayOf(nowMs),
  lossLamports: 0,
  tipsLamports: 0,
  attempts: 0,
  losses: {},
  counted: [],
});
