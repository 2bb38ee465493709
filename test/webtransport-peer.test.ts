/**
 * The live stream read by another WebTransport implementation (aioquic), another zstd and another protobuf: what was published
 * is what it decodes, to the unit. Without the module or a network it is skipped, loudly, but never in CI.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bus } from "#bus/bus.ts";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { loadConfig } from "#core/config.ts";
import { createLog } from "#core/log.ts";
import { runPaths } from "#core/paths.ts";
import { type Gateway, startGateway } from "#gateway/gateway.ts";
import { storeData } from "#gateway/store-data.ts";
import { connectStore } from "#store/client.ts";
import { encodeEnvelope } from "#wire/envelope.ts";
import { SeededEnvelopes } from "./support/seeded-envelopes.ts";
import { eventually } from "./support/supervised-run.ts";
import { installWebTransportPeer, startWebTransportPeer } from "./support/webtransport-peer.ts";

const DECISIONS = 60;
const MODULE = join(import.meta.dir, "../native/sandpiper-native.node");
const CI = process.env["CI"] === "true";
const unbuilt = existsSync(MODULE) || (CI && Bun.which("cargo") !== null) ? undefined : "native/ is not built";
const missing = unbuilt ?? installWebTransportPeer();
const skipped = missing !== undefined && !(CI && unbuilt === undefined);
if (skipped) process.stderr.write(`SKIPPED: the live stream in another implementation, because ${missing}\n`);

const QUIET = createLog({ process: "test", level: "error", format: "text" });
const folder = mkdtempSync(join(tmpdir(), "sandpiper-peer-"));
const paths = runPaths(folder);
const { config } = loadConfig({ environment: {}, flags: ["--dataDir", folder] });
let bus: Bus;
let gateway: Gateway;

describe.skipIf(skipped)("an independent WebTransport client", () => {
  beforeAll(async () => {
    const store = connectStore({ port: 1, secretPath: paths.clickhouseSecret });
    bus = openEmbeddedBus({ path: paths.bus, lingerMs: 1, retainMiB: 64, log: QUIET });
    const data = storeData(store);
    gateway = await startGateway({ config, paths, runId: "test", bus, data, log: QUIET, port: 0, show: () => {} });
  }, 120_000);
  afterAll(async () => {
    await gateway?.stop();
    await bus?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("decodes the feed: decisions as datagrams, every outcome on the stream, amounts to the unit", async () => {
    expect(missing).toBeUndefined();
    const peer = await startWebTransportPeer(gateway.port, true);
    expect(peer.status).toBe("200");
    const seeds = new SeededEnvelopes("peer");
    const sent = new Map<string, string>();
    let outcomes = 0;
    for (let i = 0; i < DECISIONS; i++) {
      const { decision, outcome } = seeds.next(Date.now(), 0.5);
      if (decision.payload.case === "arb")
        sent.set(decision.payload.value.decisionId, String(decision.payload.value.netLamports));
      await bus.publish("arbitrage-decisions-proto", "k", encodeEnvelope(decision));
      if (outcome?.payload.case !== "outcome") continue;
      outcomes++;
      sent.set(outcome.payload.value.bundleId, String(outcome.payload.value.realisedNetLamports));
      await bus.publish("bundle-outcomes-proto", "k", encodeEnvelope(outcome));
    }
    const items = () => peer.seconds.flatMap((second) => second.items);
    await eventually("every outcome", () =>
      items().filter(([, kind]) => kind === "outcome").length >= outcomes ? true : undefined,
    );
    await eventually("decisions", () => (items().some(([, kind]) => kind === "arb") ? true : undefined));
    await peer.stop();
    expect(items().every(([way, kind]) => kind === "arb" || way === "streams")).toBe(true);
    expect(items().some(([way, kind]) => kind === "arb" && way === "datagrams")).toBe(true);
    for (const [, , id, net] of items()) expect(net, id).toBe(sent.get(id) ?? "never sent");
  }, 180_000);
});
