import { expect, test } from "bun:test";
import { getProgramDerivedAddress, type Address as KitAddress } from "@solana/kit";
import { base58Encode } from "#core/base58.ts";
import { seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { derivedAddress } from "./derived-address.ts";

test("derivedAddress() equals the kit's for 200 programs and seeds", async () => {
  const random = seededRandom("derived addresses");
  const bytes = (length: number) => Uint8Array.from({ length }, () => random.between(0, 256));
  for (let i = 0; i < 200; i++) {
    const program = base58Encode(bytes(32)) as Address;
    const seeds = ["seed", bytes(32), bytes(random.between(0, 33))];
    const [want] = await getProgramDerivedAddress({ programAddress: program as string as KitAddress, seeds });
    expect(String(derivedAddress(seeds, program))).toBe(String(want));
  }
});
