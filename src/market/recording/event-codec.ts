/**
 * Market events as bytes. Numbers are varints (seven bits a byte, low first), signed ones zigzag; text is UTF-8 behind
 * its length. Addresses come by their number in the block: 0 and 32 bytes at first sight, 1 for none, then 2 and up.
 *
 *   event = kind u8 │ arrivedNs as the difference to the event before (the first of a block: to 0) │ slot │ by kind:
 *     1 snapshot, 3 writes   count, { address, owner, length, data }
 *     2 transaction          index │ 64 bytes signature │ fee payer │ flags (1 failed)
 *                            │ count, { program, depth (0 unknown), count, accounts, data length + 1 (0 unreadable), data }
 *                            │ count, log lines │ count, { token account, mint, decimals, change } │ accounts as in 1
 *     4 slot                 slotStartMs    5 gap  why    6 dead    7 end
 */
import { base58Decode, base58Encode } from "#core/base58.ts";
import { SandpiperError } from "#core/error.ts";
import type { Address, Signature } from "#core/units.ts";
import { readAddress } from "#dex/bytes.ts";
import { MARKET_ERROR } from "#market/errors.ts";
import type { AccountWrite, MarketEvent } from "#market/source.ts";
import type { MarketInstruction, MarketTransaction, TokenFacts } from "#market/transaction.ts";
import { ByteReader, ByteWriter } from "./varints.ts";

const KIND = { snapshot: 1, transaction: 2, writes: 3, slot: 4, gap: 5, dead: 6, end: 7 } as const;
const KINDS = Object.keys(KIND) as (keyof typeof KIND)[];
const ADDRESS_BYTES = 32;
const SIGNATURE_BYTES = 64;
const [NEW_ADDRESS, NO_ADDRESS, FIRST_ADDRESS] = [0, 1, 2];
const FAILED = 1;
/** Addresses whose bytes are kept. */
const CACHED_MAX = 65_536;

export class EventEncoder {
  readonly #writer = new ByteWriter();
  readonly #numbers = new Map<Address, number>();
  readonly #bytes = new Map<Address, Uint8Array>();
  #lastNs = 0;

  /** A new block begins: readers may start there. */
  restart(): void {
    this.#numbers.clear();
    this.#lastNs = 0;
  }

  /** The bytes of one event; events of a block must be encoded in their order. */
  encode(event: MarketEvent): Uint8Array {
    const writer = this.#writer;
    writer.begin();
    writer.byte(KIND[event.kind]);
    const ns = Math.round(event.arrivedNs);
    writer.signed(BigInt(ns - this.#lastNs));
    this.#lastNs = ns;
    writer.whole(Number(event.kind === "transaction" ? event.transaction.slot : event.slot));
    switch (event.kind) {
      case "snapshot":
      case "writes":
        this.#accounts(event.accounts);
        break;
      case "transaction":
        this.#transaction(event.transaction);
        this.#accounts(event.accounts);
        break;
      case "slot":
        writer.whole(event.slotStartMs);
        break;
      case "gap":
        writer.text(event.why);
        break;
      case "dead":
      case "end":
        break;
    }
    return writer.take();
  }

  #accounts(accounts: readonly AccountWrite[]): void {
    this.#writer.whole(accounts.length);
    for (const { address, owner, data } of accounts) {
      this.#address(address);
      this.#address(owner);
      this.#writer.whole(data.length);
      this.#writer.bytes(data);
    }
  }

  #transaction(transaction: MarketTransaction): void {
    const writer = this.#writer;
    writer.whole(transaction.indexInSlot);
    const signature = base58Decode(transaction.signature);
    if (signature.length !== SIGNATURE_BYTES)
      throw new SandpiperError(
        MARKET_ERROR.recording,
        `Cannot record a transaction: a signature of ${SIGNATURE_BYTES} bytes, was ${signature.length}`,
      );
    writer.bytes(signature);
    this.#address(transaction.feePayer);
    writer.byte(transaction.failed ? FAILED : 0);
    writer.whole(transaction.instructions.length);
    for (const { program, accounts, depth, data } of transaction.instructions) {
      this.#address(program);
      writer.whole(depth ?? 0);
      writer.whole(accounts.length);
      for (const account of accounts) this.#address(account);
      const bytes = data();
      writer.whole(bytes === undefined ? 0 : bytes.length + 1);
      if (bytes !== undefined) writer.bytes(bytes);
    }
    writer.whole(transaction.logs.length);
    for (const line of transaction.logs) writer.text(line);
    writer.whole(transaction.tokenAccounts.size);
    for (const [address, { mint, decimals, change }] of transaction.tokenAccounts) {
      this.#address(address);
      this.#address(mint);
      writer.whole(decimals);
      writer.signed(change);
    }
  }

  #address(address: Address): void {
    const known = this.#numbers.get(address);
    if (known !== undefined) {
      this.#writer.whole(known);
      return;
    }
    const bytes = address === "" ? undefined : this.#bytesOf(address);
    if (bytes?.length !== ADDRESS_BYTES) {
      this.#writer.whole(NO_ADDRESS);
      return;
    }
    this.#numbers.set(address, FIRST_ADDRESS + this.#numbers.size);
    this.#writer.whole(NEW_ADDRESS);
    this.#writer.bytes(bytes);
  }

  #bytesOf(address: Address): Uint8Array {
    let bytes = this.#bytes.get(address);
    if (bytes === undefined) {
      bytes = base58Decode(address);
      if (this.#bytes.size >= CACHED_MAX) this.#bytes.clear();
      this.#bytes.set(address, bytes);
    }
    return bytes;
  }
}

/** The events of one block. Throws a SandpiperError for bytes that are none. */
export function decodeEvents(block: Uint8Array): MarketEvent[] {
  const decoder = new Decoder(block);
  const events: MarketEvent[] = [];
  while (!decoder.reader.done) events.push(decoder.event());
  return events;
}

class Decoder {
  readonly reader: ByteReader;
  readonly #addresses: Address[] = [];
  #lastNs = 0;

  constructor(bytes: Uint8Array) {
    this.reader = new ByteReader(bytes);
  }

  event(): MarketEvent {
    const { reader } = this;
    const number = reader.byte();
    const kind = KINDS.find((name) => KIND[name] === number);
    const arrivedNs = this.#lastNs + Number(reader.signed());
    this.#lastNs = arrivedNs;
    const slot = BigInt(reader.whole());
    switch (kind) {
      case "snapshot":
      case "writes":
        return { kind, slot, arrivedNs, accounts: this.#accounts() };
      case "transaction": {
        const transaction = this.#transaction(slot);
        return { kind, arrivedNs, transaction, accounts: this.#accounts() };
      }
      case "slot":
        return { kind, slot, arrivedNs, slotStartMs: reader.whole() };
      case "gap":
        return { kind, slot, arrivedNs, why: reader.text() };
      case "dead":
      case "end":
        return { kind, slot, arrivedNs };
      case undefined:
        return reader.fail(`an event kind from 1 to ${KINDS.length}`, `${number}`);
    }
  }

  #accounts(): AccountWrite[] {
    return this.reader.list(3, () => {
      const [address, owner] = [this.#address(), this.#address()];
      return { address, owner, data: this.reader.bytes(this.reader.whole()).slice() };
    });
  }

  #transaction(slot: bigint): MarketTransaction {
    const { reader } = this;
    const indexInSlot = reader.whole();
    const signature = base58Encode(reader.bytes(SIGNATURE_BYTES)) as Signature;
    const feePayer = this.#address();
    const failed = (reader.byte() & FAILED) !== 0;
    const instructions = reader.list(4, () => this.#instruction());
    const logs = reader.list(1, () => reader.text());
    const tokenAccounts = new Map<Address, TokenFacts>(
      reader.list(4, () => {
        const [address, mint] = [this.#address(), this.#address()];
        return [address, { mint, decimals: reader.whole(), change: reader.signed() }] as const;
      }),
    );
    return { slot, indexInSlot, signature, feePayer, failed, instructions, logs, tokenAccounts };
  }

  #instruction(): MarketInstruction {
    const { reader } = this;
    const program = this.#address();
    const depth = reader.whole();
    const accounts = reader.list(1, () => this.#address());
    const length = reader.whole();
    const data = length === 0 ? undefined : reader.bytes(length - 1).slice();
    return { program, accounts, depth: depth === 0 ? undefined : depth, data: () => data };
  }

  #address(): Address {
    const number = this.reader.whole();
    if (number === NO_ADDRESS) return "" as Address;
    if (number !== NEW_ADDRESS)
      return (
        this.#addresses[number - FIRST_ADDRESS] ??
        this.reader.fail(`an address below ${this.#addresses.length + FIRST_ADDRESS}`, `${number}`)
      );
    const address = readAddress(this.reader.bytes(ADDRESS_BYTES), 0);
    this.#addresses.push(address);
    return address;
  }
}
