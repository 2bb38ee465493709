/**
 * What every agent puts between the bus and its switchboard: verification, the nonce on disk, the arguments, and the
 * two-person rule. A command that verified uses up its nonce even when its arguments are refused: it was answered, and is
 * not asked again.
 */
import type { Clock } from "#core/clock.ts";
import { err, ok, type Result } from "#core/result.ts";
import { type Order, readOrder } from "./arguments.ts";
import type { Refusal } from "./errors.ts";
import type { KeySet } from "./keys.ts";
import type { NonceFile } from "./nonces.ts";
import type { TwoPersonRule } from "./two-person.ts";
import { type VerifiedCommand, verifyCommand } from "./verify.ts";

export type Admission =
  | { readonly kind: "carryOut"; readonly verified: VerifiedCommand; readonly order: Order; readonly keyIds: string[] }
  | { readonly kind: "secondKeyNeeded"; readonly verified: VerifiedCommand; readonly untilSeconds: bigint };

export type GateOptions = {
  readonly keys: KeySet;
  readonly nonces: Pick<NonceFile, "last" | "take">;
  readonly twoPerson: TwoPersonRule;
  readonly clock: Pick<Clock, "wallNs">;
};

const NS_PER_SECOND = 1_000_000_000n;

/** Throws a SandpiperError when the nonce cannot be put on disk; the command is then neither refused nor carried out. */
export function admitCommand(bytes: Uint8Array, options: GateOptions): Result<Admission, Refusal> {
  const { keys, nonces, twoPerson, clock } = options;
  const nowSeconds = clock.wallNs() / NS_PER_SECOND;
  const answer = verifyCommand(bytes, keys, nowSeconds, (stream) => nonces.last(stream));
  if (!answer.ok) return answer;
  const verified = answer.value;
  const { command, key, signed, stream } = verified;
  nonces.take(stream, command.nonce);
  const order = readOrder(command);
  if (!order.ok) return err(order.error);
  const { module, action } = command;
  const { publicKeyHex } = key.key;
  const second = twoPerson.add({ module, action, signed, keyId: key.id, publicKeyHex }, nowSeconds);
  if (second.kind === "waiting") return ok({ kind: "secondKeyNeeded", verified, untilSeconds: second.untilSeconds });
  const keyIds = second.firstKeyId === undefined ? [key.id] : [second.firstKeyId, key.id];
  return ok({ kind: "carryOut", verified, order: order.value, keyIds });
}
