/**
 * Reads a labelled run (docs/labelled-runs.md): each row checked whole, the recording as detection sees it, the truth
 * beside it. What a recording would not tell (which swaps are part of a circle or of a user's route, who is tied to whom)
 * is worked out here as it is for recorded blocks.
 */
import { SandpiperError } from "#core/error.ts";
import type { Address, Signature } from "#core/units.ts";
import { VENUE_NAMES, type VenueName } from "#dex/venue.ts";
import { endsWhereItBegan, inHops } from "#mev/circle.ts";
import { AGGREGATORS, TIP_ACCOUNTS } from "#mev/known-accounts.ts";
import type { MevTransaction, PoolReading, Trade, WalletLink } from "#mev/trade.ts";
import { CLI_ERROR } from "./errors.ts";
import { field, type JsonRow, listOf, textOf, wholeOf } from "./json-row.ts";

export type LabelledAttack = {
  readonly sandwich: boolean;
  readonly kind: string;
  readonly variants: readonly string[];
  readonly attackers: readonly string[];
  readonly fronts: readonly string[];
  readonly backs: readonly string[];
  readonly victims: readonly { readonly signature: string; readonly pool: string; readonly loss: bigint }[];
  readonly grossLamports: bigint;
  readonly netLamports: bigint;
};

export type LabelledRow =
  | { readonly type: "transaction"; readonly transaction: MevTransaction }
  | { readonly type: "attack"; readonly attack: LabelledAttack }
  | { readonly type: "person"; readonly address: string; readonly role: string }
  | { readonly type: "run" | "slot" };

const FORMAT = "mev-run-v1";
const KINDS = ["same_slot", "bundle", "wide", "multi_wallet"];

/** Throws a SandpiperError that names the line. */
export function readLabelledRow(text: string, where: string): LabelledRow {
  let row: JsonRow;
  try {
    row = JSON.parse(text) as JsonRow;
  } catch {
    throw unreadable(where, "a line of JSON", text.slice(0, 60));
  }
  try {
    return labelledRow(row);
  } catch (thrown) {
    if (thrown instanceof TypeError) throw unreadable(where, "the fields of docs/labelled-runs.md", thrown.message);
    throw thrown;
  }
}

export const unreadable = (where: string, want: string, was: string): SandpiperError =>
  new SandpiperError(CLI_ERROR.labelledRun, `Cannot read labelled run ${where}: ${want}, was ${was}`);

/** Throws a TypeError that names the field. */
export function labelledRow(row: JsonRow): LabelledRow {
  const type = textOf(row, "type");
  switch (type) {
    case "transaction":
      return { type, transaction: readTransaction(row) };
    case "attack":
      return { type, attack: readAttack(row) };
    case "person":
      return { type, address: textOf(row, "address"), role: textOf(row, "role") };
    case "run":
      if (textOf(row, "format") !== FORMAT) throw new TypeError(`format ${textOf(row, "format")}`);
      return { type };
    case "slot":
      return { type };
    default:
      throw new TypeError(`a row of type ${type}`);
  }
}

function readTransaction(row: JsonRow): MevTransaction {
  const feePayer = textOf(row, "fee_payer") as Address;
  const transfers = listOf(row, "transfers").map((each) => ({
    from: textOf(each, "from") as Address,
    to: textOf(each, "to") as Address,
    lamports: wholeOf(each, "lamports"),
  }));
  const facts = {
    slot: numberOf(row, "slot"),
    index: numberOf(row, "index"),
    signature: textOf(row, "signature") as Signature,
    feeLamports: wholeOf(row, "fee_lamports"),
    tipLamports: transfers.reduce((sum, { to, lamports }) => (TIP_ACCOUNTS.has(to) ? sum + lamports : sum), 0n),
  };
  if (field(row, "failed") === true) return { ...facts, failed: true, trades: [], links: [] };
  const rows = listOf(row, "swaps");
  const hops = rows.map((swap) => ({
    pool: textOf(swap, "pool") as Address,
    mintIn: textOf(swap, "mint_in") as Address,
    mintOut: textOf(swap, "mint_out") as Address,
  }));
  const cyclic = endsWhereItBegan(hops) && inHops(hops);
  const trades = rows.map((swap, i) => readSwap(swap, i, facts, cyclic));
  const actors = [...new Set(trades.map(({ actor }) => actor))];
  const links: WalletLink[] = [
    ...actors.map((to) => ({ from: feePayer, to, kind: "fee payer" as const })),
    ...transfers.flatMap(({ from, to }): WalletLink[] =>
      TIP_ACCOUNTS.has(to)
        ? actors.map((actor) => ({ from, to: actor, kind: "tip payer" }))
        : [{ from, to, kind: "funding" }],
    ),
    ...listOf(row, "token_transfers").map((each) => ({
      from: textOf(each, "from") as Address,
      to: textOf(each, "to") as Address,
      kind: "token transfer" as const,
    })),
    ...trades.flatMap(({ actor, aggregated }, i): WalletLink[] =>
      aggregated
        ? []
        : [{ from: actor, to: textOf(rows[i] as JsonRow, "paid_to") as Address, kind: "token account owner" }],
    ),
  ];
  return { ...facts, failed: false, trades, links: links.filter(({ from, to }) => from !== to) };
}

function readSwap(row: JsonRow, instructionIndex: number, transaction: Trade["transaction"], cyclic: boolean): Trade {
  const venue = textOf(row, "venue") as VenueName;
  if (!VENUE_NAMES.includes(venue)) throw new TypeError(`venue ${venue}`);
  const program = textOf(row, "program") as Address;
  const [amountIn, amountOut] = [wholeOf(row, "amount_in"), wholeOf(row, "amount_out")];
  const exact = textOf(row, "exact") === "out" ? "out" : "in";
  const told = field(row, "reserve_in") !== undefined;
  const reading: PoolReading | undefined = told
    ? { reserveIn: wholeOf(row, "reserve_in"), reserveOut: wholeOf(row, "reserve_out"), amountIn, amountOut, exact }
    : undefined;
  return {
    transaction,
    instructionIndex,
    venue,
    pool: textOf(row, "pool") as Address,
    actor: textOf(row, "trader") as Address,
    mintIn: textOf(row, "mint_in") as Address,
    mintOut: textOf(row, "mint_out") as Address,
    amountIn,
    amountOut,
    reading,
    program,
    aggregated: AGGREGATORS.has(program),
    cyclic,
  };
}

function readAttack(row: JsonRow): LabelledAttack {
  const kind = textOf(row, "kind");
  if (!KINDS.includes(kind)) throw new TypeError(`kind ${kind}`);
  return {
    sandwich: field(row, "sandwich") === true,
    kind,
    variants: textsOf(row, "variants"),
    attackers: textsOf(row, "attackers"),
    fronts: textsOf(row, "fronts"),
    backs: textsOf(row, "backs"),
    victims: listOf(row, "victims").map((victim) => ({
      signature: textOf(victim, "signature"),
      pool: textOf(victim, "pool"),
      loss: wholeOf(victim, "loss"),
    })),
    grossLamports: wholeOf(row, "gross_lamports"),
    netLamports: wholeOf(row, "net_lamports"),
  };
}

function numberOf(row: JsonRow, name: string): number {
  const value = field(row, name);
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new TypeError(`${name} ${JSON.stringify(value)}`);
}

function textsOf(row: JsonRow, name: string): string[] {
  const value = field(row, name);
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw new TypeError(`${name} ${JSON.stringify(value)}`);
}
