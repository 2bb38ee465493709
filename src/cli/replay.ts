/**
 * `sandpiper replay PATH --out FOLDER [--from SLOT] [--to SLOT] [--speed N]`: a recording, or recorded blocks, through decode, the arbitrage core and the mev counter in one
 * process, on the recording's own time. The same recording, options and model give the same bytes.
 *
 *   swaps.ndjson     every decoded swap, in order
 *   envelopes.bin    length-delimited Envelopes: the decisions in order, then the agents' metrics
 *   summary.json     the counts, and size and SHA-256 of the two files
 */
import { join } from "node:path";
import type { Config } from "#core/config.ts";
import { SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import { readConfig } from "#core/read-config.ts";
import { VERSION } from "#core/version.ts";
import { cpmmAuthority } from "#dex/addresses.ts";
import { quoteExactIn, quoteExactOut } from "#dex/quote.ts";
import { PoolCatalogueBook } from "#market/catalogue.ts";
import { Feed } from "#market/feed.ts";
import type { MarketSwap } from "#market/swaps.ts";
import type { MarketTransaction } from "#market/transaction.ts";
import { ensureDefaultModel, loadModel, type Model } from "#model/default-model.ts";
import { encodeEnvelope, metricsEnvelope } from "#wire/envelope.ts";
import { CLI_ERROR } from "./errors.ts";
import { ReplayAgents } from "./replay-agents.ts";
import { decisionEnvelope, delimited, unixNs } from "./replay-envelopes.ts";
import { openReplay, type ReplayedBlocks, type ReplayRange, takeFlag, takeRange } from "./replay-input.ts";
import { OutputFile, writeFolder } from "./replay-output.ts";

type Command = ReplayRange & { readonly path: string; readonly out: string; readonly config: Config };

/** Answers the exit code. Throws a SandpiperError for input that cannot be replayed; then nothing is written. */
export async function runReplay(
  args: readonly string[],
  write: (text: string) => void = (text) => void process.stdout.write(text),
): Promise<number> {
  const command = readCommand(args);
  const models = runPaths(command.config.dataDir).models;
  ensureDefaultModel(models);
  const model = loadModel(models, "arb");
  try {
    await writeFolder(command.out, async (folder) => {
      const summary = await replay(command, folder, model);
      await Bun.write(join(folder, "summary.json"), `${JSON.stringify(summary, undefined, 2)}\n`);
      write(describe(summary, command.out));
    });
  } finally {
    model.close();
  }
  return EXIT_CODE.ok;
}

function readCommand(args: readonly string[]): Command {
  const rest = [...args];
  const out = takeFlag(rest, "--out");
  const range = takeRange(rest);
  const path = rest[0]?.startsWith("--") === false ? rest.shift() : undefined;
  if (path === undefined || out === undefined)
    throw new SandpiperError(
      CLI_ERROR.usage,
      `Cannot replay: PATH --out FOLDER, was ${JSON.stringify(args.join(" "))}`,
    );
  return { ...range, path, out, config: readConfig(rest, process.env).config };
}

type Summary = Awaited<ReturnType<typeof replay>>;

async function replay(command: Command, folder: string, model: Model) {
  const swapsFile = new OutputFile(join(folder, "swaps.ndjson"));
  const envelopesFile = new OutputFile(join(folder, "envelopes.bin"));
  const blocks: ReplayedBlocks = { count: 0, votes: 0, firstSlot: 0n, lastSlot: 0n, startMs: 0 };
  let nowNs = 0;
  const quotes = { exact: 0, unquoted: 0 };
  const catalogue = new PoolCatalogueBook();
  const agents = new ReplayAgents({
    config: command.config,
    model,
    catalogue,
    nowNs: () => nowNs,
    onDecision: (decision, pools) => envelopesFile.write(delimited(decisionEnvelope(decision, pools, blocks))),
  });
  const feed = new Feed({
    ...agents.rings,
    catalogue,
    cpmmAuthority: (await cpmmAuthority()).address,
    unixSeconds: () => Math.floor(blocks.startMs / 1e3 + nowNs / 1e9),
    replayed: true,
    onSwap: (swap, { transaction }) => {
      const exact = isExact(swap, catalogue);
      if (exact) quotes.exact++;
      if (exact === null) quotes.unquoted++;
      swapsFile.write(`${JSON.stringify(swapRow(swap, transaction, exact))}\n`);
    },
  });
  const source = openReplay(command, blocks);
  await source.run((event) => {
    nowNs = event.arrivedNs;
    feed.handle(event);
    agents.work();
  });
  for (const metrics of metricsOf(agents, model.hash, unixNs(blocks, nowNs), blocks.lastSlot))
    envelopesFile.write(delimited(metrics));
  const swaps = agents.swaps.total();
  return {
    version: VERSION,
    blocks: blocks.count,
    first_slot: Number(blocks.firstSlot),
    last_slot: Number(blocks.lastSlot),
    transactions: feed.counters.transactions,
    votes: blocks.votes,
    failed: feed.counters.failed,
    swaps: feed.counters.swaps,
    swaps_by_dex: swaps.byDex,
    swaps_seen_by_mev: swaps.total,
    exact_quotes: quotes.exact,
    unquoted_swaps: quotes.unquoted,
    unreadable_swaps: feed.counters.unreadableSwaps,
    pools: catalogue.pools.length,
    decisions: agents.counter("decisions"),
    sends: agents.counter("sends"),
    dropped: agents.rings.arbitrage.dropped + agents.rings.mev.dropped + agents.counter("decisionsDropped"),
    model_hash: model.hash,
    outputs: { "swaps.ndjson": swapsFile.close(), "envelopes.bin": envelopesFile.close() },
  };
}

/**
 * Whether the recorded amounts are what this build would have quoted on the reserves before the swap; null when the
 * recording does not tell the pool's fee, as with CP-Swap, whose fee is in accounts.
 */
function isExact(swap: MarketSwap, catalogue: PoolCatalogueBook): boolean | null {
  const pool = catalogue.find(swap.pool);
  if (pool === undefined) return null;
  const [reserve0, reserve1] = swap.reservesBefore;
  const [reserveIn, reserveOut] = swap.inputSide === 0 ? [reserve0, reserve1] : [reserve1, reserve0];
  return swap.kind === "base-in"
    ? quoteExactIn(pool, reserveIn, reserveOut, swap.amountIn) === swap.amountOut
    : quoteExactOut(pool, reserveIn, reserveOut, swap.amountOut) === swap.amountIn;
}

function swapRow(swap: MarketSwap, transaction: MarketTransaction, exact: boolean | null) {
  return {
    slot: Number(transaction.slot),
    tx_index: transaction.indexInSlot,
    instruction_index: swap.instructionIndex,
    signature: transaction.signature,
    fee_payer: transaction.feePayer,
    trader: swap.trader,
    dex: swap.dex,
    pool: swap.pool,
    kind: swap.kind,
    input_side: swap.inputSide,
    amount_in: `${swap.amountIn}`,
    amount_out: `${swap.amountOut}`,
    reserve_0_before: `${swap.reservesBefore[0]}`,
    reserve_1_before: `${swap.reservesBefore[1]}`,
    exact,
  };
}

function metricsOf(agents: ReplayAgents, modelHash: string, atNs: bigint, slot: bigint): Uint8Array[] {
  const count = (name: Parameters<ReplayAgents["counter"]>[0]) => BigInt(agents.counter(name));
  const shared = { mode: "replay", atNs, slot };
  return [
    {
      ...shared,
      agent: "arbitrage",
      modelHash,
      events: count("records"),
      eventsTotal: count("records"),
      decisions: count("decisions"),
      sends: count("sends"),
      marketDropped: count("marketDropped"),
      publishDropped: count("decisionsDropped"),
    },
    {
      ...shared,
      agent: "mev",
      events: BigInt(agents.reader.events),
      eventsTotal: BigInt(agents.reader.events),
      swaps: BigInt(agents.reader.swaps),
      swapsTotal: BigInt(agents.reader.swaps),
      marketDropped: BigInt(agents.reader.dropped),
    },
  ].map((fields) => encodeEnvelope(metricsEnvelope(fields)));
}

function describe(summary: Summary, out: string): string {
  const byDex = Object.entries(summary.swaps_by_dex).map(([dex, count]) => `${count} ${dex}`);
  return [
    `${summary.blocks} blocks, slots ${summary.first_slot} to ${summary.last_slot}`,
    `${summary.transactions} transactions read (${summary.votes} votes, ${summary.failed} failed)`,
    `${summary.swaps} swaps decoded (${byDex.join(", ")}) on ${summary.pools} pools, ${summary.exact_quotes} equal to their quote, ${summary.unquoted_swaps} without one, ${summary.unreadable_swaps} unreadable`,
    `${summary.decisions} arbitrage decisions, ${summary.sends} to send`,
    `written to ${out}: swaps.ndjson, envelopes.bin, summary.json`,
    "",
  ].join("\n");
}
