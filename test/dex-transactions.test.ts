/**
 * Every swap of the six programs in transactions of mainnet: found, top-level or inner, with its pool, its mints, and
 * amounts that equal the token balance changes. The recordings are not ours and lie outside the repository:
 * SANDPIPER_SHARED_DATA, else ../shared/data beside it. A row per program says how many; what is not matched is named.
 */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { base58Encode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import { PUMPSWAP_PROGRAM } from "#dex/program-addresses.ts";
import {
  decodePumpSwapEvent,
  decodePumpSwapTrade,
  type PumpSwapTrade,
  type PumpSwapTradeEvent,
} from "#dex/pumpswap/decode.ts";
import { priceBuy, priceBuyExactQuoteIn, priceSell } from "#dex/pumpswap/trade.ts";
import { type DecodedSwap, decodeExecutedSwaps } from "#dex/swap-decoder.ts";
import { SHARED_DATA } from "#dex/test-data.ts";
import { decodeTokenTransfer } from "#dex/token-transfer.ts";
import { VENUES } from "#dex/venues.ts";
import { readBlockFile } from "#market/block-file.ts";
import { parseBlock } from "#market/block-shape.ts";
import type { MarketTransaction } from "#market/transaction.ts";
import { readWireTransaction } from "#market/wire-transaction.ts";

const there = existsSync(join(SHARED_DATA, "tx-parser-transactions"));
if (!there) console.warn(`SKIPPED: swaps in recorded transactions: not found at ${SHARED_DATA}`);

type Instructions = MarketTransaction["instructions"];
type Named = { readonly name: string; readonly transaction: MarketTransaction };

test.skipIf(!there)("every swap in the recorded transactions has the amounts of the balance changes", () => {
  const { found, named } = judgeAll(recorded());
  for (const line of rowsOf(found)) console.log(line);
  for (const line of named) console.log(`not matched: ${line}`);
  expect(named).toEqual([]);
  expect(Object.fromEntries([...found].map(([venue, row]) => [venue, row.swaps]))).toEqual({
    "raydium-amm-v4": 122,
    "raydium-cpmm": 6,
    "raydium-clmm": 11,
    "orca-whirlpool": 8,
    "meteora-dlmm": 9,
    pumpswap: 6,
  });
});

test.skipIf(!there)("PumpSwap's trades are those of its arithmetic, by the reserves and fees of their events", () => {
  const trades = recorded().flatMap(({ transaction }) => (transaction.failed ? [] : pumpSwapTrades(transaction)));
  expect(trades).toHaveLength(6);
  for (const { swap, trade, event } of trades) {
    const [base, quote] = event.kind === "buy" ? [swap.amountOut, swap.amountIn] : [swap.amountIn, swap.amountOut];
    const said = [event.pool, event.user, event.baseAmount, event.userQuoteAmount];
    expect(said).toEqual([swap.pool, swap.trader, base, quote]);
    expect(priceAgain(trade, event)).toEqual([base, quote]);
  }
});

function pumpSwapTrades({ instructions, tokenAccounts }: MarketTransaction) {
  const own = instructions.filter(({ program }) => program === PUMPSWAP_PROGRAM);
  const events = own.flatMap(({ data }) => {
    const event = decodePumpSwapEvent(data() ?? new Uint8Array());
    return event.ok && event.value ? [event.value] : [];
  });
  const swaps = decodeExecutedSwaps(instructions, tokenAccounts).swaps.filter(({ venue }) => venue === "pumpswap");
  expect(events).toHaveLength(swaps.length);
  return swaps.map((swap, i) => {
    const { data, accounts } = instructions[swap.instructionIndex] as MarketTransaction["instructions"][number];
    const trade = decodePumpSwapTrade(data() ?? new Uint8Array(), accounts);
    if (!trade.ok || trade.value === undefined) throw new Error("a swap that is no trade");
    return { swap, trade: trade.value, event: events[i] as PumpSwapTradeEvent };
  });
}

/** Base, and what the user paid or got in quote, for what the instruction asked on the reserves of the event. */
function priceAgain(trade: PumpSwapTrade, event: PumpSwapTradeEvent): [bigint, bigint] {
  const { poolBaseReserves: base, poolQuoteReserves: realQuote, virtualQuoteReserves, fees } = event;
  const reserves = { base, quote: realQuote + virtualQuoteReserves, realQuote, fees };
  const sells = event.kind === "sell";
  const exactQuote = trade.kind === "buyExactQuoteIn" || trade.kind === "buyExactQuoteInV2";
  const price = sells ? priceSell : exactQuote ? priceBuyExactQuoteIn : priceBuy;
  const priced = price(reserves, trade.exactAmount);
  if (!priced.ok) throw new Error(priced.error.name);
  const { baseAmount, quoteAmount, lpFee, protocolFee, creatorFee } = priced.value;
  const allFees = lpFee + protocolFee + creatorFee;
  return [baseAmount, sells ? quoteAmount - allFees : quoteAmount + allFees];
}

test.skipIf(!there)("no other instruction of the six programs moves tokens, but two collections of fees", () => {
  const others = recorded().flatMap(({ name, transaction }) => {
    if (transaction.failed) return [];
    const { instructions, tokenAccounts } = transaction;
    const known = new Set(decodeExecutedSwaps(instructions, tokenAccounts).swaps.map((swap) => swap.instructionIndex));
    return instructions.flatMap((instruction, index) => {
      if (known.has(index) || !PROGRAMS.has(instruction.program) || innerTransfers(instructions, index) === 0)
        return [];
      return [`${name}: ${instruction.program} ${Buffer.from(instruction.data() ?? []).toString("hex", 0, 8)}`];
    });
  });
  // The first eight bytes of sha256("global:collect_creator_fee").
  expect(others).toEqual([
    "cpmm_collect_token2022_wire.json: CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C 1416567bc61cdb84",
    "cpmm_collect_wire.json: CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C 1416567bc61cdb84",
  ]);
});

const PROGRAMS: ReadonlySet<Address> = new Set(VENUES.map((venue) => venue.program));

function innerTransfers(instructions: Instructions, index: number): number {
  return innerOf(instructions, index).filter((inner) => {
    const data = inner.data();
    return data && decodeTokenTransfer(inner.program, data, inner.accounts) !== undefined;
  }).length;
}

/** What the instruction at `index` called, at any depth. */
function innerOf(instructions: Instructions, index: number): Instructions {
  const depth = instructions[index]?.depth ?? 0;
  const after = instructions.slice(index + 1);
  const end = after.findIndex((inner) => (inner.depth ?? 0) <= depth);
  return end < 0 ? after : after.slice(0, end);
}

type Row = { swaps: number; vaultsEqual: number; traderSides: number; traderSidesEqual: number };

function judgeAll(all: readonly Named[]): { found: Map<string, Row>; named: string[] } {
  const found = new Map<string, Row>();
  const named: string[] = [];
  for (const { name, transaction } of all) {
    // A failed transaction moved nothing.
    if (transaction.failed) continue;
    const { swaps, unreadable } = decodeExecutedSwaps(transaction.instructions, transaction.tokenAccounts);
    for (const { instructionIndex, reason } of unreadable) named.push(`${name} #${instructionIndex}: ${reason}`);
    for (const swap of swaps) {
      const row = found.get(swap.venue) ?? { swaps: 0, vaultsEqual: 0, traderSides: 0, traderSidesEqual: 0 };
      found.set(swap.venue, row);
      const wrong = [...vaultDifferences(transaction, swaps, swap), ...traderDifferences(transaction, swap, row)];
      row.swaps++;
      if (wrong.length === 0) row.vaultsEqual++;
      named.push(...wrong.map((difference) => `${name} #${swap.instructionIndex} ${swap.venue}: ${difference}`));
    }
  }
  return { found, named };
}

/** A vault changes by what all swaps of the transaction moved through it, and by nothing else. */
function vaultDifferences({ tokenAccounts }: MarketTransaction, swaps: readonly DecodedSwap[], swap: DecodedSwap) {
  const differences: string[] = [];
  if (swap.mintIn === undefined || swap.mintOut === undefined || swap.mintIn === swap.mintOut)
    differences.push(`mints ${swap.mintIn} and ${swap.mintOut}`);
  for (const vault of [swap.vaultIn, swap.vaultOut]) {
    const moved = swaps.reduce(
      (net, { vaultIn, vaultOut, vaultReceived, vaultPaid }) =>
        net + (vaultIn === vault ? vaultReceived : 0n) - (vaultOut === vault ? vaultPaid : 0n),
      0n,
    );
    const change = tokenAccounts.get(vault)?.change;
    if (change !== moved) differences.push(`vault ${vault} changed by ${change}, the swaps moved ${moved}`);
  }
  return differences;
}

/** A trader's account that only this swap touches, and that is there before and after, changes by the swap's amount. */
function traderDifferences(transaction: MarketTransaction, swap: DecodedSwap, row: Row): string[] {
  const sides = [
    [swap.traderAccountIn, -swap.amountIn],
    [swap.traderAccountOut, swap.amountOut],
  ] as const;
  return sides.flatMap(([account, amount]) => {
    const facts = transaction.tokenAccounts.get(account);
    if (facts === undefined || !onlyMovedBy(transaction, account, swap)) return [];
    row.traderSides++;
    if (facts.change === amount) row.traderSidesEqual++;
    return facts.change === amount ? [] : [`trader's ${account} changed by ${facts.change}, the swap says ${amount}`];
  });
}

function onlyMovedBy({ instructions }: MarketTransaction, account: Address, swap: DecodedSwap): boolean {
  const own = new Set(innerOf(instructions, swap.instructionIndex));
  return instructions.every((instruction) => {
    const data = instruction.data();
    const transfer = data && decodeTokenTransfer(instruction.program, data, instruction.accounts);
    if (transfer !== undefined) return own.has(instruction) || (transfer.from !== account && transfer.to !== account);
    // Whatever else names the account (opening, closing, wrapping) may move it too, except programs that only pass it on.
    return !instruction.program.startsWith("Token") || !instruction.accounts.includes(account);
  });
}

function rowsOf(found: ReadonlyMap<string, Row>): string[] {
  const line = (cells: readonly (string | number)[]) =>
    cells.map((cell, i) => (i === 0 ? String(cell).padEnd(16) : String(cell).padStart(16))).join("");
  const rows = [...found].map(([venue, { swaps, vaultsEqual, traderSides, traderSidesEqual }]) =>
    line([venue, swaps, vaultsEqual, `${traderSidesEqual}/${traderSides}`]),
  );
  return [line(["program", "swaps", "balances equal", "traders equal"]), ...rows];
}

function recorded(): Named[] {
  return [
    ...fromFolder("tx-parser-transactions", /\.json$/).flatMap(({ name, json }) =>
      // Two files are broken on purpose: one holds no transactions, the other's keys are no addresses.
      Array.isArray(json) && !name.startsWith("broken_data") ? json.map((item) => readOne(name, item)) : [],
    ),
    ...fromFolder("sol-parser-sdk-fixtures/rpc_corpus", /_wire\.json$/).map(({ name, json }) => readOne(name, json)),
    ...fromFolder("sol-trade-sdk-fixtures", /^cross_dex_stock_routes.*\.json$/).flatMap(({ json }) =>
      (json as { cases: { name: string; rpc: unknown }[] }).cases.map(({ name, rpc }) => readOne(name, rpc)),
    ),
    ...readBlockFile(join(SHARED_DATA, "block-285000037/slot_285000037.json.gz")).transactions.map((transaction) => ({
      name: `block 285000037 #${transaction.indexInSlot}`,
      transaction,
    })),
  ];
}

function fromFolder(folder: string, pattern: RegExp): { name: string; json: unknown }[] {
  return readdirSync(join(SHARED_DATA, folder))
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => ({ name, json: JSON.parse(readFileSync(join(SHARED_DATA, folder, name), "utf8")) }));
}

/** A transaction as `getTransaction` answers it, in either encoding. */
function readOne(name: string, json: unknown): Named {
  const item = json as { transaction: unknown };
  const whole = Array.isArray(item.transaction) ? { ...item, transaction: asJson(item.transaction[0]) } : item;
  const { transactions } = parseBlock({ parentSlot: 0, transactions: [whole] }, 0, (place, want, was) => {
    throw new Error(`${name}: ${place} must be ${want}, was ${was}`);
  });
  return { name, transaction: transactions[0] as MarketTransaction };
}

function asJson(base64: string): unknown {
  const wire = readWireTransaction(new Uint8Array(Buffer.from(base64, "base64")));
  if (!wire.ok) throw wire.error;
  const { keys, instructions, signature } = wire.value;
  const index = (key: Address) => keys.indexOf(key);
  return {
    signatures: [signature],
    message: {
      accountKeys: keys,
      instructions: instructions.map(({ program, accounts, data }) => ({
        programIdIndex: index(program),
        accounts: accounts.map(index),
        data: base58Encode(data),
      })),
    },
  };
}
