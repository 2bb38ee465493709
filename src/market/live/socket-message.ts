/** What a node's PubSub WebSocket says (JSON-RPC 2.0, Agave's notifications), checked whole here. */
import { SandpiperError } from "#core/error.ts";
import type { Address } from "#core/units.ts";
import { decodeBase64 } from "#dex/bytes.ts";
import { MARKET_ERROR } from "#market/errors.ts";
import { Walker } from "#market/json-walker.ts";

export type SocketNotice =
  | { readonly kind: "subscribed"; readonly id: number; readonly subscription: number }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "slot"; readonly slot: number; readonly parent: number; readonly root: number }
  | { readonly kind: "logs"; readonly slot: number; readonly signature: string }
  | {
      readonly kind: "account";
      readonly slot: number;
      readonly subscription: number;
      /** Undefined in a notice of accountSubscribe, whose subscription tells it. */
      readonly address: Address | undefined;
      readonly owner: Address;
      readonly data: Uint8Array;
    };

const ADDRESS = /^[1-9A-HJ-NP-Za-km-z]{32,44}$/;
const SIGNATURE = /^[1-9A-HJ-NP-Za-km-z]{64,88}$/;

/** Undefined for notices that were not asked for. Throws a SandpiperError for what is no message of a node. */
export function readSocketMessage(text: string): SocketNotice | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return refuse("the message", "JSON", text.slice(0, 80));
  }
  const message = new Walker(json, "the message", refuse);
  if (message.has("id")) {
    if (message.has("error")) return { kind: "refused", why: JSON.stringify(message.at("error").value) };
    return { kind: "subscribed", id: message.at("id").whole(), subscription: message.at("result").whole() };
  }
  const subscription = message.at("params").at("subscription").whole();
  const result = message.at("params").at("result");
  switch (message.at("method").text()) {
    case "slotNotification":
      return {
        kind: "slot",
        slot: result.at("slot").whole(),
        parent: result.at("parent").whole(),
        root: result.at("root").whole(),
      };
    case "logsNotification":
      return {
        kind: "logs",
        slot: result.at("context").at("slot").whole(),
        signature: result.at("value").at("signature").text(SIGNATURE, "a signature"),
      };
    case "accountNotification":
      return account(result, result.at("value"), undefined, subscription);
    case "programNotification": {
      const value = result.at("value");
      const address = value.at("pubkey").text(ADDRESS, "an address") as Address;
      return account(result, value.at("account"), address, subscription);
    }
    default:
      return undefined;
  }
}

function account(result: Walker, value: Walker, address: Address | undefined, subscription: number): SocketNotice {
  const [encoded] = value.at("data").list();
  const data = encoded && decodeBase64(encoded.text());
  return {
    kind: "account",
    slot: result.at("context").at("slot").whole(),
    subscription,
    address,
    owner: value.at("owner").text(ADDRESS, "an address") as Address,
    data: data ?? value.at("data").fail("base64 data"),
  };
}

function refuse(place: string, want: string, was: string): never {
  throw new SandpiperError(
    MARKET_ERROR.message,
    `Cannot read a node's message: ${place} to be ${want}, was ${was}`,
    "later",
  );
}
