import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { readJsonFile } from "#core/atomic-file.ts";
import { runPaths } from "#core/paths.ts";
import { ensureDefaultModel } from "#model/default-model.ts";
import { FEATURES } from "#model/features.ts";
import { NAMED_VIEWS } from "#store/named-views.ts";
import { startTestEngine, type TestEngine } from "#store/test-engine.ts";

const MAIN = join(import.meta.dir, "main.ts");
let engine: TestEngine;
let embedded: readonly string[];
beforeAll(async () => {
  engine = await startTestEngine();
  embedded = ["--dataDir", engine.folder, "--clickhouse.port", String(engine.port)];
});
afterAll(() => engine.close());

type Said = { readonly code: number; readonly out: string; readonly err: string };
async function sandpiper(args: readonly string[], environment: Record<string, string> = {}): Promise<Said> {
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    cwd: engine.folder,
    env: { ...process.env, ...environment },
    stdout: "pipe",
    stderr: "pipe",
  });
  const text = (stream: ReadableStream<Uint8Array>) => new Response(stream).text();
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), child.exited]);
  return { code, out, err };
}
const rowsOf = ({ out }: Said) =>
  out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("sandpiper migrate applies every migration once, and reaches a server by its address and password too", async () => {
  const { app } = readJsonFile(engine.secretPath) as { app: string };
  const server = { SANDPIPER_STORE_ENGINE: "server", SANDPIPER_CLICKHOUSE_PASSWORD: app };
  const flags = ["--clickhouse.url", `http://127.0.0.1:${engine.port}`, "--clickhouse.user", "app"];
  const first = await sandpiper(["migrate", ...flags], server);
  expect(first).toMatchObject({ code: 0, err: "" });
  expect(first.out).toContain("applied 1 arbitrage_decisions\n");
  expect(first.out).toContain("applied 8 named_views\napplied 9 sandwiches\n");
  expect((await sandpiper(["migrate", ...embedded])).out).toBe("up to date\n");
  const wrong = await sandpiper(["migrate", ...flags], { ...server, SANDPIPER_CLICKHOUSE_PASSWORD: "no" });
  expect(wrong.code).not.toBe(0);
  expect(wrong.err).toContain("AUTHENTICATION_FAILED");
});

/** Four outcomes of one minute: three landed (slots later 1, 3, 2; tips 100, 300, 200), one expired. */
const SECOND_NS = 1_795_408_380_000_000_000n;
async function fillTables() {
  const outcome = (i: number, landed: boolean, slots: number, tip: number, net: number) =>
    `(toDateTime64('2026-11-23 04:33:0${i}', 6, 'UTC'), 'b${i}', ${landed}, ${tip}, 'jito', 'arbitrage', 'sim', 100, ${
      landed ? 100 + slots : 0
    }, ${net}, ${landed}, ${SECOND_NS}, ${SECOND_NS + 1_000_000n}, ${SECOND_NS + 2_000_000n}, 0, ${
      SECOND_NS + BigInt(i) * 1_000_000_000n
    })`;
  await engine.store.command(`INSERT INTO sandpiper.bundle_outcomes_typed (at, bundle_id, landed, tip_lamports, path, agent,
    mode, decided_slot, landed_slot, realised_net_lamports, exact, event_ns, decide_ns, send_ns, accepted_ns, land_ns) VALUES
    ${[
      outcome(1, true, 1, 100, 10),
      outcome(2, true, 3, 300, 20),
      outcome(3, true, 2, 200, -5),
      outcome(4, false, 0, 900, 0),
    ].join(",")}`);
  await engine.store.command(`INSERT INTO sandpiper.control_ledger (at, ts, module, action, args, request_id, issuer) VALUES
    ('2026-11-23 04:30:00', 1, 'MEV', 'KILL', {'kill':'1'}, 'r1', 'ann'), ('2026-11-23 04:31:00', 2, 'MEV', 'START', {}, 'r2', 'bob')`);
  await engine.store.command("INSERT INTO sandpiper.train_jobs (at, job_id, module) VALUES (now(), 'j1', 'arbitrage')");
  await engine.store.command(
    "INSERT INTO sandpiper.train_job_states (at, job_id, state, message) VALUES (now(), 'j1', 'done', 'ok'), (now(), 'j2', 'failed', '')",
  );
  await engine.store.command(
    "INSERT INTO sandpiper.metrics (at, agent, inserted_at) SELECT now64(6) - INTERVAL 1 MINUTE AS at, 'mev', at + INTERVAL 250 MILLISECOND",
  );
}

/** Four sandwiches: three of `ann`, one of them together with `bob`, one of `cat`; and a finding that is none. */
async function fillFindings() {
  const row = (id: number, type: string, attackers: string, leader: string, net: number) =>
    `(now64(6), 'm${id}', '${type}', ${attackers}, '${leader}', ${100 + id}, ${net}, 7, ['v', 'w'], 0.9)`;
  await engine.store.command(`INSERT INTO sandpiper.mev_opportunities
    (at, decision_id, type, attackers, leader, slot, net_lamports, victims_loss_lamports, victim_wallets, score) VALUES
    ${[
      row(1, "bundle", "['ann']", "L1", 10),
      row(2, "wide", "['ann']", "L1", 20),
      row(3, "multi_wallet", "['ann', 'bob']", "L2", 30),
      row(4, "same_slot", "['cat']", "L1", 40),
      row(5, "backrun", "['us']", "L1", 50),
    ].join(",")}`);
}

test("the views of sandwiches give sums per wallet and leader, and shares with Wilson's interval", async () => {
  await sandpiper(["migrate", ...embedded]);
  await fillFindings();
  const ask = async (...args: string[]) => rowsOf(await sandpiper(["query", ...args, "--json", ...embedded]));
  const byAttacker = await ask("sandwiches_by_attacker");
  expect(byAttacker.map((row) => [row["wallet"], row["sandwiches"], row["net_lamports_sum"], row["victims"]])).toEqual([
    ["ann", "3", "60", "6"],
    ["bob", "1", "30", "2"],
    ["cat", "1", "40", "2"],
  ]);
  const [ann, bob] = byAttacker;
  expect(ann?.["share"]).toBe(0.75);
  expect(ann?.["share_low"]).toBeCloseTo(0.3006, 4);
  expect(ann?.["share_high"]).toBeCloseTo(0.9544, 4);
  expect(bob?.["share_low"]).toBeCloseTo(0.0456, 4);
  expect(bob?.["share_high"]).toBeCloseTo(0.6994, 4);
  const byLeader = await ask("sandwiches_by_leader");
  expect(byLeader).toMatchObject([
    {
      leader: "L1",
      sandwiches: "3",
      slot_first: "101",
      slot_last: "104",
      victims_loss_lamports_sum: "21",
      share: 0.75,
    },
    { leader: "L2", sandwiches: "1", share: 0.25 },
  ]);
}, 60_000);

test("the named views answer what was put into the tables", async () => {
  await sandpiper(["migrate", ...embedded]);
  await fillTables();
  const ask = async (...args: string[]) => rowsOf(await sandpiper(["query", ...args, "--json", ...embedded]));
  expect(await ask("landed_share")).toMatchObject([{ ended: "4", landed_count: "3", share: 0.75, agent: "arbitrage" }]);
  expect(await ask("slot_delta_and_tip")).toMatchObject([
    { slot_delta_mean: 2, slot_delta_max: "3", tip_lamports_p50: "200", tip_lamports_sum: "600" },
  ]);
  expect(await ask("latency_quantiles")).toMatchObject([
    { step: "decided", bundles: "4", p50_ms: 1 },
    { step: "sent", p99_ms: 2 },
    { step: "known", max_ms: 4_000 },
  ]);
  expect(await ask("profit_per_hour")).toMatchObject([{ net_lamports: "25", tips_lamports: "600", landed_count: "3" }]);
  expect((await ask("operator_history")).map((row) => row["request_id"])).toEqual(["r2", "r1"]);
  expect(await ask("request_trail", "request_id=r1")).toMatchObject([{ step: "command KILL" }]);
  expect((await ask("request_trail", "request_id=j1")).map((row) => row["step"]).sort()).toEqual([
    "training asked",
    "training done",
  ]);
  expect(await ask("ingestion_lag", "source=metrics")).toMatchObject([{ rows: "1", p50_ms: 250 }]);
  const arrivals = await ask("rows_per_10s", "source=bundle_outcomes_typed");
  expect(arrivals.reduce((sum, row) => sum + Number(row["rows"]), 0)).toBe(4);
  for (const name of Object.keys(NAMED_VIEWS)) expect((await ask(name)).length).toBeGreaterThan(0);
}, 60_000);

test("sandpiper query prints a table for people, and takes SQL that reads, within its limit", async () => {
  const said = await sandpiper([
    "query",
    "SELECT number AS n, 'a\\nb' AS t FROM system.numbers",
    "--limit",
    "2",
    ...embedded,
  ]);
  expect(said).toEqual({ code: 0, err: "", out: "n  t\n0  a b\n1  a b\n" });
  expect((await sandpiper(["query", "SELECT 1 AS one WHERE 0", ...embedded])).out).toBe("no rows\n");
});

test("sandpiper query refuses to write, an unknown name and a filter that is none", async () => {
  const write = await sandpiper(["query", "DROP TABLE sandpiper.metrics", ...embedded]);
  expect(write.code).not.toBe(0);
  expect(write.err).toMatch(/readonly/i);
  expect((await sandpiper(["query", "nonsense", ...embedded])).err).toMatch(/^Cannot query: one of operator_history, /);
  expect((await sandpiper(["query", "landed_share", "x", ...embedded])).err).toContain("column=value");
  const injected = await sandpiper(["query", "landed_share", "path=' OR 1=1 --", ...embedded]);
  expect(injected).toMatchObject({ code: 0, out: "no rows\n" });
});

test("sandpiper policy try shows the record beside what another policy would have made of it", async () => {
  const features = `[${Array.from({ length: FEATURES.length }, (_, i) => (i === 0 ? 6 : 0)).join(",")}]`;
  await engine.store.command(`INSERT INTO sandpiper.arb_opportunities
    (at, decision_id, action, reason, bundle_id, gross_lamports, fee_lamports, tip_lamports, score, features)
    SELECT now64(6) - INTERVAL number SECOND, concat('try-', toString(number)), if(number < 6, 'send', 'skip'),
      if(number < 6, 'profitable', 'ev_below_minimum'), concat('try-', toString(number)), 1000000, 5000, 100000, 0.5, ${features}
    FROM numbers(10)`);
  await engine.store.command(`INSERT INTO sandpiper.bundle_outcomes_typed
    (at, bundle_id, decision_id, landed, tip_lamports, realised_net_lamports)
    SELECT now64(6), concat('try-', toString(number)), concat('try-', toString(number)), number < 3, 100000,
      if(number < 3, 895000, 0) FROM numbers(6)`);
  ensureDefaultModel(runPaths(engine.folder).models);
  const none = await sandpiper(["policy", "try", "--ev-min", "1000000000", "--hours=2", ...embedded]);
  expect(none).toMatchObject({ code: 0, err: "" });
  expect(none.out).toContain("10 decisions of the last 2 h");
  expect(none.out).toMatch(/sent +6 +0\n/);
  expect(none.out).toMatch(/profit +0.002685 SOL +0 SOL\n/);
  const all = await sandpiper(["policy", "try", "--ev-min", "0", "--ladder", "1000", ...embedded]);
  expect(all.out).toMatch(/sent +6 +10\n/);
  const wrong = await sandpiper(["policy", "try", "--ladder", "5,4", ...embedded]);
  expect(wrong.code).toBe(65);
  expect(wrong.err).toContain("arbitrage.tipLadder");
});
