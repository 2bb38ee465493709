/**
 * The concentrated-liquidity program against executions of the deployed Raydium CLMM on a real pool: the same accounts go
 * in, the same amounts, pool and vaults must come out, and what was refused must be refused with the same number. The
 * vectors are those of test/fixtures/golden-vectors.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ManualClock } from "#core/clock.ts";
import type { Address } from "#core/units.ts";
import { associatedTokenAddress } from "#dex/addresses.ts";
import type { AccountUse, Instruction } from "#dex/instruction.ts";
import { MEMO_PROGRAM, RAYDIUM_CLMM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import { GOLDEN_VECTORS } from "#dex/test-data.ts";
import { type Keypair, keypairFromSeed } from "#execute/keypair.ts";
import { compileMessage } from "#execute/message.ts";
import { signTransaction } from "#execute/transaction.ts";
import type { AccountState } from "#sim/cluster/cluster.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import type { LocalCluster } from "#sim/cluster/local-cluster.ts";
import { rentExemptLamports, walletAccount } from "#sim/genesis/accounts.ts";
import { programPath } from "./build.ts";

const FILE = join(GOLDEN_VECTORS, "raydium-clmm__UVXY-USDC-ANyC.json");

const PURSE = 1n << 60n;

type Vector = {
  readonly dir: "AtoB" | "BtoA";
  readonly mode: "exactIn" | "exactOut";
  readonly amount: string;
  readonly ok: boolean;
  readonly in: string;
  readonly out: string;
  readonly err?: string;
  readonly post?: Readonly<Record<string, string | number>>;
};
type Sequence = {
  readonly front: Vector;
  readonly victim: Vector;
  readonly back: Vector;
  readonly post: Readonly<Record<string, string | number>>;
};
type Golden = {
  readonly pool: Address;
  readonly token_A: Address;
  readonly token_B: Address;
  readonly clock: { readonly ts: number };
  readonly accounts: readonly {
    readonly pubkey: Address;
    readonly owner: Address;
    readonly lamports: string;
    readonly data: string;
  }[];
  readonly vectors: readonly Vector[];
  readonly sandwich_sequences: readonly Sequence[];
};

type Stage = {
  readonly golden: Golden;
  readonly cluster: LocalCluster;
  readonly trader: Keypair;
  /** Token account of the trader, and vault, of each token. */
  readonly purses: readonly [Address, Address];
  readonly vaults: readonly [Address, Address];
  readonly ammConfig: Address;
  readonly observation: Address;
  readonly tickArrays: readonly Address[];
  readonly extension: Address;
  /** Puts every account back to the beginning. */
  readonly reset: () => void;
};

const bytesOf = (data: string) => new Uint8Array(Buffer.from(data, "base64"));

/** A purse is the vault's account with the trader as owner: the mint's extensions ask for the same ones in it. */
function purseOf(vault: AccountState, owner: Keypair): AccountState {
  const data = vault.data.slice();
  data.set(owner.publicKey, 32);
  new DataView(data.buffer).setBigUint64(64, PURSE, true);
  return { ...vault, data, lamports: rentExemptLamports(data.length) };
}

async function prepare(): Promise<Stage> {
  const golden: Golden = JSON.parse(readFileSync(FILE, "utf8"));
  const cluster = createCluster({
    seed: "golden",
    slotMs: 400,
    clock: new ManualClock(BigInt(golden.clock.ts) * 1_000_000_000n),
  });
  cluster.addProgram(RAYDIUM_CLMM_PROGRAM, readFileSync(programPath("clmm")));
  const accounts = new Map(
    golden.accounts.map(({ pubkey, owner, lamports, data }): [Address, AccountState] => {
      const bytes = bytesOf(data);
      const rent = rentExemptLamports(bytes.length);
      return [
        pubkey,
        { owner, data: bytes, lamports: BigInt(lamports) > rent ? BigInt(lamports) : rent, executable: false },
      ];
    }),
  );
  const ofBytes = (length: number) =>
    [...accounts].filter(([, { data }]) => data.length === length).map(([key]) => key);
  const { data: pool } = accounts.get(golden.pool) as AccountState;
  const keyAt = (offset: number) => cluster.book.text(pool, offset);
  const vaults = [keyAt(137), keyAt(169)] as const;
  const trader = keypairFromSeed(new Uint8Array(32).fill(9));
  const purses = await Promise.all(
    [golden.token_A, golden.token_B].map((mint) =>
      associatedTokenAddress(trader.address, mint, (accounts.get(mint) as AccountState).owner),
    ),
  );
  for (const [i, purse] of purses.entries())
    accounts.set(purse, purseOf(accounts.get(vaults[i] as Address) as AccountState, trader));
  accounts.set(trader.address, walletAccount(1_000_000_000_000n));
  const reset = () => {
    for (const [key, state] of accounts) cluster.setAccount(key, state);
  };
  return {
    golden,
    cluster,
    trader,
    purses: purses as [Address, Address],
    vaults,
    ammConfig: keyAt(9),
    observation: keyAt(201),
    tickArrays: ofBytes(10_240),
    extension: ofBytes(1_832)[0] as Address,
    reset,
  };
}

const U64_MAX = 0xffff_ffff_ffff_ffffn;

function swapV2(stage: Stage, { dir, mode, amount }: Vector): Instruction {
  const { golden, trader, purses, vaults, tickArrays, extension } = stage;
  const input = dir === "AtoB" ? 0 : 1;
  const output = 1 - input;
  const mints = [golden.token_A, golden.token_B] as const;
  const { data: pool } = stage.cluster.account(golden.pool) as AccountState;
  const tick = new DataView(pool.buffer, pool.byteOffset).getInt32(269, true);
  const startOf = (address: Address) => {
    const { data } = stage.cluster.account(address) as AccountState;
    return new DataView(data.buffer, data.byteOffset).getInt32(40, true);
  };
  const spacing = 120 * 60;
  const ahead = tickArrays
    .filter((address) => (input === 0 ? startOf(address) <= tick : startOf(address) + spacing > tick))
    .sort((a, b) => (input === 0 ? startOf(b) - startOf(a) : startOf(a) - startOf(b)));
  const data = new Uint8Array(41);
  data.set([0x2b, 0x04, 0xed, 0x0b, 0x1a, 0xc9, 0x1e, 0x62]);
  const view = new DataView(data.buffer);
  view.setBigUint64(8, BigInt(amount), true);
  view.setBigUint64(16, mode === "exactIn" ? 0n : U64_MAX, true);
  data[40] = mode === "exactIn" ? 1 : 0;
  const use =
    (writable: boolean) =>
    (address: Address): AccountUse => ({ address, signer: false, writable });
  return {
    programAddress: RAYDIUM_CLMM_PROGRAM,
    accounts: [
      { address: trader.address, signer: true, writable: false },
      use(false)(stage.ammConfig),
      ...[
        golden.pool,
        purses[input],
        purses[output] as Address,
        vaults[input],
        vaults[output] as Address,
        stage.observation,
      ].map(use(true)),
      ...[TOKEN_PROGRAM, TOKEN_2022_PROGRAM, MEMO_PROGRAM, mints[input], mints[output] as Address].map(use(false)),
      ...[extension, ...ahead].map(use(true)),
    ],
    data,
  };
}

function run(stage: Stage, vector: Vector) {
  const { cluster, trader } = stage;
  cluster.nextSlot();
  const { blockhash } = cluster.latestBlockhash();
  const message = compileMessage({ payer: trader.address, blockhash, instructions: [swapV2(stage, vector)] });
  const result = cluster.submit(signTransaction(message, [trader]));
  if (result.kind === "refused") throw new Error(JSON.stringify(result.error));
  return result.executed;
}

const u64At = (stage: Stage, address: Address, offset: number) => {
  const { data } = stage.cluster.account(address) as AccountState;
  return new DataView(data.buffer, data.byteOffset).getBigUint64(offset, true);
};

/** The figures that the vectors name, as the pool has them now. */
function figures(stage: Stage): Readonly<Record<string, string>> {
  const { pool } = stage.golden;
  const { data } = stage.cluster.account(pool) as AccountState;
  const view = new DataView(data.buffer, data.byteOffset);
  const u64 = (at: number) => view.getBigUint64(at, true);
  const u128 = (at: number) => u64(at) | (u64(at + 8) << 64n);
  const all = {
    liquidity: u128(237),
    sqrt_price_x64: u128(253),
    tick_current: view.getInt32(269, true),
    fee_growth_global_0: u128(277),
    fee_growth_global_1: u128(293),
    protocol_fees_0: u64(309),
    protocol_fees_1: u64(317),
    vault_0: u64At(stage, stage.vaults[0], 64),
    vault_1: u64At(stage, stage.vaults[1], 64),
  };
  return textOf(all);
}

/** The vectors write the tick as a number and everything else as text. */
const textOf = (figuresOf: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(figuresOf).map(([name, value]) => [name, `${value}`]));

/** What a vector says of itself, and what our program made of it. */
function compare(stage: Stage, vector: Vector, i: number) {
  const side = vector.dir === "AtoB" ? 0 : 1;
  const [input, output] = [stage.purses[side], stage.purses[1 - side] as Address];
  const before = [u64At(stage, input, 64), u64At(stage, output, 64)] as const;
  const { error, computeUnits } = run(stage, vector);
  const got = error ?? {
    in: `${before[0] - u64At(stage, input, 64)}`,
    out: `${u64At(stage, output, 64) - before[1]}`,
  };
  const code = Number(/\d+/.exec(vector.err ?? "")?.[0]);
  const want = vector.ok ? { in: vector.in, out: vector.out } : { InstructionError: [0, { Custom: code }] };
  expect({ i, got }).toEqual({ i, got: want });
  return computeUnits;
}

const yieldToLoop = () => new Promise((resolve) => setImmediate(resolve));

test("clmm equals every golden vector of the deployed program, refusals by number and the pool after it included", async () => {
  const stage = await prepare();
  let computeUnitsMax = 0n;
  let equal = 0;
  for (const [i, vector] of stage.golden.vectors.entries()) {
    stage.reset();
    const used = compare(stage, vector, i);
    if (used > computeUnitsMax) computeUnitsMax = used;
    if (vector.post !== undefined) expect({ i, ...figures(stage) }).toEqual({ i, ...textOf(vector.post) });
    equal++;
    if (i % 50 === 0) await yieldToLoop();
  }
  console.log(
    `clmm: ${equal} of ${stage.golden.vectors.length} golden vectors, at most ${computeUnitsMax} compute units`,
  );
  expect(equal).toBe(460);
  expect(Number(computeUnitsMax)).toBeLessThan(200_000);
}, 60_000);

test("clmm equals every golden sequence of three swaps", async () => {
  const stage = await prepare();
  for (const [i, { front, victim, back, post }] of stage.golden.sandwich_sequences.entries()) {
    stage.reset();
    for (const vector of [front, victim, back]) compare(stage, vector, i);
    expect({ i, ...figures(stage) }).toEqual({ i, ...textOf(post) });
    await yieldToLoop();
  }
  expect(stage.golden.sandwich_sequences).toHaveLength(45);
}, 60_000);
