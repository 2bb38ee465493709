/**
 * The vendors' own quotes of the golden pools, from the SDKs of bench/sdk: each made once from the same account bytes, then
 * asked for the amount out of an amount in. The SDKs are loaded by path, so that none becomes a dependency; their values
 * have no types here.
 */
import { join } from "node:path";
import type { Address } from "#core/units.ts";
import type { WhirlpoolState } from "#dex/orca-whirlpool/load.ts";
import type { AccountBytes, ChainTime } from "#dex/venue.ts";

export type VendorQuote = (inputSide: 0 | 1, amountIn: bigint) => bigint;
export type GoldenPool = {
  readonly pool: Address;
  readonly accounts: ReadonlyMap<Address, AccountBytes>;
  readonly time: ChainTime;
  readonly state: unknown;
};

const MODULES = join(import.meta.dir, "sdk/node_modules");
const load = (path: string) => import(join(MODULES, path));
const NO_TICK = {
  initialized: false,
  liquidityNet: 0n,
  liquidityGross: 0n,
  feeGrowthOutsideA: 0n,
  feeGrowthOutsideB: 0n,
  rewardGrowthsOutside: [0n, 0n, 0n],
};
const MIN_SQRT_PRICE_X64 = "4295048017";
const MAX_SQRT_PRICE_X64 = "79226673521066979257578248090";

/** Orca's wasm core. */
export async function orcaQuote({ state, time }: GoldenPool): Promise<VendorQuote> {
  const { swapQuoteByInputToken } = await load(
    "@orca-so/whirlpools-core/dist/nodejs/orca_whirlpools_core_js_bindings.js",
  );
  const { whirlpool: pool, tickArrays } = state as WhirlpoolState;
  const facade = { ...pool, feeTierIndexSeed: new Uint8Array([pool.tickSpacing & 255, pool.tickSpacing >> 8]) };
  const arrays = [...tickArrays.values()]
    .map(({ startTickIndex, ticks }) => ({
      startTickIndex,
      ticks: ticks.map((tick) => (tick ? { ...tick, initialized: true } : NO_TICK)),
    }))
    .sort((a, b) => a.startTickIndex - b.startTickIndex);
  const span = 88 * pool.tickSpacing;
  const here = Math.floor(pool.tickCurrentIndex / span);
  const near = arrays.filter(({ startTickIndex }) => Math.abs(startTickIndex / span - here) <= 2);
  return (side, amount) =>
    swapQuoteByInputToken(amount, side === 0, 0, facade, undefined, near, time.unixSeconds).tokenEstOut;
}

/** Raydium's CLMM simulation; it knows the pool's own amounts only, no transfer fees. */
export async function clmmQuote({ pool, accounts, time }: GoldenPool): Promise<VendorQuote> {
  const sdk = await load("@raydium-io/raydium-sdk-v2/lib/index.js");
  const { swapInternal } = await load("@raydium-io/raydium-sdk-v2/lib/raydium/clmm/libraries/swapSimulator.js");
  const { PublicKey } = await load("@solana/web3.js/lib/index.cjs.js");
  const BN = (await load("bn.js/lib/bn.js")).default;
  const ofBytes = (bytes: number) => [...accounts].filter(([, { data }]) => data.length === bytes);
  const only = (bytes: number) => Buffer.from((ofBytes(bytes)[0] as [Address, AccountBytes])[1].data);
  const given = {
    programId: new PublicKey((accounts.get(pool) as AccountBytes).owner),
    poolId: new PublicKey(pool),
    poolInfo: sdk.PoolInfoLayout.decode(only(1544)),
    tickArrays: ofBytes(10_240).map(([address, { data }]) => ({
      address: new PublicKey(address),
      value: sdk.TickArrayLayout.decode(Buffer.from(data)),
    })),
    configInfo: sdk.ClmmConfigLayout.decode(only(117)),
    tickarrayBitmapExtension: sdk.TickArrayBitmapExtensionLayout.decode(only(1832)),
    isBaseInput: true,
    blockTimestamp: Number(time.unixSeconds),
    includeExtraTickArrays: false,
  };
  const limits = [new BN(MIN_SQRT_PRICE_X64), new BN(MAX_SQRT_PRICE_X64)];
  return (side, amount) => {
    const amountSpecified = new BN(amount.toString());
    const found = swapInternal({ ...given, amountSpecified, sqrtPriceLimitX64: limits[side], zeroForOne: side === 0 });
    return BigInt(found.amountCalculated.abs().toString());
  };
}

/** Meteora's DLMM; its quote reads the machine's clock, which is held at the recording's moment. */
export async function dlmmQuote({ pool, accounts, time }: GoldenPool): Promise<VendorQuote> {
  const sdk = await load("@meteora-ag/dlmm/dist/index.js");
  const { PublicKey, Connection } = await load("@solana/web3.js/lib/index.cjs.js");
  const { unpackMint } = await load("@solana/spl-token/lib/cjs/index.js");
  const BN = (await load("bn.js/lib/bn.js")).default;
  const program = sdk.createProgram(new Connection("http://localhost:1"));
  const decode = (name: string, data: Uint8Array) => sdk.decodeAccount(program, name, Buffer.from(data));
  const lbPair = decode("lbPair", (accounts.get(pool) as AccountBytes).data);
  const binArrays = [...accounts]
    .filter(([, { data }]) => data.length === 10_136)
    .map(([address, { data }]) => ({ publicKey: new PublicKey(address), account: decode("binArray", data) }));
  const mint = (key: { toBase58(): string }) => {
    const account = accounts.get(key.toBase58() as Address) as AccountBytes;
    const owner = new PublicKey(account.owner);
    return { mint: unpackMint(key, { ...account, data: Buffer.from(account.data), owner }, owner) };
  };
  const dlmm = Object.assign(Object.create(sdk.default.prototype), {
    lbPair,
    tokenX: mint(lbPair.tokenXMint),
    tokenY: mint(lbPair.tokenYMint),
    clock: { epoch: new BN(time.epoch.toString()) },
    binArrayBitmapExtension: null,
  });
  const none = new BN(0);
  Date.now = () => Number(time.unixSeconds) * 1_000;
  return (side, amount) =>
    BigInt(dlmm.swapQuote(new BN(amount.toString()), side === 0, none, binArrays).outAmount.toString());
}
