/**
 * The words of a hot loop's tape (tape.ts) on their way from the hot thread to the io thread:
 *
 *   slot 1,024 bytes:   u32 kind │ u32 payload bytes │ f64 number of the entry │ payload (up to 1,008)
 *     1 record    one slot of the market ring            2 outcome  one slot of the OUTCOME_RING
 *     3 policy    f64 killed, stopped, throttle, EV floor, tips, ladder × 16
 *     4 readings  f64 × n: the clock, the risk limits' answers                    5 turn     f64 records taken: one call of doWork ends
 *     6 decision  one slot of the DECISION_RING          7 catalogue  f64 version: taken over between two turns
 */
export const TAPE_RING = { slotBytes: 1_024, capacity: 8_192 } as const;
export const TAPE_KIND = { record: 1, outcome: 2, policy: 3, clock: 4, turn: 5, decision: 6, catalogue: 7 } as const;
export const TAPE_PAYLOAD_AT = 16;
