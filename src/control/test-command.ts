/** Keys and commands for the tests of control: fixed seeds, so that a failure repeats. */
import type { Command } from "#wire/command.ts";
import { signingKey, verifyingKey } from "./ed25519.ts";
import { type ControlKey, EVERY_SCOPE, type KeySet } from "./keys.ts";

export const NOW_SECONDS = 1_790_000_000n;
export const ANA = signingKey(new Uint8Array(32).fill(1));
export const BEN = signingKey(new Uint8Array(32).fill(2));

export const controlKey = (id: string, publicKeyHex: string, more: Partial<ControlKey> = {}): ControlKey => ({
  id,
  key: verifyingKey(Buffer.from(publicKeyHex, "hex")),
  scopes: EVERY_SCOPE,
  revoked: false,
  ...more,
});

export const keySet = (...keys: readonly ControlKey[]): KeySet => new Map(keys.map((key) => [key.id, key]));

export const command = (more: Partial<Command> = {}): Command => ({
  tsSeconds: NOW_SECONDS,
  module: "arbitrage",
  action: "throttle",
  args: new Map([["throttle_pct", "25"]]),
  requestId: "request-1",
  issuer: "ana",
  schemaVersion: "ctrl-v1",
  sig: new Uint8Array(0),
  pubkeyId: "",
  sigAlg: "",
  nonce: 7n,
  ...more,
});
