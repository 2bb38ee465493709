/**
 * Attacks on the control river, from the bus and from the API: each is refused, leaves a line in the ledger, and moves no
 * switchboard. At the end the ledger verifies, and a proof of the API convinces the tool that needs no Sandpiper.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { runJudge } from "#cli/judge.ts";
import { runLedger } from "#cli/ledger.ts";
import { signingKey } from "#control/ed25519.ts";
import { readSecretKeyFile, signCommand } from "#control/sign.ts";
import type { Command } from "#wire/command.ts";
import { ControlStage } from "./support/control-stage.ts";
import { eventually } from "./support/supervised-run.ts";

const LONG_MS = 90_000;
const FLOOD = 300;
let stage: ControlStage;
beforeAll(async () => {
  stage = await ControlStage.start();
  await stage.signIn();
}, LONG_MS);
afterAll(() => stage.stop());

let nonce = BigInt(Date.now()) * 1_000n;
const unsigned = (more: Partial<Command> = {}): Command => ({
  ...{ tsSeconds: BigInt(Math.floor(Date.now() / 1_000)), module: "arbitrage", action: "kill", args: new Map() },
  ...{ requestId: `attack-${++nonce}`, issuer: "mallory", schemaVersion: "ctrl-v1", nonce },
  ...{ sig: new Uint8Array(0), pubkeyId: "", sigAlg: "" },
  ...more,
});
const operator = () => readSecretKeyFile(stage.paths.controlSecret);
const guard = () => readSecretKeyFile(stage.paths.guardSecret);
const mallory = signingKey(new Uint8Array(32).fill(66));
const throttle = (pct: string, more: Partial<Command> = {}) =>
  signCommand(
    unsigned({ action: "throttle", args: new Map([["throttle_pct", pct]]), ...more }),
    operator(),
    "operator",
  );

/** Puts bytes on the bus as whoever can write there, and waits for the agent's answer in the ledger. */
async function onBus(bytes: Uint8Array, key = "arbitrage"): Promise<string> {
  const before = stage.leaves().filter(({ kind }) => kind === "ack").length;
  await stage.bus.publish("control-commands-proto", key, bytes);
  return await eventually("an ack in the ledger", () => {
    const ack = stage.leaves().filter(({ kind }) => kind === "ack")[before];
    return ack?.kind === "ack" ? ack.reason || ack.state : undefined;
  });
}

const inLedger = (code: string, count = 1) =>
  eventually(`${count} ${code} in the ledger`, () => {
    const found = stage.leaves().filter((leaf) => leaf.kind === "refused" && leaf.code === code);
    return found.length >= count ? found : undefined;
  });

describe("attacks from the bus", () => {
  test(
    "replay, reorder, stale, wrong scope, wrong and unknown key, huge and unknown arguments, noise",
    async () => {
      const good = throttle("10");
      const early = throttle("20");
      const late = throttle("30");
      expect(await onBus(good)).toBe("applied");
      expect(await onBus(good)).toBe("nonce");
      expect(await onBus(late)).toBe("applied");
      expect(await onBus(early)).toBe("nonce");
      const hour = 3_600n;
      const { tsSeconds } = unsigned();
      const cases: [string, Uint8Array][] = [
        ["expired", throttle("99", { tsSeconds: tsSeconds - hour })],
        ["ahead", throttle("99", { tsSeconds: tsSeconds + hour })],
        ["scope", signCommand(unsigned({ action: "start" }), guard(), "guard")],
        ["signature", signCommand(unsigned(), mallory, "operator")],
        ["unknownKey", signCommand(unsigned(), mallory, "mallory")],
        ["module", signCommand(unsigned({ module: "mev" }), operator(), "operator")],
        ["field", signCommand(unsigned({ issuer: "m".repeat(500) }), operator(), "operator")],
        ["malformed", new Uint8Array(5_000).fill(7)],
        ["malformed", good.subarray(0, good.length - 1)],
      ];
      for (const [reason, bytes] of cases) expect([reason, await onBus(bytes)]).toEqual([reason, reason]);
      const flipped = throttle("99");
      flipped[20] = (flipped[20] as number) ^ 1;
      expect(["malformed", "signature", "expired", "ahead"]).toContain(await onBus(flipped));
      expect(stage.policy()).toMatchObject({ killed: false, throttlePct: 30 });
    },
    LONG_MS,
  );
});

describe("attacks on the API", () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = () => JSON.parse(Buffer.from(stage.token.split(".")[1] as string, "base64url").toString()) as object;
  const forged = (header: object, payload: object, key = "guess") => {
    const text = `${part(header)}.${part(payload)}`;
    return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
  };

  test(
    "tokens: alg none, another key, another algorithm, expired, of another audience, cut, of nobody",
    async () => {
      const tokens = [
        `${part({ alg: "none" })}.${part(claims())}.`,
        forged({ alg: "HS256" }, claims()),
        forged({ alg: "HS512" }, claims()),
        forged({ alg: "HS256" }, { ...claims(), aud: "another" }),
        stage.token.slice(0, -3),
        "x".repeat(3_000),
      ];
      for (const token of tokens) expect((await stage.command("arbitrage:kill", {}, token)).status).toBe(401);
      stage.laterMs = 601_000;
      expect((await stage.command("arbitrage:kill")).status).toBe(401);
      stage.laterMs = 0;
      await inLedger("bad_token", tokens.length + 1);
      expect((await stage.command("arbitrage:kill", {}, "")).status).toBe(401);
      await inLedger("sign_in_needed");
    },
    LONG_MS,
  );

  test(
    "a viewer gives no command, and paths lead nowhere else",
    async () => {
      const { body } = await stage.post("/api/auth/challenge", {}, "");
      const challenge = String(body["challenge"]);
      const bytes = new TextEncoder().encode(`sandpiper sign-in\n${challenge}`);
      const signature = Buffer.from(guard().sign(bytes)).toString("hex");
      const asked = { key_id: "guard", challenge, signature_hex: signature };
      const viewer = String((await stage.post("/api/auth/sign-in", asked, "")).body["access_token"]);
      expect((await stage.command("arbitrage:start", {}, viewer)).status).toBe(403);
      expect((await stage.post("/api/auth/revoke", { name: "admin" }, viewer)).status).toBe(403);
      await inLedger("role_needed", 2);
      for (const path of [
        "/api/control/module/arbitrage%3Akill%2F..%2Fstart",
        "/api/control/module/..%2f..%2fkill",
        "/api/control/module/arbitrage:kill%00",
        "/api/control/module//arbitrage:kill",
        "/api/status/../control/module/arbitrage:kill/",
        "/api/control/module/ARBITRAGE:KILL",
      ])
        expect([404, 405]).toContain((await stage.post(path, {})).status);
      expect(await raw("POST /api/control/module/arbitrage:kill HTTP/1.1\r\nHost: evil.example\r\n")).toContain(
        " 421 ",
      );
      expect(await raw("POST //api/control/module/arbitrage:kill HTTP/1.1\r\nHost: localhost\r\n")).toMatch(
        / 40[0145] /,
      );
      expect(stage.policy().killed).toBe(false);
    },
    LONG_MS,
  );

  test(
    "huge bodies, and a flood of guesses: locked out, counted, on record",
    async () => {
      expect((await stage.command("arbitrage:kill", { request_id: "x".repeat(200) })).status).toBe(400);
      expect((await stage.command("arbitrage:kill", { command_hex: "00".repeat(4_000) })).status).toBe(422);
      expect((await stage.command("arbitrage:kill", { command_hex: "00".repeat(20_000) })).status).toBe(413);
      await Promise.all([inLedger("invalid_body"), inLedger("malformed"), inLedger("status_413")]);
      const guesses = await Promise.all(
        Array.from({ length: FLOOD }, () => stage.post("/api/auth/sign-in", { name: "admin", password: "guess" }, "")),
      );
      expect(new Set(guesses.map(({ status }) => status))).toEqual(new Set([401, 429]));
      expect((await stage.signIn("admin", stage.password)).status).toBe(429);
      const counted = await eventually("every guess on record", () => {
        const lines = stage.leaves().filter((leaf) => leaf.kind === "refused" && leaf.door === "sign-in");
        const sum = lines.reduce((total, leaf) => {
          const more = leaf.kind === "refused" ? /\((\d+) within a second\)/.exec(leaf.reason)?.[1] : undefined;
          return total + Number(more ?? 1);
        }, 0);
        return sum >= FLOOD + 1 ? lines.length : undefined;
      });
      expect(counted).toBeLessThan(FLOOD);
      // The session from before the flood still commands.
      expect((await stage.command("arbitrage:throttle", { throttle_pct: 1 })).status).toBe(202);
    },
    LONG_MS,
  );
});

test(
  "the ledger verifies, its proofs convince the judge, and an edit is found in an exported copy",
  async () => {
    let said = "";
    const write = (text: string) => {
      said += text;
    };
    const io = { write, input: async () => "" };
    const { size, verifier } = (await (await fetch(`${stage.url}/api/ledger/checkpoint`)).json()) as {
      size: number;
      verifier: string;
    };
    expect(size).toBeGreaterThan(20);
    expect(await runLedger(["verify", stage.paths.ledger, "--key", verifier, "--live"], io)).toBe(0);
    const leaf = (await (await fetch(`${stage.url}/api/ledger/leaves/3`)).json()) as Record<string, unknown>;
    const shape = {
      leafIdx: 3,
      treeSize: leaf["size"],
      root: leaf["root"],
      leafHash: leaf["leaf_hash"],
      proof: leaf["proof"],
    };
    const cases = join(stage.folder, "inclusion");
    await Bun.write(
      join(cases, "inclusion", "api.json"),
      JSON.stringify({ ...shape, desc: "of the API", wantErr: false }),
    );
    expect(await runJudge(["merkle", cases], io.write)).toBe(0);
    const { size1 } = (await (await fetch(`${stage.url}/api/ledger/consistency/5`)).json()) as { size1: number };
    expect(size1).toBe(5);
    for (const path of ["leaves/999999", "leaves/x", "consistency/0"])
      expect((await fetch(`${stage.url}/api/ledger/${path}`)).status).toBe(404);
    const copy = join(stage.folder, "copy");
    expect(await runLedger(["export", stage.paths.ledger, copy], io)).toBe(0);
    expect(existsSync(join(copy, "checkpoint"))).toBe(true);
    const leaves = join(copy, "leaves.ndjson");
    writeFileSync(leaves, readFileSync(leaves, "utf8").replace('"reason":"nonce"', '"reason":"other"'));
    expect(await runLedger(["verify", copy, "--key", verifier], io)).toBe(1);
    expect(said).toContain("WRONG");
  },
  LONG_MS,
);

/** What fetch would not send. */
function raw(head: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(stage.gateway.port, "127.0.0.1", () =>
      socket.write(
        `${head}Authorization: Bearer ${stage.token}\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
      ),
    );
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}
