/**
 * Any instruction or account of an Anchor program by a table of names and types: for records and for people, not for the
 * hot path. Foreign bytes are checked whole; nothing throws. Fields are words "name:type", one after another, packed:
 *
 *   u8 u16 u32 u64 u128 i32 i64 i128 bool address      little endian; a bool is 0 or 1
 *   Name      a struct of the table's `types`           T?   0, or 1 and a T
 *   T*70      seventy of T                              T[]  a u32 count and as many of T
 *   .         as the last word: no byte may follow
 */
import { createHash } from "node:crypto";
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { readAddress } from "./bytes.ts";
import { DEX_ERROR } from "./errors.ts";

type Value = number | bigint | boolean | Address | undefined | readonly Value[] | { readonly [name: string]: Value };
type Fields = Readonly<Record<string, Value>>;

export type InstructionShape = { readonly args: string; readonly accounts: string };
type LayoutTables = {
  readonly program: string;
  readonly instructions: Readonly<Record<string, InstructionShape>>;
  readonly records: Readonly<Record<string, string>>;
  readonly types: Readonly<Record<string, string>>;
};

type NamedInstruction = {
  readonly name: string;
  readonly args: Fields;
  readonly accounts: Readonly<Record<string, Address>>;
  /** What follows the accounts that have a name. */
  readonly remaining: readonly Address[];
};
type NamedRecord = { readonly name: string; readonly fields: Fields };

type NamedLayout = {
  /** Undefined for an instruction that the table does not have. */
  readonly instruction: (
    data: Uint8Array,
    accounts: readonly Address[],
  ) => Result<NamedInstruction | undefined, SandpiperError>;
  /** Undefined for an account that the table does not have. */
  readonly record: (data: Uint8Array) => Result<NamedRecord | undefined, SandpiperError>;
};

const DISCRIMINATOR_BYTES = 8;
/** No instruction has room for more of anything. */
const ITEMS_MAX = 1_024;

/** `failed` once the bytes ended early or were none of their type; readers then stop. */
type Cursor = { readonly data: Uint8Array; readonly view: DataView; at: number; failed: boolean };
type Read = (cursor: Cursor) => Value;

export function namedLayout({ program, instructions, records, types }: LayoutTables): NamedLayout {
  const instructionOf = new Map(
    Object.entries(instructions).map(([name, { args, accounts }]) => [
      marksOf("global", name),
      { name, read: readerOfFields(args, types), accounts: words(accounts) },
    ]),
  );
  const recordOf = new Map(
    Object.entries(records).map(([name, fields]) => [
      marksOf("account", name),
      { name, read: readerOfFields(fields, types) },
    ]),
  );
  const refuse = (code: number, what: string, want: string, was: string): Result<never, SandpiperError> =>
    err(new SandpiperError(code, `Cannot decode a ${program} ${what}: ${want}, was ${was}`));

  return {
    instruction(data, accounts) {
      const shape = instructionOf.get(marksAt(data));
      if (shape === undefined) return ok(undefined);
      const { name, accounts: names } = shape;
      const args = readAll(shape.read, data);
      if (args === undefined || accounts.length < names.length) {
        const was = `${data.length} bytes and ${accounts.length} accounts`;
        return refuse(DEX_ERROR.instruction, name, `its arguments and ${names.length} accounts`, was);
      }
      const named = Object.fromEntries(names.map((account, i) => [account, accounts[i] as Address]));
      return ok({ name, args, accounts: named, remaining: accounts.slice(names.length) });
    },
    record(data) {
      const shape = recordOf.get(marksAt(data));
      if (shape === undefined) return ok(undefined);
      const fields = readAll(shape.read, data);
      return fields === undefined
        ? refuse(DEX_ERROR.account, shape.name, "all its fields", `${data.length} bytes`)
        : ok({ name: shape.name, fields });
    },
  };
}

/** As Anchor makes them: the first bytes of sha256("global:swap"), sha256("account:Position"). */
const marksOf = (space: string, name: string): string =>
  createHash("sha256")
    .update(`${space}:${name}`)
    .digest("hex")
    .slice(0, 2 * DISCRIMINATOR_BYTES);

const marksAt = (data: Uint8Array): string => Buffer.from(data.subarray(0, DISCRIMINATOR_BYTES)).toString("hex");

const words = (text: string): readonly string[] => (text === "" ? [] : text.split(" "));

function readAll(read: (cursor: Cursor) => Fields, data: Uint8Array): Fields | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const cursor: Cursor = { data, view, at: DISCRIMINATOR_BYTES, failed: false };
  const fields = read(cursor);
  return cursor.failed ? undefined : fields;
}

function readerOfFields(text: string, types: LayoutTables["types"]): (cursor: Cursor) => Fields {
  const readers = words(text).map((word): readonly [string, Read] => {
    if (word === ".") return ["", readEnd];
    const [name = "", type = ""] = word.split(":");
    return [name, readerOf(type, types)];
  });
  return (cursor) => {
    const fields: Record<string, Value> = {};
    for (const [name, read] of readers) {
      const value = read(cursor);
      if (cursor.failed) return fields;
      if (name !== "") fields[name] = value;
    }
    return fields;
  };
}

function readerOf(type: string, types: LayoutTables["types"]): Read {
  const [, inner = "", mark = ""] = type.match(/^(.+?)(\?|\[\]|\*\d+)$/) ?? [];
  if (mark === "?") return optionReader(readerOf(inner, types));
  if (mark === "[]") return vectorReader(readerOf(inner, types));
  if (mark !== "") {
    const [item, count] = [readerOf(inner, types), Number(mark.slice(1))];
    return (cursor) => readItems(cursor, item, count);
  }
  const struct = types[type];
  if (struct !== undefined) return readerOfFields(struct, types);
  const scalar = SCALARS[type];
  if (scalar === undefined) throw new Error(`No type ${type} in the table of a layout`);
  const [bytes, read] = scalar;
  return (cursor) => {
    const at = take(cursor, bytes);
    return cursor.failed ? undefined : read(cursor, at);
  };
}

const SCALARS: Readonly<Record<string, readonly [number, (cursor: Cursor, at: number) => Value]>> = {
  u8: [1, ({ view }, at) => view.getUint8(at)],
  bool: [1, readBool],
  u16: [2, ({ view }, at) => view.getUint16(at, true)],
  u32: [4, ({ view }, at) => view.getUint32(at, true)],
  i32: [4, ({ view }, at) => view.getInt32(at, true)],
  u64: [8, ({ view }, at) => view.getBigUint64(at, true)],
  i64: [8, ({ view }, at) => view.getBigInt64(at, true)],
  u128: [16, ({ view }, at) => (view.getBigUint64(at + 8, true) << 64n) | view.getBigUint64(at, true)],
  i128: [16, ({ view }, at) => (view.getBigInt64(at + 8, true) << 64n) | view.getBigUint64(at, true)],
  address: [32, ({ data }, at) => readAddress(data, at)],
};

/** The place of the next `bytes`, or a failed cursor. */
function take(cursor: Cursor, bytes: number): number {
  const at = cursor.at;
  cursor.at += bytes;
  if (cursor.at > cursor.data.length) cursor.failed = true;
  return at;
}

function readBool(cursor: Cursor, at: number): Value {
  const byte = cursor.data[at];
  if (byte !== 0 && byte !== 1) cursor.failed = true;
  return byte === 1;
}

const readEnd: Read = (cursor) => {
  if (cursor.at !== cursor.data.length) cursor.failed = true;
  return undefined;
};

const optionReader =
  (read: Read): Read =>
  (cursor) => {
    const at = take(cursor, 1);
    const given = !cursor.failed && readBool(cursor, at) === true;
    return given ? read(cursor) : undefined;
  };

const vectorReader =
  (read: Read): Read =>
  (cursor) => {
    const at = take(cursor, 4);
    const count = cursor.failed ? 0 : cursor.view.getUint32(at, true);
    if (count > ITEMS_MAX) cursor.failed = true;
    return readItems(cursor, read, count);
  };

function readItems(cursor: Cursor, read: Read, count: number): readonly Value[] {
  const items: Value[] = [];
  for (let i = 0; i < count && !cursor.failed; i++) items.push(read(cursor));
  return items;
}
