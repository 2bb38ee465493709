/**
 * Recorded blocks of our own making, for tests: `getBlock` JSON with Raydium AMM v4 swaps that are priced as the program
 * prices them, top level and inner, in both forms of the accounts.
 */
import { createHash } from "node:crypto";
import { base58Encode } from "#core/base58.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import { RAYDIUM_AMM_V4_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import { quoteExactIn, quoteExactOut } from "#dex/quote.ts";
import { AMM_V4_FEE, AMM_V4_SWAP_BASE_IN, AMM_V4_SWAP_BASE_OUT } from "#dex/raydium-amm-v4/layout.ts";

const FEE = { feeNumerator: AMM_V4_FEE.numerator, feeDenominator: AMM_V4_FEE.denominator };

/** An address that everybody derives alike from a name. */
export const testAddress = (name: string): Address =>
  base58Encode(createHash("sha256").update(name).digest()) as Address;

const testSignature = (name: string): string => base58Encode(createHash("sha512").update(name).digest());

export type TestPool = {
  readonly name: string;
  readonly mints: readonly [Address, Address];
  reserves: [bigint, bigint];
};

/** A pool of a token (side 0) against wrapped SOL (side 1). */
export const testAmmPool = (name: string, token: string, tokens: bigint, lamports: bigint): TestPool => ({
  name,
  mints: [testAddress(token), WSOL_MINT],
  reserves: [tokens, lamports],
});

export type TestSwap = {
  readonly pool: TestPool;
  readonly inputSide: 0 | 1;
  /** The exact side: the input, or for "base-out" the output. */
  readonly amount: bigint;
  readonly kind?: "base-in" | "base-out";
  /** Behind a router, with the 17 accounts that routers use. */
  readonly inner?: boolean;
  readonly failed?: boolean;
};

type Json = Record<string, unknown>;

/** One transaction with one swap; moves the pool's reserves unless it failed. */
export function testSwapTransaction(name: string, swap: TestSwap): Json {
  const { pool, inputSide, kind = "base-in", inner = false, failed = false } = swap;
  const outputSide = inputSide === 0 ? 1 : 0;
  const before = [...pool.reserves] as [bigint, bigint];
  const [reserveIn, reserveOut] = [before[inputSide], before[outputSide]];
  const amountIn = kind === "base-in" ? swap.amount : quoteExactOut(FEE, reserveIn, reserveOut, swap.amount);
  const amountOut = kind === "base-out" ? swap.amount : quoteExactIn(FEE, reserveIn, reserveOut, swap.amount);
  if (!failed) {
    pool.reserves[inputSide] += amountIn;
    pool.reserves[outputSide] -= amountOut;
  }
  const owner = testAddress(`owner of ${name}`);
  const own = (part: string) => testAddress(`${pool.name} ${part}`);
  const vaults = [own("coin vault"), own("pc vault")] as const;
  const [source, destination] = [testAddress(`source of ${name}`), testAddress(`destination of ${name}`)];
  const head = [TOKEN_PROGRAM, own("amm"), own("authority"), own("open orders")];
  const market = ["program", "market", "bids", "asks", "queue", "coin", "pc", "signer"].map(own);
  const accounts = [...head, ...(inner ? [] : [own("targets")]), ...vaults, ...market, source, destination, owner];
  const router = testAddress("router");
  const keys = [...new Set([owner, ...accounts, RAYDIUM_AMM_V4_PROGRAM, router])];
  const instruction = (program: Address, uses: readonly Address[], data: Uint8Array): Json => ({
    programIdIndex: keys.indexOf(program),
    accounts: uses.map((use) => keys.indexOf(use)),
    data: base58Encode(data),
  });
  const swapInstruction = instruction(RAYDIUM_AMM_V4_PROGRAM, accounts, swapData(kind, amountIn, amountOut));
  const transfers = [
    instruction(TOKEN_PROGRAM, [source, vaults[inputSide], owner], transferData(amountIn)),
    instruction(TOKEN_PROGRAM, [vaults[outputSide], destination, own("authority")], transferData(amountOut)),
  ];
  const balances = vaults.map((vault, side) => ({
    accountIndex: keys.indexOf(vault),
    mint: pool.mints[side],
    uiTokenAmount: { amount: `${before[side]}`, decimals: side === 0 ? 6 : 9 },
  }));
  const logs = swapLogs(rayLog({ kind, inputSide, amountIn, amountOut, before }), inner ? router : undefined);
  return {
    transaction: {
      signatures: [testSignature(name)],
      message: {
        header: { numRequiredSignatures: 1, numReadonlySignedAccounts: 0, numReadonlyUnsignedAccounts: 0 },
        accountKeys: keys,
        recentBlockhash: testAddress("blockhash"),
        instructions: [inner ? instruction(router, [], new Uint8Array([1])) : swapInstruction],
      },
    },
    meta: {
      err: failed ? { InstructionError: [0, { Custom: 30 }] } : null,
      fee: 5_000,
      innerInstructions: [{ index: 0, instructions: inner ? [swapInstruction, ...transfers] : transfers }],
      logMessages: logs,
      preTokenBalances: balances,
      postTokenBalances: balances,
    },
    version: "legacy",
  };
}

/** The block that these transactions make. */
export const testBlock = (parentSlot: number, blockTime: number, transactions: readonly Json[]): Json => ({
  blockhash: testAddress(`block after ${parentSlot}`),
  previousBlockhash: testAddress(`block ${parentSlot}`),
  parentSlot,
  blockTime,
  blockHeight: parentSlot,
  transactions,
});

function swapLogs(log: string, router: Address | undefined): string[] {
  const depth = router === undefined ? 1 : 2;
  const transfer = [`Program ${TOKEN_PROGRAM} invoke [${depth + 1}]`, `Program ${TOKEN_PROGRAM} success`];
  const own = [
    `Program ${RAYDIUM_AMM_V4_PROGRAM} invoke [${depth}]`,
    `Program log: ray_log: ${log}`,
    ...transfer,
    ...transfer,
    `Program ${RAYDIUM_AMM_V4_PROGRAM} success`,
  ];
  return router === undefined ? own : [`Program ${router} invoke [1]`, ...own, `Program ${router} success`];
}

function swapData(kind: "base-in" | "base-out", amountIn: bigint, amountOut: bigint): Uint8Array {
  const data = Buffer.alloc(17);
  data[0] = kind === "base-in" ? AMM_V4_SWAP_BASE_IN : AMM_V4_SWAP_BASE_OUT;
  data.writeBigUInt64LE(amountIn, 1);
  data.writeBigUInt64LE(kind === "base-in" ? 0n : amountOut, 9);
  return data;
}

function transferData(amount: bigint): Uint8Array {
  const data = Buffer.alloc(9);
  data[0] = 3;
  data.writeBigUInt64LE(amount, 1);
  return data;
}

/** Base64 of the program's log struct, as layout.ts of AMM v4 draws it. */
function rayLog(swap: {
  kind: "base-in" | "base-out";
  inputSide: 0 | 1;
  amountIn: bigint;
  amountOut: bigint;
  before: readonly [bigint, bigint];
}): string {
  const baseIn = swap.kind === "base-in";
  const data = Buffer.alloc(57);
  data[0] = baseIn ? 3 : 4;
  const words = [
    swap.amountIn,
    baseIn ? 0n : swap.amountOut,
    swap.inputSide === 0 ? 2n : 1n,
    swap.amountIn,
    ...swap.before,
    baseIn ? swap.amountOut : swap.amountIn,
  ];
  words.forEach((word, i) => {
    data.writeBigUInt64LE(word, 1 + 8 * i);
  });
  return data.toString("base64");
}
