/**
 * One to five transactions that land together or not at all, read and checked before they may bid. The tip is what their
 * outer instructions transfer to tip accounts, by the system program, in lamports.
 */
import { createHash } from "node:crypto";
import { err, ok, type Result } from "#core/result.ts";
import type { Address, Signature } from "#core/units.ts";
import { SYSTEM_PROGRAM } from "#dex/program-addresses.ts";
import type { LocalCluster } from "#sim/cluster/local-cluster.ts";
import { loadAddresses } from "#sim/cluster/lookup-tables.ts";
import { isWritable, type ParsedTransaction, parseTransaction } from "#sim/cluster/message.ts";
import { TIP_ACCOUNTS } from "./tip-accounts.ts";

export const TRANSACTIONS_MAX = 5;
/** Jito's least tip. */
export const TIP_LAMPORTS_MIN = 1_000n;

export type Bundle = {
  /** SHA-256 of the signatures joined by commas, in hexadecimal: Jito's bundle id. */
  readonly id: string;
  readonly wires: readonly Uint8Array[];
  readonly signatures: readonly Signature[];
  readonly tipLamports: bigint;
};

/** Why a bundle may not bid. The words for the tip account and for decoding are Jito's. */
export type BundleRefusal = string;

const TIP_ACCOUNT_SET: ReadonlySet<Address> = new Set(TIP_ACCOUNTS);
const TRANSFER = 2;
const TRANSFER_BYTES = 12;

export function readBundle(wires: readonly Uint8Array[], cluster: LocalCluster): Result<Bundle, BundleRefusal> {
  if (wires.length === 0) return err("Bundle must contain at least one transaction.");
  if (wires.length > TRANSACTIONS_MAX) return err(`Bundle must contain at most ${TRANSACTIONS_MAX} transactions.`);
  const signatures: Signature[] = [];
  let tipLamports = 0n;
  let locksTipAccount = false;
  for (const [i, wire] of wires.entries()) {
    const parsed = parseTransaction(wire, cluster.book);
    if (!parsed.ok) return err(`transaction #${i} could not be decoded`);
    signatures.push(parsed.value.signature);
    tipLamports += tipOf(parsed.value);
    locksTipAccount ||= writableOf(parsed.value, cluster).some((address) => TIP_ACCOUNT_SET.has(address));
  }
  if (!locksTipAccount) return err("Bundles must write lock at least one tip account to be eligible for the auction.");
  if (tipLamports < TIP_LAMPORTS_MIN) return err(`Bundle must tip at least ${TIP_LAMPORTS_MIN} lamports.`);
  const id = createHash("sha256").update(signatures.join(",")).digest("hex");
  return ok({ id, wires, signatures, tipLamports });
}

function writableOf(parsed: ParsedTransaction, cluster: LocalCluster): Address[] {
  const loaded = loadAddresses(parsed, cluster.book, (address) => cluster.account(address));
  const keys = [...parsed.staticKeys, ...(loaded?.writable ?? []), ...(loaded?.readonly ?? [])];
  return keys.filter((_, index) => isWritable(parsed, index, loaded?.writable.length ?? 0));
}

function tipOf({ instructions, staticKeys }: ParsedTransaction): bigint {
  let tipLamports = 0n;
  for (const { programIndex, accounts, data } of instructions) {
    if (staticKeys[programIndex] !== SYSTEM_PROGRAM || data.length !== TRANSFER_BYTES) continue;
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    const to = staticKeys[accounts[1] ?? -1];
    if (view.getUint32(0, true) === TRANSFER && to !== undefined && TIP_ACCOUNT_SET.has(to))
      tipLamports += view.getBigUint64(4, true);
  }
  return tipLamports;
}
