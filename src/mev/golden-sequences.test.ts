/**
 * Victim loss and attacker profit against sequences that the deployed programs executed in a real SVM, through the same
 * counterfactual that findings are priced with. The sequences are not ours and lie outside the repository:
 * SANDPIPER_SHARED_DATA, else ../shared/data beside it.
 */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type PoolFile, readDexVectors } from "#cli/dex-vectors.ts";
import { base58Decode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import { venueOfProgram } from "#dex/venues.ts";
import { attackerProfit, counterfactual, lossOf, type Run, type Step } from "./counterfactual.ts";

const DATA = process.env["SANDPIPER_SHARED_DATA"] ?? join(import.meta.dir, "../../../shared/data");
const VECTORS = join(DATA, "golden-vectors");
const there = existsSync(VECTORS);
if (!there) console.warn(`SKIPPED: golden sandwich sequences: not found at ${VECTORS}`);

type Given = { readonly attacker_pnl_B: string; readonly victim_solo_out: string };

test.skipIf(!there)(
  "counterfactual() gives profit and loss of 346 executed sandwiches on six programs to the unit",
  () => {
    const counted = readdirSync(VECTORS)
      .filter((name) => name.endsWith(".json"))
      .map((name) => judge(readFileSync(join(VECTORS, name), "utf8")));
    const total = (pick: (one: (typeof counted)[number]) => number) => counted.reduce((sum, one) => sum + pick(one), 0);
    expect({
      sequences: total((one) => one.sequences),
      profitsEqual: total((one) => one.profits),
      lossesEqual: total((one) => one.losses),
    }).toEqual({ sequences: 346, profitsEqual: 346, lossesEqual: 346 });
  },
);

function judge(text: string): { sequences: number; profits: number; losses: number } {
  const file = readDexVectors(text);
  if (file.kind !== "pool") return { sequences: 0, profits: 0, losses: 0 };
  const given = (JSON.parse(text) as { sandwich_sequences: Given[] }).sandwich_sequences;
  const { state, run, sideOfA } = open(file);
  const sideOfB = sideOfA === 0 ? 1 : 0;
  let [profits, losses] = [0, 0];
  file.sequences.forEach(({ legs }, i) => {
    const steps = legs.map(
      ({ aToB, mode, amount }, leg): Step => ({
        order: { inputSide: aToB ? sideOfA : sideOfB, mode, amount },
        part: leg === 1 ? "victim" : "attacker",
      }),
    );
    const told = counterfactual(state, steps, run);
    const profit = attackerProfit(steps, told.recorded);
    const { attacker_pnl_B, victim_solo_out } = given[i] as Given;
    // The back leg sells all that the front bought, so that nothing is left of token A.
    if (profit[sideOfB] === BigInt(attacker_pnl_B) && profit[sideOfA] === 0n) profits++;
    const loss = BigInt(victim_solo_out) - (legs[1]?.done?.amountOut ?? 0n);
    if (lossOf(steps[1] as Step, 1, told) === loss) losses++;
  });
  return { sequences: file.sequences.length, profits, losses };
}

function open(file: PoolFile): { state: unknown; run: Run<unknown>; sideOfA: 0 | 1 } {
  const account = file.accounts.get(file.pool);
  const venue = account && venueOfProgram(account.owner);
  const state = venue?.load(file.pool, file.accounts);
  if (account === undefined || venue === undefined || !state?.ok) throw new Error(`no venue for ${file.pool}`);
  const bytes = Buffer.from(account.data);
  const placeOf = (mint: Address) => bytes.indexOf(base58Decode(mint));
  return {
    state: state.value,
    sideOfA: placeOf(file.tokens[0]) < placeOf(file.tokens[1]) ? 0 : 1,
    run: (from, order) => {
      const filled = venue.swap(from, order, file.time);
      return filled.ok ? filled.value : undefined;
    },
  };
}
