/**
 * The two-person rule: an action that the policy lists is carried out only when two different keys have signed the same
 * canonical bytes within the window. The first signature waits here, in memory: a restart forgets it and the command must be
 * given anew. Two hands on one key are one person; keys are told apart by their bytes, not their ids.
 */
import type { Config } from "#core/config.ts";
import type { ActionName, ModuleName } from "#wire/command.ts";
import { covers, parseScope, type Scope } from "./keys.ts";

export type TwoPersonPolicy = {
  /** Which actions need two keys; none: the rule is off. */
  readonly scopes: readonly Scope[];
  /** Longest time between the two signatures. */
  readonly windowSeconds: bigint;
};

/** The policy of the options; throws a SandpiperError for a scope that is none. */
export function twoPersonPolicy(config: Config): TwoPersonPolicy {
  const scopes = config["control.twoPerson"].split(",").filter((text) => text !== "");
  return {
    scopes: scopes.map((scope) => parseScope(scope, "control.twoPerson")),
    windowSeconds: BigInt(config["control.twoPersonSeconds"]),
  };
}

export type TwoPersonAnswer =
  | { readonly kind: "complete"; readonly firstKeyId?: string }
  | { readonly kind: "waiting"; readonly untilSeconds: bigint };

export type SignedAction = {
  readonly module: ModuleName;
  readonly action: ActionName;
  readonly signed: Uint8Array;
  readonly keyId: string;
  readonly publicKeyHex: string;
};

/** Commands that may wait for their second key; the oldest gives way, and is counted. */
const WAITING_MAX = 64;

type Waiting = { readonly keyId: string; readonly publicKeyHex: string; readonly untilSeconds: bigint };

export class TwoPersonRule {
  readonly #policy: TwoPersonPolicy;
  readonly #waiting = new Map<string, Waiting>();
  /** First signatures that gave way to newer ones. */
  dropped = 0;

  constructor(policy: TwoPersonPolicy) {
    this.#policy = policy;
  }

  /** Adds one verified signature; "complete" when the command may be carried out now. */
  add(item: SignedAction, nowSeconds: bigint): TwoPersonAnswer {
    if (!covers(this.#policy.scopes, item.module, item.action)) return { kind: "complete" };
    const identity = Buffer.from(item.signed).toString("base64");
    const first = this.#waiting.get(identity);
    if (first !== undefined && nowSeconds <= first.untilSeconds) {
      if (first.publicKeyHex === item.publicKeyHex) return { kind: "waiting", untilSeconds: first.untilSeconds };
      this.#waiting.delete(identity);
      return { kind: "complete", firstKeyId: first.keyId };
    }
    this.#forgetLate(nowSeconds);
    const oldest = this.#waiting.keys().next();
    if (this.#waiting.size >= WAITING_MAX && oldest.done !== true) {
      this.#waiting.delete(oldest.value);
      this.dropped += 1;
    }
    const untilSeconds = nowSeconds + this.#policy.windowSeconds;
    this.#waiting.set(identity, { keyId: item.keyId, publicKeyHex: item.publicKeyHex, untilSeconds });
    return { kind: "waiting", untilSeconds };
  }

  #forgetLate(nowSeconds: bigint): void {
    for (const [identity, { untilSeconds }] of this.#waiting)
      if (untilSeconds < nowSeconds) this.#waiting.delete(identity);
  }
}
