/**
 * A local cluster whose programs and accounts are another cluster's: fetched from its RPC when first asked for, and kept
 * equal as they change there. What transactions on the fork wrote is kept apart, and `differences` shows what they
 * changed, whatever the origin did meanwhile. Nothing is ever sent to the origin.
 *
 * Accounts that a transaction of the fork wrote stop following the origin, with all that was written together with them:
 * mixing both would be a state that neither has. After `rejoinSlots` the whole group goes back to the origin's state;
 * signers and their token accounts never do, for what was earned is theirs.
 *
 * Lazily by address (account reads, and every account that a transaction names, its lookup tables too), in whole for
 * getProgramAccounts. Programs come as their ELF, for either loader.
 */
import { base58Decode } from "#core/base58.ts";
import { SandpiperError } from "#core/error.ts";
import type { Address } from "#core/units.ts";
import { field, list, type Rpc, whole } from "#execute/rpc.ts";
import type { AccountState } from "#sim/cluster/cluster.ts";
import type { LocalCluster, MovedAccount, RecordedTransaction } from "#sim/cluster/local-cluster.ts";
import { loadAddresses } from "#sim/cluster/lookup-tables.ts";
import { parseTransaction } from "#sim/cluster/message.ts";
import { SIM_ERROR } from "#sim/errors.ts";

/** As many as `getMultipleAccounts` takes. */
const ACCOUNTS_PER_CALL = 100;
/** Accounts that the fork follows; what is asked for beyond stays unknown to it, and is counted. */
const ACCOUNTS_MAX = 100_000;
/** Transactions in a bundle: Jito's limit. */
const BUNDLE_MAX = 5;
/** Reads of all accounts until they are of one slot. */
const EVEN_TRIES_MAX = 5;
const UPGRADEABLE_LOADER = "BPFLoaderUpgradeab1e11111111111111111111111";
/** UpgradeableLoaderState: u32 2 (a program), 32 bytes where its data is; before the ELF there u32, u64 slot, option key. */
const PROGRAM_DATA_ADDRESS_AT = 4;
const ELF_AT = 45;

/** What transactions on the fork changed in one account. */
export type Difference = {
  readonly address: Address;
  /** The sum of what they added. */
  readonly lamports: bigint;
  /** The sum of what they added, for token accounts. */
  readonly tokens: bigint | undefined;
  /** Whether the fork's bytes are other than the origin's now. */
  readonly dataDiffers: boolean;
  /** Whether the origin changed it too since: the fork's state is no longer what the origin's would have become. */
  readonly movedAtOrigin: boolean;
};

export type RemoteForkOptions = {
  /** Slots after which a group of written accounts goes back to the origin's state; 0 for never. */
  readonly rejoinSlots?: number;
  /** Waited for with every account that is taken over. */
  readonly onTaken?: (address: Address, state: AccountState) => Promise<void>;
};

type Change = { lamports: bigint; tokens: bigint | undefined };
/** Accounts that have to go back together, and the slot of the oldest write. */
type Group = { readonly accounts: Set<Address>; sinceSlot: bigint };

export class RemoteFork {
  readonly counters = { fetched: 0, programs: 0, refreshes: 0, moved: 0, keptApart: 0, rejoined: 0, beyondLimit: 0 };
  readonly #cluster: LocalCluster;
  readonly #rpc: Rpc;
  /** As the origin has them; undefined where it has none. */
  readonly #origin = new Map<Address, AccountState | undefined>();
  readonly #asking = new Map<Address, Promise<void>>();
  readonly #wholePrograms = new Set<string>();
  /** Written by transactions of the fork and not the origin's again, and whether the origin wrote them since. */
  readonly #own = new Map<Address, { movedAtOrigin: boolean }>();
  readonly #changes = new Map<Address, Change>();
  /** What the fork has and the origin has not. */
  readonly #given = new Set<Address>();
  readonly #options: RemoteForkOptions;
  readonly #unhook: () => void;
  #groups: Group[] = [];

  constructor(cluster: LocalCluster, rpc: Rpc, options: RemoteForkOptions = {}) {
    this.#cluster = cluster;
    this.#rpc = rpc;
    this.#options = options;
    this.#unhook = cluster.onTransaction((transaction) => this.#wrote(transaction));
  }

  close(): void {
    this.#unhook();
  }

  /** All accounts that the fork has from the origin. */
  get addresses(): Iterable<Address> {
    return this.#origin.keys();
  }

  /** Puts in an account where the origin has none, or one with less: money to trade with. It follows nobody. */
  async giveAtLeast(address: Address, state: AccountState): Promise<void> {
    const [there] = (await this.#read([address])).states;
    if ((there?.lamports ?? 0n) >= state.lamports || this.#own.has(address)) return;
    this.#asking.set(address, Promise.resolve());
    this.#given.add(address);
    this.#origin.set(address, state);
    this.#cluster.setAccount(address, state);
  }

  /** Fetches what a call of the RPC needs. Throws a SandpiperError when the origin does not answer. */
  readonly prepare = async (method: string, params: readonly unknown[]): Promise<void> => {
    const [first, second] = params;
    switch (method) {
      case "getAccountInfo":
      case "getBalance":
      case "getTokenAccountBalance":
      case "getTokenSupply":
        if (typeof first === "string") await this.ensure([first as Address]);
        break;
      case "getMultipleAccounts":
        await this.ensure(list(first).filter((one): one is Address => typeof one === "string"));
        break;
      case "getProgramAccounts":
        if (typeof first === "string") await this.#wholeProgram(first as Address, second);
        break;
      case "sendTransaction":
      case "simulateTransaction":
        if (typeof first === "string") await this.ensureTransaction(first, field(second, "encoding") === "base64");
        break;
      case "sendBundle":
        for (const one of list(first).slice(0, BUNDLE_MAX))
          if (typeof one === "string") await this.ensureTransaction(one, field(second, "encoding") === "base64");
        break;
      default:
        break;
    }
  };

  /** All accounts that a transaction names, its programs with them. */
  async ensureTransaction(text: string, isBase64: boolean): Promise<void> {
    let wire: Uint8Array;
    try {
      wire = isBase64 ? Buffer.from(text, "base64") : base58Decode(text);
    } catch {
      // The method itself will say what is wrong with it.
      return;
    }
    const { book } = this.#cluster;
    const parsed = parseTransaction(wire, book);
    if (!parsed.ok) return;
    await this.ensure([...parsed.value.staticKeys, ...parsed.value.lookups.map(({ table }) => table)]);
    const loaded = loadAddresses(parsed.value, book, (address) => this.#cluster.account(address));
    if (loaded !== undefined) await this.ensure([...loaded.writable, ...loaded.readonly]);
  }

  /** Fetches accounts that appeared at the origin, and tells those who follow the fork's accounts of them. */
  async discover(addresses: readonly Address[]): Promise<void> {
    const fresh = addresses.filter((address) => this.#cluster.account(address) === undefined);
    await this.ensure(fresh);
    const found = fresh.flatMap((address): MovedAccount[] => {
      const state = this.#cluster.account(address);
      return state === undefined ? [] : [{ address, state }];
    });
    if (found.length > 0) this.#cluster.moveAccounts(found);
  }

  /** Fetches those of the accounts that neither the fork nor an earlier call knows. */
  async ensure(addresses: readonly Address[]): Promise<void> {
    const unknown = [...new Set(addresses)].filter(
      (address) => !this.#asking.has(address) && this.#cluster.account(address) === undefined,
    );
    const room = ACCOUNTS_MAX - this.#asking.size;
    this.counters.beyondLimit += Math.max(0, unknown.length - room);
    for (let i = 0; i < Math.min(unknown.length, room); i += ACCOUNTS_PER_CALL) {
      const some = unknown.slice(i, Math.min(i + ACCOUNTS_PER_CALL, room));
      const asked = this.#fetch(some).catch((thrown: unknown) => {
        for (const address of some) this.#asking.delete(address);
        throw thrown;
      });
      for (const address of some) this.#asking.set(address, asked);
    }
    await Promise.all(addresses.map((address) => this.#asking.get(address)));
  }

  /** Takes over what changed at the origin since, all of one slot together: of these accounts, or of all it has. */
  async refresh(only: Iterable<Address> = this.#origin.keys()): Promise<void> {
    const addresses = [...only].filter(
      (address) =>
        this.#origin.has(address) && !this.#given.has(address) && this.#origin.get(address)?.executable !== true,
    );
    const states = await this.#readEven(addresses);
    const moved: MovedAccount[] = [];
    addresses.forEach((address, i) => {
      const now = states[i];
      if (isSame(this.#origin.get(address), now)) return;
      this.#origin.set(address, now);
      const own = this.#own.get(address);
      if (own === undefined) moved.push({ address, state: now ?? GONE });
      else {
        if (!own.movedAtOrigin) this.counters.keptApart++;
        own.movedAtOrigin = true;
      }
    });
    this.counters.refreshes++;
    this.counters.moved += moved.length;
    moved.push(...this.#rejoined());
    if (moved.length > 0) this.#cluster.moveAccounts(moved);
  }

  /** What transactions on the fork changed, beside the origin's state as it was last seen. */
  differences(): Difference[] {
    return [...this.#changes].flatMap(([address, { lamports, tokens }]) => {
      const own = this.#own.get(address);
      const [here, there] = [this.#cluster.account(address), this.#origin.get(address)];
      const dataDiffers = Buffer.compare(here?.data ?? NOTHING, there?.data ?? NOTHING) !== 0;
      if (lamports === 0n && (tokens ?? 0n) === 0n && !dataDiffers) return [];
      return [{ address, lamports, tokens, dataDiffers, movedAtOrigin: own?.movedAtOrigin ?? false }];
    });
  }

  #wrote(transaction: RecordedTransaction): void {
    const { written, keys, parsed, preBalances, postBalances, preTokenBalances, postTokenBalances } = transaction;
    const signers = new Set(parsed.staticKeys.slice(0, parsed.signatureCount));
    for (const { address } of written) {
      if (!this.#own.has(address)) this.#own.set(address, { movedAtOrigin: false });
      if (!this.#changes.has(address)) this.#changes.set(address, { lamports: 0n, tokens: undefined });
    }
    keys.forEach((address, i) => {
      const change = this.#changes.get(address);
      if (change !== undefined) change.lamports += (postBalances[i] ?? 0n) - (preBalances[i] ?? 0n);
    });
    const theirs = new Set<Address>(signers);
    for (const [balances, sign] of [[preTokenBalances, -1n] as const, [postTokenBalances, 1n] as const])
      for (const { accountIndex, amount, owner } of balances) {
        const address = keys[accountIndex] as Address;
        if (signers.has(owner)) theirs.add(address);
        const change = this.#changes.get(address);
        if (change !== undefined) change.tokens = (change.tokens ?? 0n) + sign * amount;
      }
    if (this.#options.rejoinSlots) this.#keepTogether(written.filter(({ address }) => !theirs.has(address)));
  }

  #keepTogether(written: readonly { readonly address: Address }[]): void {
    const merged: Group = { accounts: new Set(written.map(({ address }) => address)), sinceSlot: this.#cluster.slot };
    this.#groups = this.#groups.filter((group) => {
      if (![...group.accounts].some((address) => merged.accounts.has(address))) return true;
      for (const address of group.accounts) merged.accounts.add(address);
      if (group.sinceSlot < merged.sinceSlot) merged.sinceSlot = group.sinceSlot;
      return false;
    });
    this.#groups.push(merged);
  }

  /** The origin's states of the groups whose time is over. */
  #rejoined(): MovedAccount[] {
    const due = this.#cluster.slot - BigInt(this.#options.rejoinSlots ?? 0);
    const over = this.#groups.filter(({ sinceSlot }) => sinceSlot <= due);
    if (over.length === 0) return [];
    this.#groups = this.#groups.filter(({ sinceSlot }) => sinceSlot > due);
    const addresses = over.flatMap(({ accounts }) => [...accounts]);
    for (const address of addresses) this.#own.delete(address);
    this.counters.rejoined += addresses.length;
    return addresses.map((address) => ({ address, state: this.#origin.get(address) ?? GONE }));
  }

  async #fetch(addresses: readonly Address[]): Promise<void> {
    const { states } = await this.#read(addresses);
    for (const [i, address] of addresses.entries()) await this.#take(address, states[i]);
  }

  async #take(address: Address, state: AccountState | undefined): Promise<void> {
    if (this.#given.has(address)) return;
    this.#origin.set(address, state);
    // Whoever was first here stays: a transaction of the fork may have made it meanwhile.
    if (state === undefined || this.#cluster.account(address) !== undefined) return;
    this.counters.fetched++;
    if (!state.executable) this.#cluster.setAccount(address, state);
    else {
      this.counters.programs++;
      this.#cluster.addProgram(address, await this.#elfOf(address, state));
    }
    await this.#options.onTaken?.(address, state);
  }

  async #elfOf(address: Address, state: AccountState): Promise<Uint8Array> {
    if (state.owner !== UPGRADEABLE_LOADER) return state.data;
    const at = this.#cluster.book.text(state.data, PROGRAM_DATA_ADDRESS_AT);
    const data = (await this.#read([at])).states[0]?.data;
    return data !== undefined && data.length > ELF_AT
      ? data.slice(ELF_AT)
      : refuse(`the code of program ${address} in ${at}`, "nothing there");
  }

  async #wholeProgram(program: Address, options: unknown): Promise<void> {
    // Filters are the caller's: each other set of them is asked for once.
    const key = `${program} ${JSON.stringify(field(options, "filters") ?? null)}`;
    if (this.#wholePrograms.has(key)) return;
    const filters = field(options, "filters");
    const answer = await this.#call("getProgramAccounts", [
      program,
      { encoding: "base64", commitment: "processed", ...(filters !== undefined && { filters }) },
    ]);
    for (const item of list(answer)) {
      const address = field(item, "pubkey") as Address;
      if (typeof address !== "string" || this.#asking.has(address)) continue;
      this.#asking.set(address, Promise.resolve());
      await this.#take(address, readState(field(item, "account")));
    }
    this.#wholePrograms.add(key);
  }

  /** All of one slot; after some tries as they are. */
  async #readEven(addresses: readonly Address[]): Promise<readonly (AccountState | undefined)[]> {
    let states: (AccountState | undefined)[] = [];
    for (let tries = 0; tries < EVEN_TRIES_MAX; tries++) {
      const slots = new Set<number>();
      states = [];
      for (let i = 0; i < addresses.length; i += ACCOUNTS_PER_CALL) {
        const part = await this.#read(addresses.slice(i, i + ACCOUNTS_PER_CALL));
        slots.add(part.slot);
        states.push(...part.states);
      }
      if (slots.size <= 1) break;
    }
    return states;
  }

  async #read(addresses: readonly Address[]): Promise<{ slot: number; states: (AccountState | undefined)[] }> {
    const answer = await this.#call("getMultipleAccounts", [
      addresses,
      { encoding: "base64", commitment: "processed" },
    ]);
    const values = list(field(answer, "value"));
    if (values.length !== addresses.length) refuse(`${addresses.length} accounts`, `${values.length}`);
    return { slot: whole(field(answer, "context", "slot")) ?? 0, states: values.map(readState) };
  }

  async #call(method: string, params: readonly unknown[]): Promise<unknown> {
    const answer = await this.#rpc(method, params);
    return answer.ok ? answer.value : refuse(`an answer of the origin to ${method}`, answer.error.text);
  }
}

const NOTHING = new Uint8Array(0);
const GONE: AccountState = {
  lamports: 0n,
  owner: "11111111111111111111111111111111" as Address,
  data: NOTHING,
  executable: false,
};

function readState(value: unknown): AccountState | undefined {
  if (value === null || value === undefined) return undefined;
  const [data] = list(field(value, "data"));
  const [owner, lamports] = [field(value, "owner"), field(value, "lamports")];
  if (typeof data !== "string" || typeof owner !== "string" || typeof lamports !== "number")
    return refuse("an account with base64 data, owner and lamports", JSON.stringify(value).slice(0, 80));
  return {
    lamports: BigInt(lamports),
    owner: owner as Address,
    data: new Uint8Array(Buffer.from(data, "base64")),
    executable: field(value, "executable") === true,
  };
}

function isSame(a: AccountState | undefined, b: AccountState | undefined): boolean {
  if (a === undefined || b === undefined) return (a?.lamports ?? 0n) === 0n && (b?.lamports ?? 0n) === 0n;
  return a.lamports === b.lamports && a.owner === b.owner && Buffer.compare(a.data, b.data) === 0;
}

function refuse(want: string, was: string): never {
  throw new SandpiperError(SIM_ERROR.fork, `Cannot fork: ${want}, was ${was}`, "later");
}
