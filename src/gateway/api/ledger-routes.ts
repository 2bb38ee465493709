/** The ledger over the API: what is signed now, each leaf with its proof, and that an earlier size is the beginning of it. */
import { existsSync, readFileSync } from "node:fs";
import { Elysia, t } from "elysia";
import { failure, TurnedAway } from "#gateway/door.ts";
import { ledgerFiles } from "#ledger/files.ts";
import { readVerifierKey } from "#ledger/note.ts";
import { LedgerReader } from "#ledger/reader.ts";
import { LEAVES_PARAMETERS, openapiParameters, readLeavesQuery, readNoQuery } from "./query.ts";
import { ErrorSchema } from "./schemas.ts";

const base64 = t.String({ description: "Base64." });
const CheckpointSchema = t.Object({
  size: t.Integer({ description: "Leaves." }),
  root: base64,
  note: t.String({ description: "The signed note (golang.org/x/mod/sumdb/note)." }),
  verifier: t.String({ description: "The key that signs; believe it only if you have it from elsewhere too." }),
});
const InclusionSchema = t.Object({
  index: t.Integer(),
  size: t.Integer(),
  root: base64,
  leaf: t.String({ description: "The leaf's bytes as text: one line of canonical JSON." }),
  leaf_hash: base64,
  proof: t.Array(base64, { description: "RFC 6962, from the leaf to the root." }),
});
const LeavesSchema = t.Object({
  size: t.Integer({ description: "Leaves that are signed now." }),
  leaves: t.Array(t.Object({ index: t.Integer(), leaf: t.String({ description: "One line of canonical JSON." }) })),
});
const ConsistencySchema = t.Object({
  size1: t.Integer(),
  size2: t.Integer(),
  root1: base64,
  root2: base64,
  proof: t.Array(base64),
});
const refusals = {
  ...{ 400: ErrorSchema, 401: ErrorSchema, 404: ErrorSchema, 414: ErrorSchema, 503: ErrorSchema },
} as const;
const WHOLE = /^(0|[1-9][0-9]{0,8})$/;
const numbered = (name: string, description: string) => [
  {
    name,
    in: "path" as const,
    required: true,
    description,
    schema: { type: "integer" as const, minimum: 0, maximum: 999_999_999 },
  },
];

/** `folder`: where the writer keeps it. */
export function ledgerRoutes(folder: string) {
  return new Elysia({ normalize: false })
    .onBeforeHandle(({ request, route }) => {
      if (route !== "/api/ledger/leaves") readNoQuery(new URL(request.url));
    })
    .get(
      "/api/ledger/checkpoint",
      () =>
        reading(folder, ({ checkpoint: { size, root } }, verifier) => ({
          ...{ size, root: text64(root), verifier },
          note: readFileSync(ledgerFiles(folder).checkpoint, "utf8"),
        })),
      {
        response: { 200: CheckpointSchema, ...refusals },
        detail: { tags: ["Ledger"], summary: "What is signed now", description: "The newest checkpoint." },
      },
    )
    .get(
      "/api/ledger/leaves",
      ({ request }) => {
        const { limit } = readLeavesQuery(new URL(request.url));
        return reading(folder, (reader) => {
          const { size } = reader.checkpoint;
          const newest = Array.from({ length: Math.min(limit, size) }, (_, i) => size - 1 - i);
          const leaves = newest.map((index) => ({
            index,
            leaf: Buffer.from(reader.leaf(index).bytes).toString("utf8"),
          }));
          return { size, leaves };
        });
      },
      {
        response: { 200: LeavesSchema, ...refusals },
        detail: {
          ...{ tags: ["Ledger"], summary: "The newest leaves", description: "Newest first; each was proven before." },
          parameters: openapiParameters(LEAVES_PARAMETERS),
        },
      },
    )
    .get(
      "/api/ledger/leaves/:index",
      ({ params }) =>
        reading(folder, (reader) => {
          const index = within(params.index, 0, reader.checkpoint.size - 1);
          const { bytes, claim } = reader.leaf(index);
          return {
            ...{ index, size: reader.checkpoint.size, root: text64(claim.root), leaf_hash: text64(claim.leafHash) },
            ...{ leaf: Buffer.from(bytes).toString("utf8"), proof: claim.proof.map(text64) },
          };
        }),
      {
        response: { 200: InclusionSchema, ...refusals },
        detail: {
          ...{ tags: ["Ledger"], summary: "One leaf with its proof", description: "Inclusion in what is signed now." },
          parameters: numbered("index", "From 0."),
        },
      },
    )
    .get(
      "/api/ledger/consistency/:size",
      ({ params }) =>
        reading(folder, (reader) => {
          const claim = reader.consistency(within(params.size, 1, reader.checkpoint.size));
          return {
            ...{ size1: Number(claim.size1), size2: Number(claim.size2) },
            ...{ root1: text64(claim.root1), root2: text64(claim.root2), proof: claim.proof.map(text64) },
          };
        }),
      {
        response: { 200: ConsistencySchema, ...refusals },
        detail: {
          ...{ tags: ["Ledger"], summary: "That an earlier size is the beginning of what is signed now" },
          description: "Nothing that was signed then has been changed, moved or taken out since.",
          parameters: numbered("size", "An earlier checkpoint's size, from 1."),
        },
      },
    );
}

function reading<T>(folder: string, read: (reader: LedgerReader, verifier: string) => T): T {
  const { verifier, checkpoint } = ledgerFiles(folder);
  if (!existsSync(verifier) || !existsSync(checkpoint))
    throw new TurnedAway(failure(503, "ledger_unreadable", "Cannot read the ledger: one that was begun, was none"));
  const key = readVerifierKey(readFileSync(verifier, "utf8").trimEnd());
  const reader = new LedgerReader(folder, key);
  try {
    return read(reader, key.text);
  } finally {
    reader.close();
  }
}

function within(text: string, low: number, high: number): number {
  const value = WHOLE.test(String(text)) ? Number(text) : -1;
  if (value >= low && value <= high) return value;
  const message = `Cannot prove it: a whole number from ${low} to ${high}, was ${JSON.stringify(String(text).slice(0, 40))}`;
  throw new TurnedAway(failure(404, "not_found", message));
}

const text64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
