/** A SubscribeUpdateTransactionInfo as a MarketTransaction: accounts resolved, instructions in execution order. */
import { base58Encode } from "#core/base58.ts";
import type { Address, Signature } from "#core/units.ts";
import { readAddress } from "#dex/bytes.ts";
import type { MarketInstruction, MarketTransaction, TokenFacts } from "#market/transaction.ts";
import { type ProtoReader, refuse, sized, whole } from "./proto-reader.ts";

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const TOP_LEVEL = 1;
const AMOUNT = /^\d{1,20}$/;

type Compiled = { program: number; accounts: Uint8Array; data: Uint8Array; depth: number | undefined };

export function readTransactionInfo(reader: ProtoReader, slot: number): MarketTransaction {
  let signature = "";
  let indexInSlot = 0;
  const keys: Address[] = [];
  const topLevel: Compiled[] = [];
  const meta: Meta = {
    failed: false,
    feeLamports: undefined,
    inner: new Map(),
    logs: [],
    loaded: [[], []],
    tokens: [],
  };
  for (let key = reader.key(); key !== 0; key = reader.key()) {
    if (key === 10) signature = base58Encode(sized(reader.view(), SIGNATURE_BYTES, "a signature"));
    else if (key === 26) readMessageOf(reader.inner(), keys, topLevel);
    else if (key === 34) readMeta(reader.inner(), meta);
    else if (key === 40) indexInSlot = reader.number();
    else reader.skip(key);
  }
  whole(reader, "a transaction");
  if (signature === "" || keys.length === 0) return refuse("a transaction with signature and keys", "one without");
  keys.push(...meta.loaded[0], ...meta.loaded[1]);
  const resolve = ({ program, accounts, data, depth }: Compiled): MarketInstruction => {
    const at = (index: number): Address => keys[index] ?? refuse(`keys below ${keys.length}`, `${index}`);
    return { program: at(program), accounts: [...accounts].map(at), depth, data: () => data };
  };
  return {
    slot: BigInt(slot),
    indexInSlot,
    signature: signature as Signature,
    feePayer: keys[0] as Address,
    failed: meta.failed,
    feeLamports: meta.feeLamports,
    instructions: topLevel.flatMap((one, index) => [resolve(one), ...(meta.inner.get(index) ?? []).map(resolve)]),
    logs: meta.logs,
    tokenAccounts: tokenAccounts(meta.tokens, keys),
  };
}

/** Transaction: 1 signatures │ 2 message { 2 keys │ 4 instructions }. */
function readMessageOf(reader: ProtoReader, keys: Address[], instructions: Compiled[]): void {
  for (let key = reader.key(); key !== 0; key = reader.key()) {
    if (key !== 18) {
      reader.skip(key);
      continue;
    }
    const message = reader.inner();
    for (let field = message.key(); field !== 0; field = message.key()) {
      if (field === 18) keys.push(readAddress(sized(message.view(), KEY_BYTES, "a key"), 0));
      else if (field === 34) instructions.push(readInstruction(message.inner(), TOP_LEVEL));
      else message.skip(field);
    }
    whole(message, "a message");
  }
  whole(reader, "a transaction's message");
}

function readInstruction(reader: ProtoReader, depth: number | undefined): Compiled {
  const found: Compiled = { program: 0, accounts: NOTHING, data: NOTHING, depth };
  for (let key = reader.key(); key !== 0; key = reader.key()) {
    if (key === 8) found.program = reader.number();
    else if (key === 18) found.accounts = reader.view();
    else if (key === 26) found.data = reader.view().slice();
    else if (key === 32) found.depth = reader.number();
    else reader.skip(key);
  }
  whole(reader, "an instruction");
  return found;
}

type Meta = {
  failed: boolean;
  feeLamports: bigint | undefined;
  readonly inner: Map<number, Compiled[]>;
  readonly logs: string[];
  readonly loaded: readonly [Address[], Address[]];
  readonly tokens: TokenBalance[];
};
type TokenBalance = { sign: bigint; account: number; mint: string; decimals: number; amount: bigint };

/** TransactionStatusMeta: 1 err │ 2 fee │ 5 inner │ 6 logs │ 7, 8 token balances before, after │ 12, 13 loaded addresses. */
function readMeta(reader: ProtoReader, meta: Meta): void {
  for (let key = reader.key(); key !== 0; key = reader.key()) {
    if (key === 10) meta.failed = reader.view().length >= 0;
    else if (key === 16) meta.feeLamports = BigInt(reader.number());
    else if (key === 42) readInner(reader.inner(), meta.inner);
    else if (key === 50) meta.logs.push(reader.text());
    else if (key === 58) meta.tokens.push(readTokenBalance(reader.inner(), -1n));
    else if (key === 66) meta.tokens.push(readTokenBalance(reader.inner(), 1n));
    else if (key === 98) meta.loaded[0].push(readAddress(sized(reader.view(), KEY_BYTES, "a loaded key"), 0));
    else if (key === 106) meta.loaded[1].push(readAddress(sized(reader.view(), KEY_BYTES, "a loaded key"), 0));
    else reader.skip(key);
  }
  whole(reader, "a transaction's outcome");
}

function readInner(reader: ProtoReader, inner: Map<number, Compiled[]>): void {
  let index = 0;
  const instructions: Compiled[] = [];
  for (let key = reader.key(); key !== 0; key = reader.key()) {
    if (key === 8) index = reader.number();
    else if (key === 18) instructions.push(readInstruction(reader.inner(), undefined));
    else reader.skip(key);
  }
  whole(reader, "inner instructions");
  inner.set(index, instructions);
}

function readTokenBalance(reader: ProtoReader, sign: bigint): TokenBalance {
  const found: TokenBalance = { sign, account: 0, mint: "", decimals: 0, amount: 0n };
  for (let key = reader.key(); key !== 0; key = reader.key()) {
    if (key === 8) found.account = reader.number();
    else if (key === 18) found.mint = reader.text();
    else if (key === 26) {
      const held = reader.inner();
      for (let field = held.key(); field !== 0; field = held.key()) {
        if (field === 16) found.decimals = held.number();
        else if (field === 26) {
          const amount = held.text();
          if (!AMOUNT.test(amount)) refuse("a whole token amount", amount.slice(0, 40));
          found.amount = BigInt(amount);
        } else held.skip(field);
      }
      whole(held, "a token amount");
    } else reader.skip(key);
  }
  whole(reader, "a token balance");
  return found;
}

function tokenAccounts(balances: readonly TokenBalance[], keys: readonly Address[]): ReadonlyMap<Address, TokenFacts> {
  const found = new Map<Address, TokenFacts>();
  for (const { sign, account, mint, decimals, amount } of balances) {
    const address = keys[account] ?? refuse(`keys below ${keys.length}`, `${account}`);
    const change = (found.get(address)?.change ?? 0n) + sign * amount;
    found.set(address, { mint: mint as Address, decimals, change });
  }
  return found;
}

const NOTHING = new Uint8Array(0);
