/**
 * Durable nonces of Solana's System program: an account holds a value that a transaction may name in place of a recent
 * blockhash. Its first instruction must then advance the account to its next value, which happens whether the rest
 * succeeds or fails; so a value serves one transaction, and that one never grows old.
 *
 *   u32  version          1; 0 is from before Agave 1.10.32 and no longer accepted
 *   u32  state            0 uninitialized, 1 initialized
 *   32   authority        who must sign to advance it
 *   32   value            SHA-256 over "DURABLE_NONCE" and the blockhash it was advanced under
 *   u64  lamports         per signature, when it was advanced
 *
 * All little endian, 80 bytes (solana-nonce, Versions and State in bincode).
 */
import { createHash } from "node:crypto";
import { base58Encode } from "#core/base58.ts";
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import { type Address, SIGNATURE_FEE_LAMPORTS } from "#core/units.ts";
import { addressBytes } from "#dex/bytes.ts";
import type { Instruction } from "#dex/instruction.ts";
import { SYSTEM_PROGRAM } from "#dex/program-addresses.ts";
import { EXECUTE_ERROR } from "#execute/errors.ts";

export const NONCE_ACCOUNT_BYTES = 80;
const AUTHORITY_AT = 8;
const VALUE_AT = 40;
const LAMPORTS_AT = 72;
const KEY_BYTES = 32;
const VERSION_CURRENT = 1;
const STATE_INITIALIZED = 1;

const RECENT_BLOCKHASHES = "SysvarRecentB1ockHashes11111111111111111111" as Address;
const RENT = "SysvarRent111111111111111111111111111111111" as Address;
const CREATE_ACCOUNT_WITH_SEED = 3;
const ADVANCE_NONCE = 4;
const INITIALIZE_NONCE = 6;

export type NonceState = {
  readonly authority: Address;
  /** Base58, as a blockhash is written. */
  readonly value: string;
};

/** The state of an initialized account of the current version; anything else is refused. */
export function decodeNonceAccount(data: Uint8Array): Result<NonceState, SandpiperError> {
  if (data.length !== NONCE_ACCOUNT_BYTES) return refuse(`${NONCE_ACCOUNT_BYTES} bytes`, `${data.length}`);
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const [version, state] = [view.getUint32(0, true), view.getUint32(4, true)];
  if (version !== VERSION_CURRENT) return refuse(`version ${VERSION_CURRENT}`, `${version}`);
  if (state !== STATE_INITIALIZED) return refuse("an initialized account", `state ${state}`);
  return ok({
    authority: base58Encode(data.subarray(AUTHORITY_AT, AUTHORITY_AT + KEY_BYTES)) as Address,
    value: base58Encode(data.subarray(VALUE_AT, VALUE_AT + KEY_BYTES)),
  });
}

/** The value that an account advanced under this blockhash (32 bytes) gets. */
export const durableNonce = (blockhash: Uint8Array): Uint8Array =>
  createHash("sha256").update("DURABLE_NONCE").update(blockhash).digest();

/** The bytes of an account advanced to `value`; what else is in them stays. */
export function advancedNonceAccount(data: Uint8Array, value: Uint8Array): Uint8Array {
  const next = Uint8Array.from(data);
  next.set(value, VALUE_AT);
  new DataView(next.buffer).setBigUint64(LAMPORTS_AT, SIGNATURE_FEE_LAMPORTS, true);
  return next;
}

/** The first instruction of a transaction on a nonce. */
export const advanceNonce = (account: Address, authority: Address): Instruction => ({
  programAddress: SYSTEM_PROGRAM,
  accounts: [
    { address: account, signer: false, writable: true },
    { address: RECENT_BLOCKHASHES, signer: false, writable: false },
    { address: authority, signer: true, writable: false },
  ],
  data: Uint8Array.of(ADVANCE_NONCE, 0, 0, 0),
});

/** Whether the runtime takes an instruction of this program with this data for the advance of a nonce. */
export const isAdvanceNonce = (program: Address | undefined, data: Uint8Array): boolean =>
  program === SYSTEM_PROGRAM &&
  data[0] === ADVANCE_NONCE &&
  data.length >= 4 &&
  data[1] === 0 &&
  data[2] === 0 &&
  data[3] === 0;

/** The wallet's nonce account of this number: the address that the runtime derives from a seed, so it needs no key of its own. */
export const nonceAddress = (wallet: Address, index: number): Address =>
  base58Encode(
    createHash("sha256")
      .update(addressBytes(wallet))
      .update(seedOf(index))
      .update(addressBytes(SYSTEM_PROGRAM))
      .digest(),
  ) as Address;

const seedOf = (index: number): Uint8Array => new TextEncoder().encode(`sandpiper-nonce-${index}`);

/** Makes the nonce account of this number; the wallet pays and may advance it. `lamports` must make it exempt from rent. */
export function createNonceAccount(wallet: Address, index: number, lamports: bigint): readonly Instruction[] {
  const seed = seedOf(index);
  const account = nonceAddress(wallet, index);
  const create = new Uint8Array(4 + KEY_BYTES + 8 + seed.length + 8 + 8 + KEY_BYTES);
  const view = new DataView(create.buffer);
  const lamportsAt = 4 + KEY_BYTES + 8 + seed.length;
  view.setUint32(0, CREATE_ACCOUNT_WITH_SEED, true);
  create.set(addressBytes(wallet), 4);
  view.setBigUint64(4 + KEY_BYTES, BigInt(seed.length), true);
  create.set(seed, 4 + KEY_BYTES + 8);
  view.setBigUint64(lamportsAt, lamports, true);
  view.setBigUint64(lamportsAt + 8, BigInt(NONCE_ACCOUNT_BYTES), true);
  create.set(addressBytes(SYSTEM_PROGRAM), lamportsAt + 16);
  const initialize = new Uint8Array(4 + KEY_BYTES);
  initialize[0] = INITIALIZE_NONCE;
  initialize.set(addressBytes(wallet), 4);
  return [
    {
      programAddress: SYSTEM_PROGRAM,
      accounts: [
        { address: wallet, signer: true, writable: true },
        { address: account, signer: false, writable: true },
      ],
      data: create,
    },
    {
      programAddress: SYSTEM_PROGRAM,
      accounts: [
        { address: account, signer: false, writable: true },
        { address: RECENT_BLOCKHASHES, signer: false, writable: false },
        { address: RENT, signer: false, writable: false },
      ],
      data: initialize,
    },
  ];
}

function refuse(must: string, was: string): Result<NonceState, SandpiperError> {
  return err(new SandpiperError(EXECUTE_ERROR.nonce, `Cannot read a nonce account: ${must}, was ${was}`));
}
