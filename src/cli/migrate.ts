/** `sandpiper migrate`: brings ClickHouse's tables to this version and configuration, and says what was done. */
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import { readConfigWithSecrets } from "#core/secrets/secrets.ts";
import { openStore } from "#store/open.ts";
import { prepareStore } from "#store/prepare.ts";

export async function runMigrate(flags: readonly string[]): Promise<number> {
  const config = await readConfigWithSecrets(flags, process.env);
  const store = openStore(config, runPaths(config.dataDir));
  try {
    const done = await prepareStore(store, config);
    for (const line of done) process.stdout.write(`${line}\n`);
    if (done.length === 0) process.stdout.write("up to date\n");
    return EXIT_CODE.ok;
  } finally {
    await store.close();
  }
}
