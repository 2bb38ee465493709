/** The vendors' own quotes of the golden pools that price by reserves, decoded once by the SDK's own layouts. */
import { accountOf, type GoldenPool, load, type VendorQuote } from "./quotes-sdk.ts";

const RAYDIUM = "@raydium-io/raydium-sdk-v2/lib";
const MINT_SUPPLY_AT = 36;

/** Raydium's `Liquidity.computeAmountOut`. */
export async function ammV4Quote(golden: GoldenPool): Promise<VendorQuote> {
  const { liquidityStateV4Layout, splAccountLayout } = await load(`${RAYDIUM}/index.js`);
  const { default: Liquidity } = await load(`${RAYDIUM}/raydium/liquidity/liquidity.js`);
  const BN = (await load("bn.js/lib/bn.js")).default;
  const pool = liquidityStateV4Layout.decode(accountOf(golden, golden.pool).data);
  const held = (vault: string) => splAccountLayout.decode(accountOf(golden, vault).data).amount;
  const poolInfo = {
    version: 4,
    mintA: { address: pool.baseMint.toBase58(), decimals: pool.baseDecimal.toNumber() },
    mintB: { address: pool.quoteMint.toBase58(), decimals: pool.quoteDecimal.toNumber() },
    baseReserve: held(pool.baseVault).sub(pool.baseNeedTakePnl),
    quoteReserve: held(pool.quoteVault).sub(pool.quoteNeedTakePnl),
  };
  const mints = [poolInfo.mintA.address, poolInfo.mintB.address];
  const liquidity = Object.create(Liquidity.prototype);
  return (side, amount) => {
    const amountIn = new BN(amount.toString());
    const [mintIn, mintOut] = [mints[side], mints[1 - side]];
    return BigInt(
      liquidity.computeAmountOut({ poolInfo, amountIn, mintIn, mintOut, slippage: 0 }).amountOut.toString(),
    );
  };
}

/** Raydium's `CpmmModule.computeSwapAmount`. */
export async function cpmmQuote(golden: GoldenPool): Promise<VendorQuote> {
  const { CpmmPoolInfoLayout, CpmmConfigInfoLayout, splAccountLayout } = await load(`${RAYDIUM}/index.js`);
  const { default: CpmmModule } = await load(`${RAYDIUM}/raydium/cpmm/cpmm.js`);
  const BN = (await load("bn.js/lib/bn.js")).default;
  const Decimal = (await load("decimal.js/decimal.js")).default;
  const info = CpmmPoolInfoLayout.decode(accountOf(golden, golden.pool).data);
  const held = (vault: string) => splAccountLayout.decode(accountOf(golden, vault).data).amount;
  const baseReserve = held(info.vaultA).sub(info.protocolFeesMintA).sub(info.fundFeesMintA).sub(info.creatorFeesMintA);
  const quoteReserve = held(info.vaultB).sub(info.protocolFeesMintB).sub(info.fundFeesMintB).sub(info.creatorFeesMintB);
  const config = CpmmConfigInfoLayout.decode(accountOf(golden, info.configId).data);
  const pool = {
    ...info,
    mintA: { address: info.mintA.toBase58() },
    mintB: { address: info.mintB.toBase58() },
    baseReserve,
    quoteReserve,
    configInfo: info.enableCreatorFee ? config : { ...config, creatorFeeRate: new BN(0) },
    poolPrice: new Decimal(quoteReserve.toString()).div(baseReserve.toString()),
  };
  const mints = [pool.mintA.address, pool.mintB.address];
  const cpmm = Object.create(CpmmModule.prototype);
  return (side, amount) => {
    const amountIn = new BN(amount.toString());
    return BigInt(
      cpmm.computeSwapAmount({ pool, amountIn, outputMint: mints[1 - side], slippage: 0 }).amountOut.toString(),
    );
  };
}

/** PumpSwap's `sellBaseInput` and `buyQuoteInput`; the canonical pool's address is derived at every call. */
export async function pumpSwapQuote(golden: GoldenPool): Promise<VendorQuote> {
  const sdk = await load("@pump-fun/pump-swap-sdk/dist/index.js");
  const BN = (await load("bn.js/lib/bn.js")).default;
  const { splAccountLayout } = await load(`${RAYDIUM}/index.js`);
  const pool = sdk.PUMP_AMM_SDK.decodePool(accountOf(golden, golden.pool));
  const held = (vault: string) => splAccountLayout.decode(accountOf(golden, vault).data).amount;
  const given = {
    ...pool,
    slippage: 0,
    baseReserve: held(pool.poolBaseTokenAccount),
    quoteReserve: held(pool.poolQuoteTokenAccount),
    globalConfig: sdk.PUMP_AMM_SDK.decodeGlobalConfig(accountOf(golden, sdk.GLOBAL_CONFIG_PDA)),
    feeConfig: sdk.PUMP_AMM_SDK.decodeFeeConfig(accountOf(golden, sdk.PUMP_AMM_FEE_CONFIG_PDA)),
    baseMintAccount: { supply: accountOf(golden, pool.baseMint).data.readBigUInt64LE(MINT_SUPPLY_AT) },
  };
  return (side, amount) => {
    const units = new BN(amount.toString());
    const out =
      side === 0
        ? sdk.sellBaseInput({ ...given, base: units }).uiQuote
        : sdk.buyQuoteInput({ ...given, quote: units }).base;
    return BigInt(out.toString());
  };
}
