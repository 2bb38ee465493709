/** The 256-bit integers of programs/common/big.h, on the machine that runs them, against bigint. */
import { expect, test } from "bun:test";
import { ManualClock } from "#core/clock.ts";
import { type Random, seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { keypairFromSeed } from "#execute/keypair.ts";
import { compileMessage } from "#execute/message.ts";
import { signTransaction } from "#execute/transaction.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import { walletAccount } from "#sim/genesis/accounts.ts";
import { COMPILER, compileProgram } from "./build.ts";

const PROGRAM = "8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR" as Address;
const OPERATIONS = ["add", "subtract", "multiply", "divide"] as const;
const REQUESTS = 6_000;
const PER_TRANSACTION = 12;
const RANGE = 1n << 256n;

type Request = { readonly operation: (typeof OPERATIONS)[number]; readonly left: bigint; readonly right: bigint };

/** Numbers of 0 to 8 digits; full, empty and half-full ones are where carries and guessed quotients go wrong. */
function randomNumber(random: Random): bigint {
  const digits = Array.from({ length: random.between(0, 9) }, () =>
    random.pick([0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff, random.uint32(), random.uint32()]),
  );
  return digits.reduce((number, digit) => (number << 32n) | BigInt(digit), 0n);
}

/** What the probe has to answer: 1 for "fits", or for "there is a remainder", and the result. */
function expected({ operation, left, right }: Request): readonly [number, bigint] {
  switch (operation) {
    case "add":
      return [left + right < RANGE ? 1 : 0, (left + right) % RANGE];
    case "subtract":
      return [left >= right ? 1 : 0, BigInt.asUintN(256, left - right)];
    case "multiply":
      return [left * right < RANGE ? 1 : 0, left * right];
    case "divide":
      return [left % right === 0n ? 0 : 1, left / right];
  }
}

const bytesOf = (number: bigint) => Buffer.from(number.toString(16).padStart(64, "0"), "hex").reverse();
const numberOf = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);

const skippable = Bun.which(COMPILER) === null && process.env["CI"] !== "true";
if (skippable) console.warn(`SKIPPED: ${COMPILER} is not installed, so big.h was not tried on the machine`);

test.skipIf(skippable)(`big.h equals bigint on ${REQUESTS} operations, and says what does not fit`, async () => {
  const cluster = createCluster({ seed: "big", slotMs: 400, clock: new ManualClock(1_700_000_000_000_000_000n) });
  const payer = keypairFromSeed(new Uint8Array(32).fill(1));
  cluster.setAccount(payer.address, walletAccount(1_000_000_000_000n));
  cluster.addProgram(PROGRAM, compileProgram("common", "big-probe.c"));
  const answers = (requests: readonly Request[]) => {
    cluster.nextSlot();
    const data = Buffer.concat(
      requests.flatMap(({ operation, left, right }) => [
        Buffer.from([OPERATIONS.indexOf(operation)]),
        bytesOf(left),
        bytesOf(right),
      ]),
    );
    const { blockhash } = cluster.latestBlockhash();
    const instructions = [{ programAddress: PROGRAM, accounts: [], data }];
    const result = cluster.submit(
      signTransaction(compileMessage({ payer: payer.address, blockhash, instructions }), [payer]),
    );
    if (result.kind === "refused" || result.executed.error !== null) throw new Error(JSON.stringify(result));
    return result.executed.logs
      .filter((line) => line.startsWith("Program data: "))
      .map((line) => Buffer.from(line.slice("Program data: ".length), "base64"));
  };
  const random = seededRandom("big");
  // Knuth's own example of a quotient digit that is guessed too great by one and has to be taken back.
  const takenBack: Request = {
    operation: "divide",
    left: 0x7fffffff800000010000000000000000n,
    right: 0x800000008000000200000005n,
  };
  for (let i = 0; i < REQUESTS; i += PER_TRANSACTION) {
    const requests = Array.from({ length: PER_TRANSACTION }, (_, j): Request => {
      if (i + j === 0) return takenBack;
      const operation = random.pick(OPERATIONS);
      const right = randomNumber(random);
      return { operation, left: randomNumber(random), right: operation === "divide" && right === 0n ? 1n : right };
    });
    const got = answers(requests);
    expect(got).toHaveLength(PER_TRANSACTION);
    for (const [j, request] of requests.entries()) {
      const [flag, result] = expected(request);
      const bytes = got[j] as Buffer;
      expect({ request, flag: bytes[0] }).toEqual({ request, flag });
      // A product that does not fit leaves nothing that anybody may use.
      if (request.operation !== "multiply" || flag === 1)
        expect({ request, result: numberOf(bytes.subarray(1)) }).toEqual({ request, result });
    }
    if (i % 600 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
});
