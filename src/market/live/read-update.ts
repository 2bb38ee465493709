/**
 * Yellowstone's SubscribeUpdate (geyser.proto of yellowstone-grpc, solana-storage.proto of Agave) read from its bytes.
 * Fields are read by number; unknown ones are passed over, as protobuf asks. Whatever is cut short or of a wrong length
 * is a SandpiperError and never half an update.
 *
 *   SubscribeUpdate   2 account │ 3 slot │ 4 transaction │ 6 ping │ 7 blockMeta │ 8 entry │ 9 pong │ 11 created_at
 */
import { base58Encode } from "#core/base58.ts";
import { readAddress } from "#dex/bytes.ts";
import { ProtoReader, refuse, sized, whole } from "./proto-reader.ts";
import { readTransactionInfo } from "./read-transaction.ts";
import { type LiveUpdate, SLOT_STATUSES } from "./update.ts";

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** The largest account, its block beside it: what a node sends fits. */
const UPDATE_BYTES_MAX = 64 * 1024 * 1024;

/** Keys (number << 3 | type) of the fields that are read. */
const UPDATE = { account: 18, slot: 26, transaction: 34, ping: 50, blockMeta: 58, entry: 66, pong: 74 } as const;

/** Undefined for kinds that were not asked for (whole blocks, transaction statuses). */
export function readUpdate(bytes: Uint8Array): LiveUpdate | undefined {
  if (bytes.length > UPDATE_BYTES_MAX) return refuse(`at most ${UPDATE_BYTES_MAX} bytes`, `${bytes.length}`);
  // A Buffer's slices would share its memory.
  const reader = new ProtoReader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  let found: LiveUpdate | undefined;
  for (let key = reader.key(); key !== 0; key = reader.key()) {
    if (key === UPDATE.account) found = readAccount(reader.inner());
    else if (key === UPDATE.slot) found = readSlot(reader.inner());
    else if (key === UPDATE.transaction) found = readTransaction(reader.inner());
    else if (key === UPDATE.blockMeta) found = readBlock(reader.inner());
    else if (key === UPDATE.entry) found = readEntry(reader.inner());
    else {
      if (key === UPDATE.ping || key === UPDATE.pong) found = { kind: "ping" };
      reader.skip(key);
    }
  }
  whole(reader, "an update");
  return found;
}

function readAccount(reader: ProtoReader): LiveUpdate {
  let info: ProtoReader | undefined;
  let slot = 0;
  for (let key = reader.key(); key !== 0; key = reader.key()) {
    if (key === 10) info = reader.inner();
    else if (key === 16) slot = reader.number();
    else reader.skip(key);
  }
  whole(reader, "an account update");
  if (info === undefined) return refuse("an account update with its account", "one without");
  let address: Uint8Array | undefined;
  let owner: Uint8Array | undefined;
  let data: Uint8Array = new Uint8Array(0);
  let signature = "";
  let writeVersion = 0;
  for (let key = info.key(); key !== 0; key = info.key()) {
    if (key === 10) address = sized(info.view(), KEY_BYTES, "an account's address");
    else if (key === 26) owner = sized(info.view(), KEY_BYTES, "an account's owner");
    else if (key === 50) data = info.view().slice();
    else if (key === 56) writeVersion = info.number();
    else if (key === 66) signature = base58Encode(sized(info.view(), SIGNATURE_BYTES, "an account's signature"));
    else info.skip(key);
  }
  whole(info, "an account");
  if (address === undefined || owner === undefined) return refuse("an account with address and owner", "one without");
  const account = { address: readAddress(address, 0), owner: readAddress(owner, 0), data };
  return { kind: "account", slot, account, signature, writeVersion };
}

function readSlot(reader: ProtoReader): LiveUpdate {
  let slot = 0;
  let parent: number | undefined;
  let status = 0;
  for (let key = reader.key(); key !== 0; key = reader.key()) {
    if (key === 8) slot = reader.number();
    else if (key === 16) parent = reader.number();
    else if (key === 24) status = reader.number();
    else reader.skip(key);
  }
  whole(reader, "a slot update");
  const name = SLOT_STATUSES[status];
  if (name === undefined) return refuse(`a slot status from 0 to ${SLOT_STATUSES.length - 1}`, `${status}`);
  return { kind: "slot", slot, parent, status: name };
}

function readTransaction(reader: ProtoReader): LiveUpdate {
  let info: ProtoReader | undefined;
  let slot = 0;
  for (let key = reader.key(); key !== 0; key = reader.key()) {
    if (key === 10) info = reader.inner();
    else if (key === 16) slot = reader.number();
    else reader.skip(key);
  }
  whole(reader, "a transaction update");
  if (info === undefined) return refuse("a transaction update with its transaction", "one without");
  return { kind: "transaction", transaction: readTransactionInfo(info, slot) };
}

function readBlock(reader: ProtoReader): LiveUpdate {
  let [slot, parent, transactions, entries, blockhash] = [0, 0, 0, 0, ""];
  for (let key = reader.key(); key !== 0; key = reader.key()) {
    if (key === 8) slot = reader.number();
    else if (key === 18) blockhash = reader.text();
    else if (key === 48) parent = reader.number();
    else if (key === 64) transactions = reader.number();
    else if (key === 72) entries = reader.number();
    else reader.skip(key);
  }
  whole(reader, "a block's summary");
  return { kind: "block", slot, parent, blockhash, entries, transactions };
}

function readEntry(reader: ProtoReader): LiveUpdate {
  let [slot, index, transactions] = [0, 0, 0];
  for (let key = reader.key(); key !== 0; key = reader.key()) {
    if (key === 8) slot = reader.number();
    else if (key === 16) index = reader.number();
    else if (key === 40) transactions = reader.number();
    else reader.skip(key);
  }
  whole(reader, "an entry");
  return { kind: "entry", slot, index, transactions };
}
