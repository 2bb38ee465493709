/** Figures as text. Widths are steady: the same number of decimals in a column, a real minus sign, one unit at a time. */
import { LAMPORTS_PER_SOL } from "#core/units.ts";

const MINUS = "\u2212";
const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** Lamports as SOL with six decimals, cut towards zero: 1234567n is "0.001234". */
export function solText(lamports: bigint): string {
  const magnitude = lamports < 0n ? -lamports : lamports;
  const micro = magnitude / 1_000n;
  const fraction = (micro % 1_000_000n).toString().padStart(6, "0");
  const sign = lamports < 0n && micro > 0n ? MINUS : "";
  return `${sign}${WHOLE.format(magnitude / LAMPORTS_PER_SOL)}.${fraction}`;
}

export const countText = (count: number | bigint): string => WHOLE.format(count);

export const percentText = (share: number): string => {
  const percent = share * 100;
  return `${percent === 0 || percent === 100 ? percent.toFixed(0) : percent.toFixed(1)} %`;
};

/** A span of time in its largest fitting unit: "0.4 s", "12 s", "3 m", "5 h", "2 d". */
export function ageText(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${seconds.toFixed(0)} s`;
  if (seconds < 6_000) return `${(seconds / 60).toFixed(0)} m`;
  if (seconds < 172_800) return `${(seconds / 3_600).toFixed(0)} h`;
  return `${(seconds / 86_400).toFixed(0)} d`;
}

/** A latency, from microseconds up. */
export function latencyParts(ms: number): { readonly figure: string; readonly unit: string } {
  if (ms < 1) return { figure: (ms * 1_000).toFixed(ms < 0.01 ? 1 : 0), unit: "µs" };
  if (ms < 1_000) return { figure: ms.toFixed(ms < 10 ? 2 : 0), unit: "ms" };
  return { figure: (ms / 1_000).toFixed(1), unit: "s" };
}

export function latencyText(ms: number): string {
  const { figure, unit } = latencyParts(ms);
  return `${figure} ${unit}`;
}

/** "below_ev_min" reads "below ev min". */
export const wordsText = (code: string): string => code.replaceAll("_", " ");

const SYMBOLS: Readonly<Record<string, string>> = {
  So11111111111111111111111111111111111111112: "SOL",
  EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v: "USDC",
  Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB: "USDT",
  DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263: "BONK",
  JUPyiwrYJFskUPiHa7hkeR8VUtAeFoSYbKedZNsDvCN: "JUP",
  "4k3Dyjzvzp8eMZWUXbBCjvEvwSkkk59S5iCNLY3QrX6R": "RAY",
  mSoLzYCxHdYgdzU16g5QSh3i5K3z3KZK7ytfqcJm7So: "mSOL",
  J1toso1uCk3RLmjorhTtrVwY9HJ7X8V9yYac6Y7kGCPn: "JitoSOL",
};

/** All nine decimals: nothing is cut. */
export function exactSolText(lamports: bigint): string {
  const magnitude = lamports < 0n ? -lamports : lamports;
  const fraction = (magnitude % LAMPORTS_PER_SOL).toString().padStart(9, "0");
  return `${lamports < 0n ? MINUS : ""}${WHOLE.format(magnitude / LAMPORTS_PER_SOL)}.${fraction}`;
}

/** Time of day in UTC with microseconds: "17:19:44.014905". */
export function clockText(unixNs: bigint): string {
  const time = new Date(Number(unixNs / 1_000_000n)).toISOString().slice(11, 23);
  return `${time}${((unixNs / 1_000n) % 1_000n).toString().padStart(3, "0")}`;
}

/** Addresses and signatures inside a sentence in short, so that its own words are not pushed out of sight. */
export const shortReason = (reason: string): string =>
  reason.replaceAll(BASE58, (address) => `${shortAddress(address)}…`);

/** The addresses and signatures that a sentence names. */
export const namedIn = (reason: string): readonly string[] => reason.match(BASE58) ?? [];

const BASE58 = /\b[1-9A-HJ-NP-Za-km-z]{32,88}\b/g;

/** Enough of an address to tell it from its neighbours; the whole one is in the title. */
export const shortAddress = (address: string): string => address.slice(0, 4);

export type NamedToken = { readonly mint: string; readonly symbol: string };

const SYMBOL_LENGTH_MAX = 10;
let named: ReadonlyMap<string, string> = new Map();

/**
 * From now on these tokens go by what they call themselves. Anybody may take another's name: one that everyone knows, or
 * that two of them have, stands with the start of its address.
 */
export function nameTokens(tokens: readonly NamedToken[]): void {
  const known = new Set(Object.values(SYMBOLS));
  const short = (symbol: string) =>
    symbol.length > SYMBOL_LENGTH_MAX ? `${symbol.slice(0, SYMBOL_LENGTH_MAX - 1)}…` : symbol;
  const count = new Map<string, number>();
  for (const { symbol } of tokens) count.set(lookOf(short(symbol)), (count.get(lookOf(short(symbol))) ?? 0) + 1);
  const alone = (text: string) => count.get(lookOf(text)) === 1 && !known.has(text);
  const looks = new Set([...known].map(lookOf));
  named = new Map(
    tokens
      .filter(({ mint }) => !Object.hasOwn(SYMBOLS, mint))
      .map(({ mint, symbol }) => {
        const text = short(symbol);
        return [mint, alone(text) && !looks.has(lookOf(text)) ? text : `${text} ${shortAddress(mint)}`];
      }),
  );
}

/** Another one whenever names were told: what was made with the one before is out of date. */
export const namesInUse = (): object => named;

/** Names that look alike are one: case, and letters of other scripts in the same shape, as far as Unicode folds them. */
const lookOf = (text: string): string => text.normalize("NFKC").toLowerCase();

/** A token's symbol where everyone knows it, what it calls itself, else the start of its address; the whole stands in the title. */
export const tokenText = (mint: string): string =>
  (Object.hasOwn(SYMBOLS, mint) ? SYMBOLS[mint] : named.get(mint)) ?? shortAddress(mint);
