/** What is waited for before calls are answered: a fork fetches from its origin what they need. */
import { errorText, SandpiperError } from "#core/error.ts";
import { RPC_ERROR } from "./json-rpc.ts";

export type Prepare = (method: string, params: readonly unknown[]) => Promise<void>;

/** Undefined when all is there; otherwise the answer that says what is not. */
export async function prepareCalls(text: string, prepare: Prepare): Promise<string | undefined> {
  try {
    const json: unknown = JSON.parse(text);
    for (const call of Array.isArray(json) ? json : [json]) {
      const { method, params } = (call ?? {}) as { method?: unknown; params?: unknown };
      if (typeof method === "string") await prepare(method, Array.isArray(params) ? params : []);
    }
    return undefined;
  } catch (thrown) {
    // What is no JSON is refused by the door itself.
    if (!(thrown instanceof SandpiperError)) return undefined;
    const error = { code: RPC_ERROR.internal, message: errorText(thrown) };
    return JSON.stringify({ jsonrpc: "2.0", error, id: null });
  }
}
