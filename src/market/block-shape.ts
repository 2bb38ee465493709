/**
 * The shape of `getBlock` JSON, walked with the place in hand so that a refusal says where. Only what Sandpiper reads is
 * checked; accounts are resolved through the address tables, instructions flattened into execution order.
 */
import { base58Decode } from "#core/base58.ts";
import type { Address, Signature } from "#core/units.ts";
import { type Refuse, Walker } from "./json-walker.ts";
import type { ExecutionEffects, MarketInstruction, MarketTransaction, TokenFacts } from "./transaction.ts";

export type RecordedBlock = {
  readonly slot: bigint;
  /** Unix seconds; 0 when the recording does not say. */
  readonly blockTime: number;
  readonly transactions: readonly RecordedTransaction[];
};

type RecordedTransaction = MarketTransaction & ExecutionEffects & { readonly vote: boolean };

const TRANSACTIONS_MAX = 100_000;
/** Slots that may lie between a block and its parent: a name that says more is no slot number. */
const SKIPPED_SLOTS_MAX = 10_000;
const TOP_LEVEL = 1;
const VOTE_PROGRAM = "Vote111111111111111111111111111111111111111";
const ADDRESS = /^[1-9A-HJ-NP-Za-km-z]{32,44}$/;
const AMOUNT = /^\d{1,20}$/;
const SIGNATURE = /^[1-9A-HJ-NP-Za-km-z]{64,88}$/;

export function parseBlock(json: unknown, slotInName: number, refuse: Refuse): RecordedBlock {
  const outer = new Walker(json, "the block", refuse);
  const block = outer.has("result") ? outer.at("result") : outer;
  const parentSlot = block.at("parentSlot").whole();
  const named = slotInName > parentSlot && slotInName <= parentSlot + SKIPPED_SLOTS_MAX;
  // A block's JSON does not hold its own slot: the name does, or else it is the one after its parent.
  const slot = BigInt(named ? slotInName : parentSlot + 1);
  const blockTime = block.has("blockTime") ? block.at("blockTime").whole() : 0;
  const transactions = block.at("transactions").list(TRANSACTIONS_MAX);
  return { slot, blockTime, transactions: transactions.map((item, index) => parseTransaction(item, slot, index)) };
}

/** One of a block, or what getTransaction answers: both have the same shape. */
export function parseTransaction(item: Walker, slot: bigint, indexInSlot: number): RecordedTransaction {
  const message = item.at("transaction").at("message");
  const meta = item.at("meta");
  const loaded = meta.has("loadedAddresses") ? meta.at("loadedAddresses") : undefined;
  const keys = [message.at("accountKeys"), loaded?.at("writable"), loaded?.at("readonly")].flatMap(
    (list) => list?.list().map((key) => key.text(ADDRESS, "an address") as Address) ?? [],
  );
  if (keys.length === 0) return message.at("accountKeys").fail("at least the fee payer", "none");
  const signatures = item.at("transaction").at("signatures").list();
  const signature = signatures[0] ?? item.at("transaction").at("signatures").fail("at least one", "none");
  const instructions = flatten(message.at("instructions"), meta, keys);
  return {
    slot,
    indexInSlot,
    signature: signature.text(SIGNATURE, "a signature") as Signature,
    feePayer: keys[0] as Address,
    failed: meta.has("err"),
    vote: instructions[0]?.program === VOTE_PROGRAM,
    instructions,
    logs: meta.has("logMessages")
      ? meta
          .at("logMessages")
          .list()
          .map((line) => line.text())
      : [],
    tokenAccounts: tokenAccounts(meta, keys),
    signers: new Set(keys.slice(0, signatures.length)),
    feeLamports: meta.has("fee") ? BigInt(meta.at("fee").whole()) : 0n,
    lamportChanges: lamportChanges(meta, keys),
    tokenOwners: tokenOwners(meta, keys),
  };
}

function lamportChanges(meta: Walker, keys: readonly Address[]): ReadonlyMap<Address, bigint> {
  const changes = new Map<Address, bigint>();
  if (!meta.has("preBalances") || !meta.has("postBalances")) return changes;
  const after = meta.at("postBalances").list();
  meta
    .at("preBalances")
    .list()
    .forEach((before, index) => {
      const change = BigInt(after[index]?.whole() ?? before.fail("a balance after", "none")) - BigInt(before.whole());
      const key = keys[index] ?? before.fail(`below ${keys.length}`, "out of range");
      if (change !== 0n) changes.set(key, change);
    });
  return changes;
}

function tokenOwners(meta: Walker, keys: readonly Address[]): ReadonlyMap<Address, Address> {
  const owners = new Map<Address, Address>();
  for (const side of ["preTokenBalances", "postTokenBalances"])
    for (const balance of meta.has(side) ? meta.at(side).list() : []) {
      const key = keys[balance.at("accountIndex").whole()];
      if (key === undefined || !balance.has("owner")) continue;
      owners.set(key, balance.at("owner").text(ADDRESS, "an address") as Address);
    }
  return owners;
}

function flatten(topLevel: Walker, meta: Walker, keys: readonly Address[]): MarketInstruction[] {
  const inner = new Map<number, readonly Walker[]>();
  if (meta.has("innerInstructions"))
    for (const group of meta.at("innerInstructions").list())
      inner.set(group.at("index").whole(), group.at("instructions").list());
  return topLevel.list().flatMap((instruction, index) => {
    const children = (inner.get(index) ?? []).map((child) => {
      const depth = child.has("stackHeight") ? child.at("stackHeight").whole() : undefined;
      return parseInstruction(child, keys, depth);
    });
    return [parseInstruction(instruction, keys, TOP_LEVEL), ...children];
  });
}

function parseInstruction(item: Walker, keys: readonly Address[], depth: number | undefined): MarketInstruction {
  const key = (index: Walker) => keys[index.whole()] ?? index.fail(`below ${keys.length}`, "out of range");
  const data = item.at("data").text();
  return {
    program: key(item.at("programIdIndex")),
    accounts: item.at("accounts").list().map(key),
    depth,
    data: () => {
      try {
        return base58Decode(data);
      } catch {
        return undefined;
      }
    },
  };
}

function tokenAccounts(meta: Walker, keys: readonly Address[]): ReadonlyMap<Address, TokenFacts> {
  const found = new Map<Address, TokenFacts>();
  for (const [side, sign] of [["preTokenBalances", -1n] as const, ["postTokenBalances", 1n] as const]) {
    if (!meta.has(side)) continue;
    for (const balance of meta.at(side).list()) {
      const index = balance.at("accountIndex");
      const key = keys[index.whole()] ?? index.fail(`below ${keys.length}`, "out of range");
      const held = balance.at("uiTokenAmount");
      // Recordings of other tools leave the amount out: the change is then unknown, and nothing here relies on it.
      const amount = held.has("amount") ? BigInt(held.at("amount").text(AMOUNT, "a whole number")) : 0n;
      found.set(key, {
        mint: balance.at("mint").text(ADDRESS, "an address") as Address,
        decimals: held.at("decimals").whole(255),
        change: (found.get(key)?.change ?? 0n) + sign * amount,
      });
    }
  }
  return found;
}
