/**
 * `sandpiper pools [--json] [flags]`: the pools that the feed of this data folder follows, with what their tokens call
 * themselves, as the node of the mode at hand says; without an answer of it, by their addresses alone.
 */
import { errorText } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import type { PoolFacts } from "#core/pool.ts";
import { seededRandom } from "#core/random.ts";
import { readConfig } from "#core/read-config.ts";
import type { Address } from "#core/units.ts";
import { readCatalogue } from "#decide/catalogue-follower.ts";
import type { TokenName } from "#dex/token-metadata.ts";
import { endpointsOf } from "#execute/endpoints.ts";
import { RpcNode } from "#market/live/rpc-node.ts";
import { readNames } from "#market/token-names.ts";

const SHORT_CHARACTERS = 4;

export async function runPools(
  args: readonly string[],
  write: (text: string) => void = (text) => void process.stdout.write(text),
): Promise<number> {
  const json = args.includes("--json");
  const { config } = readConfig(
    args.filter((arg) => arg !== "--json"),
    process.env,
  );
  const pools = readCatalogue(runPaths(config.dataDir).poolCatalogue)?.pools ?? [];
  const mints = [...new Set(pools.flatMap((pool) => pool.mints))];
  const node = new RpcNode(endpointsOf(config).rpcUrl, seededRandom("pools"), { triesMax: 2 });
  let names: ReadonlyMap<Address, TokenName> = new Map();
  try {
    if (mints.length > 0) names = await readNames(node, mints);
  } catch (thrown) {
    process.stderr.write(`no names: ${errorText(thrown)}\n`);
  }
  const lines = pools.map((pool) => (json ? JSON.stringify(rowOf(pool, names)) : lineOf(pool, names)));
  write(lines.length === 0 ? (json ? "" : "no pools yet\n") : `${lines.join("\n")}\n`);
  return EXIT_CODE.ok;
}

function rowOf(
  { index, dex, address, mints, feeNumerator, feeDenominator }: PoolFacts,
  names: ReadonlyMap<Address, TokenName>,
) {
  const tokens = mints.map((mint) => ({ mint, ...(names.get(mint) ?? { name: null, symbol: null }) }));
  return { pool: index, dex, address, fee_bps: (feeNumerator / feeDenominator) * 10_000, tokens };
}

function lineOf(pool: PoolFacts, names: ReadonlyMap<Address, TokenName>): string {
  const { tokens, fee_bps } = rowOf(pool, names);
  const pair = tokens.map(({ mint, symbol }) => symbol ?? `${mint.slice(0, SHORT_CHARACTERS)}…`).join("/");
  return `${String(pool.index).padStart(5)}  ${pair.padEnd(21)}  ${pool.dex.padEnd(14)}  ${fee_bps.toFixed(2).padStart(7)} bp  ${pool.address}`;
}
