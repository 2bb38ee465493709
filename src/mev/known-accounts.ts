/** Accounts of mainnet that say what a transaction is: where tips go, and the programs that route users' swaps. */
import type { Address } from "#core/units.ts";

/** The tip accounts of Jito's block engine. */
export const TIP_ACCOUNTS: ReadonlySet<Address> = new Set([
  "96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5",
  "HFqU5x63VTqvQss8hp11i4wVV8bD44PvwucfZ2bU7gRe",
  "Cw8CFyM9FkoMi7K7Crf6HNQqf4uEMzpKw6QNghXLvLkY",
  "ADaUMid9yfUytqMBgopwjb2DTLSokTSzL1zt6iGPaS49",
  "DfXygSm4jCyNCybVYYK6DwvWqjKee8pbDmJGcLWNDXjh",
  "ADuUkR4vqLUMWXxW9gh6D6L8pMSawimctcNZ5pGwDcEt",
  "DttWaMuVvTiduZRnguLF7jNxTgiMBZ1hyAumKUiL2KRL",
  "3AVi9Tg9Uo68tJfuvoKvqKNWKkC5wPdSSdeBnizKZ6jT",
] as readonly string[] as readonly Address[]);

/** Public aggregators: what they swap is a user's order, so it can be a victim and never an attacker's leg. */
export const AGGREGATORS: ReadonlySet<Address> = new Set([
  "JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4",
  "JUP4Fb2cqiRUcaTHdrPC8h2gNsA2ETXiPDD33WcGuJB",
  "routeUGWgWzqBWFcrCfv8tritsqukccJPu3q5GPP3xS",
  "6m2CDdhRgxpH4WjvdzxAYbGxwdGUz5MziiL5jek2kBma",
] as readonly string[] as readonly Address[]);
