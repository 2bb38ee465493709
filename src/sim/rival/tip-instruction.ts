/** The system program's Transfer, as a tip is paid. */
import type { Address } from "#core/units.ts";
import type { Instruction } from "#dex/instruction.ts";
import { SYSTEM_PROGRAM } from "#dex/program-addresses.ts";

export function tipInstruction(from: Address, to: Address, lamports: bigint): Instruction {
  const data = new Uint8Array(12);
  const view = new DataView(data.buffer);
  view.setUint32(0, 2, true);
  view.setBigUint64(4, lamports, true);
  return {
    programAddress: SYSTEM_PROGRAM,
    accounts: [
      { address: from, signer: true, writable: true },
      { address: to, signer: false, writable: true },
    ],
    data,
  };
}
