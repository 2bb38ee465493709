/** What the tests of the concentrated-liquidity program share: its pools on a real virtual machine, and a trader. */
import { readFileSync } from "node:fs";
import { ManualClock } from "#core/clock.ts";
import type { Address } from "#core/units.ts";
import type { Instruction } from "#dex/instruction.ts";
import { clmmSwapInstruction } from "#dex/raydium-clmm/instruction.ts";
import type { ClmmState } from "#dex/raydium-clmm/state.ts";
import { raydiumClmmVenue } from "#dex/raydium-clmm/venue.ts";
import { TOKEN_ACCOUNT } from "#dex/raydium-cpmm/layout.ts";
import type { ChainTime, SwapOrder } from "#dex/venue.ts";
import { compileMessage } from "#execute/message.ts";
import { signTransaction } from "#execute/transaction.ts";
import type { AccountState, ExecutedTransaction } from "#sim/cluster/cluster.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import type { LocalCluster } from "#sim/cluster/local-cluster.ts";
import type { SimConcentratedPool } from "#sim/genesis/concentrated.ts";
import { type SimMarket, type SimWallet, writeGenesis } from "#sim/genesis/genesis.ts";
import { programPath } from "./build.ts";

/** The time on the stage's clock. */
export const NOW: ChainTime = { slot: 1n, epoch: 0n, unixSeconds: 1_700_000_000n };
const U64_MAX = 0xffff_ffff_ffff_ffffn;
const COMPUTE_BUDGET = "ComputeBudget111111111111111111111111111111" as Address;
const SET_COMPUTE_UNIT_LIMIT = 2;
const COMPUTE_UNITS_MAX = 1_400_000;

export class ClmmStage {
  private constructor(
    readonly cluster: LocalCluster,
    readonly market: SimMarket,
    readonly trader: SimWallet,
  ) {}

  static async open(): Promise<ClmmStage> {
    const clock = new ManualClock(NOW.unixSeconds * 1_000_000_000n);
    const cluster = createCluster({ seed: "clmm", slotMs: 400, clock });
    const market = await writeGenesis(cluster, {
      seed: "clmm",
      program: readFileSync(programPath("cp-swap")),
      concentrated: { pools: 8, program: readFileSync(programPath("clmm")) },
      wallet: "",
      traders: 1,
      rivals: 0,
    });
    cluster.nextSlot();
    return new ClmmStage(cluster, market, market.traders[0] as SimWallet);
  }

  account(address: Address): AccountState {
    const account = this.cluster.account(address);
    if (account === undefined) throw new Error(`no account at ${address}`);
    return account;
  }

  /** Rewrites bytes of an account and answers how to put them back. */
  patch(address: Address, change: (data: Uint8Array, view: DataView) => void): () => void {
    const before = this.account(address);
    const data = before.data.slice();
    change(data, new DataView(data.buffer));
    this.cluster.setAccount(address, { ...before, data });
    return () => this.cluster.setAccount(address, before);
  }

  /** The pool as dex/ reads it from the accounts of the cluster. */
  stateOf({ facts }: ClmmState): ClmmState {
    const addresses = [
      facts.address,
      facts.ammConfig,
      facts.observationState,
      facts.bitmapExtension as Address,
      ...facts.tickArrays.values(),
      ...facts.sides.flatMap(({ mint, vault }) => [mint, vault]),
    ];
    const accounts = new Map(addresses.map((address) => [address, this.account(address)]));
    const loaded = raydiumClmmVenue.load(facts.address, accounts);
    if (!loaded.ok) throw loaded.error;
    return loaded.value;
  }

  purse(pool: SimConcentratedPool, side: 0 | 1): Address {
    return this.trader.tokenAccounts[pool.tokens[side]] as Address;
  }

  balance(address: Address): bigint {
    const { data } = this.account(address);
    return new DataView(data.buffer, data.byteOffset).getBigUint64(TOKEN_ACCOUNT.amount, true);
  }

  /** swap_v2, by default at any price. */
  instructionOf(pool: SimConcentratedPool, state: ClmmState, order: SwapOrder, threshold?: bigint): Instruction {
    return clmmSwapInstruction(state, {
      owner: this.trader.keypair.address,
      inputSide: order.inputSide,
      inputAccount: this.purse(pool, order.inputSide),
      outputAccount: this.purse(pool, order.inputSide === 0 ? 1 : 0),
      mode: order.mode,
      amount: order.amount,
      otherAmountThreshold: threshold ?? (order.mode === "exact-in" ? 0n : U64_MAX),
    });
  }

  /** What the cluster made of one instruction; a refusal before execution is a mistake of the test. */
  execute(instruction: Instruction): ExecutedTransaction {
    const { cluster, trader } = this;
    cluster.nextSlot();
    const { blockhash } = cluster.latestBlockhash();
    const payer = trader.keypair.address;
    const message = compileMessage({ payer, blockhash, instructions: [instruction, computeLimit()] });
    const result = cluster.submit(signTransaction(message, [trader.keypair]));
    if (result.kind === "executed") return result.executed;
    throw new Error(`refused: ${JSON.stringify(result.error)} ${result.logs.join("\n")}`);
  }
}

/** The quote of dex/, which knows the tick arrays that the instruction names and no others. */
export function quote(before: ClmmState, instruction: Instruction, order: SwapOrder) {
  const named = new Set(instruction.accounts.map(({ address }) => address));
  const near = [...before.facts.tickArrays].filter(([, address]) => named.has(address)).map(([array]) => array);
  const arrays = new Map(near.map((array) => [array, before.ticks.arrays.get(array) ?? []]));
  const fill = raydiumClmmVenue.swap({ ...before, ticks: { ...before.ticks, arrays } }, order, NOW);
  if (!fill.ok) return fill;
  const all = new Map([...before.ticks.arrays, ...fill.value.after.ticks.arrays]);
  const after = { ...fill.value.after, ticks: { ...before.ticks, arrays: all } };
  return { ok: true as const, value: { ...fill.value, after } };
}

/** Everything of a pool that a swap may change. */
export const figuresOf = ({ facts: _, ticks, ...state }: ClmmState) => ({
  ...state,
  arrays: [...ticks.arrays].sort(([a], [b]) => a - b),
});

/** The most compute units that a transaction may ask for; it stands behind the swap, whose place stays 0. */
function computeLimit(): Instruction {
  const data = new Uint8Array(5);
  data[0] = SET_COMPUTE_UNIT_LIMIT;
  new DataView(data.buffer).setUint32(1, COMPUTE_UNITS_MAX, true);
  return { programAddress: COMPUTE_BUDGET, accounts: [], data };
}
