/**
 * Jito's JSON-RPC methods on the local engine (docs.jito.wtf, "Low Latency Transaction Send"): parameters in, result out.
 * What is wrong with a call is thrown as the error that the client gets.
 */
import { base58Decode } from "#core/base58.ts";
import { signatureOf } from "#execute/transaction.ts";
import { commitmentOf } from "#sim/cluster/commitment.ts";
import { invalidParams, RpcError } from "#sim/cluster/rpc/json-rpc.ts";
import { type BlockEngine, CONGESTED } from "./block-engine.ts";
import { TRANSACTIONS_MAX } from "./bundle.ts";
import type { BundleRecord } from "./bundle-history.ts";
import { TIP_ACCOUNTS } from "./tip-accounts.ts";

/** Of Jito's own: asked too often, or nobody has time. */
const RATE_LIMITED = -32_097;
/** Bundle ids in one question. */
const IDS_MAX = 5;
/** Characters of one encoded transaction: 1,232 bytes in base58 are at most 1,683. */
const ENCODED_LENGTH_MAX = 1_700;

export const rateLimited = (): RpcError => new RpcError(RATE_LIMITED, CONGESTED);

type Params = readonly unknown[];

/** Answers a method, or undefined when there is no such method. */
export function callMethod(engine: BlockEngine, method: string, params: Params): { result: unknown } | undefined {
  switch (method) {
    case "sendBundle":
      return { result: sendBundle(engine, params) };
    case "getBundleStatuses":
      return {
        result: inContext(
          engine,
          readIds(params).map((id) => bundleStatus(engine, id)),
        ),
      };
    case "getInflightBundleStatuses":
      return {
        result: inContext(
          engine,
          readIds(params).map((id) => inflightStatus(engine, id)),
        ),
      };
    case "getTipAccounts":
      return { result: TIP_ACCOUNTS };
    default:
      return undefined;
  }
}

function sendBundle(engine: BlockEngine, params: Params): string {
  const [list, options] = params;
  if (!Array.isArray(list)) throw invalidParams("Invalid params: a list of encoded transactions is required");
  if (list.length > TRANSACTIONS_MAX)
    throw invalidParams(`Bundle must contain at most ${TRANSACTIONS_MAX} transactions.`);
  const decode = decoderOf(options);
  return send(
    engine,
    list.map((text: unknown, i) => decode(text) ?? refuseTransaction(i)),
  );
}

/**
 * A single transaction: through the auction when it must not land unless it wins (`bundleOnly`), else straight to the
 * cluster, without preflight. Answers its signature, and the id of the bundle when it became one.
 */
export function sendTransaction(
  engine: BlockEngine,
  params: Params,
  bundleOnly: boolean,
): { readonly signature: string; readonly bundleId: string | undefined } {
  const [text, options] = params;
  const wire = decoderOf(options)(text) ?? refuseTransaction(0);
  const signature = readSignature(wire);
  if (bundleOnly) return { signature, bundleId: send(engine, [wire]) };
  engine.cluster.submit(wire);
  return { signature, bundleId: undefined };
}

function send(engine: BlockEngine, wires: readonly Uint8Array[]): string {
  const sent = engine.send(wires);
  if (sent.ok) return sent.value;
  throw sent.error === CONGESTED ? rateLimited() : invalidParams(sent.error);
}

function readSignature(wire: Uint8Array): string {
  try {
    return signatureOf(wire);
  } catch {
    return refuseTransaction(0);
  }
}

function refuseTransaction(index: number): never {
  throw invalidParams(`transaction #${index} could not be decoded`);
}

/** Base58 unless the client says base64, as on Jito. */
function decoderOf(options: unknown): (text: unknown) => Uint8Array | undefined {
  const encoding =
    typeof options === "object" && options !== null && "encoding" in options ? options.encoding : "base58";
  if (encoding !== "base58" && encoding !== "base64")
    throw invalidParams(`Invalid params: encoding must be base58 or base64, was ${JSON.stringify(encoding)}`);
  return (text) => {
    if (typeof text !== "string" || text.length === 0 || text.length > ENCODED_LENGTH_MAX) return undefined;
    if (encoding === "base64") return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, "base64") : undefined;
    try {
      return base58Decode(text);
    } catch {
      return undefined;
    }
  };
}

function readIds([ids]: Params): string[] {
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === "string"))
    throw invalidParams("Invalid params: a list of bundle ids is required");
  if (ids.length > IDS_MAX) throw invalidParams(`Invalid params: at most ${IDS_MAX} bundle ids, was ${ids.length}`);
  return ids;
}

const inContext = (engine: BlockEngine, value: unknown) => ({ context: { slot: engine.cluster.slot }, value });

/** Null for a bundle that is unknown or has not landed. */
function bundleStatus(engine: BlockEngine, id: string): unknown {
  const record = engine.history.find(id);
  if (record?.state.kind !== "landed") return null;
  return {
    bundle_id: id,
    transactions: record.signatures,
    slot: record.state.slot,
    confirmation_status: commitmentOf(record.state.slot, engine.cluster),
    err: { Ok: null },
  };
}

const STATUS_WORD: Readonly<Record<BundleRecord["state"]["kind"], string>> = {
  pending: "Pending",
  landed: "Landed",
  failed: "Failed",
};

function inflightStatus(engine: BlockEngine, id: string): unknown {
  const state = engine.history.find(id)?.state;
  return {
    bundle_id: id,
    status: state === undefined ? "Invalid" : STATUS_WORD[state.kind],
    landed_slot: state?.kind === "landed" ? state.slot : null,
  };
}
