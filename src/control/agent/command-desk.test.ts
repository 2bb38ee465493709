import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NonceFile } from "#control/nonces.ts";
import { signCommand, type UnsignedCommand } from "#control/sign.ts";
import { ANA, BEN, command, controlKey, keySet, NOW_SECONDS } from "#control/test-command.ts";
import { TwoPersonRule } from "#control/two-person.ts";
import { ManualClock } from "#core/clock.ts";
import { createPolicyTarget, Switchboard } from "#memory/switchboard.ts";
import { type Ack, ackSigningBytes, decodeAck } from "#wire/ack.ts";
import { decodeAudit } from "#wire/audit.ts";
import { readAnswers, writeAnswers } from "./answer-file.ts";
import { CommandDesk } from "./command-desk.ts";

const folder = mkdtempSync(join(tmpdir(), "sandpiper-desk-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

const CONFIGURED = {
  killed: false,
  stopped: false,
  throttlePct: 0,
  evMinLamports: 10_000,
  tipLadderLamports: [10_000, 20_000],
};
const KEYS = keySet(
  controlKey("ana-1", ANA.publicKeyHex),
  controlKey("guard", BEN.publicKeyHex, {
    scopes: [
      { module: "*", action: "throttle" },
      { module: "*", action: "kill" },
    ],
  }),
);
type Life = { readonly streamsMax?: number; readonly twoPerson?: "arbitrage:kill" };

/** An agent's desk as startControl makes it; a second one on the same path is its next life. */
function life(path = join(folder, `${files++}`), { streamsMax, twoPerson }: Life = {}) {
  const nonces = new NonceFile(`${path}.nonces`, streamsMax === undefined ? {} : { streamsMax });
  const board = new SharedArrayBuffer(Switchboard.bytes);
  const reader = new Switchboard(board);
  const target = createPolicyTarget();
  const scopes = twoPerson === undefined ? [] : ([{ module: "arbitrage", action: "kill" }] as const);
  const desk = new CommandDesk(readAnswers(path), {
    agent: "arbitrage",
    module: "arbitrage",
    keys: () => KEYS,
    nonces,
    twoPerson: new TwoPersonRule({ scopes, windowSeconds: 60n }),
    ackKey: { id: "ack-arbitrage", key: ANA },
    switchboard: new Switchboard(board),
    configured: CONFIGURED,
    clock: new ManualClock(NOW_SECONDS * 1_000_000_000n),
  });
  let offset = 0;
  return {
    path,
    desk,
    nonces,
    /** What the hot thread would read now. */
    policy: () => {
      reader.readPolicyInto(target);
      return target;
    },
    /** A whole batch, kept; answers its acks. */
    give: (...commands: readonly Uint8Array[]): Ack[] => {
      const batch = desk.answer(commands.map((value) => ({ offset: ++offset, value })));
      writeAnswers(path, batch);
      nonces.takeAll(batch.nonces);
      return batch.fresh.map(({ ack }) => decodeAck(ack));
    },
  };
}

let nonce = 0n;
const signed = (more: Partial<UnsignedCommand>, by = ANA, id = "ana-1") => {
  nonce += 1n;
  return signCommand(command({ args: new Map(), nonce, requestId: `request-${nonce}`, ...more }), by, id);
};
const throttle = (pct: string) => signed({ action: "throttle", args: new Map([["throttle_pct", pct]]) });

describe("CommandDesk", () => {
  test("sets the switchboard and answers with a signed ack of the state after", () => {
    const { give, policy } = life();
    const [ack] = give(throttle("25.5"));
    expect(ack).toMatchObject({ answer: "applied", reason: "", trading: "running", throttlePct: 25.5, sequence: 1n });
    expect(ack).toMatchObject({ agent: "arbitrage", requestId: `request-${nonce}`, evMinLamports: 10_000n });
    expect(policy().throttlePct).toBe(25.5);
    const { sig, pubkeyId } = ack as Ack;
    expect(pubkeyId).toBe("ack-arbitrage");
    expect(controlKey("ana-1", ANA.publicKeyHex).key.verifies(ackSigningBytes(ack as Ack), sig)).toBe(true);
  });

  test("keeps what an order changed of the limits beside its ack, over a crash too, and nothing for what changed nothing", () => {
    const { desk, path } = life();
    const first = throttle("25");
    const orders = [first, throttle("25"), first];
    const batch = desk.answer(orders.map((value, i) => ({ offset: i + 1, value })));
    writeAnswers(path, batch);
    const [changed, same, refused] = readAnswers(path).answers;
    expect(decodeAudit(changed?.policy as Uint8Array).event).toMatchObject({
      case: "policy",
      value: {
        ...{ module: "arbitrage", requestId: `request-${nonce - 1n}` },
        before: { trading: "running", throttle_pct: "0", ev_min: "10000", tip_ladder: "10000,20000" },
        after: { trading: "running", throttle_pct: "25", ev_min: "10000", tip_ladder: "10000,20000" },
      },
    });
    expect([same?.policy, refused?.policy]).toEqual([undefined, undefined]);
  });

  test("latches a kill over stop, restart, policy and a new life, until a start", () => {
    const before = life();
    before.give(signed({ action: "kill" }));
    expect(before.policy().killed).toBe(true);
    const policy = () => signed({ action: "policy", args: new Map([["ev_min", "5"]]) });
    before.give(signed({ action: "stop" }), signed({ action: "restart" }), policy());
    expect(before.policy()).toMatchObject({ killed: true, evMinLamports: 5 });
    const { give, policy: now, desk } = life(before.path);
    expect(now()).toMatchObject({ killed: true, evMinLamports: 5 });
    const [ack] = give(signed({ action: "start" }));
    expect(ack).toMatchObject({ trading: "running", evMinLamports: 5n, sequence: 5n });
    expect([now().killed, desk.state.trading]).toEqual([false, "running"]);
  });

  test("swaps minimum and ladder in one policy, and keeps what a policy leaves out", () => {
    const { give, policy } = life();
    const args = new Map([
      ["ev_min", "77"],
      ["tip_ladder", "1,2,3"],
    ]);
    give(signed({ action: "policy", args }));
    expect([policy().evMinLamports, policy().tipCount, policy().tipLadderLamports[2]]).toEqual([77, 3, 3]);
    const [ack] = give(signed({ action: "policy", args: new Map([["ev_min", "78"]]) }));
    expect(ack).toMatchObject({ evMinLamports: 78n, tipLadderLamports: [1n, 2n, 3n] });
  });

  test("stops and starts", () => {
    const { give, policy } = life();
    expect(give(signed({ action: "stop" }))).toMatchObject([{ trading: "stopped" }]);
    expect([policy().stopped, policy().killed]).toEqual([true, false]);
    expect(give(signed({ action: "start" }))).toMatchObject([{ trading: "running" }]);
    expect(policy().stopped).toBe(false);
  });

  test("a restart is for its caller to carry out, after the answer", () => {
    const { desk } = life();
    const { restart, fresh } = desk.answer([{ offset: 1, value: signed({ action: "restart" }) }]);
    expect([restart, fresh.length]).toEqual([true, 1]);
  });

  test("answers a refused command with the reason and the state as it was", () => {
    const { give, policy } = life();
    const replayed = throttle("10");
    const [, second] = give(replayed, replayed);
    expect(second).toMatchObject({ answer: "refused", reason: "nonce", throttlePct: 10 });
    const late = throttle("99");
    const later = throttle("20");
    const cases: [string, Uint8Array][] = [
      ["malformed", Uint8Array.of(1, 2, 3)],
      ["unknownKey", signed({ action: "kill" }, ANA, "nobody")],
      ["signature", signed({ action: "kill" }, BEN)],
      ["scope", signed({ action: "start" }, BEN, "guard")],
      ["expired", signed({ action: "kill", tsSeconds: NOW_SECONDS - 1_000n })],
      ["ahead", signed({ action: "kill", tsSeconds: NOW_SECONDS + 1_000n })],
      ["module", signed({ action: "kill", module: "mev" })],
      ["field", signed({ action: "kill", issuer: "x".repeat(200) })],
    ];
    for (const [reason, bytes] of cases) expect(give(bytes)).toMatchObject([{ answer: "refused", reason }]);
    give(later);
    expect(give(late)).toMatchObject([{ answer: "refused", reason: "nonce", throttlePct: 20 }]);
    expect(policy()).toMatchObject({ killed: false, throttlePct: 20 });
  });

  test("the guard's key may throttle and kill, and nothing else", () => {
    const { give, policy } = life();
    const byGuard = (action: UnsignedCommand["action"], args = new Map<string, string>()) =>
      give(signed({ action, args, issuer: "guard" }, BEN, "guard"))[0]?.answer;
    expect(byGuard("throttle", new Map([["throttle_pct", "50"]]))).toBe("applied");
    expect(byGuard("kill")).toBe("applied");
    expect(policy()).toMatchObject({ killed: true, throttlePct: 50 });
    for (const action of ["start", "stop", "restart"] as const) expect(byGuard(action)).toBe("refused");
    expect(byGuard("policy", new Map([["ev_min", "1"]]))).toBe("refused");
  });

  test("waits for a second key where the policy says so", () => {
    const { give, policy } = life(undefined, { twoPerson: "arbitrage:kill" });
    const shared = { action: "kill", nonce: 1_000n, requestId: "shared" } as const;
    expect(give(signed(shared))).toMatchObject([{ answer: "secondKeyNeeded", trading: "running" }]);
    expect(policy().killed).toBe(false);
    expect(give(signed(shared, BEN, "guard"))).toMatchObject([{ answer: "applied", trading: "killed" }]);
  });

  test("refuses a stream that finds no place, and takes the others", () => {
    const { give } = life(undefined, { streamsMax: 1 });
    const [first, second] = give(throttle("1"), signed({ action: "kill", issuer: "another" }));
    expect([first?.answer, second?.reason]).toEqual(["applied", "nonce"]);
  });

  test("passes over what it answered before and is handed out again, in the same and in the next life", () => {
    const before = life();
    const messages = [throttle("10"), throttle("20")].map((value, i) => ({ offset: i + 1, value }));
    const batch = before.desk.answer(messages);
    writeAnswers(before.path, batch);
    expect(before.desk.answer(messages).fresh).toEqual([]);
    // Died before the nonces were taken.
    const after = life(before.path);
    const again = after.desk.answer([...messages, { offset: 3, value: throttle("30") }]);
    expect(again.fresh.length).toBe(1);
    expect(again.answers.length).toBe(3);
    expect(after.policy().throttlePct).toBe(30);
  });

  test("a state file that cannot be understood stops the agent", () => {
    const path = join(folder, `${files++}`);
    for (const damage of ["{", "[]", '{"version":2}', '{"version":1,"sequence":"1","state":{"trading":"x"}}']) {
      writeFileSync(path, damage);
      expect(() => readAnswers(path)).toThrow("Cannot read the control state");
    }
  });
});
