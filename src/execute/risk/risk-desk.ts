/**
 * The io thread's end of the risk limits: counts what ended, tells the hot thread, and has the last word before a send.
 * What an operator orders on this box (arming, resuming) is looked at once a second.
 */
import type { Config } from "#core/config.ts";
import type { Log } from "#core/log.ts";
import type { RunPaths } from "#core/paths.ts";
import type { PoolFacts } from "#core/pool.ts";
import { WSOL_MINT } from "#core/units.ts";
import { type RiskState, RiskWords } from "#decide/risk/risk-words.ts";
import type { SentBundle, Settlement } from "#execute/bundle.ts";
import { readArmedUntilMs, readResumedMs } from "./orders.ts";
import { RiskBook, type RiskReport } from "./risk-book.ts";

export type RiskDeskParts = {
  readonly config: Config;
  readonly paths: Pick<RunPaths, "risk" | "riskResumed" | "armed">;
  /** RISK_BYTES, shared with the hot thread. */
  readonly words: ArrayBufferLike;
  readonly pools: () => Iterable<PoolFacts>;
  readonly wallMs: () => number;
  readonly log: Log;
};

export class RiskDesk {
  readonly #parts: RiskDeskParts;
  readonly #words: RiskWords;
  readonly #book: RiskBook;
  #state: RiskState = "active";
  #armedUntilMs = 0;

  constructor(parts: RiskDeskParts) {
    const { config, paths, wallMs } = parts;
    this.#parts = parts;
    this.#words = new RiskWords(parts.words);
    const limits = {
      lossPerDayLamportsMax: config["risk.lossPerDayLamportsMax"],
      tipsPerDayLamportsMax: config["risk.tipsPerDayLamportsMax"],
      lossPerPoolLamportsMax: config["risk.lossPerPoolLamportsMax"],
      openAttemptsMax: config["risk.openAttemptsMax"],
    };
    this.#book = new RiskBook(paths.risk, limits, wallMs, (report, attemptsMax) => this.#follow(report, attemptsMax));
    this.look();
  }

  /** Why nothing may leave now; undefined when a transaction may. */
  refusal(openAttempts: number): string | undefined {
    const { config, wallMs } = this.#parts;
    const { state } = this.#book.report;
    if (state === "halted") return "risk_halted";
    if (openAttempts > this.#book.attemptsMax) return "too_many_in_flight";
    return config.mode === "live" && wallMs() >= this.#armedUntilMs ? "not_armed" : undefined;
  }

  settled(bundle: SentBundle, settlement: Settlement): void {
    const landed = settlement.state === "landed";
    const pools = new Set<string>(bundle.pools);
    const tokens = [...this.#parts.pools()].filter(({ address }) => pools.has(address)).flatMap(({ mints }) => mints);
    this.#book.settled({
      decisionId: bundle.decisionId,
      netLamports: settlement.realisedNetLamports,
      tipLamports: landed ? bundle.tipLamports : 0n,
      places: [...pools, ...tokens.filter((mint) => mint !== WSOL_MINT)],
    });
  }

  /** Once a second: what operators ordered, and which pools are to be left alone. */
  look(): void {
    const { paths, pools } = this.#parts;
    this.#armedUntilMs = readArmedUntilMs(paths.armed);
    this.#book.look(readResumedMs(paths.riskResumed));
    for (const { index, address, mints } of pools())
      this.#words.blockPool(index, this.#book.isBlocked(address) || mints.some((mint) => this.#book.isBlocked(mint)));
  }

  #follow(report: RiskReport, attemptsMax: number): void {
    this.#words.write(report.state, attemptsMax);
    if (report.state === this.#state) return;
    this.#state = report.state;
    this.#parts.log.warn("risk limits", { state: report.state, reason: report.reason });
  }
}
