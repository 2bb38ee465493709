/** `sandpiper migrate`: brings ClickHouse's tables to this version, and says what was applied. */
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import { readConfig } from "#core/read-config.ts";
import { migrate } from "#store/migrate.ts";
import { MIGRATIONS } from "#store/migrations.ts";
import { openStore, retentionOf } from "#store/open.ts";
import { ensureRetention } from "#store/retention.ts";

export async function runMigrate(flags: readonly string[]): Promise<number> {
  const { config } = readConfig(flags, process.env);
  const store = openStore(config, runPaths(config.dataDir));
  try {
    const applied = await migrate(store);
    for (const number of applied)
      process.stdout.write(`applied ${number} ${MIGRATIONS.find((one) => one.number === number)?.name ?? ""}\n`);
    if (applied.length === 0) process.stdout.write(`up to date: ${MIGRATIONS.length} migrations are applied\n`);
    const altered = await ensureRetention(store, retentionOf(config));
    if (altered.length > 0) process.stdout.write(`set how long rows stay: ${altered.join(", ")}\n`);
    return EXIT_CODE.ok;
  } finally {
    await store.close();
  }
}
