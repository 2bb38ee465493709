/** The topics of the bus, and what each is keyed by: order is kept per key. */

export const TOPICS = [
  "arbitrage-decisions-proto", // pool pair
  "sandwich-decisions-proto", // attacker
  "bundle-outcomes-proto", // bundle id
  "metrics-proto", // agent
  "control-commands-proto", // module
  "control-acks-proto", // request id
  "train-requests-proto", // job id
  "train-acks-proto", // job id
  "policy-updates-proto", // module
  "control-audit-proto", // door, or who did it
  "dead-letter-proto",
] as const;
export type Topic = (typeof TOPICS)[number];
