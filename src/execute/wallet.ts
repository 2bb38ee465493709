/** The trading wallet: its key, and the token account it has for every mint of the catalogue. */
import type { PoolFacts } from "#core/pool.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import { associatedTokenAddress } from "#dex/addresses.ts";
import { TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import type { Keypair } from "./keypair.ts";

/** Mints whose account is remembered; far above what the pools of one agent can name. */
const MINTS_MAX = 131_072;

export class Wallet {
  readonly #accounts = new Map<Address, Address>();

  constructor(readonly keypair: Keypair) {}

  get address(): Address {
    return this.keypair.address;
  }

  /** Derives the accounts for the mints of these pools, once each: about 50 µs a mint, so never when a bundle waits. */
  async learn(pools: readonly PoolFacts[]): Promise<void> {
    for (const { mints, tokenPrograms } of pools)
      for (const side of [0, 1] as const) {
        const mint = mints[side];
        if (this.#accounts.has(mint) || this.#accounts.size >= MINTS_MAX) continue;
        this.#accounts.set(mint, await associatedTokenAddress(this.address, mint, tokenPrograms[side]));
      }
  }

  /** The account that holds this mint; undefined when no pool named it yet. */
  tokenAccount(mint: Address): Address | undefined {
    return this.#accounts.get(mint);
  }

  baseAccount(): Promise<Address> {
    return associatedTokenAddress(this.address, WSOL_MINT, TOKEN_PROGRAM);
  }
}
