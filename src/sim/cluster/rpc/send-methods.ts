/** RPC methods that take transactions: send, simulate, airdrop. */
import { base58Decode } from "#core/base58.ts";
import type { LocalCluster, SimulateOptions, SimulateResult } from "#sim/cluster/local-cluster.ts";
import { type ParsedTransaction, parseTransaction, WIRE_BYTES_MAX } from "#sim/cluster/message.ts";
import { accountView, encodeAccount } from "./encode-account.ts";
import { encodeInner, encodeLoaded, encodeReturnData } from "./encode-transaction.ts";
import { transactionErrorText } from "./error-text.ts";
import { invalidParams, RPC_ERROR, RpcError } from "./json-rpc.ts";
import type { RpcMethods } from "./methods.ts";
import {
  addressAt,
  addressOf,
  type Config,
  choiceOf,
  configAt,
  contextSlot,
  flagOf,
  listAt,
  slotParamAt,
  textAt,
} from "./params.ts";

/** Text lengths of the largest transaction, as Agave checks them. */
const BASE58_LENGTH_MAX = 1_683;
const BASE64_LENGTH_MAX = 1_644;
const AIRDROP_LAMPORTS_MAX = 1_000_000_000_000_000n;

export const SEND_METHODS: RpcMethods = {
  sendTransaction: ({ cluster }, params) => {
    const config = configAt(params, 1);
    const parsed = decodeTransaction(cluster, textAt(params, 0), config, "base58");
    contextSlot(cluster, config);
    if (!flagOf(config["skipPreflight"])) preflight(cluster, parsed);
    // As on a real node: what the cluster then refuses is only seen by its status never coming.
    cluster.submit(parsed.wire);
    return parsed.signature;
  },

  simulateTransaction: ({ cluster, context }, params) => {
    const config = configAt(params, 1);
    const parsed = decodeTransaction(cluster, textAt(params, 0), config, "base58");
    const verifySignatures = flagOf(config["sigVerify"]);
    const replaceBlockhash = flagOf(config["replaceRecentBlockhash"]);
    if (verifySignatures && replaceBlockhash)
      throw invalidParams("sigVerify may not be used with replaceRecentBlockhash");
    const simulated = simulate(cluster, parsed, { verifySignatures, replaceBlockhash });
    const { blockhash, lastValidBlockHeight } = cluster.latestBlockhash();
    return context(config, {
      ...encodeSimulation(simulated, flagOf(config["innerInstructions"])),
      accounts: accountsAfter(cluster, parsed, simulated, config),
      replacementBlockhash: replaceBlockhash ? { blockhash, lastValidBlockHeight } : null,
    });
  },

  requestAirdrop: ({ cluster }, params) => {
    const to = addressAt(params, 0);
    const lamports = slotParamAt(params, 1);
    if (lamports > AIRDROP_LAMPORTS_MAX)
      throw invalidParams(`Invalid request: at most ${AIRDROP_LAMPORTS_MAX} lamports`);
    return cluster.airdrop(to, lamports).signature;
  },
};

function decodeTransaction(
  cluster: LocalCluster,
  text: string,
  config: Config,
  fallback: "base58" | "base64",
): ParsedTransaction {
  const encoding = choiceOf(config["encoding"], ["base58", "base64"], fallback);
  const type = "solana_transaction::versioned::VersionedTransaction";
  const lengthMax = encoding === "base58" ? BASE58_LENGTH_MAX : BASE64_LENGTH_MAX;
  if (text.length > lengthMax)
    throw invalidParams(
      `${encoding} encoded ${type} too large: ${text.length} bytes (max: encoded/raw ${lengthMax}/${WIRE_BYTES_MAX})`,
    );
  const wire = encoding === "base58" ? fromBase58(text) : fromBase64(text);
  if (wire.length > WIRE_BYTES_MAX)
    throw invalidParams(`decoded ${type} too large: ${wire.length} bytes (max: ${WIRE_BYTES_MAX} bytes)`);
  const result = parseTransaction(wire, cluster.book);
  if (result.ok) return result.value;
  const { kind, reason } = result.error;
  throw invalidParams(
    kind === "decode"
      ? `failed to deserialize ${type}: ${reason}`
      : `invalid transaction: ${transactionErrorText("SanitizeFailure")}`,
  );
}

function fromBase58(text: string): Uint8Array {
  try {
    return base58Decode(text);
  } catch {
    throw invalidParams("invalid base58 encoding: InvalidCharacter");
  }
}

function fromBase64(text: string): Uint8Array {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw invalidParams("invalid base64 encoding: InvalidByte");
  return Buffer.from(text, "base64");
}

/** Throws -32003 on a bad signature and -32002, with the whole simulation, on anything else that would fail. */
function preflight(cluster: LocalCluster, parsed: ParsedTransaction): void {
  const simulated = simulate(cluster, parsed, { verifySignatures: true, replaceBlockhash: false });
  if (simulated.error === null) return;
  throw new RpcError(
    RPC_ERROR.preflightFailure,
    `Transaction simulation failed: ${transactionErrorText(simulated.error)}`,
    { ...encodeSimulation(simulated, false), accounts: null, replacementBlockhash: null },
  );
}

function simulate(cluster: LocalCluster, parsed: ParsedTransaction, options: SimulateOptions): SimulateResult {
  const simulated = cluster.simulate(parsed, options);
  if (simulated.error === "SignatureFailure")
    throw new RpcError(RPC_ERROR.signatureVerificationFailure, "Transaction signature verification failure");
  return simulated;
}

/** What Agave tells about a simulation and this cluster does not know. */
const NOT_SIMULATED = {
  loadedAccountsDataSize: null,
  preBalances: null,
  postBalances: null,
  preTokenBalances: null,
  postTokenBalances: null,
};

function encodeSimulation(simulated: SimulateResult, withInner: boolean): object {
  const { error, logs, computeUnits, inner, returnData, keys, loaded, feeLamports } = simulated;
  return {
    err: error,
    logs,
    unitsConsumed: computeUnits,
    innerInstructions: withInner ? encodeInner(inner, keys) : null,
    returnData: returnData === null ? null : encodeReturnData(returnData),
    loadedAddresses: encodeLoaded(loaded),
    fee: feeLamports,
    ...NOT_SIMULATED,
  };
}

function accountsAfter(
  cluster: LocalCluster,
  parsed: ParsedTransaction,
  { accountAfter, error }: SimulateResult,
  config: Config,
): unknown {
  const wanted = config["accounts"] as Config | null | undefined;
  if (wanted === undefined || wanted === null) return null;
  const view = accountView(wanted, "base64");
  if (view.encoding === "binary" || view.encoding === "base58") throw invalidParams("base58 encoding not supported");
  const addresses = listAt([wanted["addresses"]], 0, parsed.staticKeys.length + 256).map(addressOf);
  return addresses.map((address) => {
    const state = error === null ? accountAfter(address) : undefined;
    return state === undefined ? null : encodeAccount(state, view, { book: cluster.book, account: accountAfter });
  });
}
