/** An instruction before it is compiled into a message: plain data, the same in every room that builds or reads one. */
import type { Address } from "#core/units.ts";

export type AccountUse = {
  readonly address: Address;
  readonly signer: boolean;
  readonly writable: boolean;
};

export type Instruction = {
  readonly programAddress: Address;
  readonly accounts: readonly AccountUse[];
  readonly data: Uint8Array;
};
