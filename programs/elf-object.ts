/**
 * Reads what clang made for `-target bpfel`: a relocatable ELF64 file, little endian. Gives the linker the machine code,
 * the constants and the places that wait for an address; anything a small program should not contain is refused here.
 *
 *   ELF header (64 bytes)   40 u64 section table, 60 u16 sections, 62 u16 section of the section names
 *   section (64)            0 u32 name, 4 u32 type, 24 u64 offset, 32 u64 size, 40 u32 link, 44 u32 info, 48 u64 alignment
 *   symbol (24)             0 u32 name, 4 u8 kind, 6 u16 section (0 = not in this file), 8 u64 value
 *   relocation (16)         0 u64 place in its section, 8 u32 type, 12 u32 symbol; what is added stands in the place
 */

export type Relocation = {
  /** Byte in the machine code. */
  readonly at: number;
  /** `call`: to `symbol`, a system call. `address`: of byte `offset` of the constants. */
  readonly target:
    | { readonly kind: "call"; readonly symbol: string }
    | { readonly kind: "address"; readonly offset: number };
};

export type ElfObject = {
  readonly code: Uint8Array;
  /** All read-only constants, one section after the other. */
  readonly constants: Uint8Array;
  /** Byte in the code where the program begins. */
  readonly entry: number;
  readonly relocations: readonly Relocation[];
};

const MACHINE_BPF = 247;
const SECTION_BYTES = 64;
const SYMBOL_BYTES = 24;
const RELOCATION_BYTES = 16;
const R_BPF_64_64 = 1;
const R_BPF_64_32 = 10;
const CONSTANTS_ALIGNMENT = 8;

type Section = {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly alignment: number;
};
type Symbol = { readonly name: string; readonly section: number; readonly value: number };

/** Throws where the file holds more than code, constants and calls of the machine. */
export function readElfObject(bytes: Uint8Array): ElfObject {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== 0x7f454c46 || view.getUint16(18, true) !== MACHINE_BPF)
    refuse("an ELF object for BPF", `${bytes.length} bytes of something else`);
  const sections = readSections(bytes, view);
  const writable = sections.find(({ name, size }) => /^\.(data|bss)/.test(name) && size > 0);
  if (writable !== undefined) refuse("no variables outside functions", writable.name);
  const symbols = readSymbols(bytes, view, sections);
  const codeAt = sections.findIndex(({ name }) => name === ".text");
  const code = Uint8Array.from(content(bytes, sections, codeAt));
  const { constants, startOf } = gatherConstants(bytes, sections);
  const entry = symbols.find(({ name, section }) => name === "entrypoint" && section === codeAt);
  if (entry === undefined) refuse("a function named entrypoint", "none");
  const relocations = readRelocations(view, sections, symbols, code, startOf);
  return { code, constants, entry: entry.value, relocations };
}

function readSections(bytes: Uint8Array, view: DataView): Section[] {
  const table = Number(view.getBigUint64(40, true));
  const raw = Array.from({ length: view.getUint16(60, true) }, (_, i) => {
    const at = table + i * SECTION_BYTES;
    return {
      nameAt: view.getUint32(at, true),
      offset: Number(view.getBigUint64(at + 24, true)),
      size: Number(view.getBigUint64(at + 32, true)),
      link: view.getUint32(at + 40, true),
      alignment: Number(view.getBigUint64(at + 48, true)),
    };
  });
  const names = raw[view.getUint16(62, true)]?.offset ?? refuse("a section of names", "none");
  return raw.map((section) => ({ ...section, name: textAt(bytes, names + section.nameAt) }));
}

function readSymbols(bytes: Uint8Array, view: DataView, sections: readonly Section[]): Symbol[] {
  const table = sections.find(({ name }) => name === ".symtab") ?? refuse("a symbol table", "none");
  const names = sections[table.link]?.offset ?? refuse("names of symbols", "none");
  return Array.from({ length: table.size / SYMBOL_BYTES }, (_, i) => {
    const at = table.offset + i * SYMBOL_BYTES;
    return {
      name: textAt(bytes, names + view.getUint32(at, true)),
      section: view.getUint16(at + 6, true),
      value: Number(view.getBigUint64(at + 8, true)),
    };
  });
}

/** The constants of every .rodata section, each at its alignment, and where each section begins. */
function gatherConstants(bytes: Uint8Array, sections: readonly Section[]) {
  const startOf = new Map<number, number>();
  let end = 0;
  for (const [index, { name, size, alignment }] of sections.entries()) {
    if (!name.startsWith(".rodata")) continue;
    if (alignment > CONSTANTS_ALIGNMENT) refuse(`constants aligned to ${CONSTANTS_ALIGNMENT}`, `${alignment}`);
    startOf.set(index, Math.ceil(end / CONSTANTS_ALIGNMENT) * CONSTANTS_ALIGNMENT);
    end = (startOf.get(index) ?? 0) + size;
  }
  const constants = new Uint8Array(end);
  for (const [index, start] of startOf) constants.set(content(bytes, sections, index), start);
  return { constants, startOf };
}

function readRelocations(
  view: DataView,
  sections: readonly Section[],
  symbols: readonly Symbol[],
  code: Uint8Array,
  startOf: ReadonlyMap<number, number>,
): Relocation[] {
  const constantsWait = sections.find(({ name, size }) => name.startsWith(".rel.rodata") && size > 0);
  if (constantsWait !== undefined) refuse("constants without addresses in them", constantsWait.name);
  const table = sections.find(({ name }) => name === ".rel.text");
  const codeView = new DataView(code.buffer);
  return Array.from({ length: (table?.size ?? 0) / RELOCATION_BYTES }, (_, i) => {
    const from = (table?.offset ?? 0) + i * RELOCATION_BYTES;
    const at = Number(view.getBigUint64(from, true));
    const type = view.getUint32(from + 8, true);
    const symbol = symbols[view.getUint32(from + 12, true)] ?? refuse("a known symbol", "none");
    if (type === R_BPF_64_32 && symbol.section === 0) return { at, target: { kind: "call", symbol: symbol.name } };
    const start = startOf.get(symbol.section);
    if (type !== R_BPF_64_64 || start === undefined)
      return refuse("calls of the machine and addresses of constants", `type ${type} of ${symbol.name}`);
    const added = codeView.getUint32(at + 4, true);
    return { at, target: { kind: "address", offset: start + symbol.value + added } };
  });
}

function content(bytes: Uint8Array, sections: readonly Section[], index: number): Uint8Array {
  const section = sections[index] ?? refuse("a section of code", "none");
  return bytes.subarray(section.offset, section.offset + section.size);
}

function textAt(bytes: Uint8Array, at: number): string {
  return new TextDecoder("latin1").decode(bytes.subarray(at, bytes.indexOf(0, at)));
}

function refuse(must: string, was: string): never {
  throw new Error(`Cannot link a program: ${must}, was ${was}`);
}
