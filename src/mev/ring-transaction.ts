/**
 * A transaction of the live market as detection sees it. The ring tells no owners of token accounts, so wallets are tied by
 * fee payers, tip payers and funding only; swaps of pools that the catalogue does not have cannot be followed.
 */
import type { DexName } from "#core/pool.ts";
import type { Address, Signature } from "#core/units.ts";
import { endsWhereItBegan, inHops } from "./circle.ts";
import { AGGREGATORS, TIP_ACCOUNTS } from "./known-accounts.ts";
import type { MevTransaction, Trade, WalletLink } from "./trade.ts";

/** As market's reader of the ring gives it. */
export type SeenTransaction = {
  readonly slot: number;
  readonly index: number;
  readonly signature: Signature;
  readonly feePayer: Address;
  readonly feeLamports: bigint;
  readonly payments: readonly { readonly from: Address; readonly to: Address; readonly lamports: bigint }[];
  readonly swaps: readonly SeenSwap[];
};

type SeenSwap = {
  readonly dex: DexName;
  readonly pool: Address;
  readonly poolIndex: number | undefined;
  readonly trader: Address;
  readonly program: Address;
  readonly instructionIndex: number;
  readonly inputSide: 0 | 1;
  readonly exact: "in" | "out";
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  readonly reservesBefore: readonly [bigint, bigint];
};

/** `mintsOf` answers a catalogued pool's two mints. */
export function fromRing(
  seen: SeenTransaction,
  mintsOf: (poolIndex: number) => readonly [Address, Address] | undefined,
): MevTransaction {
  const { slot, index, signature, feePayer, feeLamports, payments } = seen;
  const tips = payments.filter(({ to }) => TIP_ACCOUNTS.has(to));
  const facts = {
    slot,
    index,
    signature,
    feeLamports,
    tipLamports: tips.reduce((sum, { lamports }) => sum + lamports, 0n),
  };
  const known = seen.swaps.flatMap((swap) => {
    const mints = swap.poolIndex === undefined ? undefined : mintsOf(swap.poolIndex);
    return mints === undefined
      ? []
      : [{ swap, mintIn: mints[swap.inputSide], mintOut: mints[1 - swap.inputSide] as Address }];
  });
  const hops = known.map(({ swap: { pool }, mintIn, mintOut }) => ({ pool, mintIn, mintOut }));
  const cyclic = endsWhereItBegan(hops) && inHops(hops);
  const trades = known.map(({ swap, mintIn, mintOut }): Trade => {
    const { dex, pool, trader, program, instructionIndex, amountIn, amountOut, exact } = swap;
    const [side0, side1] = swap.reservesBefore;
    const [reserveIn, reserveOut] = swap.inputSide === 0 ? [side0, side1] : [side1, side0];
    const reading = reserveIn === 0n ? undefined : { reserveIn, reserveOut, amountIn, amountOut, exact };
    const what = { venue: dex, pool, actor: trader, mintIn, mintOut, amountIn, amountOut, program };
    return { transaction: facts, instructionIndex, ...what, reading, aggregated: AGGREGATORS.has(program), cyclic };
  });
  const actors = [...new Set(trades.map(({ actor }) => actor))];
  const links: WalletLink[] = [
    ...actors.map((to) => ({ from: feePayer, to, kind: "fee payer" as const })),
    ...payments.flatMap(({ from, to }): WalletLink[] =>
      TIP_ACCOUNTS.has(to)
        ? actors.map((actor) => ({ from, to: actor, kind: "tip payer" }))
        : [{ from, to, kind: "funding" }],
    ),
  ];
  return { ...facts, failed: false, trades, links: links.filter(({ from, to }) => from !== to) };
}
