/**
 * What programs get from the gateway: a browser its compressed scripts, and a client that is typed from the routes (Eden)
 * the record, a session, answers to commands and refusals, without a type said by hand.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { brotliDecompressSync } from "node:zlib";
import { treaty } from "@elysiajs/eden";
import { writeFileAtomic } from "#core/atomic-file.ts";
import type { Api } from "#gateway/api/api.ts";
import type { GuardReport, ObjectiveReport } from "#slo/report.ts";
import { GatewayStage } from "./support/gateway-stage.ts";
import { SeededEnvelopes } from "./support/seeded-envelopes.ts";
import { eventually } from "./support/supervised-run.ts";

const DECISIONS = 12;
const STORY_MS = 120_000;
const clientOf = (url: string) => treaty<Api>(url);

let stage: GatewayStage;
let client: ReturnType<typeof clientOf>;
let sent = 0;

beforeAll(async () => {
  const startedAtMs = Date.now() - 60_000;
  stage = await GatewayStage.start(startedAtMs);
  stage.report();
  client = clientOf(stage.url);
  const seeds = new SeededEnvelopes("client");
  for (let i = 0; i < DECISIONS; i++) {
    const { decision, outcome } = seeds.next(startedAtMs + i * 1_000, 0.5);
    await stage.publish(decision);
    if (outcome) await stage.publish(outcome);
    if (outcome) sent++;
  }
}, STORY_MS);
afterAll(() => stage.stop());

describe("a typed client", () => {
  test(
    "reads the record page by page",
    async () => {
      await eventually("every decision on record", async () => {
        const { data } = await client.api.decisions.get();
        return data?.decisions.length === DECISIONS ? true : undefined;
      });
      const first = await client.api.decisions.get({ query: { limit: 5 } });
      const next = first.data?.next ?? "";
      const rest = await client.api.decisions.get({ query: { before: next, limit: 50 } });
      const ids = [...(first.data?.decisions ?? []), ...(rest.data?.decisions ?? [])].map((row) => row.decision_id);
      expect(new Set(ids).size).toBe(DECISIONS);
      const sends = await client.api.decisions.get({ query: { action: "send" } });
      expect(sends.data?.decisions.length).toBe(sent);

      const detail = await client.api.decisions({ id: ids[0] ?? "" }).get();
      // Money is text on the wire; a type that said otherwise would not compile here.
      const netLamports: string | undefined = detail.data?.decision.net_lamports;
      expect(netLamports).toMatch(/^-?\d+$/);
      const { data: status } = await client.api.status.get();
      expect([status?.mode, status?.store.reachable]).toEqual(["sim", true]);
    },
    STORY_MS,
  );

  test("gets the guard's report with everything that can be in it", async () => {
    expect((await client.api.guard.get()).status).toBe(404);
    const objective: ObjectiveReport = {
      name: "clock-error",
      about: "how wrong the clock is",
      unit: "ms",
      bad: "above",
      limit: 10,
      severeLimit: 1_000,
      value: 0.7,
      samples: 1,
      state: "good",
    };
    const report: GuardReport = {
      ...{ atMs: Date.now(), acts: true },
      clock: { isSynchronised: true, offsetMs: -0.2, estimatedErrorMs: 0.5, errorMsMax: 14 },
      agents: [
        {
          ...{ agent: "arbitrage", throttlePct: 50, killed: false, startsAtKill: 0, publishLagMs: 20.5 },
          objectives: [objective],
        },
      ],
      actions: [
        {
          ...{ atMs: 1, agent: "arbitrage", kind: "throttle", throttlePct: 50, because: "clock-error was 12 ms" },
          objective: "clock-error",
        },
      ],
    };
    writeFileAtomic(stage.paths.guardReport, JSON.stringify(report));
    const answer = await eventually("the report", async () => (await client.api.guard.get()).data ?? undefined);
    expect(answer).toEqual(structuredClone(report) as typeof answer);
  });

  test(
    "is told what is wrong in the typed form, by status",
    async () => {
      const { data, error } = await client.api.decisions({ id: "nobody" }).get();
      expect(data).toBeNull();
      if (error?.status !== 404) throw new Error(`a 404, was ${error?.status}`);
      expect(error.value.error.code).toBe("not_found");
      const refused = await client.api.control.module({ target: "arbitrage:kill" }).post({});
      expect([refused.status, refused.error?.value.error.code]).toEqual([401, "sign_in_needed"]);
    },
    STORY_MS,
  );

  test(
    "signs in, and gives a command",
    async () => {
      const signedIn = await client.api.auth["sign-in"].post({ name: "admin", password: stage.password });
      const headers = { authorization: `Bearer ${signedIn.data?.access_token}` };
      const whoami = await client.api.auth.whoami.get({ headers });
      expect(whoami.data).toEqual({ name: "admin", role: "admin" });
      // No agent runs here: the command is on the bus, and nobody has answered.
      const target = client.api.control.module({ target: "arbitrage:throttle" });
      const given = await target.post({ throttle_pct: 25, request_id: "typed-1" }, { headers });
      expect([given.status, given.data?.request_id, given.data?.acks]).toEqual([202, "typed-1", []]);
      const wrong = await target.post({ throttle_pct: 101 }, { headers });
      expect([wrong.status, wrong.error?.value.error.code]).toEqual([400, "invalid_body"]);
    },
    STORY_MS,
  );
});

test("the page's scripts are sent compressed, under 150 kB of them, and not again to who has them", async () => {
  const html = await (await fetch(stage.url)).text();
  const scripts = [...html.matchAll(/<script[^>]*src="([^"]+)"/g)].map(([, file]) => file as string);
  let sentBytes = 0;
  for (const path of [...scripts, "/live-worker.js"]) {
    const headers = { "Accept-Encoding": "gzip, deflate, br, zstd" };
    const answer = await fetch(`${stage.url}${path}`, { headers, decompress: false });
    expect(answer.headers.get("content-encoding"), path).toBe("br");
    expect(answer.headers.get("vary"), path).toBe("Accept-Encoding");
    const packed = await answer.bytes();
    const plain = await (await fetch(`${stage.url}${path}`)).text();
    expect(new TextDecoder().decode(brotliDecompressSync(packed)), path).toBe(plain);
    sentBytes += packed.length;
    const held = { ...headers, "If-None-Match": answer.headers.get("etag") ?? "" };
    expect((await fetch(`${stage.url}${path}`, { headers: held })).status, path).toBe(304);
  }
  expect(sentBytes).toBeGreaterThan(10_000);
  expect(sentBytes).toBeLessThan(150_000);
});
