/**
 * Transactions and blocks in the RPC's encodings. In `jsonParsed` the accounts are spelled out and every instruction is
 * partially decoded (program, accounts, data), which is what Agave answers for programs that it cannot parse.
 */
import { base58Encode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import type { AddressBook } from "#execute/svm/address-book.ts";
import type { InnerInstructions, ReturnData } from "#execute/svm/machine.ts";
import type { LedgerTransaction } from "#sim/cluster/ledger.ts";
import type { LoadedAddresses } from "#sim/cluster/lookup-tables.ts";
import { type CompiledInstruction, isWritable, type ParsedTransaction, parseAgain } from "#sim/cluster/message.ts";
import { type TokenBalance, uiTokenAmount } from "#sim/cluster/token-balances.ts";
import { RPC_ERROR, RpcError } from "./json-rpc.ts";
import { type Config, choiceOf, wholeAt } from "./params.ts";

const ENCODINGS = ["json", "jsonParsed", "base58", "base64"] as const;
type TransactionEncoding = (typeof ENCODINGS)[number];
const DETAILS = ["full", "accounts", "signatures", "none"] as const;

export type TransactionView = {
  readonly encoding: TransactionEncoding;
  /** Undefined: the client knows no versions, and none is shown to it. */
  readonly versionMax: number | undefined;
};
export type BlockView = TransactionView & {
  readonly details: (typeof DETAILS)[number];
  readonly rewards: boolean;
};

export function transactionView(config: Config): TransactionView {
  const version = config["maxSupportedTransactionVersion"];
  return {
    encoding: choiceOf(config["encoding"], ENCODINGS, "json"),
    versionMax: version === undefined || version === null ? undefined : wholeAt([version], 0),
  };
}

export function blockView(config: Config): BlockView {
  const rewards = config["rewards"] ?? config["showRewards"];
  return {
    ...transactionView(config),
    details: choiceOf(config["transactionDetails"], DETAILS, "full"),
    rewards: rewards !== false,
  };
}

/** `{transaction, meta, version?}`. */
export function encodeTransaction(
  transaction: LedgerTransaction,
  view: TransactionView,
  book: AddressBook,
): Record<string, unknown> {
  const parsed = parseAgain(transaction.wire, book);
  checkVersion(parsed, view);
  return {
    transaction: encodeParsed(transaction, parsed, view.encoding),
    meta: encodeMeta(transaction, view.encoding),
    ...(view.versionMax === undefined ? {} : { version: parsed.version }),
  };
}

/** The part of a block that `transactionDetails` asks for. */
export function encodeBlockTransactions(
  transactions: readonly LedgerTransaction[],
  view: BlockView,
  book: AddressBook,
): object {
  switch (view.details) {
    case "full":
      return { transactions: transactions.map((transaction) => encodeTransaction(transaction, view, book)) };
    case "accounts":
      return { transactions: transactions.map((transaction) => encodeAccountsOnly(transaction, view, book)) };
    case "signatures":
      return { signatures: transactions.map(({ signature }) => signature) };
    case "none":
      return {};
  }
}

function encodeAccountsOnly(
  transaction: LedgerTransaction,
  view: TransactionView,
  book: AddressBook,
): Record<string, unknown> {
  const parsed = parseAgain(transaction.wire, book);
  checkVersion(parsed, view);
  const { error } = transaction;
  return {
    transaction: { accountKeys: parsedKeys(transaction, parsed), signatures: signatures(parsed) },
    meta: {
      err: error,
      fee: transaction.feeLamports,
      preBalances: transaction.preBalances,
      postBalances: transaction.postBalances,
      preTokenBalances: transaction.preTokenBalances.map(encodeTokenBalance),
      postTokenBalances: transaction.postTokenBalances.map(encodeTokenBalance),
      status: error === null ? { Ok: null } : { Err: error },
    },
    ...(view.versionMax === undefined ? {} : { version: parsed.version }),
  };
}

function checkVersion({ version }: ParsedTransaction, { versionMax }: TransactionView): void {
  if (version === "legacy" || versionMax !== undefined) return;
  throw new RpcError(
    RPC_ERROR.unsupportedTransactionVersion,
    `Transaction version (${version}) is not supported by the requesting client. Please try the request again with the ` +
      `following configuration parameter: "maxSupportedTransactionVersion": ${version}`,
  );
}

function encodeParsed(
  transaction: LedgerTransaction,
  parsed: ParsedTransaction,
  encoding: TransactionEncoding,
): unknown {
  const { wire } = transaction;
  if (encoding === "base64") return [Buffer.from(wire).toString("base64"), encoding];
  if (encoding === "base58") return [base58Encode(wire), encoding];
  const message =
    encoding === "json"
      ? compiledMessage(parsed)
      : {
          accountKeys: parsedKeys(transaction, parsed),
          recentBlockhash: parsed.blockhash,
          instructions: parsed.instructions.map((instruction) => decodedInstruction(instruction, transaction.keys, 1)),
          ...tableLookups(parsed),
        };
  return { signatures: signatures(parsed), message };
}

function compiledMessage(parsed: ParsedTransaction): unknown {
  return {
    header: {
      numRequiredSignatures: parsed.signatureCount,
      numReadonlySignedAccounts: parsed.readonlySigners,
      numReadonlyUnsignedAccounts: parsed.readonlyOthers,
    },
    accountKeys: parsed.staticKeys,
    recentBlockhash: parsed.blockhash,
    instructions: parsed.instructions.map((instruction) => compiledInstruction(instruction, 1)),
    ...tableLookups(parsed),
  };
}

function tableLookups({ version, lookups }: ParsedTransaction): object {
  if (version === "legacy") return {};
  return {
    addressTableLookups: lookups.map(({ table, writable, readonly }) => ({
      accountKey: table,
      writableIndexes: [...writable],
      readonlyIndexes: [...readonly],
    })),
  };
}

function signatures({ wire, signatureCount }: ParsedTransaction): string[] {
  const from = signatureCount < 0x80 ? 1 : 2;
  return Array.from({ length: signatureCount }, (_, i) =>
    base58Encode(wire.subarray(from + i * 64, from + i * 64 + 64)),
  );
}

function parsedKeys({ keys, loaded }: LedgerTransaction, parsed: ParsedTransaction): unknown[] {
  return keys.map((pubkey, i) => ({
    pubkey,
    signer: i < parsed.signatureCount,
    source: i < parsed.staticKeys.length ? "transaction" : "lookupTable",
    writable: isWritable(parsed, i, loaded.writable.length),
  }));
}

function compiledInstruction({ programIndex, accounts, data }: CompiledInstruction, stackHeight: number): unknown {
  return { programIdIndex: programIndex, accounts: [...accounts], data: base58Encode(data), stackHeight };
}

function decodedInstruction(
  { programIndex, accounts, data }: CompiledInstruction,
  keys: readonly Address[],
  stackHeight: number,
): unknown {
  return {
    programId: keys[programIndex],
    accounts: [...accounts].map((index) => keys[index]),
    data: base58Encode(data),
    stackHeight,
  };
}

function encodeMeta(transaction: LedgerTransaction, encoding: TransactionEncoding): unknown {
  const { error, loaded, returnData } = transaction;
  return {
    err: error,
    status: error === null ? { Ok: null } : { Err: error },
    fee: transaction.feeLamports,
    preBalances: transaction.preBalances,
    postBalances: transaction.postBalances,
    innerInstructions: encodeInner(transaction.inner, encoding === "jsonParsed" ? transaction.keys : undefined),
    logMessages: transaction.logs,
    preTokenBalances: transaction.preTokenBalances.map(encodeTokenBalance),
    postTokenBalances: transaction.postTokenBalances.map(encodeTokenBalance),
    rewards: [],
    // Spelled-out keys say it already.
    ...(encoding === "jsonParsed" ? {} : { loadedAddresses: encodeLoaded(loaded) }),
    ...(returnData === null ? {} : { returnData: encodeReturnData(returnData) }),
    computeUnitsConsumed: transaction.computeUnits,
  };
}

/** Compiled, or decoded when the account keys are given. */
export function encodeInner(inner: readonly InnerInstructions[], keys?: readonly Address[]): unknown[] {
  return inner.map(({ index, instructions }) => ({
    index,
    instructions: instructions.map((instruction) =>
      keys === undefined
        ? compiledInstruction(instruction, instruction.stackHeight)
        : decodedInstruction(instruction, keys, instruction.stackHeight),
    ),
  }));
}

export const encodeLoaded = ({ writable, readonly }: LoadedAddresses): unknown => ({ writable, readonly });

export const encodeReturnData = ({ program, data }: ReturnData): unknown => ({
  programId: program,
  data: [Buffer.from(data).toString("base64"), "base64"],
});

function encodeTokenBalance({ accountIndex, mint, owner, program, amount, decimals }: TokenBalance): unknown {
  const { uiAmount, ...exact } = uiTokenAmount(amount, decimals);
  // Agave stores records in a form that cannot tell 0 from nothing.
  return { accountIndex, mint, owner, programId: program, uiTokenAmount: { ...exact, uiAmount: uiAmount || null } };
}
