/** Traces over a real bus to a collector on loopback: what is sampled arrives as OTLP, once; a collector away costs nothing else. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { createLog } from "#core/log.ts";
import { encodeEnvelope, outcomeEnvelope } from "#wire/envelope.ts";
import { isSampled, spansOf, startTraces } from "./traces.ts";

const folder = mkdtempSync(join(tmpdir(), "sandpiper-traces-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const log = createLog({ process: "test", level: "error", format: "text", write: () => {} });

const T0 = 1_790_000_000_000_000_000n;
const envelope = (i: number, state = "landed") =>
  outcomeEnvelope({
    ...{ bundleId: `b-${i}`, decisionId: `d-${i}`, landed: state === "landed", state, reason: "why", path: "jito" },
    ...{ eventNs: T0, decideNs: T0 + 1_000n, sendNs: T0 + 5_000n, acceptedNs: T0 + 90_000n, landNs: T0 + 400_000n },
  });
const outcomeOf = (i: number, state?: string) => {
  const { payload } = envelope(i, state);
  if (payload.case !== "outcome") throw new Error("no outcome");
  return payload.value;
};

test("spansOf() has the whole bundle and each step that was taken under it", () => {
  const spans = spansOf(outcomeOf(1));
  expect(spans.map(({ name }) => name)).toEqual(["bundle", "decide", "build and sign", "route", "landing"]);
  const [root, ...steps] = spans;
  expect(root?.traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(5);
  for (const step of steps) expect([step.traceId, step.parentSpanId]).toEqual([root?.traceId as string, root?.spanId]);
  expect([root?.startTimeUnixNano, root?.endTimeUnixNano]).toEqual([String(T0), String(T0 + 400_000n)]);
  expect(root?.status).toEqual({ code: 1 });
  // Never acknowledged: no route span, no landing span, and the reason why.
  const lost = spansOf({ ...outcomeOf(2, "dropped"), acceptedNs: 0n });
  expect(lost.map(({ name }) => name)).toEqual(["bundle", "decide", "build and sign"]);
  expect(lost[0]?.status).toEqual({ code: 2, message: "dropped: why" });
});

test("isSampled() takes its share, always the same", () => {
  const ids = Array.from({ length: 20_000 }, (_, i) => `d-${i}`);
  const share = ids.filter((id) => isSampled(id, 0.1)).length / ids.length;
  expect(Math.abs(share - 0.1)).toBeLessThan(0.02);
  expect([isSampled("x", 0), isSampled("x", 1)]).toEqual([false, true]);
});

test("startTraces() delivers to a collector, and gives up on one that refuses", async () => {
  const bodies: string[] = [];
  let refusing = false;
  const heard: (() => void)[] = [];
  const collector = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      bodies.push(`${new URL(request.url).pathname} ${await request.text()}`);
      heard.shift()?.();
      return new Response("", { status: refusing ? 503 : 200 });
    },
  });
  const bus = openEmbeddedBus({ path: join(folder, "bus.sqlite"), lingerMs: 1, retainMiB: 16, log });
  const traces = startTraces({ bus, endpoint: `http://127.0.0.1:${collector.port}/`, share: 1, version: "1", log });
  const publish = async (i: number) => {
    const hearing = new Promise<void>((resolve) => heard.push(resolve));
    await bus.publish("bundle-outcomes-proto", `b-${i}`, encodeEnvelope(envelope(i)));
    await hearing;
  };
  await bus.publish("bundle-outcomes-proto", "poison", Uint8Array.of(9, 9, 9));
  await publish(1);
  const [path, body] = bodies[0]?.split(/ (.*)/s) ?? [];
  expect(path).toBe("/v1/traces");
  const sent = JSON.parse(body ?? "");
  expect(sent.resourceSpans[0].scopeSpans[0].spans).toEqual(JSON.parse(JSON.stringify(spansOf(outcomeOf(1)))));
  refusing = true;
  await publish(2);
  await traces.stop();
  expect(traces.counts).toEqual({ sent: 1, dropped: 1 });
  await bus.close();
  await collector.stop(true);
});
