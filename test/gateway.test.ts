/**
 * The gateway on real parts: embedded bus, embedded ClickHouse, recorder. What an operator, a script, Prometheus and a
 * hostile web page see of it.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import type { DecisionRow, OutcomeRow, Status } from "#gateway/api/schemas.ts";
import type { PageStatus } from "#gateway/dashboard/parts/status.ts";
import { FEATURES } from "#model/features.ts";
import { arbFromJson } from "#wire/envelope.ts";
import { GatewayStage } from "./support/gateway-stage.ts";
import { SeededEnvelopes } from "./support/seeded-envelopes.ts";
import { eventually } from "./support/supervised-run.ts";

const DECISIONS = 40;
const STARTED_AT_MS = Date.now() - 60_000;
const SECOND_MS = 1_000;

/** The page says the status' shape again (it may not import the server's): this holds the two together. */
const asPageStatus: (status: Status) => PageStatus = (status) => status;

type Seeded = { id: string; decideNs: bigint; sent: boolean; net: bigint };
type Ended = { bundleId: string; landed: boolean; exact: boolean; realised: bigint };

let stage: GatewayStage;
const decided: Seeded[] = [];
const ended: Ended[] = [];

beforeAll(async () => {
  stage = await GatewayStage.start(STARTED_AT_MS);
  stage.report();
  const seeds = new SeededEnvelopes("gateway");
  // One from before the run: on record, but not of the run's sums.
  for (let i = -1; i < DECISIONS; i++) {
    const { decision, outcome } = seeds.next(STARTED_AT_MS + i * SECOND_MS, 0.5);
    await stage.publish(decision);
    if (outcome) await stage.publish(outcome);
    if (decision.payload.case !== "arb") throw new Error("a decision, was something else");
    const { decisionId, decideNs, action, netLamports } = decision.payload.value;
    decided.push({ id: decisionId, decideNs, sent: action === "send", net: netLamports });
    if (outcome?.payload.case !== "outcome") continue;
    const { bundleId, landed, exact, realisedNetLamports, landNs } = outcome.payload.value;
    if (landNs >= BigInt(STARTED_AT_MS) * 1_000_000n)
      ended.push({ bundleId, landed, exact, realised: realisedNetLamports });
  }
  await stage.publish(seeds.metrics(Date.now()));
  await eventually("every decision on record", async () =>
    (await readJson<Status>("/api/status")).decisions === DECISIONS ? true : undefined,
  );
  await eventually("every outcome on record", async () =>
    (await readJson<{ outcomes: OutcomeRow[] }>("/api/outcomes")).outcomes.length >= ended.length ? true : undefined,
  );
}, 60_000);

afterAll(() => stage.stop());

const get = (path: string, init: RequestInit = {}) => fetch(`${stage.url}${path}`, init);
const readJson = async <T>(path: string): Promise<T> => (await (await get(path)).json()) as T;

describe("GET /api/status", () => {
  test("answers the sums of this run, its processes and what is off", async () => {
    const status = await eventually("fresh sums", async () => {
      const now = await readJson<Status>("/api/status");
      return now.landed === ended.filter(({ landed }) => landed).length ? now : undefined;
    });
    const landed = ended.filter((one) => one.landed);
    expect(status).toMatchObject({
      mode: "sim",
      version: "0.1.0",
      run_id: "run-of-the-test",
      started_at: new Date(STARTED_AT_MS).toISOString(),
      decisions: DECISIONS,
      attempts: decided.slice(1).filter(({ sent }) => sent).length,
      profit_lamports: ended.reduce((sum, { realised }) => sum + realised, 0n).toString(),
      exact_share: landed.filter(({ exact }) => exact).length / landed.length,
      off: [{ part: "mev detection" }],
      store: { reachable: true, why: "" },
    });
    expect(status.processes.map(({ name }) => name)).toContain("arbitrage");
    expect(status.processes[3]).toEqual({
      name: "feed",
      pid: 4_121,
      state: "ready",
      core: "shared",
      restarts: 1,
      last_exit: "killed by SIGKILL 4 m ago",
      ...{ stalls: 0, stalled_ms: 0, stall_ms_max: 0 },
      threads: [{ name: "feed", core: "shared", ran_ms: 5_210.4, waited_ms: 31.7, turns: 812 }],
    });
    expect(Number(asPageStatus(status).market.slot)).toBeGreaterThan(4_000);
    expect(status.hotpath.p50_ms).toBeGreaterThan(0);
  });
});

describe("GET /api/decisions", () => {
  test("pages through every decision, newest first, none twice", async () => {
    const seen: string[] = [];
    let before = "";
    for (;;) {
      const { decisions, next } = await readJson<{ decisions: DecisionRow[]; next: string | null }>(
        `/api/decisions?limit=7${before}`,
      );
      seen.push(...decisions.map((row) => row.decision_id));
      if (next === null) break;
      before = `&before=${next}`;
    }
    const wanted = [...decided].sort((left, right) => Number(right.decideNs - left.decideNs)).map(({ id }) => id);
    expect(seen).toEqual(wanted);
  });

  test("answers rows that are the envelope's own words, to the lamport", async () => {
    const wanted = decided.at(-1);
    const { decision } = await readJson<{ decision: DecisionRow }>(`/api/decisions/${wanted?.id}`);
    expect(BigInt(decision.net_lamports)).toBe(wanted?.net as bigint);
    const arb = arbFromJson(decision);
    expect(arb.decideNs).toBe(wanted?.decideNs as bigint);
    expect(arb.hopAmounts).toHaveLength(arb.pools.length + 1);
  });

  test("filters by action and by reason", async () => {
    const { decisions } = await readJson<{ decisions: DecisionRow[] }>("/api/decisions?action=send");
    expect(decisions.map((row) => row.decision_id).sort()).toEqual(
      decided
        .filter(({ sent }) => sent)
        .map(({ id }) => id)
        .sort(),
    );
    const none = await readJson<{ decisions: DecisionRow[] }>("/api/decisions?action=send&reason=below_score");
    expect(none).toEqual({ decisions: [], next: null } as unknown as typeof none);
  });

  test("answers one decision with its outcome, with none when it was skipped, and 404 for a stranger", async () => {
    type Feature = { name: string; unit: string; value: number };
    type Detail = { decision: DecisionRow; features: Feature[]; outcome: OutcomeRow | null };
    const sent = await readJson<Detail>(`/api/decisions/${decided.find((one) => one.sent)?.id}`);
    expect(sent.outcome?.decision_id).toBe(sent.decision.decision_id);
    expect(sent.features.map(({ name }) => name)).toEqual(FEATURES.map(({ name }) => name));
    expect(sent.features[0]).toMatchObject({ unit: "log10 lamports", value: 0.5 });
    const skipped = await readJson<Detail>(`/api/decisions/${decided.find((one) => !one.sent)?.id}`);
    expect(skipped.outcome).toBeNull();
    const stranger = await get("/api/decisions/nobody");
    expect(stranger.status).toBe(404);
    expect(await stranger.json()).toMatchObject({ error: { code: "not_found" } });
  });
});

describe("GET /api/outcomes and /api/profit", () => {
  test("filter by landed, and sum up to the status", async () => {
    const { outcomes } = await readJson<{ outcomes: OutcomeRow[] }>("/api/outcomes?landed=true&limit=1000");
    expect(outcomes.every((row) => row.landed && row.state === "landed")).toBe(true);
    expect(outcomes.length).toBeGreaterThan(0);
    const missed = await readJson<{ outcomes: OutcomeRow[] }>("/api/outcomes?landed=false");
    expect(missed.outcomes.every((row) => !row.landed && row.reason !== "")).toBe(true);
    const { points } = await readJson<{ points: { profit_lamports: string; landed: number; at_ms: number }[] }>(
      "/api/profit?points=10",
    );
    expect(points.at(-1)?.profit_lamports).toBe(ended.reduce((sum, { realised }) => sum + realised, 0n).toString());
    expect(points.at(-1)?.landed).toBe(ended.filter(({ landed }) => landed).length);
    expect(points.length).toBeLessThanOrEqual(11);
  });
});

describe("GET /health and /metrics", () => {
  test("health is 200 when all runs, and 503 with the reason when one does not", async () => {
    stage.report();
    expect(await eventually("health", async () => ((await get("/health")).status === 200 ? true : undefined))).toBe(
      true,
    );
    stage.report({
      processes: [
        {
          name: "feed",
          pid: 1,
          state: "restarting",
          core: "shared",
          restarts: 2,
          startedAtMs: 0,
          heartbeatAgeMs: 0,
          stalls: { count: 0, totalMs: 0, longestMs: 0 },
          lastExit: "exit 1",
        },
      ],
    });
    const sick = await eventually("a reason", async () => {
      const response = await get("/health");
      return response.status === 503 ? ((await response.json()) as { reasons: string[] }) : undefined;
    });
    expect(sick.reasons).toEqual(["feed is restarting (exit 1)"]);
    stage.report();
  });

  test("every metric has its help, its type and a number", async () => {
    const response = await get("/metrics");
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const lines = (await response.text()).trimEnd().split("\n");
    const typed = new Set<string>();
    for (const line of lines) {
      const head = /^# (HELP|TYPE) (sandpiper_\w+) .+$/.exec(line);
      if (head) {
        if (head[1] === "TYPE") typed.add(head[2] as string);
        continue;
      }
      const sample = /^(sandpiper_\w+)(\{\w+="[^"]*"(,\w+="[^"]*")*\})? (-?[0-9.e+-]+)$/.exec(line);
      expect(sample, line).not.toBeNull();
      expect(typed.has(sample?.[1] ?? ""), line).toBe(true);
    }
    expect(lines).toContain(`sandpiper_decisions_total ${DECISIONS}`);
    expect(lines).toContain('sandpiper_swaps_seen_total{agent="arbitrage"} 5210');
    expect(lines).toContain("sandpiper_store_up 1");
    const lags = lines.filter((line) => line.startsWith('sandpiper_bus_group_lag_messages{group="clickhouse"'));
    expect(lags.some((line) => line.includes('topic="arbitrage-decisions-proto"'))).toBe(true);
  });
});

describe("GET /openapi.json and /swagger", () => {
  type Document = {
    paths: Record<
      string,
      {
        get: {
          summary: string;
          description: string;
          parameters?: { name: string; description: string }[];
          responses: Record<string, object>;
        };
      }
    >;
  };
  test("describe every route with its parameters, answers and errors", async () => {
    const { paths } = await readJson<Document>("/openapi.json");
    expect(Object.keys(paths).sort()).toEqual(
      [
        "/api/auth/challenge",
        "/api/auth/refresh",
        "/api/auth/revoke",
        "/api/auth/sign-in",
        "/api/auth/sign-out",
        "/api/auth/whoami",
        "/api/calibration",
        "/api/control/module/{target}",
        "/api/control/state",
        "/api/decisions",
        "/api/decisions/{id}",
        "/api/guard",
        "/api/ledger/checkpoint",
        "/api/ledger/consistency/{size}",
        "/api/ledger/leaves",
        "/api/ledger/leaves/{index}",
        "/api/models/history",
        "/api/models/promote",
        "/api/models/rollback",
        "/api/models/shadow",
        "/api/processes",
        "/api/routes",
        "/api/runbook/{name}",
        "/api/tips",
        "/api/tokens",
        "/api/models",
        "/api/outcomes",
        "/api/profit",
        "/api/realtime",
        "/api/sandwiches",
        "/api/status",
        "/api/training/jobs",
        "/api/training/jobs/{id}/cancel",
        "/api/training/start",
        "/health",
        "/metrics",
      ].sort(),
    );
    for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods))) {
      expect(operation.summary.length * operation.description.length).toBeGreaterThan(0);
      expect(Object.keys(operation.responses).some((status) => status === "200" || status === "202")).toBe(true);
      expect(Object.keys(operation.responses)).toContain("400");
      expect(Object.keys(operation.responses)).toContain("414");
    }
    expect((await get(`/api/decisions?before=${"x".repeat(3_000)}`)).status).toBe(414);
    expect(paths["/api/decisions"]?.get.parameters?.map(({ name }) => name)).toEqual([
      "limit",
      "before",
      "action",
      "reason",
    ]);
    expect(paths["/api/decisions/{id}"]?.get.parameters?.map(({ name }) => name)).toEqual(["id"]);
    expect(JSON.stringify(paths)).toContain("realised_net_lamports");
  });

  test("pages name no file outside this origin, and every file they name is there", async () => {
    for (const path of ["/", "/swagger"]) {
      const response = await get(path);
      expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
      const html = await response.text();
      expect(html).not.toMatch(/https?:\/\//);
      const files = [...html.matchAll(/<(?:script|link)[^>]*(?:src|href)="([^"]+)"/g)].map(
        ([, file]) => file as string,
      );
      expect(files.length).toBeGreaterThanOrEqual(3);
      for (const file of files) {
        const answer = await get(file);
        expect(answer.status, file).toBe(200);
        expect(answer.headers.get("cache-control")).toContain("immutable");
      }
    }
  });
});

describe("hostile requests", () => {
  test.each([
    ["/api/decisions?limit=99999999999999999999", 400],
    ["/api/decisions?before=1%00", 400],
    ["/api/decisions?before=1.%27;DROP%20TABLE", 400],
    ["/api/decisions?before=1.';DROP", 200],
    ["/api/decisions/%27%20OR%201=1", 404],
    ["/api/decisions/%ff%fe", 404],
    ["/api/decisions/..%2f..%2fetc", 404],
    [`/api/decisions/${"a".repeat(1_000)}`, 404],
    ["/api/decisions/x?y=1", 400],
    ["/api/outcomes?landed=true&landed=false", 400],
    ["/api/status?verbose=1", 400],
    ["/api/profit?points=Infinity", 400],
    ["/../../etc/passwd", 404],
    ["/%2e%2e/%2e%2e/etc/passwd", 404],
    ["/index.html", 404],
    ["/live", 426],
    [`/${"a".repeat(4_000)}`, 414],
  ])("%.50s … answers %d in the typed form, never a 5xx", async (path, status) => {
    const response = await get(path);
    expect(response.status).toBe(status);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    if (status !== 200) {
      const { error } = (await response.json()) as { error: { code: string; message: string } };
      expect(error.code).toMatch(/^[a-z_]+$/);
      expect(error.message).toStartWith("Cannot ");
    }
  });

  test("another Host, another Origin or another method is turned away, and so is a socket from another page", async () => {
    expect((await get("/api/status", { headers: { Host: "evil.example" } })).status).toBe(421);
    expect((await get("/api/status", { headers: { Origin: "http://evil.example" } })).status).toBe(403);
    expect((await get("/api/status", { method: "POST" })).status).toBe(405);
    // The browser's WebSocket type knows no headers; Bun's does, and a hostile page's browser sends this one.
    const options = { headers: { Origin: "http://evil.example" } } as unknown as string[];
    const socket = new WebSocket(`${stage.url.replace("http", "ws")}/live`, options);
    const outcome = await new Promise((resolve) => {
      socket.onopen = () => resolve("open");
      socket.onerror = () => resolve("refused");
    });
    expect(outcome).toBe("refused");
  });

  test("bytes that are no HTTP do not disturb it", async () => {
    await new Promise<void>((resolve) => {
      const socket = connect(stage.gateway.port, "127.0.0.1", () => socket.end(new Uint8Array(2_000).fill(0xff)));
      socket.resume();
      socket.on("error", () => resolve());
      socket.on("close", () => resolve());
    });
    expect((await get("/api/status")).status).toBe(200);
  });
});

// Last, because it takes the store away for a while.
test("without the store the status stays, flagged, and the record answers a typed 503", async () => {
  const before = await readJson<Status>("/api/status");
  await stage.engine.stop();
  const flagged = await eventually("the flag", async () => {
    const status = await readJson<Status>("/api/status");
    return status.store.reachable ? undefined : status;
  });
  expect(flagged).toMatchObject({ landed: before.landed, profit_lamports: before.profit_lamports });
  expect(flagged.store.totals_age_ms).toBeGreaterThan(0);
  expect(flagged.store.why).not.toBe("");
  const listing = await get("/api/decisions");
  expect(listing.status).toBe(503);
  expect(listing.headers.get("retry-after")).toBe("1");
  expect(await listing.json()).toMatchObject({ error: { code: "store_unreachable" } });
  expect((await get("/health")).status).toBe(503);
  await stage.startEngineAgain();
  await eventually("the store again", async () =>
    (await readJson<Status>("/api/status")).store.reachable ? true : undefined,
  );
}, 60_000);
