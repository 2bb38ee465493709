/** Signed notes against the example in the documentation of golang.org/x/mod/sumdb/note, and hostile ones. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { openCheckpoint, signCheckpoint } from "./checkpoint.ts";
import { emptyRoot } from "./hash.ts";
import { generateSignerKey, openNote, readSignerKey, readVerifierKey } from "./note.ts";

// Published there, secret and all.
const SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const NOTE = `${TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const trusted = readVerifierKey(PUBLIC);
const signer = readSignerKey(SECRET);

test("sign() gives the documented bytes, and openNote() their text", () => {
  expect(signer.verifier.text).toBe(PUBLIC);
  expect(signer.sign(TEXT)).toBe(NOTE);
  expect(openNote(bytes(NOTE), trusted)).toBe(TEXT);
});

test("openNote() passes over signatures of other keys", () => {
  const other = readSignerKey(generateSignerKey("other/log")).sign(TEXT).split("\n\n")[1];
  expect(openNote(bytes(NOTE + other), trusted)).toBe(TEXT);
});

test("openNote() refuses a note with any bit flipped", () => {
  const note = bytes(NOTE);
  fc.assert(
    fc.property(fc.nat({ max: note.length - 1 }), fc.nat({ max: 7 }), (at, bit) => {
      const changed = Uint8Array.from(note);
      changed[at] = (note[at] as number) ^ (1 << bit);
      expect(() => openNote(changed, trusted)).toThrow("Cannot open the signed note");
    }),
    { numRuns: 500 },
  );
});

describe("openNote() refuses", () => {
  test.each([
    ["nothing", ""],
    ["no signature", `${TEXT}\n`],
    ["no line feed at the end", NOTE.slice(0, -1)],
    ["only another's signature", readSignerKey(generateSignerKey("PeterNeumann")).sign(TEXT)],
    ["a right and a wrong signature of one key", NOTE + signer.sign("other\n").split("\n\n")[1]],
    ["a control character", signer.sign("a\tb\n")],
    ["too many signatures", NOTE + `${NOTE.split("\n\n")[1]}`.repeat(100)],
  ])("%s", (_, note) => {
    expect(() => openNote(bytes(note), trusted)).toThrow("Cannot open the signed note");
  });
});

test("keys are refused with a wrong hash, another algorithm or no name", () => {
  for (const text of [
    "",
    PUBLIC.replace("c74f20a3", "c74f20a4"),
    PUBLIC.replace("+AR", "+BR"),
    PUBLIC.slice(12),
    SECRET,
  ])
    expect(() => readVerifierKey(text)).toThrow("Cannot read the verifier key");
  for (const text of ["", PUBLIC, SECRET.replace("c74f20a3", "c74f20a4")])
    expect(() => readSignerKey(text)).toThrow("Cannot read the signer key");
  expect(() => generateSignerKey("two words")).toThrow("Cannot read the name key");
});

test("openCheckpoint() reads what signCheckpoint() wrote, and the text is origin, size, root", () => {
  const note = signCheckpoint(7, emptyRoot(), signer);
  expect(note).toStartWith("PeterNeumann\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— PeterNeumann ");
  expect(openCheckpoint(bytes(note), trusted)).toEqual({ origin: "PeterNeumann", size: 7, root: emptyRoot() });
});

test.each([
  ["another origin", "other\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"],
  ["a size with a zero in front", "PeterNeumann\n07\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"],
  ["a size below nothing", "PeterNeumann\n-7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"],
  ["a short root", "PeterNeumann\n7\n47DEQg==\n"],
  ["no root", "PeterNeumann\n7\n"],
])("openCheckpoint() refuses a rightly signed %s", (_, text) => {
  expect(() => openCheckpoint(bytes(signer.sign(text)), trusted)).toThrow("Cannot read the checkpoint");
});
