/**
 * The process of the embedded ClickHouse. It has two roles: the agent that the supervisor watches, and the engine's host,
 * its child, which the agent starts with the host's options in the environment (libchdb blocks the thread it runs on).
 * With a ClickHouse server of its own (store.engine = server) it starts nothing: the recorder waits for that server itself.
 */
import { SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { type ClickhouseHostOptions, runClickhouse } from "#ffi/clickhouse-host.ts";
import { CLICKHOUSE_HOST_VARIABLE, startEngine } from "#store/engine.ts";
import { STORE_ERROR } from "#store/errors.ts";
import { coldStorageOf } from "#store/open.ts";
import { runAgent } from "#supervise/agent-runtime.ts";
import { childCommand } from "#supervise/child-command.ts";

const hostOptions = process.env[CLICKHOUSE_HOST_VARIABLE];
if (hostOptions !== undefined) {
  runClickhouse(JSON.parse(hostOptions) as ClickhouseHostOptions);
  // The engine says on stderr why it ended; its parent knows whether it was asked to.
  process.exit(EXIT_CODE.failure);
} else {
  runAgent("clickhouse", async (agent) => {
    if (agent.config["store.engine"] === "server") {
      agent.log.info("the tables are on a server", { at: agent.config["clickhouse.url"] });
      agent.ready();
      return () => undefined;
    }
    const engine = await startEngine({
      folder: agent.paths.clickhouse,
      port: agent.config["clickhouse.port"],
      secretPath: agent.paths.clickhouseSecret,
      hostCommand: childCommand("clickhouse", []),
      cold: coldStorageOf(agent.config),
      log: agent.log,
    });
    void engine.died.then((why) => {
      throw new SandpiperError(
        STORE_ERROR.engine,
        `Cannot keep ClickHouse running: an engine that stays, was ended: ${why}`,
        "later",
      );
    });
    agent.log.info("clickhouse answers", { port: agent.config["clickhouse.port"], enginePid: engine.pid });
    agent.ready();
    return () => engine.stop();
  });
}
