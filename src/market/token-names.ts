/** The names of the tokens that followed pools trade, read from the node that the market comes from, a few at a time. */
import type { PoolFacts } from "#core/pool.ts";
import { seededRandom } from "#core/random.ts";
import { writeTokenNames } from "#core/token-names.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import { metaplexAddress, metaplexName, mintName, type TokenName } from "#dex/token-metadata.ts";
import { RpcNode } from "./live/rpc-node.ts";
import { readAccounts } from "./rpc-snapshot.ts";

/** Mints asked for at a time: two accounts each, a hundred accounts a call. */
const MINTS_AT_ONCE = 200;
const WRAPPED_SOL = { name: "Wrapped SOL", symbol: "SOL" } as const;

/** Of the mints that have one: in the mint itself, or where Metaplex keeps it. Throws a SandpiperError without an answer. */
export async function readNames(node: RpcNode, mints: readonly Address[]): Promise<Map<Address, TokenName>> {
  const mintAt = new Map(mints.map((mint) => [metaplexAddress(mint), mint]));
  const { accounts } = await readAccounts(node, [...mints, ...mintAt.keys()]);
  const names = new Map<Address, TokenName>([[WSOL_MINT, WRAPPED_SOL]]);
  for (const { address, data } of accounts) {
    const mint = mintAt.get(address) ?? address;
    const found = mintAt.has(address) ? metaplexName(mint, data) : mintName(mint, data);
    if (found !== undefined && !names.has(mint)) names.set(mint, found);
  }
  return names;
}

/** Keeps the file at `path`: each mint is asked for once; those of a call that failed, again. */
export class TokenNamesBook {
  readonly #path: string;
  readonly #node: RpcNode;
  readonly #asked = new Set<Address>();
  readonly #names = new Map<Address, TokenName>();
  #reading = false;

  constructor(path: string, rpcUrl: string) {
    this.#path = path;
    this.#node = new RpcNode(rpcUrl, seededRandom("names"), { triesMax: 1 });
  }

  /** Reads the next few of those that are not known yet. False when the node did not answer: they are asked for again. */
  async follow(pools: readonly PoolFacts[]): Promise<boolean> {
    const next = [...new Set(pools.flatMap(({ mints }) => mints))]
      .filter((mint) => !this.#asked.has(mint))
      .slice(0, MINTS_AT_ONCE);
    if (next.length === 0 || this.#reading) return true;
    this.#reading = true;
    try {
      for (const [mint, name] of await readNames(this.#node, next)) this.#names.set(mint, name);
      for (const mint of next) this.#asked.add(mint);
      writeTokenNames(this.#path, Object.fromEntries(this.#names));
      return true;
    } catch {
      return false;
    } finally {
      this.#reading = false;
    }
  }
}
