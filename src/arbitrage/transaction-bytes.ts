/**
 * How many bytes a cycle's transaction takes, counted from the facts alone, so that a split is only chosen where it can
 * be sent: signature, header, keys, blockhash, then the swaps and the tip (execute/plan.ts builds it, execute/message.ts
 * has the layout, and a test holds this count to theirs).
 */
import type { DexName, PoolFacts } from "#core/pool.ts";
import type { Address } from "#core/units.ts";
import { TOKEN_PROGRAM } from "#dex/program-addresses.ts";

/** A packet of Solana's network. */
const TRANSACTION_BYTES_MAX = 1_232;
/** Accounts one transaction may name. */
const TRANSACTION_ACCOUNTS_MAX = 64;

/** A swap's instruction: its fixed accounts in number, its data, and which facts of the pool it names. */
const SWAP_SHAPES: Readonly<
  Record<DexName, { readonly accounts: number; readonly dataBytes: number; readonly named: readonly string[] }>
> = {
  "raydium-cpmm": { accounts: 13, dataBytes: 24, named: ["authority", "ammConfig", "observationState"] },
  "raydium-amm-v4": {
    accounts: 17,
    dataBytes: 17,
    named: [
      ...["authority", "openOrders", "marketProgram", "market", "marketBids", "marketAsks", "marketEventQueue"],
      ...["marketCoinVault", "marketPcVault", "marketVaultSigner"],
    ],
  },
  "raydium-clmm": { accounts: 9, dataBytes: 41, named: ["ammConfig", "observationState"] },
};

const KEY_BYTES = 32;
/** Signature count and signature; version, three header counts, key count; blockhash; instruction and table counts. */
const FIXED_BYTES = 1 + 64 + 4 + 1 + KEY_BYTES + 1 + 1;
/** Program, account count, two accounts, data count, data of a transfer of lamports. */
const TIP_BYTES = 1 + 1 + 2 + 1 + 12;
const COMPUTE_LIMIT_BYTES = 1 + 1 + 0 + 1 + 5;

export type CountedSwap = {
  readonly pool: PoolFacts;
  /** Tick arrays and bitmaps it names. */
  readonly tickArrays: number;
};

/** Whether such a transaction is within both limits. */
export function fitsTransaction(swaps: readonly CountedSwap[]): boolean {
  const { bytes, accounts } = transactionSize(swaps);
  return bytes <= TRANSACTION_BYTES_MAX && accounts <= TRANSACTION_ACCOUNTS_MAX;
}

export function transactionSize(swaps: readonly CountedSwap[]): { readonly bytes: number; readonly accounts: number } {
  const keys = new Set<Address | DexName>();
  const mints = new Set<Address>();
  const hasTicks = swaps.some(({ tickArrays }) => tickArrays > 0);
  // The plan leaves the compute limit out where bytes are short.
  const hasLimit = swaps.length <= (hasTicks ? 2 : 3);
  let tickArrays = 0;
  let bytes = FIXED_BYTES + TIP_BYTES + (hasLimit ? COMPUTE_LIMIT_BYTES : 0);
  for (const swap of swaps) {
    const { pool } = swap;
    const { accounts, dataBytes, named } = SWAP_SHAPES[pool.dex];
    bytes += 3 + accounts + swap.tickArrays + dataBytes;
    tickArrays += swap.tickArrays;
    // Its name stands for its program, whose address may be among the accounts of another.
    keys.add(pool.dex).add(pool.address);
    for (const vault of pool.vaults) keys.add(vault);
    for (const name of named) keys.add(pool.accounts[name] ?? (`${name} of ${pool.address}` as Address));
    for (const mint of pool.mints) mints.add(mint);
    for (const key of pool.dex === "raydium-cpmm" ? [...pool.tokenPrograms, ...pool.mints] : [TOKEN_PROGRAM])
      keys.add(key);
  }
  // The wallet, its token accounts, the tip account, the system program and that of the compute budget.
  const accounts = keys.size + mints.size + tickArrays + 3 + (hasLimit ? 1 : 0);
  return { bytes: bytes + accounts * KEY_BYTES, accounts };
}
