/**
 * Who accepts which Ed25519 signature: our strict rule (src/control/ed25519.ts), the runtime's own verification
 * (node:crypto, BoringSSL) and @noble/ed25519 in both of its rules, over RFC 8032's examples, Wycheproof and CCTV; and what one
 * verification takes in each.
 *
 *   bun bench/ed25519.ts [WYCHEPROOF.json] [CCTV.json]
 *
 * Without files: the cases of src/control/ed25519-vectors.json, one of each kind. With them: all, from Wycheproof's
 * ed25519_test.json and CCTV's ed25519vectors.json. Exit 1 when the strict rule takes what its words refuse, or refuses what
 * Wycheproof calls valid.
 */
import { createHash, createPublicKey, verify } from "node:crypto";
import { join } from "node:path";
import * as noble from "@noble/ed25519";
import { signingKey, verifyingKey } from "#control/ed25519.ts";
import { readJsonFile } from "#core/atomic-file.ts";
import { machine, median, short, table } from "./report.ts";

type Case = {
  readonly source: "RFC 8032" | "Wycheproof" | "CCTV";
  /** What is special about it. */
  readonly kind: string;
  readonly key: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  /** What the strict rule says, in words. */
  readonly rule: "accept" | "refuse";
};
type Verifier = (one: Case) => boolean;

const ROUNDS = 2_000;
const hex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));
noble.hashes.sha512 = (message) => Uint8Array.from(createHash("sha512").update(message).digest());

/** A throw is a refusal. */
const trying = (verifies: Verifier) => (one: Case) => {
  try {
    return verifies(one);
  } catch {
    return false;
  }
};
const runtimeKey = (key: Uint8Array) =>
  createPublicKey({ key: Buffer.concat([hex("302a300506032b6570032100"), key]), format: "der", type: "spki" });
const VERIFIERS: Readonly<Record<string, Verifier>> = {
  ours: trying(({ key, message, signature }) => verifyingKey(key).verifies(message, signature)),
  runtime: trying(({ key, message, signature }) => verify(null, message, runtimeKey(key), signature)),
  "noble, zip215": trying(({ key, message, signature }) => noble.verify(signature, message, key)),
  "noble, RFC 8032": trying(({ key, message, signature }) => noble.verify(signature, message, key, { zip215: false })),
};

/** Flags of CCTV in our words, worst first; each case has the first that fits. All but the last two are refused. */
const CCTV_KINDS = [
  [/non_canonical/, "a point in other bytes"],
  [/^low_order_[AR]$/, "a point of small order"],
  [/low_order_residue/, "a residue of small order"],
  [/low_order_component/, "components of small order that cancel"],
  [/^/, "nothing special"],
] as const;
const REFUSED_KINDS = 3;

type CctvRow = { readonly flags: readonly string[]; readonly key: string; readonly msg: string; readonly sig: string };
type WycheproofRow = {
  readonly flags: readonly string[];
  readonly pk: string;
  readonly msg: string;
  readonly sig: string;
  readonly result: string;
};

function cctvCase({ flags, key, msg, sig }: CctvRow): Case {
  const found = CCTV_KINDS.findIndex(([pattern]) =>
    (flags.length === 0 ? [""] : flags).some((flag) => pattern.test(flag)),
  );
  const bytes = { key: hex(key), message: new TextEncoder().encode(msg), signature: hex(sig) };
  return {
    source: "CCTV",
    kind: CCTV_KINDS[found]?.[1] ?? "",
    ...bytes,
    rule: found < REFUSED_KINDS ? "refuse" : "accept",
  };
}

function wycheproofCase({ flags, pk, msg, sig, result }: WycheproofRow): Case {
  const bytes = { key: hex(pk), message: hex(msg), signature: hex(sig) };
  const kind = `${result}: ${flags.join(" + ") || "nothing special"}`;
  return { source: "Wycheproof", kind, ...bytes, rule: result === "valid" ? "accept" : "refuse" };
}

/** What stands in the repository: one case of each kind. */
function ownCases(): Case[] {
  type Own = {
    cctv: [string, string, string, string][];
    wycheproof: [number, string, string, string, string, string][];
  };
  const { cctv, wycheproof } = readJsonFile(join(import.meta.dir, "../src/control/ed25519-vectors.json")) as Own;
  return [
    ...wycheproof.map(([, comment, pk, msg, sig, result]) =>
      wycheproofCase({ flags: [comment], pk, msg, sig, result }),
    ),
    ...cctv.map(([flags, key, msg, sig]) => cctvCase({ flags: flags.split(" ").filter(Boolean), key, msg, sig })),
  ];
}

/** All of the two files. */
function casesOf(wycheproofPath: string, cctvPath: string): Case[] {
  type Group = { readonly publicKey: { readonly pk: string }; readonly tests: readonly Omit<WycheproofRow, "pk">[] };
  const { testGroups } = readJsonFile(wycheproofPath) as { testGroups: readonly Group[] };
  const rows = testGroups.flatMap(({ publicKey, tests }) => tests.map((one) => ({ ...one, pk: publicKey.pk })));
  const cctv = readJsonFile(cctvPath) as readonly (Omit<CctvRow, "flags"> & { flags: readonly string[] | null })[];
  return [...rows.map(wycheproofCase), ...cctv.map((row) => cctvCase({ ...row, flags: row.flags ?? [] }))];
}

/** RFC 8032, section 7.1, TEST 1 to 3: ours signs them, and all must take them. */
function rfcCases(): Case[] {
  const examples = [
    ["9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", ""],
    ["4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72"],
    ["c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "af82"],
  ] as const;
  return examples.map(([seed, text]) => {
    const [key, message] = [signingKey(hex(seed)), hex(text)];
    const signature = key.sign(message);
    if (Buffer.compare(signature, noble.sign(message, hex(seed))) !== 0)
      throw new Error("two signatures of one message");
    return { source: "RFC 8032", kind: "section 7.1", key: hex(key.publicKeyHex), message, signature, rule: "accept" };
  });
}

function microseconds(verifies: Verifier, one: Case): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const beganNs = Bun.nanoseconds();
    verifies(one);
    return (Bun.nanoseconds() - beganNs) / 1_000;
  });
  return median(times);
}

const [wycheproofPath, cctvPath] = process.argv.slice(2);
const rfc = rfcCases();
const cases = [...rfc, ...(wycheproofPath && cctvPath ? casesOf(wycheproofPath, cctvPath) : ownCases())];
const groups = Map.groupBy(cases, ({ source, kind }) => `${source}|${kind}`);
const names = Object.keys(VERIFIERS);
const rows = [...groups.values()].map((group) => {
  const [first] = group as [Case];
  const accepted = names.map((name) => `${group.filter((one) => VERIFIERS[name]?.(one)).length}`);
  return [first.source, first.kind, `${group.length}`, ...accepted, first.rule];
});
const wrong = cases.filter((one) => VERIFIERS["ours"]?.(one) !== (one.rule === "accept")).length;
const costs = names.map((name) => short(microseconds(VERIFIERS[name] as Verifier, rfc[2] as Case)));
const head = ["source", "kind", "cases", ...names, "rule"];
process.stdout.write(`Accepted by each:\n\n${table(head, [...rows, ["", "µs a verification", "", ...costs, ""]])}\n\n`);
process.stdout.write(`${wrong} of ${cases.length} answers of ours are not the rule's. ${machine()}\n`);
process.exit(wrong === 0 ? 0 : 1);
