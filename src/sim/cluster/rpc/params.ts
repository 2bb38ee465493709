/** Reads the parameters of RPC methods, each checked whole, with Agave's words for what is wrong. */
import { base58Decode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import { COMMITMENTS, type Commitment, slotAt } from "#sim/cluster/commitment.ts";
import type { LocalCluster } from "#sim/cluster/local-cluster.ts";
import { invalidParams, RPC_ERROR, RpcError } from "./json-rpc.ts";

export type Config = Readonly<Record<string, unknown>>;

const BASE58_LENGTH_MAX = 2_048;

/** The trailing options object of a method; absent and null are empty. */
export function configAt(params: readonly unknown[], index: number): Config {
  const value = params[index] ?? {};
  if (typeof value !== "object" || Array.isArray(value))
    throw invalidParams(`Invalid params: invalid type: expected an object at position ${index}.`);
  return value as Config;
}

export function textAt(params: readonly unknown[], index: number): string {
  const value = params[index];
  if (value === undefined) throw missing(index);
  if (typeof value !== "string")
    throw invalidParams(`Invalid params: invalid type: ${kindOf(value)}, expected a string.`);
  return value;
}

/** A whole number from 0. */
export function wholeAt(params: readonly unknown[], index: number): number {
  const value = params[index];
  if (value === undefined) throw missing(index);
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw invalidParams(`Invalid params: invalid value: ${kindOf(value)}, expected u64.`);
  return value as number;
}

export const slotParamAt = (params: readonly unknown[], index: number): bigint => BigInt(wholeAt(params, index));

export function addressAt(params: readonly unknown[], index: number): Address {
  return addressOf(textAt(params, index));
}

export function addressOf(value: unknown): Address {
  return checkedBase58(value, 32) as Address;
}

export function signatureOf(value: unknown): string {
  return checkedBase58(value, 64);
}

function checkedBase58(value: unknown, bytes: number): string {
  if (typeof value !== "string" || value.length > BASE58_LENGTH_MAX) throw invalidParams("Invalid param: Invalid");
  let length: number;
  try {
    length = base58Decode(value).length;
  } catch {
    throw invalidParams("Invalid param: Invalid");
  }
  if (length !== bytes) throw invalidParams("Invalid param: WrongSize");
  return value;
}

export function listAt(params: readonly unknown[], index: number, max: number): readonly unknown[] {
  const value = params[index];
  if (value === undefined) throw missing(index);
  if (!Array.isArray(value))
    throw invalidParams(`Invalid params: invalid type: ${kindOf(value)}, expected a sequence.`);
  if (value.length > max) throw invalidParams(`Too many inputs provided; max ${max}`);
  return value;
}

export function choiceOf<const C extends readonly string[]>(
  value: unknown,
  choices: C,
  fallback: C[number],
): C[number] {
  if (value === undefined || value === null) return fallback;
  const found = choices.find((choice) => choice === value);
  if (found === undefined)
    throw invalidParams(
      `Invalid params: unknown variant \`${String(value)}\`, expected one of ${choices.map((c) => `\`${c}\``).join(", ")}.`,
    );
  return found;
}

export function flagOf(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value !== "boolean")
    throw invalidParams(`Invalid params: invalid type: ${kindOf(value)}, expected a boolean.`);
  return value;
}

export const commitmentIn = (config: Config): Commitment => choiceOf(config["commitment"], COMMITMENTS, "finalized");

/** For what is about whole blocks, which are not complete while they are processed. */
export function commitmentOfBlocks(config: Config): Commitment {
  const commitment = commitmentIn(config);
  if (commitment === "processed") throw invalidParams("Method does not support commitment below `confirmed`");
  return commitment;
}

/** The slot that the answer speaks of. Throws when it is before the caller's minContextSlot. */
export function contextSlot(cluster: LocalCluster, config: Config): bigint {
  const slot = slotAt(commitmentIn(config), cluster);
  const least = config["minContextSlot"];
  if (least !== undefined && least !== null && slot < BigInt(wholeAt([least], 0)))
    throw new RpcError(RPC_ERROR.minContextSlotNotReached, "Minimum context slot has not been reached", {
      contextSlot: slot,
    });
  return slot;
}

function missing(index: number): RpcError {
  return invalidParams(`\`params\` should have at least ${index + 1} argument(s)`);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "sequence";
  return typeof value === "object" ? "map" : `${typeof value} ${JSON.stringify(value)}`;
}
