/** Whether the swaps of one transaction run hop by hop through several pools back to the mint they began with. */
import type { Address } from "#core/units.ts";

type Hop = { readonly pool: Address; readonly mintIn: Address | undefined; readonly mintOut: Address | undefined };

/** Ends where it began, and visits several pools; whether each hop follows from the one before is `inHops`' matter. */
export function endsWhereItBegan(hops: readonly Hop[]): boolean {
  const first = hops[0];
  if (first?.mintIn === undefined || new Set(hops.map(({ pool }) => pool)).size < 2) return false;
  return hops.at(-1)?.mintOut === first.mintIn;
}

export const inHops = (hops: readonly Hop[]): boolean =>
  hops.every(({ mintIn }, i) => i === 0 || mintIn === hops[i - 1]?.mintOut);
