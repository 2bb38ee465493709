/**
 * Why a bundle did not land. The evidence, in this order: did a rival with a higher tip land on the same pools, is
 * its blockhash still alive, and would it still execute. Two bounded questions to the cluster and a look at a few blocks.
 */
import type { Address } from "#core/units.ts";
import { notLanded, type SentBundle, type Settlement } from "./bundle.ts";
import type { RivalFinder } from "./rivals.ts";
import { field, list, type Rpc } from "./rpc.ts";

/**
 * Custom errors that mean "pays out less than asked for": CP-Swap's ExceededSlippage, AMM v4's, and CLMM's
 * TooLittleOutputReceived in its build of 2024.
 */
const SLIPPAGE_ERRORS = new Set([6_005, 30, 6_022]);

export type Evidence = {
  readonly rpc: Rpc;
  readonly rivals: RivalFinder;
  readonly wallet: Address;
  readonly slot: number;
  readonly blockHeight: number;
  /** The route held its auctions and says that it failed there. */
  readonly routeFailed: boolean;
  /** What the route said, or why it is given up. */
  readonly why: string;
};

/** Undefined when the cluster does not answer, so that it can be asked again. */
export async function explainMiss(bundle: SentBundle, evidence: Evidence): Promise<Settlement | undefined> {
  const { rpc, rivals, wallet, slot, blockHeight, routeFailed, why } = evidence;
  const simulation = await rpc("simulateTransaction", [
    bundle.wireBase64,
    { encoding: "base64", sigVerify: false, replaceRecentBlockhash: true, commitment: "processed" },
  ]);
  if (!simulation.ok && simulation.error.retry !== "never") return undefined;
  const failure = simulation.ok ? (field(simulation.value, "value", "err") ?? null) : simulation.error.text;
  const own = { signature: bundle.signature, wallet };
  const rival = await rivals.find(bundle.pools, bundle.decidedSlot, slot, own);
  const isOurs = rival?.payer === wallet;
  if (failure !== null && rival !== undefined && !isOurs && rival.tipLamports > bundle.tipLamports)
    return notLanded(
      "outbid",
      `${rival.signature} landed on the same pools in slot ${rival.slot} with a tip of ${rival.tipLamports}, ours was ${bundle.tipLamports}`,
      rival.tipLamports,
    );
  // Without a verdict of the route the state now proves nothing about then: first whether it could still land at all.
  if (!routeFailed && blockHeight > bundle.lastValidBlockHeight)
    return notLanded(
      "expired",
      `the block height ${blockHeight} passed ${bundle.lastValidBlockHeight}, the last one its blockhash was valid for; ${why}`,
    );
  const alive = await rpc("isBlockhashValid", [bundle.blockhash, { commitment: "processed" }]);
  const known = alive.ok ? field(alive.value, "value") : undefined;
  if (known === false && blockHeight <= bundle.lastValidBlockHeight)
    return notLanded("unknown", `the cluster does not know its blockhash (it began anew since); ${why}`);
  const hop = slippedHop(failure, bundle);
  if (hop !== undefined) {
    const by =
      rival === undefined
        ? "no rival with a tip was seen on its pools"
        : `${isOurs ? "our own " : ""}${rival.signature} with a tip of ${rival.tipLamports} was there first, in slot ${rival.slot}`;
    return notLanded("state_moved", `hop ${hop + 1} of ${bundle.pools.length} would pay less than quoted; ${by}`);
  }
  if (failure !== null) return notLanded("simulation_failed", `it would fail with ${JSON.stringify(failure)}; ${why}`);
  return notLanded("dropped", `it would still execute in slot ${slot}; ${why}`);
}

/** The hop whose program refuses to pay less than quoted; instruction 0 is the compute limit or the tip. */
function slippedHop(failure: unknown, bundle: SentBundle): number | undefined {
  const [instruction, error] = list(field(failure, "InstructionError"));
  const custom = field(error, "Custom");
  if (typeof instruction !== "number" || typeof custom !== "number" || !SLIPPAGE_ERRORS.has(custom)) return undefined;
  const hop = instruction - 1;
  return hop >= 0 && hop < bundle.pools.length ? hop : undefined;
}
