/** Sent decisions and their outcomes from which something can be learned: the larger the tip's share, the likelier they landed. */
import { seededRandom } from "#core/random.ts";
import { FEATURES } from "#model/features.ts";
import { arbEnvelope, type Envelope, outcomeEnvelope } from "#wire/envelope.ts";
import type { GatewayStage } from "./gateway-stage.ts";
import { eventually } from "./supervised-run.ts";

const TIP_SHARE = FEATURES.findIndex(({ name }) => name === "tip_share");
const NS_PER_MS = 1_000_000n;
/** From the decision to its outcome. */
const SETTLE_MS = 400;

/** Unix ms, half open. */
type TrainingRange = { readonly startMs: number; readonly endMs: number };
export type TrainingPair = { readonly decision: Envelope; readonly outcome: Envelope };

/** `count` pairs, decided evenly over the range, and one that landed for each that did not. */
export function trainingPairs(count: number, range: TrainingRange, seed = "rows"): TrainingPair[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, (_, i) => {
    const decideNs =
      BigInt(range.startMs) * NS_PER_MS +
      (BigInt(range.endMs - range.startMs - SETTLE_MS - 1) * NS_PER_MS * BigInt(i)) / BigInt(count);
    const features = FEATURES.map(({ low, high }) => Math.fround(low + (high - low) * random.unit()));
    const share = features[TIP_SHARE] as number;
    const landed = random.unit() < 1 / (1 + Math.exp(-10 * (share - 0.5)));
    const id = `${seed}-${String(i).padStart(6, "0")}`;
    const common = { decisionId: id, agent: "arbitrage", mode: "sim", bundleId: `bundle-${id}`, decideNs };
    const decision = arbEnvelope({
      ...{ ...common, version: "0.1.0", slot: BigInt(i + 1), action: "send", reason: "profitable" },
      ...{ features, score: 0.5, pLandEst: 0.5, modelHash: "0000000000000000" },
    });
    const outcome = outcomeEnvelope({
      ...{ ...common, landed, state: landed ? "landed" : "outbid", path: "jito" },
      landNs: decideNs + BigInt(SETTLE_MS) * NS_PER_MS,
    });
    return { decision, outcome };
  });
}

/** Publishes `count` pairs on the stage and waits until they are in its tables, which held none before. */
export async function recordPairs(stage: GatewayStage, count: number, range: TrainingRange): Promise<void> {
  const pairs = trainingPairs(count, range);
  await Promise.all(pairs.flatMap(({ decision, outcome }) => [stage.publish(decision), stage.publish(outcome)]));
  await eventually("the rows are on record", async () => {
    const rows = await stage.store.query<{ n: string }>("SELECT count() AS n FROM sandpiper.bundle_outcomes_typed");
    return Number(rows[0]?.n) === count ? true : undefined;
  });
}
