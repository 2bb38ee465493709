/**
 * Identities that must not be mixed up carry a brand that exists only in the type system. Money is a bigint of lamports
 * or token units, and its name says which; floats never settle anything.
 */

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** A base58 account address (32 bytes). */
export type Address = Branded<string, "Address">;
/** A base58 transaction signature (64 bytes). */
export type Signature = Branded<string, "Signature">;

export const LAMPORTS_PER_SOL = 1_000_000_000n;
/** The base fee of one signature, in lamports. */
export const SIGNATURE_FEE_LAMPORTS = 5_000n;
/** The wrapped SOL mint: the base token of every cycle. */
export const WSOL_MINT = "So11111111111111111111111111111111111111112" as Address;

/** For charts and people only. */
export const lamportsToSol = (value: bigint): number => Number(value) / 1e9;

/** Exact decimal text: 1500000000n is "1.5", -1n is "-0.000000001". */
export function formatSol(value: bigint): string {
  const sign = value < 0n ? "-" : "";
  const magnitude = value < 0n ? -value : value;
  const fraction = (magnitude % LAMPORTS_PER_SOL).toString().padStart(9, "0").replace(/0+$/, "");
  const whole = (magnitude / LAMPORTS_PER_SOL).toString();
  return fraction === "" ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}
