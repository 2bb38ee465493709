/**
 * An operator's order in a whole run on each bus: from the HTTP request to the switchboard (the stamp that the agent's signed
 * ack carries), to the answer with the ack, and from the request of a kill to the last send (send_ns of the outcomes in
 * ClickHouse). The sim trades all the while.
 *
 *   bun bench/control.ts [orders = 500] [kills = 20]
 *
 * Exit 1 when a bundle left after the ack of a kill and before the start that follows it.
 */
import { createSystemClock } from "#ffi/system-clock.ts";
import { startKafkaBroker } from "../test/support/kafka-broker.ts";
import { SupervisedRun } from "../test/support/supervised-run.ts";
import { machine, spread, table } from "./report.ts";

const ORDERS = Number(process.argv[2] ?? 500);
const KILLS = Number(process.argv[3] ?? 20);
const WAIT_MS = 20_000;
/** Orders come one after another, as people give them; the bus is idle in between. */
const PAUSE_MS = 20;
/** Trading between a start and the next kill. */
const TRADE_MS = 1_000;
const BUSY_MARKET = ["--sim.slotMs", "100", "--sim.tradesPerSlot", "16", "--arbitrage.evMinLamports", "0"];
const clock = createSystemClock();

type Order = { readonly requestNs: bigint; readonly heldNs: bigint; readonly answeredNs: bigint };
type Ask = (action: string, body?: Record<string, unknown>) => Promise<Order>;
type Kill = { readonly requestNs: bigint; readonly heldNs: bigint; readonly startNs: bigint };

type Acks = { readonly acks?: readonly { readonly answer: string; readonly at_ns: string }[] };

async function signIn(run: SupervisedRun): Promise<Ask> {
  const token = await run.signIn();
  return async (action, body = {}) => {
    const requestNs = clock.wallNs();
    const asked = { wait_ms: WAIT_MS, ...body };
    const { acks = [] } = await run.post<Acks>(`/api/control/module/arbitrage:${action}`, asked, token);
    const answeredNs = clock.wallNs();
    const [ack] = acks;
    if (ack?.answer !== "applied") throw new Error(`${action} was not applied: ${JSON.stringify(acks)}`);
    return { requestNs, heldNs: BigInt(ack.at_ns), answeredNs };
  };
}

async function killAndStart(ask: Ask): Promise<Kill> {
  const { requestNs, heldNs } = await ask("kill");
  await Bun.sleep(TRADE_MS);
  const startNs = clock.wallNs();
  await ask("start");
  await Bun.sleep(TRADE_MS);
  return { requestNs, heldNs, startNs };
}

async function measure(bus: string, flags: readonly string[]): Promise<{ rows: string[][]; late: number }> {
  const run = await SupervisedRun.start(["--sim.seed", "control", ...BUSY_MARKET, "--guard.acts", "no", ...flags]);
  try {
    await run.allReady();
    await run.landed(1);
    const ask = await signIn(run);
    for (let i = 0; i < 20; i++) await ask("throttle", { throttle_pct: 1 });
    const orders: Order[] = [];
    for (let i = 0; i < ORDERS; i++) {
      orders.push(await ask("throttle", { throttle_pct: i % 2 }));
      await Bun.sleep(PAUSE_MS);
    }
    await ask("throttle", { throttle_pct: 0 });
    const kills: Kill[] = [];
    for (let i = 0; i < KILLS; i++) kills.push(await killAndStart(ask));
    const { attempts } = await run.status();
    // The outcomes of what was sent before the last kill have ended and are in the tables a moment later.
    await Bun.sleep(5 * TRADE_MS);
    const sends = await run.store.query<{ ns: string }>(
      "SELECT send_ns AS ns FROM sandpiper.bundle_outcomes_typed WHERE send_ns > 0 ORDER BY send_ns",
    );
    const within = ({ requestNs, startNs }: Kill) =>
      sends.map(({ ns }) => BigInt(ns)).filter((ns) => ns >= requestNs && ns < startNs);
    const late = kills.flatMap((kill) => within(kill).filter((ns) => ns > kill.heldNs)).length;
    const lastSends = kills.map((kill) => Number((within(kill).at(-1) ?? kill.requestNs) - kill.requestNs) / 1e6);
    const ms = (from: keyof Order, to: keyof Order) => orders.map((order) => Number(order[to] - order[from]) / 1e6);
    const row = (what: string, values: readonly number[]) => [bus, what, ...spread(values), String(values.length)];
    const rows = [
      row("request to switchboard, ms", ms("requestNs", "heldNs")),
      row("request to answer with its ack, ms", ms("requestNs", "answeredNs")),
      row(
        "kill: request to switchboard, ms",
        kills.map((kill) => Number(kill.heldNs - kill.requestNs) / 1e6),
      ),
      row(`kill: request to last send, ms (${attempts} bundles in the run, ${late} after the ack)`, lastSends),
    ];
    return { rows, late };
  } finally {
    await run.discard();
  }
}

const embedded = await measure("embedded", []);
const broker = await startKafkaBroker();
const flags = ["--kafka.brokers", broker.address];
Bun.spawnSync([process.execPath, "src/cli/main.ts", "topics", ...flags], { cwd: `${import.meta.dir}/..` });
const kafka = await measure("Kafka", ["--bus.engine", "kafka", ...flags]).finally(() => broker.discard());
const head = ["bus", "figure", "p50", "p99", "max", "of"];
process.stdout.write(`${table(head, [...embedded.rows, ...kafka.rows])}\n\n${machine()}\n`);
process.exit(embedded.late + kafka.late === 0 ? 0 : 1);
