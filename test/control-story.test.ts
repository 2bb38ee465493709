/**
 * An operator at the levers of a running market: kill, throttle, policy, stop, start and restart, each signed, carried out by the
 * agent and answered; what is not allowed is answered too. Over the bus, as the guard and the API give commands.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bus } from "#bus/bus.ts";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { AckWatch } from "#control/ack-watch.ts";
import { Commander } from "#control/commander.ts";
import { readAckKeys } from "#control/key-files.ts";
import { readSecretKeyFile } from "#control/sign.ts";
import { createLog } from "#core/log.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { decodeEntry } from "#ledger/entry.ts";
import { ledgerFiles } from "#ledger/files.ts";
import { readVerifierKey } from "#ledger/note.ts";
import { LedgerReader } from "#ledger/reader.ts";
import type { Ack } from "#wire/ack.ts";
import type { ActionName } from "#wire/command.ts";
import { eventually, SupervisedRun } from "./support/supervised-run.ts";

const LONG_MS = 240_000;
const ACK_WAIT_MS = 60_000;
const DECISIONS = 3;
const log = createLog({ process: "test", level: "error", format: "text" });

let run: SupervisedRun;
let bus: Bus;
let acks: AckWatch;
let operator: Commander;
let guard: Commander;

beforeAll(async () => {
  run = await SupervisedRun.start(["--sim.seed", "control", "--sim.slotMs", "200", "--guard.acts", "no"]);
  await run.landed(1);
  bus = openEmbeddedBus({ path: run.paths.bus, lingerMs: 1, retainMiB: 64, log });
  acks = new AckWatch({ bus, keys: readAckKeys(run.paths.ackKeys), log });
  const commander = (keyId: string, secret: string) =>
    new Commander({
      ...{ bus, keyId, issuer: keyId, key: readSecretKeyFile(secret), clock: createSystemClock() },
      noncesPath: join(run.dataDir, `${keyId}.nonces`),
    });
  operator = commander("operator", run.paths.controlSecret);
  guard = commander("guard", run.paths.guardSecret);
}, LONG_MS);
afterAll(async () => {
  await acks.stop();
  await bus.close();
  await run.discard();
}, LONG_MS);

async function give(action: ActionName, args: Record<string, string> = {}, by = operator): Promise<Ack> {
  const sent = await by.send({ module: "arbitrage", action, args: new Map(Object.entries(args)) });
  const [ack] = await acks.wait(sent.sha256, ["arbitrage"], ACK_WAIT_MS);
  if (ack === undefined) throw new Error(`no ack of ${action}`);
  return ack;
}

/** Decisions that were made after this moment, of the newest hundred. */
async function decisionsSince(atNs: bigint) {
  const answer = await fetch(`${run.gateway}/api/decisions?limit=100`);
  const { decisions } = (await answer.json()) as { decisions: { decide_ns: string; action: string; reason: string }[] };
  return decisions.filter(({ decide_ns }) => BigInt(decide_ns) > atNs);
}

/** The newest few decisions, all made after the ack, come out like this: what a turn had begun may still end otherwise. */
const decisionsBecome = ({ atNs }: Ack, wanted: (decision: { action: string; reason: string }) => boolean) =>
  eventually("decisions that follow the command", async () => {
    const newest = (await decisionsSince(atNs)).slice(0, DECISIONS);
    return newest.length === DECISIONS && newest.every(wanted) ? true : undefined;
  });

describe("an operator's commands", () => {
  test(
    "kill stops every send, outlives kill -9 of the agent, and only start ends it",
    async () => {
      const killed = await give("kill", {}, guard);
      expect(killed).toMatchObject({ answer: "applied", trading: "killed" });
      await decisionsBecome(killed, ({ reason, action }) => reason === "killed" && action === "skip");
      const { pid } = run.report().processes.find(({ name }) => name === "arbitrage") ?? { pid: 0 };
      process.kill(pid, "SIGKILL");
      await eventually("another arbitrage process", () => {
        const now = run.report().processes.find(({ name }) => name === "arbitrage");
        return now !== undefined && now.pid !== pid && now.state === "ready" ? true : undefined;
      });
      expect(await give("start", {}, guard)).toMatchObject({ answer: "refused", reason: "scope", trading: "killed" });
      await decisionsBecome(killed, ({ reason }) => reason === "killed");
      const started = await give("start");
      expect(started).toMatchObject({ answer: "applied", trading: "running" });
      await decisionsBecome(started, ({ reason }) => reason !== "killed");
    },
    LONG_MS,
  );

  test(
    "throttle, policy, stop and restart are carried out and answered with the state after",
    async () => {
      expect(await give("throttle", { throttle_pct: "100" })).toMatchObject({ throttlePct: 100 });
      const limits = await give("policy", { ev_min: "1234", tip_ladder: "10000,20000" });
      expect(limits).toMatchObject({ evMinLamports: 1_234n, tipLadderLamports: [10_000n, 20_000n], throttlePct: 100 });
      await decisionsBecome(limits, ({ action }) => action === "skip");
      const stopped = await give("stop");
      expect(stopped).toMatchObject({ answer: "applied", trading: "stopped" });
      await decisionsBecome(stopped, ({ reason }) => reason === "stopped");
      const before = run.report().processes.find(({ name }) => name === "arbitrage");
      expect(await give("restart")).toMatchObject({ answer: "applied", trading: "stopped" });
      await eventually("a restarted arbitrage process", () => {
        const now = run.report().processes.find(({ name }) => name === "arbitrage");
        return now !== undefined && now.pid !== before?.pid && now.state === "ready" ? true : undefined;
      });
      expect(await give("start")).toMatchObject({ trading: "running", throttlePct: 100, evMinLamports: 1_234n });
      expect(await give("policy", { ev_min: "-1" }).catch((thrown) => String(thrown))).toContain("Cannot sign");
      const { landed } = await run.status();
      expect(await give("throttle", { throttle_pct: "0" })).toMatchObject({ throttlePct: 0 });
      await run.landed(landed + 1);
    },
    LONG_MS,
  );

  test(
    "the ledger has each change of limits with its request and the model that decides, and ClickHouse its checkpoints",
    async () => {
      const files = ledgerFiles(run.paths.ledger);
      const verifier = readVerifierKey(readFileSync(files.verifier, "utf8").trimEnd());
      const { size, entries } = await eventually("the leaves", () => {
        const reader = new LedgerReader(run.paths.ledger, verifier);
        const { size } = reader.checkpoint;
        const entries = Array.from({ length: size }, (_, index) => decodeEntry(reader.leaf(index).bytes));
        reader.close();
        const policies = entries.filter(({ kind }) => kind === "policy").length;
        return policies >= 7 && entries.some(({ kind }) => kind === "model") ? { size, entries } : undefined;
      });
      const changes = entries.flatMap((entry) => (entry.kind === "policy" ? [entry] : []));
      const [toFull] = changes.filter(({ after }) => after["throttle_pct"] === "100");
      expect(toFull).toMatchObject({ module: "arbitrage", before: { throttle_pct: "0" } });
      const [limits] = changes.filter(({ after }) => after["ev_min"] === "1234");
      expect(limits?.after).toMatchObject({ tip_ladder: "10000,20000", trading: "running" });
      const commands = new Set(entries.flatMap((entry) => (entry.kind === "command" ? [entry.requestId] : [])));
      for (const { requestId } of changes) expect(commands.has(requestId)).toBe(true);
      const [model] = entries.flatMap((entry) => (entry.kind === "model" ? [entry] : []));
      expect(model).toMatchObject({ module: "arbitrage", before: "" });
      expect(model?.after).not.toBe("");
      await eventually("its checkpoint in ClickHouse", async () => {
        const rows = await run.store.query<{ size: string }>(
          "SELECT max(size) AS size FROM sandpiper.control_ledger_checkpoints",
        );
        return Number(rows[0]?.size) >= size ? true : undefined;
      });
    },
    LONG_MS,
  );

  test(
    "a replayed command is refused, and the mev agent answers for its own module",
    async () => {
      const bytes = operator.sign({ module: "mev", action: "stop" });
      const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
      await bus.publish("control-commands-proto", "mev", bytes);
      expect(await acks.wait(sha256, ["mev"], ACK_WAIT_MS)).toMatchObject([{ agent: "mev", answer: "applied" }]);
      await bus.publish("control-commands-proto", "mev", bytes);
      await eventually("the refusal of the replay", async () => {
        const [ack] = await acks.wait(sha256, ["mev"], 0);
        return ack?.answer === "refused" && ack.reason === "nonce" ? true : undefined;
      });
      expect(await run.stop()).toBe(0);
    },
    LONG_MS,
  );
});
