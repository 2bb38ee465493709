import { afterEach, describe, expect, test } from "bun:test";
import { testAddress } from "#arbitrage/test-pools.ts";
import { ManualClock } from "#core/clock.ts";
import type { SandpiperError } from "#core/error.ts";
import type { Signature } from "#core/units.ts";
import { openJitoRoute } from "./jito.ts";
import { bundleIdOf } from "./route.ts";
import { createRpc } from "./rpc.ts";

type Answer = { readonly status?: number; readonly body: unknown };

/** A server that answers each method as told, and remembers what it was asked. */
function startServer(answer: (method: string, params: unknown[]) => Answer) {
  const asked: { method: string; params: unknown[] }[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const { method, params } = (await request.json()) as { method: string; params: unknown[] };
      asked.push({ method, params });
      const { status = 200, body } = answer(method, params);
      return typeof body === "string" ? new Response(body, { status }) : Response.json(body, { status });
    },
  });
  return { asked, url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) };
}

let server: ReturnType<typeof startServer>;
afterEach(() => server.stop());
const clock = () => new ManualClock(0n, 1e9);
const tips = { body: { jsonrpc: "2.0", id: 1, result: [testAddress(1), testAddress(2), "no address!"] } };

describe("openJitoRoute()", () => {
  test("spreads bundles over the tip accounts that are addresses", async () => {
    server = startServer(() => tips);
    let at = 0;
    const route = await openJitoRoute({ url: server.url, clock: clock(), random: () => [0, 0.5, 0.99][at++] ?? 0 });
    expect([route.tipAccount(), route.tipAccount(), route.tipAccount()]).toEqual([
      testAddress(1),
      testAddress(2),
      testAddress(2),
    ]);
  });

  test.each<[string, Answer]>([
    ["an empty list", { body: { result: [] } }],
    ["no JSON", { body: "<html>" }],
    ["an error", { status: 500, body: { error: { code: -32603, message: "down" } } }],
  ])("fails for now on %s of tip accounts", async (_, answer) => {
    server = startServer(() => answer);
    const opening = openJitoRoute({ url: server.url, clock: clock(), random: () => 0 });
    expect(await opening.catch((thrown: SandpiperError) => [thrown.code, thrown.retry])).toEqual([1106, "later"]);
  });

  test("sends base64 and tells accepted, rejected and unanswered apart", async () => {
    const answers: Answer[] = [
      { body: { result: "the-id" } },
      { status: 400, body: { error: { code: -32602, message: "too small a tip" } } },
      { status: 400, body: { error: { code: -32602, message: "bundle contains an already processed transaction" } } },
    ];
    server = startServer((method) => (method === "getTipAccounts" ? tips : (answers.shift() as Answer)));
    const route = await openJitoRoute({ url: server.url, clock: clock(), random: () => 0 });
    const wire = Uint8Array.from([1, 2, 3]);
    expect(await route.send(wire, "our-id")).toEqual({ kind: "accepted", routeId: "the-id" });
    expect(server.asked.at(-1)).toEqual({ method: "sendBundle", params: [["AQID"], { encoding: "base64" }] });
    expect(await route.send(wire, "our-id")).toMatchObject({
      kind: "rejected",
      why: expect.stringContaining("too small a tip"),
    });
    // By another way, or by a send whose answer was lost: it is no refusal, for it may be in the ledger.
    expect(await route.send(wire, "our-id")).toEqual({ kind: "accepted", routeId: "our-id" });
    server.stop();
    expect(await route.send(wire, "our-id")).toMatchObject({ kind: "unanswered" });
  });

  test("asks for statuses five at a time and reads each of Jito's words", async () => {
    const words = ["Pending", "Failed", "Invalid", "Landed", "Nonsense", "Pending", "Landed"];
    server = startServer((method, params) => {
      if (method === "getTipAccounts") return tips;
      const value = (params[0] as string[])
        .filter((id) => id !== "5")
        .map((id) => ({ bundle_id: id, status: words[Number(id)], landed_slot: id === "3" ? 99 : null }));
      return { body: { result: { context: { slot: 1 }, value } } };
    });
    const route = await openJitoRoute({ url: server.url, clock: clock(), random: () => 0 });
    const statuses = await route.statuses(words.map((_, id) => String(id)));
    expect(statuses?.map(({ kind }) => kind)).toEqual([
      "pending",
      "failed",
      "unknown",
      "landed",
      "unknown",
      "unknown",
      "pending",
    ]);
    expect(server.asked.slice(1).map(({ params }) => (params[0] as string[]).length)).toEqual([5, 2]);
  });

  test("is silent after 429, twice as long each time, and speaks again", async () => {
    let limited = true;
    server = startServer((method) => {
      if (method === "getTipAccounts") return tips;
      if (limited) return { status: 429, body: { error: { code: -32097, message: "rate limited" } } };
      return { body: { result: { value: [] } } };
    });
    const time = clock();
    const route = await openJitoRoute({ url: server.url, clock: time, random: () => 0 });
    expect(await route.statuses(["a"])).toBeUndefined();
    const asked = () => server.asked.length;
    expect(asked()).toBe(2);
    time.advanceNs(99e6);
    await route.statuses(["a"]);
    expect(asked()).toBe(2);
    time.advanceNs(1e6);
    await route.statuses(["a"]);
    expect(asked()).toBe(3);
    time.advanceNs(199e6);
    await route.statuses(["a"]);
    expect(asked()).toBe(3);
    limited = false;
    time.advanceNs(1e6);
    expect(await route.statuses(["a"])).toEqual([{ kind: "unknown" }]);
    expect(route.limited).toBe(2);
  });
});

test("createRpc() answers a failure, never throws, for whatever comes back", async () => {
  const bodies: Answer[] = [
    { body: "not json" },
    { body: {} },
    { body: [] },
    { body: { error: "text" } },
    { status: 503, body: { result: 1 } },
    { body: { error: { code: -32004, message: "Block not available" } } },
  ];
  server = startServer(() => bodies.shift() ?? { body: { result: null } });
  const rpc = createRpc({ url: server.url });
  const failures = [];
  for (let i = 0; i < 6; i++) failures.push(await rpc("any", []));
  expect(failures.map((answer) => answer.ok)).toEqual([false, false, false, false, false, false]);
  expect(failures.at(-1)).toMatchObject({ error: { code: -32004, retry: "later" } });
  expect(await rpc("any", [])).toEqual({ ok: true, value: null });
});

test("bundleIdOf() is Jito's: SHA-256 of the signatures joined by commas", () => {
  expect(bundleIdOf(["abc" as Signature])).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
