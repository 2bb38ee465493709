/** Any instruction and account of Meteora DLMM by the table beside this file: names and values, for records and people. */
import { namedLayout } from "#dex/named-layout.ts";
import { DLMM_INSTRUCTIONS, DLMM_RECORDS, DLMM_TYPES } from "./instruction-table.ts";

export const { instruction: decodeDlmmInstruction, record: decodeDlmmRecord } = namedLayout({
  program: "DLMM",
  instructions: DLMM_INSTRUCTIONS,
  records: DLMM_RECORDS,
  types: DLMM_TYPES,
});
