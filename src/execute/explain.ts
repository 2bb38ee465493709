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
/** CLMM's NotEnoughTickArrayAccount and InvalidFirstTickArrayAccount: its price is where the swap names no ticks. */
const TICKS_ERRORS = new Set([6_027, 6_028]);

export type Evidence = {
  readonly rpc: Rpc;
  readonly rivals: RivalFinder;
  readonly wallet: Address;
  readonly slot: number;
  /** Why it can execute no more: its blockhash died, its nonce moved on; undefined while it can. */
  readonly ended: string | undefined;
  /** The route held its auctions and says that it failed there. */
  readonly routeFailed: boolean;
  /** What the route said, or why it is given up. */
  readonly why: string;
};

/** Undefined when the cluster does not answer, so that it can be asked again. */
export async function explainMiss(bundle: SentBundle, evidence: Evidence): Promise<Settlement | undefined> {
  const { rpc, rivals, wallet, slot, ended, routeFailed, why } = evidence;
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
  if (!routeFailed && ended !== undefined) return notLanded("expired", `${ended}; ${why}`);
  const alive =
    ended === undefined ? await rpc("isBlockhashValid", [bundle.blockhash, { commitment: "processed" }]) : undefined;
  if (alive?.ok === true && field(alive.value, "value") === false)
    return notLanded("unknown", `the cluster does not know its blockhash (it began anew since); ${why}`);
  const hop = movedHop(failure, bundle);
  if (hop !== undefined) {
    const by =
      rival === undefined
        ? "no rival with a tip was seen on its pools"
        : `${isOurs ? "our own " : ""}${rival.signature} with a tip of ${rival.tipLamports} was there first, in slot ${rival.slot}`;
    const where = `hop ${hop.place + 1} of ${hop.hops}${hop.second ? ", in its second pool," : ""}`;
    const what = hop.slipped ? "would pay less than quoted" : "would leave the ticks that it names";
    return notLanded("state_moved", `${where} ${what}; ${by}`);
  }
  if (failure !== null) return notLanded("simulation_failed", `it would fail with ${JSON.stringify(failure)}; ${why}`);
  return notLanded("dropped", `it would still execute in slot ${slot}; ${why}`);
}

type MovedHop = {
  readonly place: number;
  readonly hops: number;
  /** It is the second pool of the split hop. */
  readonly second: boolean;
  readonly slipped: boolean;
};

/** The hop whose program finds its pool moved: it pays less than quoted, or over other ticks; instruction 0 is the compute limit or the tip, behind the nonce's advance if there is one. */
function movedHop(failure: unknown, bundle: SentBundle): MovedHop | undefined {
  const [instruction, error] = list(field(failure, "InstructionError"));
  const custom = field(error, "Custom");
  if (typeof instruction !== "number" || typeof custom !== "number") return undefined;
  const slipped = SLIPPAGE_ERRORS.has(custom);
  if (!slipped && !TICKS_ERRORS.has(custom)) return undefined;
  const { pools, splitPlace, nonce } = bundle;
  const swap = instruction - (nonce === undefined ? 1 : 2);
  if (swap < 0 || swap >= pools.length) return undefined;
  if (splitPlace === undefined) return { place: swap, hops: pools.length, second: false, slipped };
  const place = swap > splitPlace ? swap - 1 : swap;
  return { place, hops: pools.length - 1, second: swap === splitPlace + 1, slipped };
}
