/**
 * Writes the market of a plan into a new cluster: the exchange program, mints, fee configs, pools with their vaults, and
 * everybody's wallets. The only place that writes accounts outside transactions. Addresses are those the real program
 * derives, so that whoever can read Raydium can read this market.
 */
import { createHash } from "node:crypto";
import { base58Decode, base58Encode } from "#core/base58.ts";
import { SandpiperError } from "#core/error.ts";
import type { PoolFacts } from "#core/pool.ts";
import { type Address, LAMPORTS_PER_SOL, WSOL_MINT } from "#core/units.ts";
import { associatedTokenAddress, cpmmAuthority, cpmmConfigAddress, cpmmPoolAddresses } from "#dex/addresses.ts";
import { RAYDIUM_CPMM_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import { FEE_RATE_DENOMINATOR } from "#dex/raydium-cpmm/layout.ts";
import { metaplexAddress } from "#dex/token-metadata.ts";
import { type Keypair, keypairFromSeed } from "#execute/keypair.ts";
import { TIP_ACCOUNTS } from "#sim/block-engine/tip-accounts.ts";
import type { Cluster } from "#sim/cluster/cluster.ts";
import { SIM_ERROR } from "#sim/errors.ts";
import {
  ammConfigAccount,
  LP_MINT_DECIMALS,
  mintAccount,
  nameAccount,
  observationAccount,
  poolAccount,
  tokenAccount,
  walletAccount,
} from "./accounts.ts";
import { type SimConcentratedPool, writeConcentratedPools } from "./concentrated.ts";
import { planConcentrated } from "./concentrated-plan.ts";
import {
  FEE_TIERS,
  FUND_FEE_RATE,
  type MarketPlan,
  type PoolPlan,
  PROTOCOL_FEE_RATE,
  planMarket,
} from "./market-plan.ts";

export type SimToken = {
  readonly symbol: string;
  readonly mint: Address;
  readonly decimals: number;
  /** Units of the token that one SOL buys at the price it returns to: a plan, not a quote. */
  readonly unitsPerSol: number;
};
export type SimPool = {
  readonly facts: PoolFacts;
  /** Places in `tokens` of side 0 and side 1. */
  readonly tokens: readonly [number, number];
  readonly depthSol: number;
  readonly reserves: readonly [bigint, bigint];
};
/** Somebody of ours with a token account for every token, in the order of `tokens`. */
export type SimWallet = { readonly keypair: Keypair; readonly tokenAccounts: readonly Address[] };
export type SimMarket = {
  readonly tokens: readonly SimToken[];
  readonly pools: readonly SimPool[];
  readonly concentrated: readonly SimConcentratedPool[];
  readonly traders: readonly SimWallet[];
  readonly rivals: readonly SimWallet[];
};

export type GenesisOptions = {
  readonly seed: string;
  /** The exchange: programs/cp-swap.so. */
  readonly program: Uint8Array;
  /** Concentrated pools and their exchange, programs/clmm.so; none when left out. */
  readonly concentrated?: { readonly pools: number; readonly program: Uint8Array };
  /** The agent's public key; empty for none. */
  readonly wallet: string;
  readonly traders: number;
  readonly rivals: number;
};

const WALLET_SOL = 1_000n;
const RIVAL_SOL = 1_000n;
/** A trader loses fees and slippage: about 0.15 SOL a second between all of them. This lasts for years. */
const TRADER_SOL = 1_000_000;
const TRADER_FEES_SOL = 100_000n;

/** Throws a SandpiperError when the wallet is no address. */
export async function writeGenesis(cluster: Cluster, options: GenesisOptions): Promise<SimMarket> {
  const plan = planMarket(options.seed);
  const tokens = plan.tokens.map(
    ({ symbol, decimals, priceSol }): SimToken => ({
      symbol,
      mint: symbol === "wSOL" ? WSOL_MINT : (base58Encode(named(`mint/${symbol}`)) as Address),
      decimals,
      unitsPerSol: 10 ** decimals / priceSol,
    }),
  );
  cluster.addProgram(RAYDIUM_CPMM_PROGRAM, options.program);
  for (const address of TIP_ACCOUNTS) cluster.setAccount(address, walletAccount(LAMPORTS_PER_SOL));
  const supply = tokens.map(() => 0n);
  const pools = await writePools(cluster, plan, tokens, supply);
  const concentrated = await writeConcentrated(cluster, options, plan, tokens, supply);
  const walletOf = (name: string) => keypairFromSeed(named(`${name}/${options.seed}`));
  const traders: SimWallet[] = [];
  for (let i = 0; i < options.traders; i++) {
    const amounts = tokens.map(({ unitsPerSol }) => BigInt(Math.floor(unitsPerSol * TRADER_SOL)));
    const lamports = TRADER_FEES_SOL * LAMPORTS_PER_SOL;
    traders.push(await fund(cluster, walletOf(`trader/${i}`), tokens, lamports, amounts, supply));
  }
  const rivals: SimWallet[] = [];
  const startingAmounts = tokens.map(({ mint }) => (mint === WSOL_MINT ? WALLET_SOL * LAMPORTS_PER_SOL : 0n));
  for (let i = 0; i < options.rivals; i++)
    rivals.push(
      await fund(cluster, walletOf(`rival/${i}`), tokens, RIVAL_SOL * LAMPORTS_PER_SOL, startingAmounts, supply),
    );
  if (options.wallet !== "") await fundAgent(cluster, options.wallet, tokens, startingAmounts, supply);
  // The native mint counts no supply.
  for (const [i, { mint, decimals }] of tokens.entries())
    cluster.setAccount(mint, mintAccount(decimals, mint === WSOL_MINT ? 0n : (supply[i] as bigint)));
  for (const { mint, symbol } of tokens)
    if (mint !== WSOL_MINT) cluster.setAccount(metaplexAddress(mint), nameAccount(mint, symbol));
  return { tokens, pools, concentrated, traders, rivals };
}

async function writeConcentrated(
  cluster: Cluster,
  { concentrated, seed }: GenesisOptions,
  plan: MarketPlan,
  tokens: readonly SimToken[],
  supply: bigint[],
): Promise<readonly SimConcentratedPool[]> {
  if (concentrated === undefined || concentrated.pools === 0) return [];
  const plans = planConcentrated(seed, plan, concentrated.pools);
  const feeOwner = keypairFromSeed(named("fee-owner")).address;
  return writeConcentratedPools(cluster, { plans, program: concentrated.program, feeOwner }, tokens, supply);
}

const named = (name: string): Uint8Array => createHash("sha256").update(`sandpiper/${name}`).digest();

async function fundAgent(
  cluster: Cluster,
  wallet: string,
  tokens: readonly SimToken[],
  amounts: readonly bigint[],
  supply: bigint[],
): Promise<void> {
  if (!isAddress(wallet))
    throw new SandpiperError(
      SIM_ERROR.genesis,
      `Cannot write genesis: sim.wallet as an address in base58, was ${JSON.stringify(wallet)}`,
    );
  await fund(cluster, { address: wallet as Address }, tokens, WALLET_SOL * LAMPORTS_PER_SOL, amounts, supply);
}

function isAddress(text: string): boolean {
  try {
    return base58Decode(text).length === 32;
  } catch {
    return false;
  }
}

/** Gives an owner lamports and a token account for every token; adds to each token's supply. */
async function fund<Owner extends Pick<Keypair, "address">>(
  cluster: Cluster,
  keypair: Owner,
  tokens: readonly SimToken[],
  lamports: bigint,
  amounts: readonly bigint[],
  supply: bigint[],
): Promise<{ keypair: Owner; tokenAccounts: readonly Address[] }> {
  cluster.setAccount(keypair.address, walletAccount(lamports));
  const tokenAccounts = await Promise.all(
    tokens.map(({ mint }) => associatedTokenAddress(keypair.address, mint, TOKEN_PROGRAM)),
  );
  for (const [i, { mint }] of tokens.entries()) {
    const amount = amounts[i] as bigint;
    supply[i] = (supply[i] as bigint) + amount;
    cluster.setAccount(tokenAccounts[i] as Address, tokenAccount(mint, keypair.address, amount));
  }
  return { keypair, tokenAccounts };
}

async function writePools(
  cluster: Cluster,
  plan: MarketPlan,
  tokens: readonly SimToken[],
  supply: bigint[],
): Promise<SimPool[]> {
  const feeOwner = keypairFromSeed(named("fee-owner")).address;
  const authority = await cpmmAuthority();
  const configs = await Promise.all(FEE_TIERS.map((_, index) => cpmmConfigAddress(index)));
  for (const [index, { address, bump }] of configs.entries()) {
    const tradeFeeRate = FEE_TIERS[index] as number;
    const rates = { tradeFeeRate, protocolFeeRate: PROTOCOL_FEE_RATE, fundFeeRate: FUND_FEE_RATE };
    cluster.setAccount(address, ammConfigAccount({ bump, index, ...rates, feeOwner }));
  }
  const pools: SimPool[] = [];
  for (const poolPlan of plan.pools) {
    const config = configs[poolPlan.feeTier]?.address as Address;
    const pool = await layOutPool(poolPlan, pools.length, tokens, config, authority.address);
    writePool(cluster, pool, config, feeOwner, authority.bump);
    for (const side of [0, 1] as const)
      supply[pool.tokens[side]] = (supply[pool.tokens[side]] as bigint) + pool.reserves[side];
    pools.push(pool);
  }
  return pools;
}

type LaidOutPool = SimPool & { readonly lpMint: Address };

async function layOutPool(
  plan: PoolPlan,
  index: number,
  tokens: readonly SimToken[],
  ammConfig: Address,
  authority: Address,
): Promise<LaidOutPool> {
  const mintOf = (token: number) => tokens[token] as SimToken;
  const [left, right] = plan.tokens;
  const inOrder = Buffer.compare(base58Decode(mintOf(left).mint), base58Decode(mintOf(right).mint)) < 0;
  const sides = inOrder ? ([left, right] as const) : ([right, left] as const);
  const [side0, side1] = [mintOf(sides[0]), mintOf(sides[1])];
  const derived = await cpmmPoolAddresses(ammConfig, side0.mint, side1.mint);
  const reserve = ({ unitsPerSol }: SimToken) => BigInt(Math.floor(unitsPerSol * plan.depthSol));
  const facts: PoolFacts = {
    index,
    dex: "raydium-cpmm",
    address: derived.pool,
    mints: [side0.mint, side1.mint],
    decimals: [side0.decimals, side1.decimals],
    vaults: [derived.vault0, derived.vault1],
    tokenPrograms: [TOKEN_PROGRAM, TOKEN_PROGRAM],
    feeNumerator: FEE_TIERS[plan.feeTier] as number,
    feeDenominator: FEE_RATE_DENOMINATOR,
    accounts: { authority, ammConfig, observationState: derived.observation },
  };
  const reserves = [reserve(side0), reserve(side1)] as const;
  return { facts, tokens: sides, depthSol: plan.depthSol, reserves, lpMint: derived.lpMint };
}

function writePool(cluster: Cluster, pool: LaidOutPool, ammConfig: Address, creator: Address, authBump: number): void {
  const { facts, reserves, lpMint } = pool;
  const observation = facts.accounts["observationState"] as Address;
  const lpSupply = BigInt(Math.floor(Math.sqrt(Number(reserves[0]) * Number(reserves[1]))));
  const { mints, decimals, vaults } = facts;
  cluster.setAccount(
    facts.address,
    poolAccount({ ammConfig, creator, vaults, lpMint, mints, decimals, observation, authBump, lpSupply }),
  );
  cluster.setAccount(observation, observationAccount(facts.address));
  cluster.setAccount(lpMint, mintAccount(LP_MINT_DECIMALS, lpSupply));
  const authority = facts.accounts["authority"] as Address;
  for (const side of [0, 1] as const)
    cluster.setAccount(vaults[side], tokenAccount(mints[side], authority, reserves[side]));
}
