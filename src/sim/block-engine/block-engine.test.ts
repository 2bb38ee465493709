/** The auction on the real cluster: order, atomicity, the life of a bundle, and what is refused. */
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { signatureOf } from "#execute/transaction.ts";
import { walletAccount } from "#sim/genesis/accounts.ts";
import { CONGESTED } from "./block-engine.ts";
import { BundleHistory } from "./bundle-history.ts";
import { keyOf, paying, SOL, stage, TIP_ACCOUNT } from "./fixture.ts";

const stateOf = (engine: ReturnType<typeof stage>["engine"], id: string) => engine.history.find(id)?.state;

describe("BlockEngine", () => {
  test("names a bundle by the SHA-256 of its signatures joined by commas", () => {
    const { cluster, engine, paid } = stage();
    const wires = [
      paying(cluster, paid("a"), [[keyOf("x").address, SOL]]),
      paying(cluster, paid("b"), [[TIP_ACCOUNT, 5_000n]]),
    ];
    const id = createHash("sha256").update(wires.map(signatureOf).join(",")).digest("hex");
    expect(engine.send(wires)).toEqual({ ok: true, value: id });
    expect(stateOf(engine, id)).toEqual({ kind: "pending" });
    engine.tick();
    expect(stateOf(engine, id)).toEqual({ kind: "landed", slot: cluster.slot });
    expect(engine.tipFloor.read(0).landed_tips_50th_percentile).toBe(0.000_005);
  });

  test("lands the highest tip first, whatever came first, and tips are paid", () => {
    const { cluster, engine, paid } = stage();
    const shared = keyOf("shared").address;
    const before = cluster.account(TIP_ACCOUNT)?.lamports ?? 0n;
    const landed: string[] = [];
    cluster.onTransaction(({ signature }) => void landed.push(signature));
    const bids = [7_000n, 90_000n, 30_000n].map((tip) => {
      const wire = paying(cluster, paid(`bidder ${tip}`), [
        [shared, SOL],
        [TIP_ACCOUNT, tip],
      ]);
      expect(engine.send([wire]).ok).toBe(true);
      return signatureOf(wire);
    });
    engine.tick();
    expect(landed).toEqual([bids[1], bids[2], bids[0]] as string[]);
    expect(cluster.account(TIP_ACCOUNT)?.lamports).toBe(before + 127_000n);
  });

  test("lands bundles that do not compete in one auction", () => {
    const { cluster, engine, paid } = stage();
    for (const name of ["a", "b", "c"])
      engine.send([
        paying(cluster, paid(name), [
          [keyOf(`to ${name}`).address, SOL],
          [TIP_ACCOUNT, 2_000n],
        ]),
      ]);
    engine.tick();
    expect(engine.counters.landed).toBe(3);
  });

  test("lands every bundle of one payer in one auction when there is value for all, however many wait", () => {
    const { cluster, engine, paid } = stage({ lifeTicks: 1 });
    const payer = paid("one payer");
    const sent = Array.from({ length: 20 }, (_, i) =>
      engine.send([
        paying(cluster, payer, [
          [keyOf(`to ${i}`).address, SOL / 10n],
          [TIP_ACCOUNT, 2_000n + BigInt(i)],
        ]),
      ]),
    );
    engine.tick();
    const states = sent.map((result) => result.ok && stateOf(engine, result.value));
    expect(states).toEqual(states.map(() => ({ kind: "landed", slot: cluster.slot })));
    expect(engine.counters).toMatchObject({ landed: 20, failed: 0 });
  });

  test("lands the higher tip where there is value for one, and fails the other after its life", () => {
    const { cluster, engine } = stage({ lifeTicks: 2 });
    const payer = keyOf("payer of one");
    cluster.setAccount(payer.address, walletAccount(SOL));
    const [low, high] = [2_000n, 9_000n].map((tip) => {
      const sent = engine.send([
        paying(cluster, payer, [
          [keyOf("prize").address, (SOL * 6n) / 10n],
          [TIP_ACCOUNT, tip],
        ]),
      ]);
      if (!sent.ok) throw new Error(sent.error);
      return sent.value;
    }) as [string, string];
    engine.tick();
    expect([stateOf(engine, high)?.kind, stateOf(engine, low)?.kind]).toEqual(["landed", "pending"]);
    engine.tick();
    expect(stateOf(engine, low)).toEqual({
      kind: "failed",
      why: 'transaction 0: {"InstructionError":[0,{"Custom":1}]}',
    });
  });

  test("lands all of a bundle or nothing, the tip included", () => {
    const { cluster, engine, paid } = stage({ lifeTicks: 2 });
    const target = keyOf("target").address;
    const before = cluster.account(TIP_ACCOUNT)?.lamports;
    const sent = engine.send([
      paying(cluster, paid("tipper"), [[TIP_ACCOUNT, 1_000_000n]]),
      paying(cluster, paid("payer"), [[target, SOL]]),
      paying(cluster, paid("broke"), [[target, 100n * SOL]]),
    ]);
    if (!sent.ok) throw new Error(sent.error);
    engine.tick();
    expect(stateOf(engine, sent.value)).toEqual({ kind: "pending" });
    engine.tick();
    expect(stateOf(engine, sent.value)).toEqual({
      kind: "failed",
      why: 'transaction 2: {"InstructionError":[0,{"Custom":1}]}',
    });
    expect(cluster.account(target)).toBeUndefined();
    expect(cluster.account(TIP_ACCOUNT)?.lamports).toBe(before as bigint);
    expect(cluster.account(keyOf("tipper").address)?.lamports).toBe(10n * SOL);
  });

  test("tries a bundle again on the state that another left", () => {
    const { cluster, engine, paid } = stage();
    const poor = keyOf("poor");
    cluster.setAccount(poor.address, walletAccount(1_000_000n));
    const donation = paying(cluster, paid("rich"), [
      [poor.address, SOL],
      [TIP_ACCOUNT, 1_000n],
    ]);
    const wish = paying(cluster, poor, [
      [keyOf("to").address, SOL / 2n],
      [TIP_ACCOUNT, 50_000n],
    ]);
    const sent = [engine.send([wish]), engine.send([donation])].map((result) => (result.ok ? result.value : ""));
    // The higher tip goes first and cannot pay yet; the donation lands after it.
    engine.tick();
    expect(sent.map((id) => stateOf(engine, id)?.kind)).toEqual(["pending", "landed"]);
    engine.tick();
    expect(stateOf(engine, sent[0] as string)?.kind).toBe("landed");
  });

  test("fails a bundle after its life and takes the same bundle again", () => {
    const { cluster, engine, paid } = stage({ lifeTicks: 3 });
    const wire = paying(cluster, paid("a"), [
      [keyOf("x").address, 100n * SOL],
      [TIP_ACCOUNT, 1_000n],
    ]);
    const sent = engine.send([wire]);
    for (let i = 0; i < 3; i++) engine.tick();
    expect(engine.counters.failed).toBe(1);
    expect(engine.send([wire])).toEqual(sent);
  });

  const junk = new Uint8Array([1, 2, 3]);
  const refusals: readonly (readonly [string, (s: ReturnType<typeof stage>) => Uint8Array[], string])[] = [
    ["no transactions", () => [], "Bundle must contain at least one transaction."],
    [
      "six transactions",
      ({ cluster, paid }) => Array.from({ length: 6 }, () => paying(cluster, paid("a"), [[TIP_ACCOUNT, 1_000n]])),
      "Bundle must contain at most 5 transactions.",
    ],
    [
      "bytes that are no transaction",
      ({ cluster, paid }) => [paying(cluster, paid("a"), [[TIP_ACCOUNT, 1_000n]]), junk],
      "transaction #1 could not be decoded",
    ],
    [
      "no tip account",
      ({ cluster, paid }) => [paying(cluster, paid("a"), [[keyOf("x").address, SOL]])],
      "Bundles must write lock at least one tip account to be eligible for the auction.",
    ],
    [
      "a tip under the least",
      ({ cluster, paid }) => [paying(cluster, paid("a"), [[TIP_ACCOUNT, 999n]])],
      "Bundle must tip at least 1000 lamports.",
    ],
    [
      "the same transaction twice",
      ({ cluster, paid }) => {
        const wire = paying(cluster, paid("a"), [[TIP_ACCOUNT, 1_000n]]);
        return [wire, wire];
      },
      "bundle contains an already processed transaction",
    ],
    [
      "a transaction that has landed",
      ({ cluster, paid }) => {
        const wire = paying(cluster, paid("a"), [[TIP_ACCOUNT, 1_000n]]);
        cluster.submit(wire);
        return [wire];
      },
      "bundle contains an already processed transaction",
    ],
    [
      "a bundle that it already holds",
      ({ cluster, paid, engine }) => {
        const wire = paying(cluster, paid("a"), [[TIP_ACCOUNT, 1_000n]]);
        engine.send([wire]);
        return [wire];
      },
      "bundle contains an already processed transaction",
    ],
  ];
  test.each(refusals)("refuses %s", (_, make, why) => {
    const place = stage();
    expect(place.engine.send(make(place))).toEqual({ ok: false, error: why });
    expect(place.engine.counters.refused).toBe(1);
  });

  test("refuses more bundles than may wait, and counts them", () => {
    const { cluster, engine, paid } = stage({ pendingMax: 2 });
    const send = (name: string) => engine.send([paying(cluster, paid(name), [[TIP_ACCOUNT, 1_000n]])]);
    expect([send("a").ok, send("b").ok]).toEqual([true, true]);
    expect(send("c")).toEqual({ ok: false, error: CONGESTED });
    engine.tick();
    expect(send("c").ok).toBe(true);
  });

  test("forgets a bundle after five minutes", () => {
    const { cluster, clock, engine, paid } = stage();
    engine.send([paying(cluster, paid("a"), [[TIP_ACCOUNT, 1_000n]])]);
    engine.tick();
    clock.advanceNs(299e9);
    engine.tick();
    expect(engine.history.size).toBe(1);
    clock.advanceNs(2e9);
    engine.tick();
    expect(engine.history.size).toBe(0);
  });

  test("forgets the oldest early when there are too many, counts them, and keeps the order of receipt", () => {
    const history = new BundleHistory(1_000, 2);
    const record = (id: string, receivedNs: number) =>
      history.add({ id, signatures: [], tipLamports: 1n, receivedNs, state: { kind: "pending" } });
    record("a", 0);
    record("b", 100);
    record("a", 900);
    history.forgetBefore(1_500);
    expect([history.find("a")?.receivedNs, history.find("b")]).toEqual([900, undefined]);
    record("c", 1_500);
    record("d", 1_500);
    expect([history.size, history.forgottenEarly, history.find("a")]).toEqual([2, 1, undefined]);
  });
});
