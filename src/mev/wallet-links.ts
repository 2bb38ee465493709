/**
 * Which wallets may be one trader: what one did for another, seen in the stream. A wallet that does things for many (an
 * exchange, a relayer) ties nobody together. Bounded: the oldest sources are forgotten and counted.
 */
import type { Address } from "#core/units.ts";
import type { LinkKind, WalletLink } from "./trade.ts";

/** A source with more targets than this is a service. */
const TARGETS_MAX = 8;
const SOURCES_PER_WALLET_MAX = 8;
const WALLETS_MAX = 32_768;

type Links = Map<Address, LinkKind>;
type Source = { readonly targets: Links; service: boolean };

export class WalletLinks {
  forgotten = 0;
  readonly #sources = new Map<Address, Source>();
  readonly #into = new Map<Address, Links>();
  readonly #walletsMax: number;

  constructor(walletsMax = WALLETS_MAX) {
    this.#walletsMax = walletsMax;
  }

  see({ from, to, kind }: WalletLink): void {
    if (from === to) return;
    const source = this.#sources.get(from) ?? { targets: new Map(), service: false };
    this.#touch(this.#sources, from, source);
    if (source.service || source.targets.has(to)) return;
    if (source.targets.size === TARGETS_MAX) {
      source.service = true;
      source.targets.clear();
      return;
    }
    source.targets.set(to, kind);
    const into = this.#into.get(to) ?? new Map();
    this.#touch(this.#into, to, into);
    if (into.size < SOURCES_PER_WALLET_MAX) into.set(from, kind);
  }

  /** Wallets tied to this one, and by what: what it did for others, others for it, or one source for both. */
  related(wallet: Address): ReadonlyMap<Address, string> {
    const found = new Map<Address, string>();
    const add = (other: Address, words: string) => {
      if (other !== wallet && !found.has(other)) found.set(other, words);
    };
    for (const [other, kind] of this.#sources.get(wallet)?.targets ?? []) add(other, kind);
    for (const [from, kind] of this.#into.get(wallet) ?? []) {
      const source = this.#sources.get(from);
      if (source === undefined || source.service) continue;
      add(from, kind);
      for (const [sibling, siblingKind] of source.targets)
        add(sibling, siblingKind === kind ? `shared ${kind} ${from}` : `${kind} and ${siblingKind} by ${from}`);
    }
    return found;
  }

  /** Puts the entry last, and drops the oldest when there is no room. */
  #touch<Entry>(table: Map<Address, Entry>, wallet: Address, entry: Entry): void {
    table.delete(wallet);
    table.set(wallet, entry);
    if (table.size <= this.#walletsMax) return;
    const [oldest] = table.keys();
    if (oldest !== undefined) table.delete(oldest);
    this.forgotten++;
  }
}
