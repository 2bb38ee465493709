/**
 * The API's end of the control river: signs what an admin asks for, or passes on what was signed elsewhere, and waits for the acks.
 * The agents judge everything again; what is checked here is checked so that a slip is told at once.
 */
import { existsSync } from "node:fs";
import type { Bus } from "#bus/bus.ts";
import { AckWatch } from "#control/ack-watch.ts";
import { readAnswers } from "#control/agent/answer-file.ts";
import { Commander, publishCommand, type SentCommand } from "#control/commander.ts";
import { type Refusal, refusal } from "#control/errors.ts";
import { type Environment, OPERATOR_KEY_ID, readAckKeys } from "#control/key-files.ts";
import type { KeySet } from "#control/keys.ts";
import { readSecretKeyFile, secretFromHex } from "#control/sign.ts";
import { verifyCommand } from "#control/verify.ts";
import type { Clock } from "#core/clock.ts";
import type { Log } from "#core/log.ts";
import type { RunPaths } from "#core/paths.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Ack } from "#wire/ack.ts";
import { type ActionName, decodeCommand, MODULE_NAMES, type ModuleName } from "#wire/command.ts";

export type ControlDeskOptions = {
  readonly bus: Bus;
  readonly paths: RunPaths;
  readonly environment: Environment;
  /** The secret to sign with when it is kept elsewhere than in the key file; empty: it is not. */
  readonly signKeyHex: string;
  readonly keys: () => KeySet;
  readonly clock: Pick<Clock, "wallNs">;
  readonly log: Log;
};
export type Target = { readonly module: ModuleName; readonly action: ActionName };

export class ControlDesk {
  readonly #options: ControlDeskOptions;
  readonly #commander: Commander | undefined;
  readonly #acks: AckWatch;

  /** Throws a SandpiperError when a key is there and cannot be used. */
  constructor(options: ControlDeskOptions) {
    const { bus, paths, log } = options;
    this.#options = options;
    this.#commander = openCommander(options);
    this.#acks = new AckWatch({ bus, keys: readAckKeys(paths.ackKeys), log });
  }

  ready(): Promise<void> {
    return this.#acks.ready();
  }

  get canSign(): boolean {
    return this.#commander !== undefined;
  }

  /** Signs and sends; undefined without a secret. Throws a SandpiperError when the arguments make no order. */
  async sign(
    target: Target,
    args: ReadonlyMap<string, string>,
    issuer: string,
    requestId: string | undefined,
  ): Promise<SentCommand | undefined> {
    return await this.#commander?.send({ ...target, args, issuer, ...(requestId !== undefined && { requestId }) });
  }

  /** Sends a command that was signed elsewhere, when it would be accepted now but for its nonce. */
  async pass(target: Target, bytes: Uint8Array): Promise<Result<SentCommand, Refusal>> {
    const { keys, clock, bus } = this.#options;
    const verified = verifyCommand(bytes, keys(), clock.wallNs() / 1_000_000_000n, () => undefined);
    if (!verified.ok) return verified;
    const { module, action } = decodeCommand(bytes);
    if (module !== target.module || action !== target.action)
      return err(refusal("module", `a command ${target.module}:${target.action}`, `${module}:${action}`));
    return ok(await publishCommand(bus, bytes));
  }

  /** Today an agent of each module, named after it. */
  acks({ module }: Target, { sha256 }: SentCommand, waitMs: number): Promise<readonly Ack[]> {
    return this.#acks.wait(sha256, [module], waitMs);
  }

  /** What commands have made of each agent. */
  states() {
    return MODULE_NAMES.map((agent) => ({ agent, state: readAnswers(this.#options.paths.controlState(agent)).state }));
  }

  async stop(): Promise<void> {
    await this.#acks.stop();
    this.#commander?.close();
  }
}

function openCommander({ bus, paths, environment, signKeyHex, clock }: ControlDeskOptions): Commander | undefined {
  const fromEnvironment = environment["CTRL_SIGN_SK_HEX"];
  const [hex, where] = signKeyHex !== "" ? [signKeyHex, "control.signKey"] : [fromEnvironment, "CTRL_SIGN_SK_HEX"];
  if (hex === undefined && !existsSync(paths.controlSecret)) return undefined;
  const key = hex === undefined ? readSecretKeyFile(paths.controlSecret) : secretFromHex(hex, where);
  const keyId = (hex === undefined ? undefined : environment["CTRL_PUBKEY_ID"]) ?? OPERATOR_KEY_ID;
  return new Commander({ bus, key, keyId, issuer: "api", noncesPath: paths.apiNonces, clock });
}
