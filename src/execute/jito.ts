/**
 * Jito's block engine over JSON-RPC (docs.jito.wtf): bundles in base64, statuses at most five at a time, tip accounts,
 * tip floor. One transaction per bundle, its tip inside. When the engine says 429, statuses wait and the wait doubles up
 * to BACKOFF_MS_MAX; a bundle is never sent twice by itself, for it would be late.
 */

import { base58Decode } from "#core/base58.ts";
import type { Clock } from "#core/clock.ts";
import { SandpiperError } from "#core/error.ts";
import { EXECUTE_ERROR } from "./errors.ts";
import { answerOf, type Route, type RouteStatus, type SendAnswer } from "./route.ts";
import { createRpc, field, list, type Rpc, type RpcFailure, whole } from "./rpc.ts";

/** Ids in one status call: Jito's limit. */
const STATUS_IDS_MAX = 5;
/** Status calls in one round; the ids beyond wait for the next. */
const STATUS_CALLS_MAX = 8;
const BACKOFF_MS_MIN = 100;
const BACKOFF_MS_MAX = 5_000;
const TOO_MANY = 429;
const TIP_FLOOR_MS_MAX = 2_000;

export type JitoOptions = {
  /** Up to and without "/api/v1". */
  readonly url: string;
  /** Jito's UUID for a higher rate; empty or left out for none. */
  readonly token?: string;
  /** Where the tip floor is told, without its path; empty or left out: at `url`. */
  readonly tipFloorUrl?: string;
  readonly clock: Pick<Clock, "monotonicNs">;
  /** 0 <= x < 1: which tip account the next bundle pays, so that bundles do not all write the same one. */
  readonly random: () => number;
};

/** Asks the engine for its tip accounts first; throws a SandpiperError (retry later) when it does not answer. */
export async function openJitoRoute(options: JitoOptions): Promise<JitoRoute> {
  const rpc = rpcOf(options);
  const answer = await rpc("getTipAccounts", []);
  const accounts = answer.ok ? list(answer.value).filter(isAddress) : [];
  if (accounts.length === 0)
    throw new SandpiperError(
      EXECUTE_ERROR.route,
      `Cannot use the block engine ${options.url}: tip accounts, was ${answer.ok ? "none" : answer.error.text}`,
      "later",
    );
  return new JitoRoute(rpc, accounts, options);
}

/** With tip accounts that another region told. */
export const jitoRouteOf = (options: JitoOptions, tipAccounts: readonly string[]): JitoRoute =>
  new JitoRoute(rpcOf(options), tipAccounts, options);

function rpcOf({ url, token }: JitoOptions): Rpc {
  return createRpc({ url: `${url}/api/v1/bundles`, headers: token ? { "x-jito-auth": token } : {} });
}

export class JitoRoute implements Route {
  readonly name = "jito";
  /** Answers of 429 so far. */
  limited = 0;
  tipFloorLamports = 0;
  #backoffMs = 0;
  #inFlight = 0;
  #sent = 0;
  #failed = 0;
  #rttNs = 0;
  #silentUntilNs = 0;
  /** Where the next round of statuses begins, so that all of many ids get their turn. */
  #turn = 0;

  constructor(
    private readonly rpc: Rpc,
    readonly tipAccounts: readonly string[],
    private readonly options: JitoOptions,
  ) {}

  /** It said 429 and its back-off is not over. */
  get isSilent(): boolean {
    return this.options.clock.monotonicNs() < this.#silentUntilNs;
  }

  /** Whether it answers at all. */
  async ping(): Promise<boolean> {
    const answer = await this.rpc("getTipAccounts", []);
    if (!answer.ok && answer.error.code === TOO_MANY) this.#backOff();
    return answer.ok || answer.error.code !== 0;
  }

  tipAccount(): string {
    return this.tipAccounts[Math.floor(this.options.random() * this.tipAccounts.length)] as string;
  }

  get health() {
    return {
      healthy: this.#backoffMs === 0,
      rttNs: this.#rttNs,
      inFlight: this.#inFlight,
      sent: this.#sent,
      failed: this.#failed,
    };
  }

  async send(wire: Uint8Array, routeId: string): Promise<SendAnswer> {
    const startNs = this.options.clock.monotonicNs();
    this.#inFlight++;
    const answer = await this.#sendBundle(wire, routeId);
    this.#inFlight--;
    this.#rttNs = this.options.clock.monotonicNs() - startNs;
    if (answer.kind === "accepted") this.#sent++;
    else this.#failed++;
    return answer;
  }

  async #sendBundle(wire: Uint8Array, routeId: string): Promise<SendAnswer> {
    const answer = await this.rpc("sendBundle", [[Buffer.from(wire).toString("base64")], { encoding: "base64" }]);
    if (answer.ok) {
      if (typeof answer.value === "string") return { kind: "accepted", routeId: answer.value };
      return { kind: "rejected", why: "the block engine answered without a bundle id" };
    }
    if (answer.error.code === TOO_MANY) this.#backOff();
    return answerOf(answer.error, "the block engine", routeId);
  }

  /** Asks for the tip floor; keeps the one it had when the engine does not tell. */
  async refreshTipFloor(): Promise<void> {
    if (this.isSilent) return;
    const { url, tipFloorUrl } = this.options;
    try {
      const response = await fetch(`${tipFloorUrl || url}/api/v1/bundles/tip_floor`, {
        signal: AbortSignal.timeout(TIP_FLOOR_MS_MAX),
      });
      if (response.status === TOO_MANY) this.#backOff();
      const [floor] = list(response.ok ? await response.json() : undefined);
      const sol = field(floor, "landed_tips_75th_percentile");
      if (typeof sol === "number" && sol >= 0) this.tipFloorLamports = Math.round(sol * 1e9);
    } catch {
      // Nobody answered: the floor of before is the best there is.
    }
  }

  async statuses(routeIds: readonly string[]): Promise<readonly RouteStatus[] | undefined> {
    if (this.isSilent) return undefined;
    const statuses: RouteStatus[] = routeIds.map(() => ({ kind: "pending" }));
    const batches = Math.ceil(routeIds.length / STATUS_IDS_MAX);
    for (let call = 0; call < Math.min(batches, STATUS_CALLS_MAX); call++) {
      const start = ((this.#turn + call) % batches) * STATUS_IDS_MAX;
      const ids = routeIds.slice(start, start + STATUS_IDS_MAX);
      const answer = await this.rpc("getInflightBundleStatuses", [ids]);
      if (!answer.ok) return this.#cannotAsk(answer.error);
      const byId = new Map(list(field(answer.value, "value")).map((entry) => [field(entry, "bundle_id"), entry]));
      ids.forEach((id, i) => {
        statuses[start + i] = readStatus(byId.get(id));
      });
    }
    this.#turn += STATUS_CALLS_MAX;
    this.#backoffMs = 0;
    return statuses;
  }

  #cannotAsk(error: RpcFailure): undefined {
    if (error.code === TOO_MANY) this.#backOff();
    return undefined;
  }

  #backOff(): void {
    this.limited++;
    this.#backoffMs = Math.min(BACKOFF_MS_MAX, Math.max(BACKOFF_MS_MIN, 2 * this.#backoffMs));
    this.#silentUntilNs = this.options.clock.monotonicNs() + this.#backoffMs * 1e6;
  }
}

function readStatus(entry: unknown): RouteStatus {
  const slot = whole(field(entry, "landed_slot"));
  switch (field(entry, "status")) {
    case "Pending":
      return { kind: "pending" };
    case "Landed":
      return slot === undefined ? { kind: "pending" } : { kind: "landed", slot };
    case "Failed":
      return { kind: "failed", why: "the block engine says Failed" };
    default:
      return { kind: "unknown" };
  }
}

function isAddress(value: unknown): value is string {
  try {
    return typeof value === "string" && base58Decode(value).length === 32;
  } catch {
    return false;
  }
}
