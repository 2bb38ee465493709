/** A process of control-kills.ts that is killed again and again: `agent` answers commands, `ledger` keeps the ledger. */
import { openEmbeddedBus } from "#bus/embedded.ts";
import { startControl } from "#control/agent/start-control.ts";
import { loadConfig } from "#core/config.ts";
import { createLog } from "#core/log.ts";
import { runPaths } from "#core/paths.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { keepLedger } from "#ledger/keep.ts";
import { Switchboard } from "#memory/switchboard.ts";

const [role, folder = ""] = process.argv.slice(2);
const log = createLog({ process: `${role}`, level: "error", format: "text" });
const paths = runPaths(folder);
const bus = openEmbeddedBus({ path: paths.bus, lingerMs: 1, retainMiB: 1_024, log });
if (role === "ledger") await keepLedger({ bus, folder: paths.ledger, secretPath: paths.ledgerSecret, log });
else
  startControl({
    ...{ agent: "arbitrage", module: "arbitrage", paths, bus, log, clock: createSystemClock() },
    config: loadConfig({ environment: {}, flags: ["--dataDir", folder] }).config,
    switchboard: new Switchboard(new SharedArrayBuffer(Switchboard.bytes)),
    configured: { killed: false, stopped: false, throttlePct: 0, evMinLamports: 1, tipLadderLamports: [1] },
    restart: () => {},
  });
