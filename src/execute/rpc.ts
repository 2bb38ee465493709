/**
 * A thin Solana JSON-RPC client: one call, one bounded wait, a typed result. Never throws; what the server says wrong is
 * a failure with `retry` telling whether to try again. Numbers above 2^53 arrive as JSON numbers and are only used where
 * they are small enough (slots, heights) or come as text.
 */
import { errorText } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";

export type RpcFailure = {
  /** The server's JSON-RPC code, the HTTP status, or 0 when nobody answered. */
  readonly code: number;
  readonly text: string;
  readonly retry: "now" | "later" | "never";
};
type RpcResult = Result<unknown, RpcFailure>;
export type Rpc = (method: string, params: readonly unknown[]) => Promise<RpcResult>;

export type RpcOptions = {
  readonly url: string;
  readonly timeoutMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
};

const TIMEOUT_MS = 2_000;
const HTTP_TOO_MANY = 429;
/** "Block not available for slot" and its kin: the node is not there yet. */
const NOT_YET = new Set([-32_004, -32_007, -32_014, -32_016]);

export function createRpc({ url, timeoutMs = TIMEOUT_MS, headers = {} }: RpcOptions): Rpc {
  let id = 0;
  const name = URL.canParse(url) ? new URL(url).origin : "an address that is none";
  return async (method, params) => {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params }),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const body: unknown = await response.json().catch(() => undefined);
      const error = field(body, "error");
      if (isRecord(error)) {
        const code = typeof error["code"] === "number" ? error["code"] : response.status;
        const limited = response.status === HTTP_TOO_MANY || code === HTTP_TOO_MANY;
        const retry = limited || NOT_YET.has(code) ? "later" : "never";
        return err({ code: limited ? HTTP_TOO_MANY : code, text: String(error["message"] ?? "no message"), retry });
      }
      if (!response.ok) return err({ code: response.status, text: `HTTP ${response.status}`, retry: "later" as const });
      if (!isRecord(body) || !("result" in body))
        return err({ code: response.status, text: "an answer without a result", retry: "later" as const });
      return ok(body["result"]);
    } catch (thrown) {
      // The rest of an address often holds a key.
      return err({ code: 0, text: errorText(thrown).replaceAll(url, name), retry: "later" as const });
    }
  };
}

/** Foreign JSON: an object, or not. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A field of foreign JSON; undefined when there is none. */
export function field(value: unknown, ...path: string[]): unknown {
  let at = value;
  for (const name of path) at = isRecord(at) ? at[name] : undefined;
  return at;
}

/** A list in foreign JSON; empty when it is none. */
export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** A whole number in foreign JSON, or undefined. */
export const whole = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
