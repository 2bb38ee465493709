import { describe, expect, test } from "bun:test";
import { createPublicKey, verify } from "node:crypto";
import { join } from "node:path";
import { signingKey, verifyingKey } from "./ed25519.ts";

type Cctv = [flags: string, key: string, message: string, signature: string, runtime: string, strict: string];
type Wycheproof = [id: number, comment: string, key: string, message: string, signature: string, result: string];
const VECTORS: { cctv: Cctv[]; wycheproof: Wycheproof[] } = await Bun.file(
  join(import.meta.dir, "ed25519-vectors.json"),
).json();

const fromHex = (digits: string) => Buffer.from(digits, "hex");

function strictAnswer(key: string, message: Uint8Array, signature: string): "accept" | "refuse" {
  try {
    return verifyingKey(fromHex(key)).verifies(message, fromHex(signature)) ? "accept" : "refuse";
  } catch {
    return "refuse";
  }
}

function runtimeAnswer(key: string, message: Uint8Array, signature: string): "accept" | "refuse" {
  const der = Buffer.concat([fromHex("302a300506032b6570032100"), fromHex(key)]);
  const accepted = verify(
    null,
    message,
    createPublicKey({ key: der, format: "der", type: "spki" }),
    fromHex(signature),
  );
  return accepted ? "accept" : "refuse";
}

// RFC 8032, section 7.1, TEST 1 to 3.
const RFC_8032 = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155" +
      "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac" +
      "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
] as const;

describe("RFC 8032, section 7.1", () => {
  test.each(RFC_8032)("signs and verifies %s", (seed, publicKey, message, signature) => {
    const key = signingKey(fromHex(seed));
    expect(key.publicKeyHex).toBe(publicKey);
    expect(Buffer.from(key.sign(fromHex(message))).toString("hex")).toBe(signature);
    expect(strictAnswer(publicKey, fromHex(message), signature)).toBe("accept");
  });
});

describe("CCTV's edge cases, one per combination of flags", () => {
  test.each(VECTORS.cctv)("%s", (flags, key, message, signature, runtime, strict) => {
    expect(runtimeAnswer(key, Buffer.from(message), signature)).toBe(runtime as "accept");
    expect(strictAnswer(key, Buffer.from(message), signature)).toBe(strict as "accept");
    // The rule in words: a component of small order may stand beside a large one, all else that is flagged is refused.
    const refused = /low_order_[AR]( |$)|non_canonical|low_order_residue/.test(flags);
    expect(strict).toBe(refused ? "refuse" : "accept");
  });

  test("hold cases that the runtime takes and the strict rule refuses", () => {
    expect(VECTORS.cctv.filter(([, , , , runtime, strict]) => runtime !== strict).length).toBeGreaterThan(5);
  });
});

describe("Wycheproof", () => {
  test.each(VECTORS.wycheproof)("case %d: %s", (_, __, key, message, signature, result) => {
    expect(strictAnswer(key, fromHex(message), signature)).toBe(result === "valid" ? "accept" : "refuse");
  });
});

describe("verifyingKey()", () => {
  const refused = [
    ["the identity", `01${"00".repeat(31)}`, "of small order"],
    ["order 2", `ec${"ff".repeat(30)}7f`, "of small order"],
    ["order 4", "00".repeat(32), "of small order"],
    ["order 4, x negative", `${"00".repeat(31)}80`, "of small order"],
    ["order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "of small order"],
    ["order 8, the other", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", "of small order"],
    ["y = p", `ed${"ff".repeat(30)}7f`, "not canonical"],
    ["y = 2^255 - 1", "ff".repeat(32), "not canonical"],
    ["31 bytes", "11".repeat(31), "31 bytes"],
  ] as const;
  test.each(refused)("refuses %s", (_, key, words) => {
    expect(() => verifyingKey(fromHex(key))).toThrow(words);
  });

  test("takes no signature of another length", () => {
    const key = signingKey(new Uint8Array(32).fill(3));
    const signature = key.sign(Buffer.from("m"));
    const other = verifyingKey(fromHex(key.publicKeyHex));
    expect(other.verifies(Buffer.from("m"), signature)).toBe(true);
    expect(other.verifies(Buffer.from("m"), signature.subarray(0, 63))).toBe(false);
    expect(other.verifies(Buffer.from("m"), Buffer.concat([signature, Buffer.of(0)]))).toBe(false);
  });
});
