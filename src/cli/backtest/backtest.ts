/**
 * `sandpiper backtest PATH [--out FOLDER] [--json] [--latencyMs N] [--wallet ADDRESS] [--leaders FILE] [--from --to]`: what
 * the agent's own decisions on a recording would have earned, filled on paper as paper-fills.ts says. The same recording,
 * options and model give the same bytes.
 *
 *   fills.ndjson     every decision to send, what became of it, in the order of their ends
 *   summary.json     what is printed, as numbers
 *
 * PATH: a recording of Sandpiper, or recorded blocks. There all of a block has one time, so an attempt meets the state at
 * the end of its block. Leaders: a file of {"firstSlot", "schedule"}, the schedule as getLeaderSchedule gives it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CLI_ERROR } from "#cli/errors.ts";
import { ReplayAgents } from "#cli/replay-agents.ts";
import { openReplay, type ReplayedBlocks, type ReplayRange, takeFlag, takeRange } from "#cli/replay-input.ts";
import { OutputFile, writeFolder } from "#cli/replay-output.ts";
import type { Config } from "#core/config.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import type { PoolFacts } from "#core/pool.ts";
import { readConfig } from "#core/read-config.ts";
import { VERSION } from "#core/version.ts";
import { cpmmAuthority } from "#dex/addresses.ts";
import { PoolCatalogueBook } from "#market/catalogue.ts";
import { Feed } from "#market/feed.ts";
import { ensureDefaultModel, loadModel, type Model } from "#model/default-model.ts";
import { type Fill, PaperFills, type PoolMove, type Scenario } from "./paper-fills.ts";
import { type BacktestSummary, describeBacktest, ScenarioReport } from "./report.ts";

type Command = ReplayRange & {
  readonly path: string;
  readonly out: string | undefined;
  readonly json: boolean;
  readonly latencyMs: number;
  readonly wallet: string;
  readonly leaderOf: (slot: number) => string;
  readonly config: Config;
};

/** From the event to the leader when nothing else is said: a node's stream, our own work, the block engine's auction. */
const LATENCY_MS = 50;
const LATENCY_MS_MAX = 60_000;
/** Later by so many ms, each a row; and sizes. */
const LATER_MS = [0, 5, 10, 25, 50, 100, 200, 400] as const;
const SIZES = [0.25, 0.5, 1, 2, 4] as const;

/** Answers the exit code. Throws a SandpiperError for input that cannot be replayed; then nothing is written. */
export async function runBacktest(
  args: readonly string[],
  write: (text: string) => void = (text) => void process.stdout.write(text),
): Promise<number> {
  const command = readCommand(args);
  const models = runPaths(command.config.dataDir).models;
  ensureDefaultModel(models);
  const model = loadModel(models, "arb");
  try {
    const show = (summary: BacktestSummary) =>
      write(command.json ? `${JSON.stringify(summary)}\n` : describeBacktest(summary));
    if (command.out === undefined) show(await backtest(command, model, () => {}));
    else
      await writeFolder(command.out, async (folder) => {
        const file = new OutputFile(join(folder, "fills.ndjson"));
        const summary = await backtest(command, model, (row) => file.write(`${JSON.stringify(row)}\n`));
        const outputs = { "fills.ndjson": file.close() };
        await Bun.write(join(folder, "summary.json"), `${JSON.stringify({ ...summary, outputs }, undefined, 2)}\n`);
        show(summary);
      });
  } finally {
    model.close();
  }
  return EXIT_CODE.ok;
}

function readCommand(args: readonly string[]): Command {
  const json = args.includes("--json");
  const rest = args.filter((arg) => arg !== "--json");
  const out = takeFlag(rest, "--out");
  const latencyMs = Number(takeFlag(rest, "--latencyMs") ?? LATENCY_MS);
  const wallet = takeFlag(rest, "--wallet") ?? "";
  const leaders = takeFlag(rest, "--leaders");
  const range = takeRange(rest);
  const path = rest[0]?.startsWith("--") === false ? rest.shift() : undefined;
  if (path === undefined || !(latencyMs >= 0 && latencyMs <= LATENCY_MS_MAX))
    throw new SandpiperError(
      CLI_ERROR.usage,
      `Cannot backtest: PATH [--out FOLDER] [--json] [--latencyMs 0 to ${LATENCY_MS_MAX}], was ${JSON.stringify(args.join(" "))}`,
    );
  const leaderOf = leaders === undefined ? () => "unknown" : readLeaders(leaders);
  return { ...range, path, out, json, latencyMs, wallet, leaderOf, config: readConfig(rest, process.env).config };
}

function readLeaders(path: string): (slot: number) => string {
  const refuse = (was: string): never => {
    throw new SandpiperError(
      CLI_ERROR.usage,
      `Cannot read leaders ${path}: {"firstSlot": number, "schedule": {leader: [slot indexes]}}, was ${was}`,
    );
  };
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (thrown) {
    return refuse(errorText(thrown));
  }
  const { firstSlot, schedule } = (json ?? {}) as { firstSlot?: unknown; schedule?: unknown };
  if (typeof firstSlot !== "number" || typeof schedule !== "object" || schedule === null)
    return refuse("another shape");
  const leaders = new Map<number, string>();
  for (const [leader, slots] of Object.entries(schedule))
    for (const index of Array.isArray(slots) ? slots : refuse(`${leader} without a list`))
      leaders.set(firstSlot + Number(index), leader);
  return (slot) => leaders.get(slot) ?? "unknown";
}

async function backtest(command: Command, model: Model, onRow: (row: object) => void): Promise<BacktestSummary> {
  const { config, latencyMs, wallet, leaderOf } = command;
  const blocks: ReplayedBlocks = { count: 0, votes: 0, firstSlot: 0n, lastSlot: 0n, startMs: 0 };
  let [nowNs, slot] = [0, 0n];
  const catalogue = new PoolCatalogueBook();
  const pool = (index: number) => catalogue.pools[index] as PoolFacts;
  const moves = new Map<number, PoolMove>();
  const agents = new ReplayAgents({
    ...{ config, model, catalogue },
    nowNs: () => nowNs,
    onDecision: (decision) => {
      if (decision.action === "send") for (const { fills } of runs) fills.take(decision);
    },
  });
  const feed = new Feed({
    ...agents.rings,
    catalogue,
    cpmmAuthority: (await cpmmAuthority()).address,
    unixSeconds: () => Math.floor(blocks.startMs / 1e3 + nowNs / 1e9),
    replayed: true,
    onSwap: ({ pool: address }, { transaction: { feePayer } }) => {
      const index = catalogue.find(address)?.index;
      if (index === undefined) return;
      const known = moves.get(index);
      // All swaps of one transaction have its time: they share the set of its pools.
      const same = touched.atNs === nowNs && touched.payer === feePayer;
      if (!same) touched = { atNs: nowNs, payer: feePayer, pools: new Set() };
      touched.pools.add(index);
      if (known !== touched) moves.set(index, touched);
    },
  });
  let touched: PoolMove & { readonly pools: Set<number> } = { atNs: -1, payer: "" as never, pools: new Set() };
  const market = { table: agents.table, pool, lastMove: (index: number) => moves.get(index), wallet };
  const runs = scenariosOf(latencyMs).map((scenario, i) => {
    const report = new ScenarioReport(scenario);
    const onFill = (fill: Fill) => {
      const atMs = blocks.startMs + fill.decision.eventNs / 1e6;
      const place = {
        route: "jito",
        leader: leaderOf(Number(fill.decision.slot) + fill.slotDelta),
        hour: `${new Date(atMs).getUTCHours()}`,
      };
      report.add(fill, place, pool);
      if (i === 0) onRow(rowOf(fill, pool));
    };
    return { report, fills: new PaperFills(scenario, market, onFill) };
  });
  await openReplay(command, blocks).run((event) => {
    for (const { fills } of runs) fills.settle(event.arrivedNs, slot);
    nowNs = Math.max(nowNs, event.arrivedNs);
    slot = event.kind === "transaction" ? event.transaction.slot : event.slot;
    feed.handle(event);
    agents.work();
    if (event.kind === "transaction" || event.kind === "writes") for (const { fills } of runs) fills.look();
  });
  for (const { fills } of runs) fills.end();
  const [firstSlot, slots] = [Number(blocks.firstSlot), Number(blocks.lastSlot - blocks.firstSlot) + 1];
  const totals = runs.map(({ report }) => report.total(firstSlot, slots));
  const [total] = totals as [(typeof totals)[number]];
  return {
    version: VERSION,
    source: command.path.split("/").at(-1) ?? "",
    first_slot: firstSlot,
    last_slot: Number(blocks.lastSlot),
    slots,
    decisions: agents.counter("decisions"),
    sends: agents.counter("sends"),
    model_hash: model.hash,
    total,
    by: (runs[0] as (typeof runs)[number]).report.groups,
    latency: totals.filter(({ size }) => size === 1),
    capacity: totals.filter(({ latency_ms }) => latency_ms === latencyMs).sort((a, b) => a.size - b.size),
  };
}

/** The base first. */
function scenariosOf(latencyMs: number): Scenario[] {
  return [
    ...LATER_MS.map((later) => ({ latencyMs: latencyMs + later, size: 1 })),
    ...SIZES.filter((size) => size !== 1).map((size) => ({ latencyMs, size })),
  ];
}

function rowOf({ decision, state, netLamports, slotDelta }: Fill, pool: (index: number) => PoolFacts) {
  return {
    sequence: decision.sequence,
    slot: Number(decision.slot),
    transaction_index: decision.transactionIndex,
    pools: decision.hops.map(({ pool: index }) => pool(index).address),
    input_lamports: `${decision.amounts[0]}`,
    predicted_lamports: `${decision.netLamports}`,
    tip_lamports: `${decision.tipLamports}`,
    state,
    net_lamports: `${netLamports}`,
    slot_delta: slotDelta,
  };
}
