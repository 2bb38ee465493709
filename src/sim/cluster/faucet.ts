/** The account that requestAirdrop pays from. Its key follows from the seed: it is worth nothing outside this process. */
import type { Address } from "#core/units.ts";
import type { Instruction } from "#dex/instruction.ts";
import { type Keypair, keypairFromSeed } from "#execute/keypair.ts";
import { compileMessage } from "#execute/message.ts";
import { SYSTEM_PROGRAM } from "#execute/svm/machine.ts";
import { signTransaction } from "#execute/transaction.ts";

const COMPUTE_BUDGET_PROGRAM = "ComputeBudget111111111111111111111111111111" as Address;
const TRANSFER = 2;
const SET_COMPUTE_UNIT_LIMIT = 2;
const COMPUTE_UNITS_MIN = 10_000;

export const faucetOf = (seed: Uint8Array): Keypair => keypairFromSeed(seed);

/** A signed transfer; `number` makes two airdrops of the same amount in one slot different transactions. */
export function airdropTransaction(
  faucet: Keypair,
  to: Address,
  lamports: bigint,
  blockhash: string,
  number: number,
): Uint8Array {
  const limit = new Uint8Array(5);
  limit[0] = SET_COMPUTE_UNIT_LIMIT;
  new DataView(limit.buffer).setUint32(1, COMPUTE_UNITS_MIN + number, true);
  const transfer = new Uint8Array(12);
  const view = new DataView(transfer.buffer);
  view.setUint32(0, TRANSFER, true);
  view.setBigUint64(4, lamports, true);
  const instructions: Instruction[] = [
    { programAddress: COMPUTE_BUDGET_PROGRAM, accounts: [], data: limit },
    {
      programAddress: SYSTEM_PROGRAM,
      accounts: [
        { address: faucet.address, signer: true, writable: true },
        { address: to, signer: false, writable: true },
      ],
      data: transfer,
    },
  ];
  return signTransaction(compileMessage({ payer: faucet.address, blockhash, instructions }), [faucet]);
}
