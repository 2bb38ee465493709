/**
 * Links one relocatable object into the shared object that Solana's loader takes (SBPF version 0), so that a program
 * needs Debian's clang and nothing else. Addresses in the file are its own byte offsets; the loader adds the start of the
 * program's region.
 *
 *   0      ELF header           64 bytes
 *   64     program headers      3 × 56: code (read, execute), the rest (read), dynamic
 *   232    .text                machine code
 *          .rodata              constants
 *          .dynamic             10 × 16: where the three tables below are
 *          .dynsym              24 each: nothing, entrypoint, then each system call
 *          .dynstr              their names
 *          .rel.dyn             16 each: calls that the loader replaces by the hash of their name (type 10), and
 *                               addresses of constants that it moves (type 8)
 *          .shstrtab            names of the sections
 *          section headers      8 × 64
 * Every part begins at a multiple of 8.
 */
import type { ElfObject } from "./elf-object.ts";

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const PROGRAM_HEADERS = 3;
const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;
const RELOCATION_BYTES = 16;
const DYNAMIC_BYTES = 16;
const ALIGNMENT = 8;
const PAGE_BYTES = 0x1000;

const R_BPF_64_RELATIVE = 8;
const R_BPF_64_32 = 10;
const TYPE = { programBits: 1, symbols: 11, text: 3, dynamic: 6, relocations: 9 } as const;
const FLAG = { write: 1, allocate: 2, execute: 4 } as const;
const DYNAMIC = {
  text: 5,
  symbols: 6,
  textBytes: 10,
  symbolBytes: 11,
  rel: 17,
  relBytes: 18,
  relEntry: 19,
  textRel: 22,
};
const RELATIVE_CALL_REGISTER = 0x10;
const DYNAMIC_ENTRIES = 10;

type Part = { readonly name: string; readonly type: number; readonly flags: number; bytes: Uint8Array; at: number };

/** The bytes of the shared object. The same input gives the same bytes. */
export function linkProgram(object: ElfObject): Uint8Array {
  const calls = [
    ...new Set(object.relocations.flatMap(({ target }) => (target.kind === "call" ? [target.symbol] : []))),
  ];
  const names = nameTable(["entrypoint", ...calls]);
  const part = (name: string, type: number, flags: number, bytes: Uint8Array): Part => ({
    name,
    type,
    flags,
    bytes,
    at: 0,
  });
  const parts = {
    code: part(".text", TYPE.programBits, FLAG.allocate | FLAG.execute, Uint8Array.from(object.code)),
    constants: part(".rodata", TYPE.programBits, FLAG.allocate, object.constants),
    dynamic: part(
      ".dynamic",
      TYPE.dynamic,
      FLAG.allocate | FLAG.write,
      new Uint8Array(DYNAMIC_ENTRIES * DYNAMIC_BYTES),
    ),
    symbols: part(".dynsym", TYPE.symbols, FLAG.allocate, new Uint8Array((2 + calls.length) * SYMBOL_BYTES)),
    text: part(".dynstr", TYPE.text, FLAG.allocate, names.bytes),
    relocations: part(
      ".rel.dyn",
      TYPE.relocations,
      FLAG.allocate,
      new Uint8Array(object.relocations.length * RELOCATION_BYTES),
    ),
    sectionNames: part(".shstrtab", TYPE.text, 0, new Uint8Array()),
  };
  const inOrder = Object.values(parts);
  const sectionNames = nameTable(inOrder.map(({ name }) => name));
  parts.sectionNames.bytes = sectionNames.bytes;
  const end = place(inOrder);

  patchCode(object, parts.code, parts.constants.at, parts.relocations, calls);
  writeSymbols(parts.symbols.bytes, names.offsetOf, calls, parts.code.at + object.entry, object);
  writeDynamic(parts.dynamic.bytes, parts);
  const out = new Uint8Array(end + (1 + inOrder.length) * SECTION_HEADER_BYTES);
  for (const { bytes, at } of inOrder) out.set(bytes, at);
  const view = new DataView(out.buffer);
  writeHeader(out, view, parts.code.at + object.entry, end, inOrder.length);
  writeProgramHeaders(view, parts);
  writeSectionHeaders(view, end, inOrder, sectionNames.offsetOf);
  return out;
}

function nameTable(names: readonly string[]) {
  const offsetOf = new Map<string, number>();
  let text = "\0";
  for (const name of names) {
    offsetOf.set(name, text.length);
    text += `${name}\0`;
  }
  return { bytes: new TextEncoder().encode(text), offsetOf: (name: string) => offsetOf.get(name) ?? 0 };
}

const align = (at: number) => Math.ceil(at / ALIGNMENT) * ALIGNMENT;

/** Gives every part its place and answers where the last one ends. */
function place(parts: readonly Part[]): number {
  let at = HEADER_BYTES + PROGRAM_HEADERS * PROGRAM_HEADER_BYTES;
  for (const part of parts) {
    part.at = at;
    at = align(at + part.bytes.length);
  }
  return at;
}

/** Writes what the loader will look for into the code, and the list of those places. */
function patchCode(
  object: ElfObject,
  code: Part,
  constantsAt: number,
  relocations: Part,
  calls: readonly string[],
): void {
  const codeView = new DataView(code.bytes.buffer);
  const view = new DataView(relocations.bytes.buffer);
  for (const [i, { at, target }] of object.relocations.entries()) {
    const entry = i * RELOCATION_BYTES;
    view.setBigUint64(entry, BigInt(code.at + at), true);
    if (target.kind === "call") {
      codeView.setUint8(at + 1, RELATIVE_CALL_REGISTER);
      codeView.setInt32(at + 4, -1, true);
      view.setUint32(entry + 8, R_BPF_64_32, true);
      view.setUint32(entry + 12, 2 + calls.indexOf(target.symbol), true);
    } else {
      codeView.setUint32(at + 4, constantsAt + target.offset, true);
      codeView.setUint32(at + 12, 0, true);
      view.setUint32(entry + 8, R_BPF_64_RELATIVE, true);
    }
  }
}

function writeSymbols(
  bytes: Uint8Array,
  offsetOf: (name: string) => number,
  calls: readonly string[],
  entryAt: number,
  object: ElfObject,
): void {
  const view = new DataView(bytes.buffer);
  const globalFunction = 0x12;
  const globalUntyped = 0x10;
  view.setUint32(SYMBOL_BYTES, offsetOf("entrypoint"), true);
  view.setUint8(SYMBOL_BYTES + 4, globalFunction);
  view.setUint16(SYMBOL_BYTES + 6, 1, true);
  view.setBigUint64(SYMBOL_BYTES + 8, BigInt(entryAt), true);
  view.setBigUint64(SYMBOL_BYTES + 16, BigInt(object.code.length - object.entry), true);
  for (const [i, name] of calls.entries()) {
    view.setUint32((2 + i) * SYMBOL_BYTES, offsetOf(name), true);
    view.setUint8((2 + i) * SYMBOL_BYTES + 4, globalUntyped);
  }
}

function writeDynamic(bytes: Uint8Array, parts: Readonly<Record<"symbols" | "text" | "relocations", Part>>): void {
  const view = new DataView(bytes.buffer);
  const entries: readonly (readonly [number, number])[] = [
    [DYNAMIC.textRel, 0],
    [DYNAMIC.rel, parts.relocations.at],
    [DYNAMIC.relBytes, parts.relocations.bytes.length],
    [DYNAMIC.relEntry, RELOCATION_BYTES],
    [DYNAMIC.symbols, parts.symbols.at],
    [DYNAMIC.symbolBytes, SYMBOL_BYTES],
    [DYNAMIC.text, parts.text.at],
    [DYNAMIC.textBytes, parts.text.bytes.length],
  ];
  for (const [i, [tag, value]] of entries.entries()) {
    view.setBigUint64(i * DYNAMIC_BYTES, BigInt(tag), true);
    view.setBigUint64(i * DYNAMIC_BYTES + 8, BigInt(value), true);
  }
}

function writeHeader(out: Uint8Array, view: DataView, entryAt: number, sectionsAt: number, parts: number): void {
  const sharedObject = 3;
  const machineBpf = 247;
  out.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, sharedObject, true);
  view.setUint16(18, machineBpf, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(entryAt), true);
  view.setBigUint64(32, BigInt(HEADER_BYTES), true);
  view.setBigUint64(40, BigInt(sectionsAt), true);
  view.setUint16(52, HEADER_BYTES, true);
  view.setUint16(54, PROGRAM_HEADER_BYTES, true);
  view.setUint16(56, PROGRAM_HEADERS, true);
  view.setUint16(58, SECTION_HEADER_BYTES, true);
  view.setUint16(60, 1 + parts, true);
  view.setUint16(62, parts, true);
}

function writeProgramHeaders(
  view: DataView,
  parts: Readonly<Record<"code" | "constants" | "dynamic" | "relocations", Part>>,
): void {
  const load = 1;
  const dynamic = 2;
  const read = 4;
  const execute = 1;
  const { code, constants, relocations } = parts;
  const end = relocations.at + relocations.bytes.length;
  const headers: readonly (readonly [number, number, number, number, number])[] = [
    [load, read | execute, code.at, code.bytes.length, PAGE_BYTES],
    [load, read, constants.at, end - constants.at, PAGE_BYTES],
    [dynamic, read, parts.dynamic.at, parts.dynamic.bytes.length, ALIGNMENT],
  ];
  for (const [i, [type, flags, at, bytes, alignment]] of headers.entries()) {
    const header = HEADER_BYTES + i * PROGRAM_HEADER_BYTES;
    view.setUint32(header, type, true);
    view.setUint32(header + 4, flags, true);
    for (const field of [8, 16, 24]) view.setBigUint64(header + field, BigInt(at), true);
    for (const field of [32, 40]) view.setBigUint64(header + field, BigInt(bytes), true);
    view.setBigUint64(header + 48, BigInt(alignment), true);
  }
}

function writeSectionHeaders(
  view: DataView,
  sectionsAt: number,
  parts: readonly Part[],
  nameOffsetOf: (name: string) => number,
): void {
  const indexOf = (name: string) => 1 + parts.findIndex((part) => part.name === name);
  const entryBytes: Readonly<Record<string, number>> = { ".dynamic": 16, ".dynsym": 24, ".rel.dyn": 16 };
  const link: Readonly<Record<string, string>> = { ".dynamic": ".dynstr", ".dynsym": ".dynstr", ".rel.dyn": ".dynsym" };
  for (const [i, { name, type, flags, bytes, at }] of parts.entries()) {
    const header = sectionsAt + (1 + i) * SECTION_HEADER_BYTES;
    view.setUint32(header, nameOffsetOf(name), true);
    view.setUint32(header + 4, type, true);
    view.setBigUint64(header + 8, BigInt(flags), true);
    view.setBigUint64(header + 16, BigInt(flags === 0 ? 0 : at), true);
    view.setBigUint64(header + 24, BigInt(at), true);
    view.setBigUint64(header + 32, BigInt(bytes.length), true);
    view.setUint32(header + 40, name in link ? indexOf(link[name] ?? "") : 0, true);
    view.setUint32(header + 44, name === ".dynsym" ? 1 : 0, true);
    view.setBigUint64(header + 48, BigInt(ALIGNMENT), true);
    view.setBigUint64(header + 56, BigInt(entryBytes[name] ?? 0), true);
  }
}
