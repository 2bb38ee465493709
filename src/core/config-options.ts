/** The kinds of options that the table of them (config-schema.ts) is made of: fallback, bounds, and what each is for. */
export type Option<T> = {
  readonly kind: "text" | "whole" | "number" | "choice" | "wholes";
  readonly fallback: T;
  /** What it does, the unit, and what breaks outside its range. */
  readonly about: string;
  readonly low?: number;
  readonly high?: number;
  readonly choices?: readonly string[];
  readonly secret?: boolean;
};

export const text = (fallback: string, about: string, secret = false): Option<string> => ({
  kind: "text",
  fallback,
  about,
  secret,
});
export const whole = (fallback: number, low: number, high: number, about: string): Option<number> => ({
  kind: "whole",
  fallback,
  about,
  low,
  high,
});
export const number = (fallback: number, low: number, high: number, about: string): Option<number> => ({
  kind: "number",
  fallback,
  about,
  low,
  high,
});
export const choice = <const C extends readonly string[]>(choices: C, fallback: C[number], about: string) =>
  ({ kind: "choice", fallback, about, choices }) as Option<C[number]>;
/** An ascending list of whole numbers, written with commas. */
export const wholes = (
  fallback: readonly number[],
  low: number,
  high: number,
  about: string,
): Option<readonly number[]> => ({
  kind: "wholes",
  fallback,
  about,
  low,
  high,
});
export const port = (fallback: number, about: string) => whole(fallback, 1, 65_535, about);
