/**
 * What the local cluster's geyser door says (JSON-RPC over WebSocket, method `geyserSubscribe`): the answer to the
 * subscription, slot starts, and executed transactions with every account they wrote. Checked whole here.
 */
import { base58Decode } from "#core/base58.ts";
import { SandpiperError } from "#core/error.ts";
import type { Address, Signature } from "#core/units.ts";
import { decodeBase64 } from "#dex/bytes.ts";
import { MARKET_ERROR } from "./errors.ts";
import { Walker } from "./json-walker.ts";
import type { AccountWrite } from "./source.ts";
import type { MarketInstruction, MarketTransaction } from "./transaction.ts";
import { readWireTransaction } from "./wire-transaction.ts";

export type GeyserMessage =
  | { readonly kind: "answer"; readonly id: number; readonly error: string | undefined }
  | { readonly kind: "slot"; readonly slot: bigint; readonly slotStartMs: number }
  | { readonly kind: "writes"; readonly slot: bigint; readonly accounts: readonly AccountWrite[] }
  | {
      readonly kind: "transaction";
      readonly transaction: MarketTransaction;
      readonly accounts: readonly AccountWrite[];
    };

const TOP_LEVEL = 1;
const ADDRESS = /^[1-9A-HJ-NP-Za-km-z]{32,44}$/;

/** Throws a SandpiperError when the text is no message of the door. */
export function readGeyserMessage(text: string): GeyserMessage {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return refuse("the message", "JSON", text.slice(0, 80));
  }
  const message = new Walker(json, "the message", refuse);
  if (message.has("id")) {
    const error = message.has("error") ? JSON.stringify(message.at("error").value) : undefined;
    return { kind: "answer", id: message.at("id").whole(), error };
  }
  const result = message.at("params").at("result");
  const slot = BigInt(result.at("slot").whole());
  if (result.has("slotStartMs"))
    return { kind: "slot", slot, slotStartMs: Math.trunc(result.at("slotStartMs").number()) };
  if (!result.has("transaction")) return { kind: "writes", slot, accounts: readAccounts(result) };
  return { kind: "transaction", transaction: readTransaction(result, slot), accounts: readAccounts(result) };
}

function readAccounts(result: Walker): AccountWrite[] {
  return result
    .at("accounts")
    .list()
    .map((account) => ({
      address: account.at("pubkey").text(ADDRESS, "an address") as Address,
      owner: account.at("owner").text(ADDRESS, "an address") as Address,
      data: base64(account.at("data")),
    }));
}

function readTransaction(result: Walker, slot: bigint): MarketTransaction {
  const wire = readWireTransaction(base64(result.at("transaction")));
  if (!wire.ok) throw wire.error;
  const { keys } = wire.value;
  const inner = new Map<number, readonly Walker[]>();
  if (result.has("innerInstructions"))
    for (const group of result.at("innerInstructions").list())
      inner.set(group.at("index").whole(), group.at("instructions").list());
  const instructions = wire.value.instructions.flatMap(({ program, accounts, data }, index): MarketInstruction[] => [
    { program, accounts, data: () => data, depth: TOP_LEVEL },
    ...(inner.get(index) ?? []).map((child) => readInner(child, keys)),
  ]);
  return {
    slot,
    indexInSlot: result.at("transactionIndex").whole(),
    signature: result.at("signature").text() as Signature,
    feePayer: keys[0] as Address,
    failed: result.has("error"),
    feeLamports: result.has("fee") ? BigInt(result.at("fee").whole()) : undefined,
    instructions,
    logs: result
      .at("logs")
      .list()
      .map((line) => line.text()),
    tokenAccounts: new Map(),
  };
}

function readInner(item: Walker, keys: readonly Address[]): MarketInstruction {
  // A key beyond the static ones came from a lookup table, which the wire bytes do not resolve.
  const accounts = item
    .at("accounts")
    .list()
    .map((index) => keys[index.whole()]);
  const data = item.at("data").text();
  return {
    program: keys[item.at("programIdIndex").whole()] ?? ("" as Address),
    accounts: accounts.every((key) => key !== undefined) ? accounts : [],
    depth: item.has("stackHeight") ? item.at("stackHeight").whole() : undefined,
    data: () => {
      try {
        return base58Decode(data);
      } catch {
        return undefined;
      }
    },
  };
}

function base64(value: Walker): Uint8Array {
  return decodeBase64(value.text()) ?? value.fail("base64");
}

function refuse(place: string, want: string, was: string): never {
  throw new SandpiperError(
    MARKET_ERROR.message,
    `Cannot read a geyser message: ${place} to be ${want}, was ${was}`,
    "later",
  );
}
