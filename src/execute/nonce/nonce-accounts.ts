/**
 * The wallet's durable nonce accounts, and the rule that holds for each of them:
 *
 *   free ──take──▸ taken on its value ──(the chain shows another value)──▸ free
 *
 * One trade per value, whatever becomes of it: it can execute until the value has moved on, however old it is, and not
 * after. So an account stays taken until the chain says so, over restarts too (`hold`, from the journal). A trade that
 * nobody takes is ended by a transaction that only advances the account. It rests on the same value, so the cluster
 * executes one of both and never both; and its bytes are always the same, so sending it again costs nothing.
 *
 * Values are read as confirmed, about twice a slot; an answer older than one that was heard is not believed.
 */
import type { Clock } from "#core/clock.ts";
import { type Address, SIGNATURE_FEE_LAMPORTS, type Signature } from "#core/units.ts";
import type { Keypair } from "#execute/keypair.ts";
import { compileMessage } from "#execute/message.ts";
import { field, list, type Rpc, whole } from "#execute/rpc.ts";
import { signatureOf, signTransaction } from "#execute/transaction.ts";
import { advanceNonce, nonceAddress } from "./nonce-account.ts";
import { type NonceReading, readNonces } from "./read-nonces.ts";

/** A value read longer ago is not built on: the cluster has not answered for long. */
const VALUE_AGE_NS_MAX = 30e9;
/** Between two sendings of the transaction that ends a value. */
const END_AGAIN_NS = 1e9;

/** What a transaction rests on: plain data, for the journal. */
export type NonceUse = {
  readonly account: Address;
  readonly value: string;
  /** It was the account's value in this slot; what is known of earlier ones says nothing. */
  readonly slot: number;
};

export type NonceAccountsParts = {
  readonly rpc: Rpc;
  readonly clock: Pick<Clock, "monotonicNs">;
  /** Pays, and may advance. */
  readonly wallet: Keypair;
  /** How many to send on; those of earlier lives are followed beside them. */
  readonly count: number;
};

type Followed = {
  /** What was sent on it last. */
  taken: NonceUse | undefined;
  reading: NonceReading;
  /** Slot of the newest answer that was believed, and of the first with this value; 0 before. */
  slot: number;
  valueSlot: number;
  readNs: number;
  endSentNs: number;
};

export class NonceAccounts {
  readonly #addresses: readonly Address[];
  readonly #followed = new Map<Address, Followed>();

  constructor(private readonly parts: NonceAccountsParts) {
    this.#addresses = Array.from({ length: parts.count }, (_, i) => nonceAddress(parts.wallet.address, i));
    for (const address of this.#addresses) this.#followed.set(address, unread());
  }

  /** Reads the accounts; keeps what it had where the cluster does not answer. */
  async refresh(): Promise<void> {
    const addresses = [...this.#followed.keys()];
    if (addresses.length === 0) return;
    const read = await readNonces(this.parts.rpc, addresses);
    if (read === undefined) return;
    const readNs = this.parts.clock.monotonicNs();
    addresses.forEach((address, i) => {
      const [followed, reading] = [this.#followed.get(address), read.readings[i]];
      if (followed === undefined || reading === undefined || read.slot < followed.slot) return;
      if (reading.state?.value !== followed.reading.state?.value) followed.valueSlot = read.slot;
      Object.assign(followed, { reading, slot: read.slot, readNs });
    });
  }

  /** A free account and its value, taken from now on; undefined when there is none. */
  take(): NonceUse | undefined {
    const { wallet, clock } = this.parts;
    for (const account of this.#addresses) {
      const followed = this.#followed.get(account) ?? unread();
      const { reading, taken, slot, valueSlot, readNs } = followed;
      const { state } = reading;
      if (state?.authority !== wallet.address || clock.monotonicNs() - readNs > VALUE_AGE_NS_MAX) continue;
      // No account advances twice in a slot.
      if (slot <= valueSlot || (taken !== undefined && this.ended(taken) === undefined)) continue;
      followed.taken = { account, value: state.value, slot };
      return followed.taken;
    }
    return undefined;
  }

  /** Takes back what was taken for a transaction that never left, or that every route refused. */
  giveBack({ account, value }: NonceUse): void {
    const followed = this.#followed.get(account);
    if (followed?.taken?.value === value) followed.taken = undefined;
  }

  /** Takes an account for a transaction that an earlier life sent. */
  hold(use: NonceUse): void {
    const followed = this.#followed.get(use.account) ?? unread();
    // Of two that an earlier life left open only the later one can still execute.
    if (followed.taken === undefined || followed.taken.slot < use.slot) followed.taken = use;
    this.#followed.set(use.account, followed);
  }

  /** Why a transaction on this can execute no more (if it has not); undefined while it can, or nobody knows. */
  ended({ account, value, slot }: NonceUse): string | undefined {
    const followed = this.#followed.get(account);
    if (followed === undefined || followed.slot <= slot) return undefined;
    const { state, why } = followed.reading;
    if (state?.value === value) return undefined;
    const now = state === undefined ? why : `was advanced from ${value} to ${state.value}`;
    return `its nonce account ${account} ${now} by slot ${followed.slot}`;
  }

  /** Sends what ends a value, at most once a second; only the chain's next value proves that it did. */
  async end(use: NonceUse): Promise<void> {
    const followed = this.#followed.get(use.account);
    const now = this.parts.clock.monotonicNs();
    if (followed === undefined || now - followed.endSentNs < END_AGAIN_NS) return;
    followed.endSentNs = now;
    const wire = Buffer.from(this.#ending(use)).toString("base64");
    await this.parts.rpc("sendTransaction", [wire, { encoding: "base64", skipPreflight: true }]);
  }

  /**
   * What it cost to end this value without the transaction that rested on it, in lamports; undefined where that one
   * executed after all, or where the cluster does not say yet.
   */
  async costOfEnd(use: NonceUse, signature: Signature): Promise<bigint | undefined> {
    const answer = await this.parts.rpc("getSignatureStatuses", [
      [signature, signatureOf(this.#ending(use))],
      { searchTransactionHistory: true },
    ]);
    const slot = answer.ok ? whole(field(answer.value, "context", "slot")) : undefined;
    const statuses = answer.ok ? list(field(answer.value, "value")) : [];
    // A node behind the one that showed the next value may not know what made it.
    if (slot === undefined || slot < (this.#followed.get(use.account)?.slot ?? 0) || statuses.length !== 2)
      return undefined;
    const [ours, ending] = statuses;
    if (ours !== null) return undefined;
    return ending === null ? 0n : SIGNATURE_FEE_LAMPORTS;
  }

  /** Ed25519 signs the same bytes the same way each time. */
  #ending({ account, value }: NonceUse): Uint8Array {
    const { wallet } = this.parts;
    const instructions = [advanceNonce(account, wallet.address)];
    return signTransaction(compileMessage({ payer: wallet.address, blockhash: value, instructions }), [wallet]);
  }
}

const unread = (): Followed => ({
  taken: undefined,
  reading: { state: undefined, why: "was not read yet", isThere: false },
  slot: 0,
  valueSlot: 0,
  readNs: Number.NEGATIVE_INFINITY,
  endSentNs: Number.NEGATIVE_INFINITY,
});
