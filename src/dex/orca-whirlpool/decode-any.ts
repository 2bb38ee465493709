/**
 * Any instruction of the Whirlpool program, and the accounts that no swap reads, by the tables beside this file: names and
 * values, for records and for people. Foreign bytes are checked whole here; nothing throws.
 */
import { createHash } from "node:crypto";
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { readAddress } from "#dex/bytes.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import { WHIRLPOOL_INSTRUCTIONS, WHIRLPOOL_RECORDS } from "./instruction-table.ts";
import { u128At, viewOf } from "./words.ts";

/** What a run of the remaining accounts is for, by the program's number of it. */
type AccountSlice = { readonly accountsType: number; readonly length: number };
type Value = number | bigint | boolean | Address | readonly AccountSlice[] | undefined;
type Field = { readonly name: string; readonly type: string };
type Shape = { readonly name: string; readonly fields: readonly Field[]; readonly accounts: readonly string[] };

export type NamedInstruction = {
  readonly name: string;
  readonly args: Readonly<Record<string, Value>>;
  readonly accounts: Readonly<Record<string, Address>>;
};
export type NamedRecord = { readonly name: string; readonly fields: Readonly<Record<string, Value>> };

const DISCRIMINATOR_BYTES = 8;
const SLICES_MAX = 16;

const WIDTHS: Readonly<Record<string, number>> = { u8: 1, bool: 1, u16: 2, i32: 4, u64: 8, u128: 16, address: 32 };

/** As Anchor makes them: the first bytes of sha256("global:swap"), sha256("account:Position"). */
const marksOf = (space: string, name: string): string =>
  createHash("sha256")
    .update(`${space}:${name}`)
    .digest("hex")
    .slice(0, 2 * DISCRIMINATOR_BYTES);
const words = (text: string): readonly string[] => (text === "" ? [] : text.split(" "));
const fieldsOf = (text: string): readonly Field[] =>
  words(text).map((word) => {
    const [name = "", type = ""] = word.split(":");
    return { name, type };
  });

const INSTRUCTIONS: ReadonlyMap<string, Shape> = new Map(
  Object.entries(WHIRLPOOL_INSTRUCTIONS).map(([name, { args, accounts }]) => [
    marksOf("global", name),
    { name, fields: fieldsOf(args), accounts: words(accounts) },
  ]),
);
const RECORDS: ReadonlyMap<string, Shape> = new Map(
  Object.entries(WHIRLPOOL_RECORDS).map(([name, fields]) => [
    marksOf("account", name),
    { name, fields: fieldsOf(fields), accounts: [] },
  ]),
);

/** Undefined for an instruction that the table does not have. */
export function decodeWhirlpoolInstruction(
  data: Uint8Array,
  accounts: readonly Address[],
): Result<NamedInstruction | undefined, SandpiperError> {
  const shape = INSTRUCTIONS.get(marksAt(data));
  if (shape === undefined) return ok(undefined);
  const args = readFields(shape.fields, data);
  if (args === undefined || accounts.length < shape.accounts.length) {
    const want = `its arguments and ${shape.accounts.length} accounts`;
    return refuse(DEX_ERROR.instruction, shape.name, want, `${data.length} bytes and ${accounts.length} accounts`);
  }
  return ok({
    name: shape.name,
    args,
    accounts: Object.fromEntries(shape.accounts.map((name, i) => [name, accounts[i] as Address])),
  });
}

/** Undefined for an account of another kind. */
export function decodeWhirlpoolRecord(data: Uint8Array): Result<NamedRecord | undefined, SandpiperError> {
  const shape = RECORDS.get(marksAt(data));
  if (shape === undefined) return ok(undefined);
  const fields = readFields(shape.fields, data);
  return fields === undefined
    ? refuse(DEX_ERROR.account, shape.name, "all its fields", `${data.length} bytes`)
    : ok({ name: shape.name, fields });
}

const marksAt = (data: Uint8Array): string => Buffer.from(data.subarray(0, DISCRIMINATOR_BYTES)).toString("hex");

/** Undefined where the bytes end early or a value is none of its type. */
function readFields(fields: readonly Field[], data: Uint8Array): Readonly<Record<string, Value>> | undefined {
  const view = viewOf(data);
  const values: Record<string, Value> = {};
  let at = DISCRIMINATOR_BYTES;
  for (const { name, type } of fields) {
    if (type === "slices") {
      const slices = readSlices(data, view, at);
      if (slices === null) return undefined;
      // The list is the last argument wherever it stands.
      values[name] = slices;
      continue;
    }
    const width = WIDTHS[type] ?? 0;
    if (at + width > data.length) return undefined;
    if (type === "bool" && view.getUint8(at) > 1) return undefined;
    values[name] = readValue(type, data, view, at);
    at += width;
  }
  return values;
}

function readValue(type: string, data: Uint8Array, view: DataView, at: number): Value {
  switch (type) {
    case "u8":
      return view.getUint8(at);
    case "bool":
      return view.getUint8(at) === 1;
    case "u16":
      return view.getUint16(at, true);
    case "i32":
      return view.getInt32(at, true);
    case "u64":
      return view.getBigUint64(at, true);
    case "u128":
      return u128At(view, at);
    default:
      return readAddress(data, at);
  }
}

/** Option<Vec<slice>>: 0, or 1, a u32 count and two bytes each; undefined for none, null for bytes that are no such list. */
function readSlices(data: Uint8Array, view: DataView, at: number): readonly AccountSlice[] | undefined | null {
  const given = data[at];
  if (given === 0) return undefined;
  if (given !== 1 || at + 5 > data.length) return null;
  const count = view.getUint32(at + 1, true);
  if (count > SLICES_MAX || at + 5 + 2 * count > data.length) return null;
  return Array.from({ length: count }, (_, i) => ({
    accountsType: view.getUint8(at + 5 + 2 * i),
    length: view.getUint8(at + 6 + 2 * i),
  }));
}

function refuse(code: number, what: string, want: string, was: string): Result<never, SandpiperError> {
  return err(new SandpiperError(code, `Cannot decode a Whirlpool ${what}: ${want}, was ${was}`));
}
