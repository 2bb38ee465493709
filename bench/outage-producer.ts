/**
 * One producer of bench/outage.ts: publishes the decisions first … last - 1 at a rate, under eight keys of its own, and
 * appends the number of each acknowledged one to a file, 4 bytes each. After a kill it goes on behind the last one of
 * that file: what it had published without an answer, it publishes again, as an agent does.
 *
 * A decision's id, time and profit follow from its number, so that the same one said twice is the same row.
 */
import { existsSync, openSync, statSync, writeSync } from "node:fs";
import { openKafkaBus } from "#bus/kafka.ts";
import { createLog } from "#core/log.ts";
import { arbEnvelope, encodeEnvelope } from "#wire/envelope.ts";

export type Producer = {
  readonly name: string;
  readonly brokers: string;
  readonly spoolFolder: string;
  readonly ackPath: string;
  readonly first: number;
  readonly last: number;
  readonly perSecond: number;
};

export const ACK_BYTES = 4;
const KEYS = 8;
/** Messages on their way at once; below what the bus refuses. */
const WINDOW_MESSAGES = 20_000;
const START_NS = 1_795_408_391_559_123_000n;
const ADDRESS = "58oQChx4yWmvKdwLLZzBi4ChoCc2fqCUWBkwMihLYQo2";

export function spawnProducer(producer: Producer): Bun.Subprocess {
  return Bun.spawn([process.execPath, import.meta.path, JSON.stringify(producer)], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });
}

function decision(number: number, key: string): Uint8Array {
  const atNs = START_NS + BigInt(number) * 1_000_000n;
  return encodeEnvelope(
    arbEnvelope({
      version: "0.1.0",
      slot: BigInt(285_000_000 + number),
      classification: "cycle-3",
      decisionId: `outage-${number}`,
      agent: key,
      mode: "sim",
      action: "skip",
      reason: "below_ev_min",
      pools: [ADDRESS, ADDRESS, ADDRESS],
      dexes: ["raydium-cpmm", "raydium-cpmm", "raydium-cpmm"],
      hopAmounts: [1_000_000_000n, 2n, 3n, 1_000_000_000n + BigInt(number)],
      netLamports: BigInt(number),
      features: Array.from({ length: 24 }, (_, i) => i / 8),
      eventNs: atNs,
      decideNs: atNs,
      sequence: BigInt(number),
    }),
  );
}

if (import.meta.main) {
  const producer = JSON.parse(process.argv[2] ?? "{}") as Producer;
  const { name, brokers, spoolFolder, ackPath, first, last, perSecond } = producer;
  const log = createLog({ process: name, level: "warn", format: "text" });
  const kafka = { brokers, clientId: name };
  const bus = openKafkaBus({ kafka, lingerMs: 1, spoolFolder, spoolMiB: 512, owner: name, log });
  const acknowledgedBefore = existsSync(ackPath) ? Math.floor(statSync(ackPath).size / ACK_BYTES) : 0;
  const acks = openSync(ackPath, "a");
  let next = first + acknowledgedBefore;
  let waiting = 0;
  const publish = async (number: number) => {
    const key = `${name}-${number % KEYS}`;
    waiting++;
    await bus.publish("arbitrage-decisions-proto", key, decision(number, key));
    waiting--;
    writeSync(acks, new Uint32Array([number]));
  };
  const startedAt = performance.now();
  const from = next;
  while (next < last) {
    const due = from + Math.ceil(((performance.now() - startedAt) * perSecond) / 1_000);
    // A rejection is unhandled, and ends this process: nothing may be rejected here.
    while (next < Math.min(due, last) && waiting < WINDOW_MESSAGES) void publish(next++);
    await Bun.sleep(2);
  }
  while (waiting > 0 || bus.stats().spooled > 0) await Bun.sleep(20);
  await bus.close();
}
