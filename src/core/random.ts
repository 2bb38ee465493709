/**
 * Seeded randomness: the same seed gives the same numbers on every machine and in every version of the runtime.
 * xoshiro128** 1.1 (Blackman and Vigna, public domain), seeded by splitmix32. Never for keys.
 */

export interface Random {
  /** A whole number, 0 <= n < 2^32. */
  uint32(): number;
  /** 0 <= x < 1 with 53 random bits. */
  unit(): number;
  /** A whole number, low <= n < high. */
  between(low: number, high: number): number;
  /** One of the items; there must be at least one. */
  pick<T>(items: readonly T[]): T;
  /** Normal with mean 0 and deviation 1 (Box–Muller). */
  normal(): number;
}

/** A generator from any text: its own stream per name, so that one part's draws never move another's. */
export function seededRandom(seed: string): Random {
  let hash = 0x9e3779b9;
  for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x85ebca6b) >>> 0;
  const next = () => {
    hash = (hash + 0x9e3779b9) >>> 0;
    let mixed = hash;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
  // Four variables: reading a typed array into four costs ten times as much.
  let [s0, s1, s2, s3] = [next(), next(), next(), next()];
  const rotate = (x: number, bits: number) => (x << bits) | (x >>> (32 - bits));
  const uint32 = () => {
    const result = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0;
    const shifted = s1 << 9;
    const n2 = s2 ^ s0;
    const n3 = s3 ^ s1;
    s1 ^= n2;
    s0 ^= n3;
    s2 = n2 ^ shifted;
    s3 = rotate(n3, 11);
    return result;
  };
  const unit = () => ((uint32() >>> 5) * 0x4000000 + (uint32() >>> 6)) / 0x20000000000000;
  return {
    uint32,
    unit,
    between: (low, high) => low + Math.floor(unit() * (high - low)),
    pick: (items) => items[Math.floor(unit() * items.length)] as (typeof items)[number],
    normal: () => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()),
  };
}
