/** What the options say to the hot loop. */
import type { Config } from "#core/config.ts";
import { seededRandom } from "#core/random.ts";
import { SIGNATURE_FEE_LAMPORTS } from "#core/units.ts";
import type { PolicyFields } from "#memory/switchboard.ts";
import type { HotLoopSettings } from "./hot-loop.ts";
import { RiskGate } from "./risk/risk-gate.ts";
import { RiskWords } from "./risk/risk-words.ts";
import { TipBandit, type TipPolicy } from "./tips/tip-bandit.ts";

/** `walletLamports`: what is known of the wallet at the start; 0 decides nothing before the io thread says more. */
export const loopSettings = (config: Config, walletLamports: number): HotLoopSettings => ({
  hopsMax: config["arbitrage.hopsMax"],
  splitGainLamportsMin: config["arbitrage.splitGainLamportsMin"],
  inputLamportsMax: config["arbitrage.inputLamportsMax"],
  tipShareMax: config["arbitrage.tipShareMax"],
  feeLamports: Number(SIGNATURE_FEE_LAMPORTS),
  // A block engine charges nothing for a bundle that does not land.
  missCostLamports: 0,
  slotMs: config["sim.slotMs"],
  walletLamports,
});

/** What chooses the tips; undefined leaves it to the model. `run` seeds its draws, `statistics` takes what it learns. */
export function openTipBandit(policy: TipPolicy, run: number, statistics: SharedArrayBuffer): TipBandit | undefined {
  return policy === "model" ? undefined : new TipBandit(policy, seededRandom(`tip draws ${run}`).unit, statistics);
}

/** The risk limits as the hot thread keeps them. */
export const openRiskGate = (config: Config, words: SharedArrayBuffer): RiskGate =>
  new RiskGate(new RiskWords(words), config["risk.sendsPerMinuteMax"]);

/** The policy before any operator changed it. */
export const firstPolicy = (config: Config): PolicyFields => ({
  killed: false,
  stopped: false,
  throttlePct: 0,
  evMinLamports: config["arbitrage.evMinLamports"],
  tipLadderLamports: config["arbitrage.tipLadder"],
});
