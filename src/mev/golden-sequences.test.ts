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
import type { Address, Signature } from "#core/units.ts";
import type { VenueName } from "#dex/venue.ts";
import { venueOfProgram } from "#dex/venues.ts";
import { tellAgain } from "./constant-product.ts";
import { attackerProfit, counterfactual, lossOf, type Run, type Step } from "./counterfactual.ts";
import type { Trade } from "./trade.ts";

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

test.skipIf(!there)("tellAgain() finds the fee and gives the same losses from reserves and amounts alone", () => {
  const names = ["raydium-amm-v4__SOL-USDC-58oQ.json", "raydium-cpmm__SOL-USDC-7Juw.json"];
  const told = names.map((name) => retold(readFileSync(join(VECTORS, name), "utf8")));
  expect(told).toEqual([58, 53]);
});

/** How many sequences of a constant-product pool are told again with the loss that was executed. */
function retold(text: string): number {
  const file = readDexVectors(text);
  if (file.kind !== "pool") return 0;
  const { state, run, sideOfA, reserves, venue } = open(file);
  const given = (JSON.parse(text) as { sandwich_sequences: Given[] }).sandwich_sequences;
  return file.sequences.filter(({ legs }, i) => {
    let at = state;
    const trades = legs.map(({ aToB, mode, amount, done }, index): Trade => {
      const inputSide = aToB === (sideOfA === 0) ? 0 : 1;
      const found = reserves(at);
      at = run(at, { inputSide, mode, amount })?.after;
      const [amountIn, amountOut] = [done?.amountIn ?? 0n, done?.amountOut ?? 0n];
      const [mintIn, mintOut] = aToB ? file.tokens : ([file.tokens[1], file.tokens[0]] as const);
      const [reserveIn, reserveOut] = inputSide === 0 ? found : [found[1], found[0]];
      const transaction = { slot: 1, index, signature: `${index}` as Signature, feeLamports: 0n, tipLamports: 0n };
      const reading = { reserveIn, reserveOut, amountIn, amountOut, exact: "in" } as const;
      const rest = { venue, actor: file.pool, program: file.pool, aggregated: false, cyclic: false };
      return {
        ...rest,
        transaction,
        instructionIndex: 0,
        pool: file.pool,
        mintIn,
        mintOut,
        amountIn,
        amountOut,
        reading,
      };
    });
    const again = tellAgain(trades, file.tokens[1], (trade) => (trade === trades[1] ? "victim" : "attacker"));
    const loss = BigInt(given[i]?.victim_solo_out ?? 0) - (legs[1]?.done?.amountOut ?? 0n);
    return again !== undefined && lossOf(again.steps[1] as Step, 1, again.told) === loss;
  }).length;
}

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

type Opened = {
  readonly venue: VenueName;
  readonly state: unknown;
  readonly run: Run<unknown>;
  readonly sideOfA: 0 | 1;
  /** Effective ones, by the figures of the two constant-product programs of Raydium. */
  readonly reserves: (state: unknown) => readonly [bigint, bigint];
};

function open(file: PoolFile): Opened {
  const account = file.accounts.get(file.pool);
  const venue = account && venueOfProgram(account.owner);
  const state = venue?.load(file.pool, file.accounts);
  if (account === undefined || venue === undefined || !state?.ok) throw new Error(`no venue for ${file.pool}`);
  const bytes = Buffer.from(account.data);
  const placeOf = (mint: Address) => bytes.indexOf(base58Decode(mint));
  const { figures } = venue;
  const reserve = (from: unknown, side: 0 | 1) => {
    const read = figures(from);
    const vault = read[`vault_${side}`] ?? read[side === 0 ? "vault_coin" : "vault_pc"] ?? 0n;
    const owed = read[`need_take_pnl_${side === 0 ? "coin" : "pc"}`] ?? 0n;
    return vault - owed - (read[`protocol_fees_${side}`] ?? 0n) - (read[`fund_fees_${side}`] ?? 0n);
  };
  return {
    venue: venue.name,
    reserves: (from) => [reserve(from, 0), reserve(from, 1)],
    state: state.value,
    sideOfA: placeOf(file.tokens[0]) < placeOf(file.tokens[1]) ? 0 : 1,
    run: (from, order) => {
      const filled = venue.swap(from, order, file.time);
      return filled.ok ? filled.value : undefined;
    },
  };
}
