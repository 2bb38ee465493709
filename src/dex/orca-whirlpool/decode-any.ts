/**
 * Any instruction of the Whirlpool program, and the accounts that no swap reads, by the tables beside this file: names and
 * values, for records and for people.
 */
import { namedLayout } from "#dex/named-layout.ts";
import { WHIRLPOOL_INSTRUCTIONS, WHIRLPOOL_RECORDS, WHIRLPOOL_TYPES } from "./instruction-table.ts";

export const { instruction: decodeWhirlpoolInstruction, record: decodeWhirlpoolRecord } = namedLayout({
  program: "Whirlpool",
  instructions: WHIRLPOOL_INSTRUCTIONS,
  records: WHIRLPOOL_RECORDS,
  types: WHIRLPOOL_TYPES,
});
