import { expect, test } from "bun:test";
import { createLog } from "#core/log.ts";
import { decodeEnvelope } from "#wire/envelope.ts";
import { FindingPublisher } from "./finding-publisher.ts";

const log = createLog({ process: "test", level: "error", format: "text" });
const identity = { version: "1", agent: "mev", mode: "sim" };
const quality = { isSynchronised: true, offsetMs: 0.5, estimatedErrorMs: 1, errorMsMax: 2 };
const clock = { wallNs: () => 7_000_000n, wallQuality: () => quality };
const finding = { attacker: "A", slot: 5n, decisionId: "one", netLamports: 12n };

test("FindingPublisher.give() publishes under the attacker, with stamps, identity and the slot's leader", async () => {
  const sent: [string, Uint8Array][] = [];
  const publisher = new FindingPublisher({
    ...{ identity, clock, log },
    rpc: async () => ({ ok: true, value: ["leader of 5"] }),
    publish: async (key, envelope) => void sent.push([key, envelope]),
  });
  publisher.give(finding, 3);
  await publisher.stop();
  const [[key, bytes] = ["", new Uint8Array()]] = sent;
  expect(key).toBe("A");
  expect(decodeEnvelope(bytes).payload.value).toMatchObject({
    ...finding,
    ...identity,
    leader: "leader of 5",
    eventNs: 4_000_000n,
    decideNs: 7_000_000n,
  });
  expect(decodeEnvelope(bytes).wallClock).toMatchObject({
    synchronised: true,
    offsetNs: 500_000n,
    errorNsMax: 2_000_000n,
  });
  expect(publisher).toMatchObject({ published: 1, dropped: 0 });
});

test("FindingPublisher.give() counts what does not get through, and what waits beyond its limit", async () => {
  const gate = Promise.withResolvers<void>();
  const publisher = new FindingPublisher({
    ...{ identity, clock, log },
    rpc: undefined,
    publish: () => gate.promise,
  });
  for (let i = 0; i < 1_030; i++) publisher.give(finding, 3);
  expect(publisher.dropped).toBe(6);
  gate.reject(new Error("the bus is gone"));
  await publisher.stop();
  expect(publisher).toMatchObject({ published: 0, dropped: 1_030 });
});
