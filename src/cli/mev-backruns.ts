/**
 * `sandpiper mev backruns PATH [--share-min X] [--json] [options]`: what the backrun of each large swap in recorded blocks is
 * worth. The state behind the swap goes into the arbitrage agent's own hot loop, and the decision that comes out is the
 * price: the best cycle, sized exactly, its tip, the model's estimate that it lands, and whether it would be sent. Live and
 * in the sim the same loop decides behind every swap, and execute sends what it decides.
 */
import { SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import type { PoolFacts } from "#core/pool.ts";
import { readConfig } from "#core/read-config.ts";
import { formatSol } from "#core/units.ts";
import type { Decision } from "#decide/decision-record.ts";
import { cpmmAuthority } from "#dex/addresses.ts";
import { PoolCatalogueBook } from "#market/catalogue.ts";
import { Feed } from "#market/feed.ts";
import { createReplaySource } from "#market/replay-source.ts";
import type { MarketSwap } from "#market/swaps.ts";
import type { MarketTransaction } from "#market/transaction.ts";
import { ensureDefaultModel, loadModel } from "#model/default-model.ts";
import { CLI_ERROR } from "./errors.ts";
import { ReplayAgents } from "./replay-agents.ts";

/** Of the pool's reserve that a swap pays into. */
const SHARE_MIN = 0.005;

type Large = { readonly transaction: MarketTransaction; readonly pool: string; readonly share: number };

export async function runMevBackruns(args: readonly string[], write: (text: string) => void): Promise<number> {
  const { path, shareMin, json, options } = readCommand(args);
  const { config } = readConfig(options, process.env);
  const models = runPaths(config.dataDir).models;
  ensureDefaultModel(models);
  const model = loadModel(models, "arb");
  const catalogue = new PoolCatalogueBook();
  let [nowNs, priced, sent] = [0, 0, 0];
  let large: Large[] = [];
  let prices: (readonly [Decision, readonly PoolFacts[]])[] = [];
  try {
    const agents = new ReplayAgents({
      config,
      model,
      catalogue,
      nowNs: () => nowNs,
      onDecision: (decision, pools) => void prices.push([decision, pools]),
    });
    const feed = new Feed({
      ...agents.rings,
      catalogue,
      cpmmAuthority: (await cpmmAuthority()).address,
      unixSeconds: () => nowNs / 1e9,
      replayed: true,
      onSwap: (swap, { transaction }) => {
        const share = shareOf(swap);
        if (share >= shareMin) large.push({ transaction, pool: swap.pool, share });
      },
    });
    await createReplaySource({ path }).run((event) => {
      nowNs = event.arrivedNs;
      feed.handle(event);
      agents.work();
      // The best of what the new states of this transaction's pools led to; none when no cycle came near a profit.
      const [best] = prices.sort(([a], [b]) => Number(b.netLamports - a.netLamports));
      for (const swap of large) {
        priced++;
        if (best?.[0].action === "send") sent++;
        write(json ? line(swap, best) : text(swap, best));
      }
      large = [];
      prices = [];
    });
  } finally {
    model.close();
  }
  if (!json) write(`${priced} swaps of ${shareMin} or more of a pool's reserve, ${sent} backruns worth sending\n`);
  return EXIT_CODE.ok;
}

type Price = readonly [Decision, readonly PoolFacts[]] | undefined;

function shareOf({ inputSide, amountIn, reservesBefore }: MarketSwap): number {
  const reserve = reservesBefore[inputSide];
  return reserve === 0n ? 0 : Number(amountIn) / Number(reserve);
}

function line({ transaction, pool, share }: Large, best: Price): string {
  const place = { slot: Number(transaction.slot), tx_index: transaction.indexInSlot, signature: transaction.signature };
  return `${JSON.stringify({ kind: "backrun", ...place, pool, share, price: best === undefined ? null : priceRow(...best) })}\n`;
}

function priceRow(decision: Decision, pools: readonly PoolFacts[]) {
  const { action, reason, hops, amounts, grossLamports, tipLamports, netLamports, evLamports, score } = decision;
  return {
    action,
    reason,
    cycle: hops.map((hop) => pools[hop.pool]?.address),
    amount_in: Number(amounts[0]),
    gross_lamports: Number(grossLamports),
    tip_lamports: Number(tipLamports),
    net_lamports: Number(netLamports),
    p_land_est: score,
    ev_lamports: Number(evLamports),
  };
}

function text({ transaction, pool, share }: Large, best: Price): string {
  const head = `slot ${transaction.slot} #${transaction.indexInSlot}  ${(share * 100).toFixed(2)} % of ${pool}  ${transaction.signature}`;
  if (best === undefined) return `${head}\n            no cycle from there comes near a profit\n`;
  const { action, reason, cycle, gross_lamports, tip_lamports, p_land_est, ev_lamports } = priceRow(...best);
  const worth = `gross ${formatSol(BigInt(gross_lamports))}, tip ${formatSol(BigInt(tip_lamports))}, lands ${p_land_est.toFixed(2)}, expected ${formatSol(BigInt(ev_lamports))} SOL`;
  return `${head}\n            ${action} (${reason}): ${worth}, over ${cycle.join(" → ")}\n`;
}

function readCommand(args: readonly string[]) {
  const rest = [...args];
  const path = rest[0]?.startsWith("--") === false ? rest.shift() : undefined;
  const at = rest.indexOf("--share-min");
  const [, given = `${SHARE_MIN}`] = at < 0 ? [] : rest.splice(at, 2);
  const shareMin = Number(given);
  if (path !== undefined && shareMin > 0 && shareMin < 1)
    return { path, shareMin, json: rest.includes("--json"), options: rest.filter((arg) => arg !== "--json") };
  throw new SandpiperError(
    CLI_ERROR.usage,
    `Cannot run mev backruns: PATH [--share-min above 0, below 1] [--json], was ${JSON.stringify(args.join(" "))}`,
  );
}
