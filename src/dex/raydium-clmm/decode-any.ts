/** Any instruction and account of Raydium CLMM by the table beside this file: names and values, for records and people. */
import { namedLayout } from "#dex/named-layout.ts";
import { CLMM_INSTRUCTIONS, CLMM_RECORDS, CLMM_TYPES } from "./instruction-table.ts";

export const { instruction: decodeClmmInstruction, record: decodeClmmRecord } = namedLayout({
  program: "CLMM",
  instructions: CLMM_INSTRUCTIONS,
  records: CLMM_RECORDS,
  types: CLMM_TYPES,
});
