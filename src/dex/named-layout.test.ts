import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import type { Address } from "#core/units.ts";
import { DEX_ERROR } from "./errors.ts";
import { namedLayout } from "./named-layout.ts";

const types = { Pair: "left:u8 right:i32" };
const layout = namedLayout({
  program: "Example",
  instructions: {
    give: { args: "amount:u64 flag:bool note:u16? pairs:Pair[] tail:u8*2", accounts: "from to" },
    stop: { args: "", accounts: "" },
  },
  records: { Box: "wide:i128 high:u128 .", Open: "count:u32 age:i64" },
  types,
});
const marks = (text: string) => createHash("sha256").update(text).digest().subarray(0, 8);
const bytes = (mark: string, hex: string) => new Uint8Array([...marks(mark), ...Buffer.from(hex, "hex")]);
const keys = ["a", "b", "c"] as Address[];

const AMOUNT = "0200000000000001";
const TAIL = "0708";

describe("namedLayout() instructions", () => {
  test("read numbers, options, vectors, structs and arrays, and name the accounts", () => {
    const pairs = "02000000" + "01ffffffff" + "02feffffff";
    expect(layout.instruction(bytes("global:give", `${AMOUNT}01010500${pairs}${TAIL}`), keys)).toEqual({
      ok: true,
      value: {
        name: "give",
        args: {
          amount: 0x0100_0000_0000_0002n,
          flag: true,
          note: 5,
          pairs: [
            { left: 1, right: -1 },
            { left: 2, right: -2 },
          ],
          tail: [7, 8],
        },
        accounts: { from: keys[0] as Address, to: keys[1] as Address },
        remaining: keys.slice(2),
      },
    });
  });

  test.each([
    ["a bool that is neither 0 nor 1", `${AMOUNT}02000000000000${TAIL}`],
    ["an option that is neither 0 nor 1", `${AMOUNT}01020500000000${TAIL}`],
    ["a vector longer than its bytes", `${AMOUNT}010003000000${TAIL}`],
    ["a vector of billions", `${AMOUNT}0100ffffffff${TAIL}`],
    ["an array that ends early", `${AMOUNT}01000000000007`],
    ["a number that ends early", "020000"],
  ])("refuse %s", (_, hex) => {
    const read = layout.instruction(bytes("global:give", hex), keys);
    expect(!read.ok && read.error.code).toBe(DEX_ERROR.instruction);
  });

  test("refuse fewer accounts than have a name", () => {
    expect(layout.instruction(bytes("global:give", `${AMOUNT}010000000000${TAIL}`), keys).ok).toBe(true);
    expect(layout.instruction(bytes("global:give", `${AMOUNT}010000000000${TAIL}`), keys.slice(2)).ok).toBe(false);
  });

  test("pass over what the table does not have", () => {
    expect(layout.instruction(bytes("global:take", ""), keys)).toEqual({ ok: true, value: undefined });
    expect(layout.instruction(new Uint8Array(7), keys)).toEqual({ ok: true, value: undefined });
    expect(layout.record(bytes("global:stop", ""))).toEqual({ ok: true, value: undefined });
  });
});

describe("namedLayout() records", () => {
  test("read wide numbers of any value", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(1n << 127n), max: (1n << 127n) - 1n }),
        fc.bigInt(0n, (1n << 128n) - 1n),
        (wide, high) => {
          const hex = [BigInt.asUintN(128, wide), high].map((value) =>
            Buffer.from(value.toString(16).padStart(32, "0"), "hex").reverse().toString("hex"),
          );
          const read = layout.record(bytes("account:Box", hex.join("")));
          expect(read.ok && read.value?.fields).toEqual({ wide, high });
        },
      ),
    );
  });

  test("end where the table says so, and only there", () => {
    const box = "00".repeat(32);
    const open = "0300000000000000000000ff";
    expect(layout.record(bytes("account:Box", box)).ok).toBe(true);
    expect(layout.record(bytes("account:Box", `${box}00`)).ok).toBe(false);
    const want = { name: "Open", fields: { count: 3, age: -(1n << 56n) } };
    expect(layout.record(bytes("account:Open", open))).toEqual({ ok: true, value: want });
    expect(layout.record(bytes("account:Open", `${open}00`))).toEqual({ ok: true, value: want });
  });
});

test("namedLayout() takes no table with a type that it does not know", () => {
  expect(() => namedLayout({ program: "Example", instructions: {}, records: { Box: "wide:u256" }, types })).toThrow(
    "u256",
  );
});
