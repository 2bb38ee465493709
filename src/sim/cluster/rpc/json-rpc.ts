/**
 * JSON-RPC 2.0 as Agave speaks it: single requests and batches, its error codes and texts, and 64-bit numbers as plain
 * JSON numbers with all their digits.
 */

import { SandpiperError } from "#core/error.ts";

/** Codes that clients branch on: those of JSON-RPC, then those of Agave's rpc-client-api/src/custom_error.rs. */
export const RPC_ERROR = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  blockCleanedUp: -32001,
  preflightFailure: -32002,
  signatureVerificationFailure: -32003,
  blockNotAvailable: -32004,
  slotSkipped: -32007,
  unsupportedTransactionVersion: -32015,
  minContextSlotNotReached: -32016,
} as const;

/** Thrown by a method to answer with an error. */
export class RpcError extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly data?: unknown,
  ) {
    super(message);
  }
}

export const invalidParams = (message: string): RpcError => new RpcError(RPC_ERROR.invalidParams, message);

type RpcId = string | number | null;
/** Answers a method; throws RpcError. Undefined when there is no such method. */
export type RpcHandler = (method: string, params: readonly unknown[]) => { readonly result: unknown } | undefined;

/** Requests in one batch. */
const BATCH_MAX = 256;

/** JSON text in which a bigint is a number. */
export function jsonText(value: unknown): string {
  try {
    // Four times as fast as with a replacer, and most of what is sent, the geyser groups, holds no bigint.
    return JSON.stringify(value);
  } catch {
    return JSON.stringify(value, withRawBigints);
  }
}

function withRawBigints(_: string, inner: unknown): unknown {
  return typeof inner === "bigint" ? rawNumber(inner) : inner;
}

/** Answers one text of the client: a request or a batch of them. Undefined when nothing in it asks for an answer. */
export function answerText(text: string, handle: RpcHandler): string | undefined {
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch {
    return jsonText(failure(null, RPC_ERROR.parse, "Parse error"));
  }
  if (!Array.isArray(request)) {
    const answered = answer(request, handle);
    return answered === undefined ? undefined : jsonText(answered);
  }
  if (request.length === 0 || request.length > BATCH_MAX)
    return jsonText(failure(null, RPC_ERROR.invalidRequest, "Invalid request"));
  const answered = request.map((one) => answer(one, handle)).filter((one) => one !== undefined);
  return answered.length === 0 ? undefined : jsonText(answered);
}

/** Undefined for a notification: a request without an id, done but not answered. */
function answer(request: unknown, handle: RpcHandler): object | undefined {
  const { jsonrpc, id, method, params = [] } = (request ?? {}) as Readonly<Record<string, unknown>>;
  const known: RpcId = typeof id === "string" || typeof id === "number" ? id : null;
  if (jsonrpc !== "2.0" || typeof method !== "string")
    return failure(known, RPC_ERROR.invalidRequest, "Invalid request");
  const answered = answerMethod(known, method, params, handle);
  return id === undefined ? undefined : answered;
}

function answerMethod(id: RpcId, method: string, params: unknown, handle: RpcHandler): object {
  if (!Array.isArray(params))
    return failure(id, RPC_ERROR.invalidParams, "Invalid params: invalid type: map, expected a sequence.");
  try {
    const answered = handle(method, params);
    return answered === undefined
      ? failure(id, RPC_ERROR.methodNotFound, "Method not found")
      : { jsonrpc: "2.0", result: answered.result, id };
  } catch (thrown) {
    if (thrown instanceof RpcError) return failure(id, thrown.code, thrown.message, thrown.data);
    if (thrown instanceof SandpiperError) return failure(id, RPC_ERROR.internal, thrown.message);
    throw thrown;
  }
}

function failure(id: RpcId, code: number, message: string, data?: unknown): object {
  return { jsonrpc: "2.0", error: data === undefined ? { code, message } : { code, message, data }, id };
}

/** ECMAScript's JSON.rawJSON, which TypeScript's library does not know yet. */
function rawNumber(value: bigint): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(value.toString());
}
