/**
 * When a shadow is promoted without anybody's word, and when the version in use is taken back: a pure function of what is
 * on record. A version that was taken back is not promoted by rule again, and after a rollback a person decides.
 */
import type { HistoryEntry } from "#model/models-folder.ts";

export type ModelRules = {
  readonly promoteByRule: boolean;
  /** Least outcomes that both the version in use and the shadow have scored. */
  readonly promoteRowsMin: number;
  readonly rollback: boolean;
  readonly driftRowsMin: number;
  /** Largest distance between the mean score and the share that landed. */
  readonly calibrationGapMax: number;
  /** Largest ratio of the hot path's median now to that before the promotion. */
  readonly hotPathFactorMax: number;
};

/** Of the last outcomes since the version in use was promoted. */
export type ModelFacts = {
  readonly both: { readonly rows: number; readonly latestLogLoss: number; readonly shadowLogLoss: number };
  readonly latest: { readonly rows: number; readonly meanScore: number; readonly landedShare: number };
  /** Medians of the hot path's medians, ms, and how many windows each is of. */
  readonly hotPath: {
    readonly before: number;
    readonly windowsBefore: number;
    readonly now: number;
    readonly windowsNow: number;
  };
};

export type ModelOrder = { readonly action: "promote" | "rollback"; readonly why: string };

/** The shadow's log loss must be this share of the other's, or less. */
const LOG_LOSS_SHARE_MAX = 0.99;
const WINDOWS_MIN = 30;

/** What the rules want now. `history` is the models folder's, oldest first. */
export function judgeModels(
  facts: ModelFacts,
  rules: ModelRules,
  versions: { readonly shadow: string; readonly history: readonly HistoryEntry[] },
): ModelOrder | undefined {
  const { history, shadow } = versions;
  const lastFlip = history.findLast(({ action }) => action === "promote" || action === "rollback");
  if (rules.rollback && lastFlip?.action === "promote" && lastFlip.from !== "") {
    const why = drift(facts, rules);
    if (why !== undefined) return { action: "rollback", why };
  }
  if (!rules.promoteByRule || shadow === "") return undefined;
  if (history.some(({ action, from }) => action === "rollback" && from === shadow)) return undefined;
  const { rows, latestLogLoss, shadowLogLoss } = facts.both;
  if (rows < rules.promoteRowsMin || !(shadowLogLoss <= latestLogLoss * LOG_LOSS_SHARE_MAX)) return undefined;
  const why = `log loss ${shadowLogLoss.toFixed(4)} against ${latestLogLoss.toFixed(4)} on ${rows} outcomes`;
  return { action: "promote", why };
}

function drift({ latest, hotPath }: ModelFacts, rules: ModelRules): string | undefined {
  const { rows, meanScore, landedShare } = latest;
  if (rows >= rules.driftRowsMin && Math.abs(meanScore - landedShare) > rules.calibrationGapMax)
    return `calibration drift: it says ${meanScore.toFixed(3)} on average, ${landedShare.toFixed(3)} of ${rows} landed`;
  const measured = hotPath.windowsBefore >= WINDOWS_MIN && hotPath.windowsNow >= WINDOWS_MIN;
  if (measured && hotPath.now > hotPath.before * rules.hotPathFactorMax)
    return `latency drift: the hot path's median is ${hotPath.now.toFixed(4)} ms, was ${hotPath.before.toFixed(4)} ms before`;
  return undefined;
}
