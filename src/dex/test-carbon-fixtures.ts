/**
 * What the tests of the decoders share: recorded instructions and accounts of one program (sevenlabs-hq/carbon's fixtures).
 * They lie outside the repository, as test-data.ts says; undefined where they are not there.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Address } from "#core/units.ts";
import { SHARED_DATA } from "./test-data.ts";

type RecordedInstruction = {
  readonly file: string;
  readonly name: string;
  readonly data: Uint8Array;
  readonly accounts: readonly Address[];
  /** By the label that the recording gives them; those without one come after all others. */
  readonly named: Readonly<Record<string, Address>>;
};
type RecordedAccount = { readonly file: string; readonly data: Uint8Array };
type Recordings = {
  readonly instructions: readonly RecordedInstruction[];
  readonly records: readonly RecordedAccount[];
};

const FOLDER = join(SHARED_DATA, "carbon-decoder-fixtures");

export function carbonFixtures(program: string): Recordings | undefined {
  const folder = join(FOLDER, program);
  if (!existsSync(folder)) {
    console.warn(`SKIPPED: fixtures of ${program}: not found at ${folder}`);
    return undefined;
  }
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  const read = (file: string) => JSON.parse(readFileSync(join(folder, file), "utf8"));
  const isInstruction = (file: string) => file.endsWith("_ix.json");
  return {
    instructions: files.filter(isInstruction).map((file) => instructionOf(file, read(file))),
    records: files
      .filter((file) => !isInstruction(file))
      .map((file) => ({ file, data: new Uint8Array(Buffer.from(read(file).data, "base64")) })),
  };
}

type InstructionFile = {
  readonly data: string;
  readonly accounts: readonly { readonly pubkey: Address; readonly label?: string }[];
};

function instructionOf(file: string, { data, accounts }: InstructionFile): RecordedInstruction {
  const labelled = accounts.flatMap(({ label, pubkey }) => (label === undefined ? [] : [[label, pubkey] as const]));
  return {
    file,
    name: file.slice(0, -"_ix.json".length),
    data: new Uint8Array(Buffer.from(data, "hex")),
    accounts: accounts.map(({ pubkey }) => pubkey),
    named: Object.fromEntries(labelled),
  };
}

/** Long lists are compared by the sha256 of all that is in them, names in alphabetical order. */
export function digestOf(value: unknown): string {
  const leaves = (part: unknown): readonly string[] => {
    if (Array.isArray(part)) return part.flatMap(leaves);
    if (typeof part !== "object" || part === null) return [String(part)];
    return Object.entries(part)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, inner]) => leaves(inner));
  };
  return createHash("sha256").update(leaves(value).join(",")).digest("hex").slice(0, 16);
}
