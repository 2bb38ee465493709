/**
 * From a decision to the instructions of its one transaction, in order: the compute limit, the swaps, the tip; where
 * bytes are short the tip and the swaps.
 *
 * A split hop is two swaps in a row, and the next one puts in what both pay out. Each swap puts in exactly what the one before it was quoted to pay out and asks for exactly what it was quoted itself.
 * So a bundle either lands with the predicted amounts or better, or does not land at all: as soon as a pool moved
 * against it, a program refuses and the whole transaction, tip included, is void.
 */
import { SandpiperError } from "#core/error.ts";
import type { PoolFacts } from "#core/pool.ts";
import type { Address } from "#core/units.ts";
import type { Decision } from "#decide/decision-record.ts";
import { swapsOf } from "#decide/swaps.ts";
import type { Instruction } from "#dex/instruction.ts";
import { SYSTEM_PROGRAM } from "#dex/program-addresses.ts";
import { TICK_ARRAY_TICKS } from "#dex/raydium-clmm/layout.ts";
import { inPoolBitmap } from "#dex/raydium-clmm/tick-map.ts";
import { swapInstruction } from "#dex/swap-instruction.ts";
import { EXECUTE_ERROR } from "./errors.ts";

const COMPUTE_BUDGET_PROGRAM = "ComputeBudget111111111111111111111111111111" as Address;
const SET_COMPUTE_UNIT_LIMIT = 2;
const SYSTEM_TRANSFER = 2;

/**
 * Compute units one swap may take: above what mainnet's CP-Swap (up to 65,000 with Token-2022) and AMM v4 (up to 45,000)
 * were seen to take; for CLMM, whose swaps take more with each tick, what an instruction has by default. A limit costs
 * nothing without a price per unit; too low a one voids the bundle.
 */
const SWAP_COMPUTE_UNITS = { "raydium-cpmm": 90_000, "raydium-amm-v4": 70_000, "raydium-clmm": 200_000 } as const;
/** For the limit itself and the tip's transfer. */
const BASE_COMPUTE_UNITS = 2_000;

/** The part of a decision that becomes instructions. */
type PlannedSwaps = Pick<Decision, "hops" | "amounts" | "split" | "tipLamports">;

export type PlanContext = {
  readonly owner: Address;
  /** Facts by pool number. */
  readonly pool: (index: number) => PoolFacts | undefined;
  /** The wallet's token account for a mint. */
  readonly tokenAccount: (mint: Address) => Address | undefined;
  readonly tipAccount: Address;
  /** A learnt compute limit for these swaps; undefined where the table must do. */
  readonly computeUnits?: number | undefined;
};

/** Throws a SandpiperError when the decision names a pool or token that is not known here. */
export function planInstructions(decision: PlannedSwaps, context: PlanContext): Instruction[] {
  let computeUnits = BASE_COMPUTE_UNITS;
  const planned = swapsOf(decision);
  const swaps = planned.map(({ hop, amountIn, amountOut }) => {
    const pool = context.pool(hop.pool) ?? missing(`the facts of pool ${hop.pool}`);
    const [inputMint, outputMint] = [pool.mints[hop.inputSide], pool.mints[1 - hop.inputSide] as Address];
    computeUnits += SWAP_COMPUTE_UNITS[pool.dex];
    return swapInstruction(pool, {
      owner: context.owner,
      inputSide: hop.inputSide,
      inputAccount: context.tokenAccount(inputMint) ?? missing(`a token account for ${inputMint}`),
      outputAccount: context.tokenAccount(outputMint) ?? missing(`a token account for ${outputMint}`),
      amountIn,
      minimumOut: amountOut,
      ...(hop.tickArrays !== undefined && { tickArrays: tickArraysOf(pool, hop.tickArrays) }),
    });
  });
  const tip = transferLamports(context.owner, context.tipAccount, decision.tipLamports);
  // Four swaps, or three over ticks, are short of bytes, and the 200,000 units that each instruction has by default
  // suffice. The swaps begin at instruction 1 either way: explain.ts tells the one that failed by it.
  const hasTicks = planned.some(({ hop }) => hop.tickArrays !== undefined);
  if (planned.length > (hasTicks ? 2 : 3)) return [tip, ...swaps];
  return [computeUnitLimit(Math.min(context.computeUnits ?? computeUnits, computeUnits)), ...swaps, tip];
}

/**
 * The tick arrays on a swap's way, in its order, and behind them the bitmaps of those that the pool's own does not name.
 * Arrays that do not exist hold no ticks, and the program passes over them.
 */
function tickArraysOf(pool: PoolFacts, [first, last]: readonly [number, number]): Address[] {
  const span = TICK_ARRAY_TICKS * (pool.concentrated?.tickSpacing ?? 1);
  const [low, high] = [Math.min(first, last) * span, Math.max(first, last) * span];
  const between = (pool.concentrated?.tickArrays ?? []).filter(
    ({ firstTick }) => firstTick >= low && firstTick <= high,
  );
  if (!between.some(({ firstTick }) => firstTick === last * span))
    missing(`tick array ${last} of pool ${pool.address}`);
  const arrays = between.map(({ address }) => address);
  if (first > last) arrays.reverse();
  if (inPoolBitmap(first) && inPoolBitmap(last)) return arrays;
  return [...arrays, pool.accounts["bitmapExtension"] ?? missing(`the bitmap extension of pool ${pool.address}`)];
}

function computeUnitLimit(units: number): Instruction {
  const data = new Uint8Array(5);
  data[0] = SET_COMPUTE_UNIT_LIMIT;
  new DataView(data.buffer).setUint32(1, units, true);
  return { programAddress: COMPUTE_BUDGET_PROGRAM, accounts: [], data };
}

/** Moves native lamports; `from` signs. */
export function transferLamports(from: Address, to: Address, lamports: bigint): Instruction {
  const data = new Uint8Array(12);
  const view = new DataView(data.buffer);
  view.setUint32(0, SYSTEM_TRANSFER, true);
  view.setBigUint64(4, lamports, true);
  return {
    programAddress: SYSTEM_PROGRAM,
    accounts: [
      { address: from, signer: true, writable: true },
      { address: to, signer: false, writable: true },
    ],
    data,
  };
}

function missing(what: string): never {
  throw new SandpiperError(EXECUTE_ERROR.plan, `Cannot plan a bundle: ${what} must be known, was not`, "later");
}
