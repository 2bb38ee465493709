/**
 * The process that keeps the record: the ledger of the control river on disk, and everything that is said on the bus in
 * ClickHouse's typed tables, exactly once. At start it brings the tables to this version. Where ClickHouse reads Kafka itself
 * (store.reader), it leaves the tables to it.
 */
import { openBus } from "#bus/open.ts";
import { SandpiperError } from "#core/error.ts";
import { ledgerFiles } from "#ledger/files.ts";
import { keepLedger } from "#ledger/keep.ts";
import type { Store } from "#store/client.ts";
import { STORE_ERROR } from "#store/errors.ts";
import { startIngest } from "#store/ingest.ts";
import { startCheckpointRecords } from "#store/ledger-checkpoints.ts";
import { isReadByClickhouse, openStore } from "#store/open.ts";
import { prepareStore } from "#store/prepare.ts";
import { runAgent } from "#supervise/agent-runtime.ts";

/** How long a start waits for ClickHouse before the supervisor tries again. */
const STORE_WAIT_MS_MAX = 30_000;
const STORE_LOOK_EVERY_MS = 50;
const REPORT_EVERY_MS = 10_000;
/** Messages not yet in the tables from which the operator is warned. */
const LAG_WARN = 10_000;

async function waitForStore(store: Store): Promise<void> {
  const deadline = performance.now() + STORE_WAIT_MS_MAX;
  while (!(await store.ping())) {
    if (performance.now() > deadline)
      throw new SandpiperError(
        STORE_ERROR.unreachable,
        `Cannot record: ClickHouse within ${STORE_WAIT_MS_MAX} ms, was not answering`,
        "later",
      );
    await Bun.sleep(STORE_LOOK_EVERY_MS);
  }
}

runAgent("recorder", async ({ config, paths, log, ready }) => {
  const bus = await openBus(config, paths, log, "recorder");
  // Before anything waits for ClickHouse: the ledger needs the disk alone.
  const ledger = await keepLedger({ bus, folder: paths.ledger, secretPath: paths.ledgerSecret, log });
  const store = openStore(config, paths);
  await waitForStore(store);
  for (const line of await prepareStore(store, config)) log.info(`tables: ${line}`);
  const checkpoints = startCheckpointRecords({ path: ledgerFiles(paths.ledger).checkpoint, store, log });
  if (isReadByClickhouse(config)) {
    ready();
    return async () => {
      await ledger.stop();
      await checkpoints.stop();
      await Promise.all([bus.close(), store.close()]);
    };
  }
  const ingest = startIngest({ bus, store, log });
  const reporting = setInterval(() => {
    const stats = ingest.stats();
    const line = stats.lag > LAG_WARN ? log.warn : log.debug;
    line("recorded", { ...stats });
  }, REPORT_EVERY_MS);
  ready();
  return async () => {
    clearInterval(reporting);
    await Promise.all([ingest.stop(), ledger.stop()]);
    await checkpoints.stop();
    await bus.close();
    await store.close();
  };
});
