/**
 * `sandpiper ledger …`: the record of the control river, checked by anybody, on a live folder or an exported one, without
 * a network or a running Sandpiper. Nothing here but `append` writes into a ledger.
 *
 *   verify FOLDER [--key KEY] [--since CHECKPOINT] [--live]   everything from the leaves up
 *   prove FOLDER INDEX [--key KEY]                            one leaf, as a case that `judge merkle` reads
 *   prove FOLDER --from SIZE [--key KEY]                      that the first SIZE leaves are still the beginning
 *   export FOLDER OUT [--key KEY]                             a copy of exactly what is signed
 *   append FOLDER --key FILE [--origin NAME]                  entries as NDJSON from standard input (for tools and tests)
 *
 * KEY is a verifier key or a file that holds one. Without it the folder's own is used, and said so: it shows that the
 * folder agrees with itself, not who signed it.
 */
import { existsSync, readFileSync } from "node:fs";
import { writeFileAtomic } from "#core/atomic-file.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { type Checkpoint, openCheckpoint } from "#ledger/checkpoint.ts";
import { readEntry } from "#ledger/entry.ts";
import { exportLedger } from "#ledger/export.ts";
import { BATCH_LEAVES_MAX, ledgerFiles, readWhole } from "#ledger/files.ts";
import { inspectLedger } from "#ledger/inspect.ts";
import { generateSignerKey, type NoteVerifier, readSignerKey, readVerifierKey } from "#ledger/note.ts";
import { LedgerReader } from "#ledger/reader.ts";
import { openLedgerWriter } from "#ledger/writer.ts";
import { CLI_ERROR } from "./errors.ts";

type Io = { readonly write: (text: string) => void; readonly input: () => Promise<string> };
type Flags = ReadonlyMap<string, string>;
type Verb = {
  readonly usage: string;
  readonly flags: readonly string[];
  run(paths: readonly string[], flags: Flags, io: Io): number | Promise<number>;
};

const DEFAULT_ORIGIN = "sandpiper/ledger";
/** Flags without a value. */
const SWITCHES: readonly string[] = ["--live"];

const VERBS: Readonly<Record<string, Verb>> = {
  verify: {
    usage: "FOLDER [--key KEY] [--since CHECKPOINT] [--live]",
    flags: ["--key", "--since", "--live"],
    run: verify,
  },
  prove: { usage: "FOLDER INDEX | FOLDER --from SIZE [--key KEY]", flags: ["--key", "--from"], run: prove },
  export: { usage: "FOLDER OUT [--key KEY]", flags: ["--key"], run: exportTo },
  append: { usage: "FOLDER --key FILE [--origin NAME]", flags: ["--key", "--origin"], run: append },
};

const STANDARD: Io = { write: (text) => void process.stdout.write(text), input: () => Bun.stdin.text() };

/** Answers the exit code: 0 proven, 1 something is wrong with the ledger. Throws a SandpiperError for what cannot be read. */
export async function runLedger(args: readonly string[], io: Io = STANDARD): Promise<number> {
  const [name, ...rest] = args;
  const verb = name !== undefined && Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (verb === undefined) return refuse(`one of ${Object.keys(VERBS).join(", ")}`, `${name}`);
  const paths: string[] = [];
  const flags = new Map<string, string>();
  while (rest.length > 0) {
    const word = rest.shift() as string;
    if (!word.startsWith("--")) paths.push(word);
    else if (!verb.flags.includes(word)) refuse(`${name} ${verb.usage}`, word);
    else flags.set(word, SWITCHES.includes(word) ? "" : (rest.shift() ?? refuse(`a value of ${word}`, "none")));
  }
  const wanted = name === "prove" ? (flags.has("--from") ? 1 : 2) : name === "export" ? 2 : 1;
  if (paths.length !== wanted) refuse(`${name} ${verb.usage}`, JSON.stringify(args.join(" ")));
  return verb.run(paths, flags, io);
}

function verify([folder = ""]: readonly string[], flags: Flags, { write }: Io): number {
  const { key, own } = trustedKey(folder, flags);
  const since = flags.get("--since");
  const earlier: Checkpoint | undefined = since === undefined ? undefined : openCheckpoint(readWhole(since), key);
  const { checkpoint, findings, scan } = inspectLedger(ledgerFiles(folder), key, earlier);
  const all = [...findings];
  if (scan.tailBytes > 0 && findings.length === 0 && !flags.has("--live"))
    all.push(
      `${scan.tailBytes} bytes beyond what is signed: a writer at work or killed leaves them (then: --live), or a hand`,
    );
  for (const finding of all) write(`WRONG: ${finding}\n`);
  if (own) write("the key is the folder's own: give --key to know who signed\n");
  const { origin, size, root } = checkpoint;
  write(`${all.length === 0 ? "ok" : "not ok"}: ${origin}, ${size} leaves, root ${base64(root)}\n`);
  return all.length === 0 ? EXIT_CODE.ok : EXIT_CODE.failure;
}

function prove([folder = "", place]: readonly string[], flags: Flags, { write }: Io): number {
  const reader = new LedgerReader(folder, trustedKey(folder, flags).key);
  try {
    const from = flags.get("--from");
    const proof = from === undefined ? inclusion(reader, wholeNumber(place)) : consistency(reader, wholeNumber(from));
    write(`${JSON.stringify(proof, undefined, 2)}\n`);
    return EXIT_CODE.ok;
  } finally {
    reader.close();
  }
}

function inclusion(reader: LedgerReader, index: number): object {
  const { bytes, claim } = reader.leaf(index);
  return {
    leafIdx: Number(claim.index),
    treeSize: Number(claim.size),
    root: base64(claim.root),
    leafHash: base64(claim.leafHash),
    proof: claim.proof.map(base64),
    desc: `leaf ${index} of ${reader.checkpoint.origin}`,
    wantErr: false,
    leaf: Buffer.from(bytes).toString("utf8"),
  };
}

function consistency(reader: LedgerReader, size: number): object {
  const claim = reader.consistency(size);
  return {
    size1: Number(claim.size1),
    size2: Number(claim.size2),
    root1: base64(claim.root1),
    root2: base64(claim.root2),
    proof: claim.proof.map(base64),
    desc: `the first ${size} leaves of ${reader.checkpoint.origin}`,
    wantErr: false,
  };
}

function exportTo([folder = "", out = ""]: readonly string[], flags: Flags, { write }: Io): number {
  const { origin, size, root } = exportLedger(folder, out, trustedKey(folder, flags).key);
  write(`${out}: ${origin}, ${size} leaves, root ${base64(root)}\n`);
  return EXIT_CODE.ok;
}

async function append([folder = ""]: readonly string[], flags: Flags, { write, input }: Io): Promise<number> {
  const path = flags.get("--key") ?? refuse("append FOLDER --key FILE", "no --key");
  const lines = (await input()).split("\n").filter((line) => line.trim() !== "");
  const entries = lines.map(readEntry);
  if (!existsSync(path))
    writeFileAtomic(path, `${generateSignerKey(flags.get("--origin") ?? DEFAULT_ORIGIN)}\n`, 0o600);
  const writer = await openLedgerWriter(folder, readSignerKey(readText(path)));
  try {
    if (writer.cutBytes > 0) write(`${writer.cutBytes} bytes of an unsigned batch cut off\n`);
    for (let at = 0; at < entries.length; at += BATCH_LEAVES_MAX) {
      const { size, root } = writer.append(entries.slice(at, at + BATCH_LEAVES_MAX));
      write(`${size} leaves, root ${base64(root)}\n`);
    }
    return EXIT_CODE.ok;
  } finally {
    writer.close();
  }
}

function trustedKey(folder: string, flags: Flags): { readonly key: NoteVerifier; readonly own: boolean } {
  const given = flags.get("--key");
  if (given === undefined) return { key: readVerifierKey(readText(ledgerFiles(folder).verifier)), own: true };
  return { key: readVerifierKey(existsSync(given) ? readText(given) : given), own: false };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trimEnd();
  } catch (cause) {
    const text = `Cannot read ${path}: a readable file, was ${errorText(cause)}`;
    throw new SandpiperError(CLI_ERROR.ledger, text, "never", { cause });
  }
}

const wholeNumber = (text = ""): number =>
  /^(0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : refuse("a whole number", text);

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

function refuse(want: string, was: string): never {
  throw new SandpiperError(CLI_ERROR.usage, `Cannot run ledger: ${want}, was ${was}`);
}
