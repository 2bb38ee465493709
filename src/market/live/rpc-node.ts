/**
 * A node's JSON-RPC, for snapshots and for filling gaps: one call, bounded tries. A node that says "too many requests"
 * (429) is left alone for as long as it asks, and longer each time; nothing here ever storms it. Errors name the node by
 * its origin only: the rest of an address often holds a key.
 */
import { errorText, SandpiperError } from "#core/error.ts";
import type { Random } from "#core/random.ts";
import { MARKET_ERROR } from "#market/errors.ts";
import { type Refuse, Walker } from "#market/json-walker.ts";
import { Retry, type RetryLimits } from "./retry.ts";

export type RpcNodeLimits = RetryLimits & { readonly triesMax: number; readonly callMsMax: number };

const LIMITS: RpcNodeLimits = { retryMsMin: 250, retryMsMax: 16_000, triesMax: 6, callMsMax: 10_000 };
const METHOD_NOT_FOUND = -32_601;
const HTTP_TOO_MANY = 429;
const HTTP_SERVER_ERROR = 500;
/** A node may not make us wait longer than this at once. */
const ASKED_MS_MAX = 60_000;

export class RpcNode {
  readonly counters = { calls: 0, tooMany: 0, failed: 0 };
  /** What people are told of the node. */
  readonly name: string;
  readonly #url: string;
  readonly #retry: Retry;
  readonly #limits: RpcNodeLimits;

  constructor(url: string, random: Random, limits: Partial<RpcNodeLimits> = {}) {
    this.#url = url;
    this.name = URL.canParse(url) ? new URL(url).origin : "an address that is none";
    this.#limits = { ...LIMITS, ...limits };
    this.#retry = new Retry(this.#limits, random);
  }

  /** The call's result. Throws a SandpiperError: `nodeBusy` after too many refusals, `message` for what is no answer. */
  async call(method: string, params: readonly unknown[]): Promise<Walker> {
    let last = "";
    for (let tries = 0; tries < this.#limits.triesMax; tries++) {
      const answer = await this.#once(method, params);
      if (answer.kind === "answer") {
        this.#retry.succeeded();
        return answer.result;
      }
      last = answer.why;
      await this.#retry.pause(answer.askedMs);
    }
    throw new SandpiperError(
      MARKET_ERROR.nodeBusy,
      `Cannot ask ${this.name} for ${method}: an answer within ${this.#limits.triesMax} tries, was ${last}`,
      "later",
    );
  }

  /** "ok", or what the node says is wrong with it (getHealth); a node without the method is not asked. */
  async health(): Promise<string> {
    try {
      return (await this.call("getHealth", [])).text();
    } catch (thrown) {
      if (!(thrown instanceof SandpiperError) || thrown.code !== MARKET_ERROR.message) throw thrown;
      return thrown.message.includes(`error ${METHOD_NOT_FOUND}`) ? "ok" : thrown.message;
    }
  }

  async #once(
    method: string,
    params: readonly unknown[],
  ): Promise<{ kind: "answer"; result: Walker } | { kind: "again"; why: string; askedMs: number }> {
    this.counters.calls++;
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.#url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
        signal: AbortSignal.timeout(this.#limits.callMsMax),
      });
      text = await response.text();
    } catch (thrown) {
      this.counters.failed++;
      return { kind: "again", why: errorText(thrown).replaceAll(this.#url, this.name), askedMs: 0 };
    }
    if (response.status === HTTP_TOO_MANY || response.status >= HTTP_SERVER_ERROR) {
      if (response.status === HTTP_TOO_MANY) this.counters.tooMany++;
      else this.counters.failed++;
      const seconds = Number(response.headers.get("retry-after") ?? 0);
      const askedMs = Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1_000, ASKED_MS_MAX) : 0;
      return { kind: "again", why: `HTTP ${response.status}`, askedMs };
    }
    return { kind: "answer", result: this.#read(method, text) };
  }

  #read(method: string, text: string): Walker {
    const refuse: Refuse = (place, want, was) => {
      throw new SandpiperError(
        MARKET_ERROR.message,
        `Cannot read what ${this.name} answered: ${place} to be ${want}, was ${was}`,
        "later",
      );
    };
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      return refuse(`the answer to ${method}`, "JSON", text.slice(0, 80));
    }
    const answer = new Walker(json, `the answer to ${method}`, refuse);
    if (answer.has("error")) {
      const { code, message } = (json as { error: { code?: unknown; message?: unknown } }).error ?? {};
      return refuse(`the answer to ${method}`, "a result", `error ${code}: ${String(message).slice(0, 200)}`);
    }
    // A result of null is an answer too, so it is not asked for by `at`.
    return new Walker((json as { result?: unknown }).result, `the answer to ${method}.result`, refuse);
  }
}
