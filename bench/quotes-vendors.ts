/**
 * The vendors' own quotes of the golden pools of concentrated liquidity: each made once from the same account bytes, then
 * asked for the amount out of an amount in.
 */
import type { Address } from "#core/units.ts";
import type { WhirlpoolState } from "#dex/orca-whirlpool/load.ts";
import type { ClmmState } from "#dex/raydium-clmm/state.ts";
import type { AccountBytes } from "#dex/venue.ts";
import { type GoldenPool, load, type VendorQuote } from "./quotes-sdk.ts";

const NO_TICK = {
  initialized: false,
  liquidityNet: 0n,
  liquidityGross: 0n,
  feeGrowthOutsideA: 0n,
  feeGrowthOutsideB: 0n,
  rewardGrowthsOutside: [0n, 0n, 0n],
};

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

/** Raydium's `PoolUtils.getOutputAmountAndRemainAccounts`, which also derives the addresses of two more tick arrays. */
export async function clmmQuote(golden: GoldenPool): Promise<VendorQuote> {
  const { sdk, BN, poolInfo, bitmap, arrays, now } = await clmmAccounts(golden);
  const tickArrays = Object.fromEntries(arrays.map((array) => [array.startTickIndex, array]));
  const mints = [poolInfo.accInfo.mintA, poolInfo.accInfo.mintB];
  const quote = sdk.PoolUtils.getOutputAmountAndRemainAccounts;
  return (side, amount) => {
    const found = quote(poolInfo, bitmap, tickArrays, mints[side], new BN(amount.toString()), now);
    return BigInt(found.expectedAmountOut.toString());
  };
}

/** The simulation inside of that, with its arrays put in order beforehand, and no addresses. */
export async function clmmSimulation(golden: GoldenPool): Promise<VendorQuote> {
  const { sdk, BN, poolInfo, bitmap, arrays, now } = await clmmAccounts(golden);
  const { accInfo, id, programId, ammConfig } = poolInfo;
  const start = sdk.TickArrayUtil.getTickArrayStartIndex(accInfo.tickCurrent, accInfo.tickSpacing);
  const upwards = arrays
    .toSorted((a, b) => a.startTickIndex - b.startTickIndex)
    .map((value) => ({ address: value.address, value }));
  const onTheWay = [
    upwards.filter(({ value }) => value.startTickIndex <= start).reverse(),
    upwards.filter(({ value }) => value.startTickIndex >= start),
  ];
  const given = {
    programId,
    poolId: id,
    poolInfo: accInfo,
    configInfo: ammConfig,
    tickarrayBitmapExtension: bitmap,
    sqrtPriceLimitX64: new BN(0),
    isBaseInput: true,
    blockTimestamp: now,
    includeExtraTickArrays: false,
  };
  return (side, amount) => {
    const amountSpecified = new BN(amount.toString());
    const found = sdk.swapInternal({ ...given, tickArrays: onTheWay[side], zeroForOne: side === 0, amountSpecified });
    return BigInt(found.amountCalculated.toString());
  };
}

/**
 * A CLMM pool as the SDK wants it. The SDK knows the newest build of the program only: to one of 2024, `feeOn` and the
 * dynamic fee are padding, and the SDK has to be given them as zeros.
 */
async function clmmAccounts({ pool, accounts, time, state }: GoldenPool) {
  const sdk = await load("@raydium-io/raydium-sdk-v2/lib/index.js");
  const { PublicKey } = await load("@solana/web3.js/lib/index.cjs.js");
  const BN = (await load("bn.js/lib/bn.js")).default;
  const ofBytes = (bytes: number) => [...accounts].filter(([, { data }]) => data.length === bytes);
  const only = (bytes: number) => Buffer.from((ofBytes(bytes)[0] as [Address, AccountBytes])[1].data);
  const accInfo = sdk.PoolInfoLayout.decode(only(1544));
  if ((state as ClmmState).facts.build === "2024") {
    accInfo.feeOn = 0;
    accInfo.dynamicFeeInfo = sdk.DynamicFeeInfoLayout.decode(Buffer.alloc(sdk.DynamicFeeInfoLayout.span));
  }
  const arrays = ofBytes(10_240).map(([address, { data }]) => ({
    ...sdk.TickArrayLayout.decode(Buffer.from(data)),
    address: new PublicKey(address),
  }));
  const poolInfo = {
    id: new PublicKey(pool),
    programId: new PublicKey((accounts.get(pool) as AccountBytes).owner),
    accInfo,
    ammConfig: sdk.ClmmConfigLayout.decode(only(117)),
    mintA: { address: accInfo.mintA.toBase58() },
    mintB: { address: accInfo.mintB.toBase58() },
  };
  const bitmap = sdk.TickArrayBitmapExtensionLayout.decode(only(1832));
  return { sdk, BN, poolInfo, bitmap, arrays, now: Number(time.unixSeconds) };
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
