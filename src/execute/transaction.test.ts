import { describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getBase58Decoder, getTransactionDecoder, verifySignature } from "@solana/kit";
import { base58Encode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import { type Keypair, keypairFromSeed, readKeypairFile } from "./keypair.ts";
import { compileMessage } from "./message.ts";
import { signatureOf, signTransaction } from "./transaction.ts";

const payer = keypairFromSeed(new Uint8Array(32).fill(1));
const second = keypairFromSeed(new Uint8Array(32).fill(2));
const program = base58Encode(new Uint8Array(32).fill(3)) as Address;
const message = (dataBytes: number, signer: Keypair = payer) =>
  compileMessage({
    payer: payer.address,
    blockhash: base58Encode(new Uint8Array(32).fill(9)),
    instructions: [
      {
        programAddress: program,
        accounts: [{ address: signer.address, signer: true, writable: false }],
        data: new Uint8Array(dataBytes),
      },
    ],
  });

test("keypairFromSeed() gives the key and signature of RFC 8032, test 1", () => {
  const seed = Buffer.from("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "hex");
  const pair = keypairFromSeed(seed);
  expect(Buffer.from(pair.publicKey).toString("hex")).toBe(
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  );
  expect(Buffer.from(pair.sign(new Uint8Array())).toString("hex")).toBe(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  );
});

describe("signTransaction()", () => {
  test("signs for every signer so that @solana/kit reads and verifies it", async () => {
    const wire = signTransaction(message(4, second), [second, payer]);
    const decoded = getTransactionDecoder().decode(wire);
    expect(Object.keys(decoded.signatures)).toEqual([payer.address, second.address]);
    for (const pair of [payer, second]) {
      const key = await crypto.subtle.importKey("raw", new Uint8Array(pair.publicKey), "Ed25519", true, ["verify"]);
      const signature = Object.entries(decoded.signatures).find(([address]) => address === pair.address)?.[1];
      expect(signature).toBeTruthy();
      if (signature) expect(await verifySignature(key, signature, decoded.messageBytes)).toBe(true);
    }
    expect(signatureOf(wire) as string).toBe(getBase58Decoder().decode(wire.subarray(1, 65)));
  });

  test("takes a transaction of exactly 1,232 bytes and refuses one more", () => {
    const spare = 1_232 - signTransaction(message(200), [payer]).length;
    expect(signTransaction(message(200 + spare), [payer]).length).toBe(1_232);
    expect(() => signTransaction(message(201 + spare), [payer])).toThrow(/at most 1232 bytes, was 1233/);
  });

  test("refuses to leave a required signature empty", () => {
    expect(() => signTransaction(message(4, second), [payer])).toThrow(`the key of ${second.address}`);
  });

  test("signatureOf() refuses bytes without a signature", () => {
    for (const bytes of [new Uint8Array(), new Uint8Array([0]), new Uint8Array([1, 2, 3])])
      expect(() => signatureOf(bytes)).toThrow(/Cannot read a signature/);
  });
});

describe("readKeypairFile()", () => {
  const seed = [...new Uint8Array(32).fill(7)];
  const stated = [...keypairFromSeed(Uint8Array.from(seed)).publicKey];
  const read = (content: string) => {
    const folder = mkdtempSync(join(tmpdir(), "keypair-"));
    try {
      const path = join(folder, "wallet.json");
      writeFileSync(path, content);
      chmodSync(path, 0o600);
      return readKeypairFile(path);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  test("reads the Solana CLI's format", () => {
    expect([...read(JSON.stringify([...seed, ...stated])).publicKey]).toEqual(stated);
  });

  test.each([
    ["no JSON", "9,9,9"],
    ["63 numbers", JSON.stringify([...seed, ...stated].slice(1))],
    ["a value over a byte", JSON.stringify([999, ...seed.slice(1), ...stated])],
    ["another key's public half", JSON.stringify([...seed, ...payer.publicKey])],
  ])("refuses %s without showing what it holds", (_, content) => {
    expect(() => read(content)).toThrow(/Cannot read the key file .*: a JSON list of 64 byte values, was [a-z ]+$/);
  });

  test("refuses a path without a file", () => {
    expect(() => readKeypairFile("/nonexistent/key.json")).toThrow(/Cannot read the key file/);
  });
});
