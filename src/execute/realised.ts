/** What a landed transaction did to the wallet, from its meta: native lamports and wSOL together, to the unit. */
import { type Address, WSOL_MINT } from "#core/units.ts";
import type { SentBundle, Settlement } from "./bundle.ts";
import { field, isRecord, list, whole } from "./rpc.ts";

/** The settlement of a bundle whose getTransaction answer this is; undefined while the cluster has none. */
export function settleLanded(bundle: SentBundle, wallet: Address, transaction: unknown): Settlement | undefined {
  const meta = field(transaction, "meta");
  if (!isRecord(meta)) return undefined;
  const keys = list(field(transaction, "transaction", "message", "accountKeys"));
  const at = keys.indexOf(wallet);
  const before = at < 0 ? undefined : whole(list(meta["preBalances"])[at]);
  const after = at < 0 ? undefined : whole(list(meta["postBalances"])[at]);
  if (before === undefined || after === undefined) return undefined;
  const base = baseUnits(list(meta["postTokenBalances"]), wallet) - baseUnits(list(meta["preTokenBalances"]), wallet);
  const realised = BigInt(after - before) + base;
  const slot = whole(field(transaction, "slot")) ?? 0;
  const error = meta["err"] ?? null;
  const exact = error === null && realised === bundle.predictedNetLamports;
  return {
    state: error === null ? "landed" : "failed",
    reason: reasonOf(bundle.predictedNetLamports, realised, slot, error),
    landedSlot: slot,
    realisedNetLamports: realised,
    exact,
    computeUnits: whole(meta["computeUnitsConsumed"]) ?? 0,
    feeLamports: BigInt(whole(meta["fee"]) ?? 0),
    rivalTipLamports: 0n,
  };
}

function reasonOf(predicted: bigint, realised: bigint, slot: number, error: unknown): string {
  if (error !== null) return `failed in slot ${slot} with ${JSON.stringify(error)}: the wallet changed by ${realised}`;
  if (realised === predicted) return `landed in slot ${slot}, the wallet changed by ${realised} as predicted`;
  return `landed in slot ${slot} on a state that had moved since the decision: the wallet changed by ${realised}, ${predicted} was predicted, ${realised - predicted} more`;
}

function baseUnits(balances: readonly unknown[], wallet: Address): bigint {
  let sum = 0n;
  for (const balance of balances) {
    const amount = field(balance, "uiTokenAmount", "amount");
    if (field(balance, "owner") !== wallet || field(balance, "mint") !== WSOL_MINT) continue;
    if (typeof amount === "string" && /^\d{1,20}$/.test(amount)) sum += BigInt(amount);
  }
  return sum;
}
