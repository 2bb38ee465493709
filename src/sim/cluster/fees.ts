/**
 * What a transaction costs its fee payer, by the rules of Agave's calculate_fee: 5,000 lamports for each signature (of
 * the transaction and of precompile instructions), plus the compute unit price times the compute unit limit, rounded up.
 */
import { SIGNATURE_FEE_LAMPORTS } from "#core/units.ts";
import type { CompiledInstruction, ParsedTransaction } from "./message.ts";

const COMPUTE_BUDGET_PROGRAM = "ComputeBudget111111111111111111111111111111";
/** Programs whose first data byte counts signatures that are paid for like the transaction's own. */
const SIGNATURE_PRECOMPILES = new Set([
  "Ed25519SigVerify111111111111111111111111111",
  "KeccakSecp256k11111111111111111111111111111",
  "Secp256r1SigVerify1111111111111111111111111",
]);
/** Built-in programs get a small share of the default limit each (SIMD-0170); all others the large one. */
const BUILTIN_PROGRAMS = new Set([
  COMPUTE_BUDGET_PROGRAM,
  ...SIGNATURE_PRECOMPILES,
  "11111111111111111111111111111111",
  "Vote111111111111111111111111111111111111111",
  "BPFLoader1111111111111111111111111111111111",
  "BPFLoader2111111111111111111111111111111111",
  "BPFLoaderUpgradeab1e11111111111111111111111",
  "LoaderV411111111111111111111111111111111111",
]);
const COMPUTE_UNITS_MAX = 1_400_000;
const COMPUTE_UNITS_PER_INSTRUCTION = 200_000;
const COMPUTE_UNITS_PER_BUILTIN = 3_000;
const MICRO_LAMPORTS_PER_LAMPORT = 1_000_000n;
const SET_COMPUTE_UNIT_LIMIT = 2;
const SET_COMPUTE_UNIT_PRICE = 3;

export type ComputeBudget = { readonly unitLimit: number; readonly microLamportsPerUnit: bigint };

export function feeLamports(parsed: ParsedTransaction): bigint {
  let signatures = BigInt(parsed.signatureCount);
  for (const instruction of parsed.instructions)
    if (SIGNATURE_PRECOMPILES.has(programOf(parsed, instruction))) signatures += BigInt(instruction.data[0] ?? 0);
  const { unitLimit, microLamportsPerUnit } = computeBudget(parsed);
  const priority = microLamportsPerUnit * BigInt(unitLimit);
  return (
    signatures * SIGNATURE_FEE_LAMPORTS + (priority + MICRO_LAMPORTS_PER_LAMPORT - 1n) / MICRO_LAMPORTS_PER_LAMPORT
  );
}

/** What the ComputeBudget instructions ask for, with the runtime's defaults where they are silent. */
export function computeBudget(parsed: ParsedTransaction): ComputeBudget {
  let unitLimit: number | undefined;
  let microLamportsPerUnit = 0n;
  let fallback = 0;
  for (const instruction of parsed.instructions) {
    const program = programOf(parsed, instruction);
    fallback += BUILTIN_PROGRAMS.has(program) ? COMPUTE_UNITS_PER_BUILTIN : COMPUTE_UNITS_PER_INSTRUCTION;
    if (program !== COMPUTE_BUDGET_PROGRAM) continue;
    const { data } = instruction;
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    if (data[0] === SET_COMPUTE_UNIT_LIMIT && data.length >= 5) unitLimit = view.getUint32(1, true);
    if (data[0] === SET_COMPUTE_UNIT_PRICE && data.length >= 9) microLamportsPerUnit = view.getBigUint64(1, true);
  }
  return { unitLimit: Math.min(unitLimit ?? fallback, COMPUTE_UNITS_MAX), microLamportsPerUnit };
}

function programOf(parsed: ParsedTransaction, { programIndex }: CompiledInstruction): string {
  return parsed.staticKeys[programIndex] ?? "";
}
