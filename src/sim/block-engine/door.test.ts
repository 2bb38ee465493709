/** The HTTP door, asked as a client of Jito asks: answers, and every way to be refused. */
import { afterEach, describe, expect, test } from "bun:test";
import { base58Encode } from "#core/base58.ts";
import { signatureOf } from "#execute/transaction.ts";
import { type BlockEngineDoor, startBlockEngineDoor } from "./door.ts";
import { keyOf, paying, SOL, stage, TIP_ACCOUNT } from "./fixture.ts";
import { TIP_ACCOUNTS } from "./tip-accounts.ts";

let door: BlockEngineDoor | undefined;
afterEach(async () => door?.stop());

function open(requestsPerSecondMax = 1_000) {
  const place = stage();
  door = startBlockEngineDoor(place.engine, { port: 0, requestsPerSecondMax });
  const { url } = door;
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: response.status, headers: response.headers, json: (await response.json()) as unknown };
  };
  const call = (method: string, params: unknown, path = "/api/v1/bundles") =>
    post(path, { jsonrpc: "2.0", id: 1, method, params });
  return { ...place, url, post, call };
}

const base64 = (wire: Uint8Array) => Buffer.from(wire).toString("base64");

describe("block engine door", () => {
  test("takes a bundle in base58 and in base64 and tells its statuses", async () => {
    const { cluster, engine, paid, call } = open();
    const first = paying(cluster, paid("a"), [[TIP_ACCOUNT, 4_000n]]);
    const second = paying(cluster, paid("b"), [[TIP_ACCOUNT, 5_000n]]);
    const sent = await call("sendBundle", [[base58Encode(first)]]);
    const sentToo = await call("sendBundle", [[base64(second)], { encoding: "base64" }]);
    const ids = [sent, sentToo].map(({ json }) => (json as { result: string }).result);
    const inflight = async () => (await call("getInflightBundleStatuses", [[...ids, "unknown"]])).json;
    const shown = (status: string, slot: number | null) =>
      ids.map((id) => ({ bundle_id: id, status, landed_slot: slot }));
    const unknown = { bundle_id: "unknown", status: "Invalid", landed_slot: null };
    const slot = Number(cluster.slot);
    expect(await inflight()).toMatchObject({
      result: { context: { slot }, value: [...shown("Pending", null), unknown] },
    });
    engine.tick();
    expect(await inflight()).toMatchObject({ result: { value: [...shown("Landed", slot), unknown] } });
    cluster.nextSlot();
    expect((await call("getBundleStatuses", [[ids[0], "unknown"]], "/api/v1/getBundleStatuses")).json).toEqual({
      jsonrpc: "2.0",
      id: 1,
      result: {
        context: { slot: slot + 1 },
        value: [
          {
            bundle_id: ids[0],
            transactions: [signatureOf(first)],
            slot,
            confirmation_status: "confirmed",
            err: { Ok: null },
          },
          null,
        ],
      },
    });
  });

  test("answers Jito's tip accounts", async () => {
    const { call } = open();
    expect((await call("getTipAccounts", [], "/api/v1/getTipAccounts")).json).toMatchObject({ result: TIP_ACCOUNTS });
    expect(new Set(TIP_ACCOUNTS).size).toBe(8);
  });

  test("sends a single transaction at once, or through the auction when it is bundleOnly", async () => {
    const { cluster, engine, paid, call } = open();
    const plain = paying(cluster, paid("a"), [[keyOf("x").address, SOL]]);
    const sent = await call("sendTransaction", [base64(plain), { encoding: "base64" }], "/api/v1/transactions");
    expect(sent.json).toMatchObject({ result: signatureOf(plain) });
    expect(sent.headers.get("x-bundle-id")).toBeNull();
    expect(cluster.account(keyOf("x").address)?.lamports).toBe(SOL);
    const tipping = paying(cluster, paid("b"), [[TIP_ACCOUNT, 1_000n]]);
    const bundled = await call("sendTransaction", [base58Encode(tipping)], "/api/v1/transactions?bundleOnly=true");
    expect(bundled.json).toMatchObject({ result: signatureOf(tipping) });
    expect(engine.history.find(bundled.headers.get("x-bundle-id") ?? "")?.state).toEqual({ kind: "pending" });
  });

  test("tells the tip floor in SOL", async () => {
    const { cluster, engine, paid, url } = open();
    for (const tip of [1_000n, 2_000n, 3_000n, 4_000n, 5_000n])
      engine.send([paying(cluster, paid(`${tip}`), [[TIP_ACCOUNT, tip]])]);
    engine.tick();
    const floor = (await (await fetch(`${url}/api/v1/bundles/tip_floor`)).json()) as Record<string, unknown>[];
    expect(floor[0]).toMatchObject({
      time: "2023-11-14T22:13:20.000Z",
      landed_tips_25th_percentile: 0.000_002,
      landed_tips_50th_percentile: 0.000_003,
      landed_tips_75th_percentile: 0.000_004,
    });
  });

  const wire = () => {
    const { cluster, paid } = stage();
    return base64(paying(cluster, paid("a"), [[TIP_ACCOUNT, 1_000n]]));
  };
  const request = (method: string, params: unknown) => JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const errors: readonly (readonly [string, string, number, number, string])[] = [
    ["text that is no JSON", "{", 200, -32_700, "Parse error"],
    ["a request without a method", '{"jsonrpc":"2.0","id":1}', 200, -32_600, "Invalid request"],
    ["an unknown method", request("getFortune", []), 200, -32_601, "Method not found"],
    ["sendBundle without a list", request("sendBundle", []), 400, -32_602, "Invalid params: a list of encoded"],
    [
      "an unknown encoding",
      request("sendBundle", [[wire()], { encoding: "hex" }]),
      400,
      -32_602,
      "Invalid params: encoding must be base58 or base64",
    ],
    [
      "a transaction that is no text",
      request("sendBundle", [[7]]),
      400,
      -32_602,
      "transaction #0 could not be decoded",
    ],
    ["text outside base58", request("sendBundle", [["0OIl"]]), 400, -32_602, "transaction #0 could not be decoded"],
    [
      "text outside base64",
      request("sendBundle", [["***"], { encoding: "base64" }]),
      400,
      -32_602,
      "transaction #0 could not be decoded",
    ],
    [
      "a transaction longer than any",
      request("sendBundle", [["A".repeat(2_000)], { encoding: "base64" }]),
      400,
      -32_602,
      "transaction #0 could not be decoded",
    ],
    ["six transactions", request("sendBundle", [Array(6).fill("1")]), 400, -32_602, "Bundle must contain at most 5"],
    ["an empty bundle", request("sendBundle", [[]]), 400, -32_602, "Bundle must contain at least one transaction."],
    ["ids that are no list", request("getBundleStatuses", ["x"]), 400, -32_602, "Invalid params: a list of bundle ids"],
    [
      "six ids",
      request("getInflightBundleStatuses", [["1", "2", "3", "4", "5", "6"]]),
      400,
      -32_602,
      "Invalid params: at most 5 bundle ids, was 6",
    ],
  ];
  test.each(errors)("refuses %s", async (_, body, status, code, message) => {
    const { post } = open();
    const answer = await post("/api/v1/bundles", body);
    expect(answer.json).toMatchObject({ error: { code, message: expect.stringContaining(message) } });
    expect(answer.status).toBe(status);
  });

  test("refuses sendTransaction of bytes without a signature", async () => {
    const { call } = open();
    const answer = await call("sendTransaction", ["AA==", { encoding: "base64" }], "/api/v1/transactions");
    expect(answer.json).toMatchObject({ error: { code: -32_602, message: "transaction #0 could not be decoded" } });
  });

  test("says in one line that its port is taken", () => {
    const { engine } = open();
    const port = door?.port ?? 0;
    expect(() => startBlockEngineDoor(engine, { port })).toThrow(
      `Cannot open the block engine: port ${port} must be free, was`,
    );
  });

  test("answers other paths with 404 and other verbs with 405", async () => {
    const { url } = open();
    expect((await fetch(`${url}/api/v2/bundles`)).status).toBe(404);
    expect((await fetch(`${url}/api/v1/bundles`)).status).toBe(405);
  });

  test("answers 429 above its rate and lets requests through again when time has passed", async () => {
    const { clock, post } = open(2);
    const ask = () => post("/api/v1/getTipAccounts", request("getTipAccounts", []));
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
    const limited = await ask();
    expect(limited.status).toBe(429);
    expect(limited.json).toMatchObject({
      error: { code: -32_097, message: "Network congested. Endpoint is globally rate limited." },
    });
    clock.advanceNs(500e6);
    expect((await ask()).status).toBe(200);
  });
});
