/** What a cluster says of nonce accounts. Foreign data: whatever comes is a state, or a reason why there is none. */
import type { Address } from "#core/units.ts";
import { decodeBase64 } from "#dex/bytes.ts";
import { SYSTEM_PROGRAM } from "#dex/program-addresses.ts";
import { field, isRecord, list, type Rpc, whole } from "#execute/rpc.ts";
import { decodeNonceAccount, type NonceState } from "./nonce-account.ts";

export type NonceReading = {
  readonly state: NonceState | undefined;
  /** Why there is no state; empty when there is one. */
  readonly why: string;
  readonly isThere: boolean;
};

/** As confirmed, in order, with the slot of the answer; undefined when the cluster does not answer. */
export async function readNonces(
  rpc: Rpc,
  addresses: readonly Address[],
): Promise<{ readonly slot: number; readonly readings: readonly NonceReading[] } | undefined> {
  const answer = await rpc("getMultipleAccounts", [addresses, { encoding: "base64", commitment: "confirmed" }]);
  const slot = answer.ok ? whole(field(answer.value, "context", "slot")) : undefined;
  const values = answer.ok ? list(field(answer.value, "value")) : [];
  if (slot === undefined || values.length !== addresses.length) return undefined;
  return { slot, readings: values.map(readNonce) };
}

function readNonce(account: unknown): NonceReading {
  if (!isRecord(account)) return { state: undefined, why: "is not there", isThere: false };
  const [text] = list(account["data"]);
  const data = typeof text === "string" ? decodeBase64(text) : undefined;
  if (account["owner"] !== SYSTEM_PROGRAM || data === undefined)
    return { state: undefined, why: "is no account of the System program", isThere: true };
  const decoded = decodeNonceAccount(data);
  return decoded.ok
    ? { state: decoded.value, why: "", isThere: true }
    : { state: undefined, why: `is no nonce account (${decoded.error.message})`, isThere: true };
}
