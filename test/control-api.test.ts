/** Sign-in and commands over the API, as an operator, a script and a browser use them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { renameSync } from "node:fs";
import { readSecretKeyFile, signCommand } from "#control/sign.ts";
import { signInBytes } from "#gateway/auth/auth.ts";
import type { ActionName } from "#wire/command.ts";
import { ControlStage } from "./support/control-stage.ts";

const LONG_MS = 60_000;
let stage: ControlStage;
beforeAll(async () => {
  stage = await ControlStage.start();
  await stage.signIn();
}, LONG_MS);
afterAll(() => stage.stop());

const errorCode = ({ body }: { body: Record<string, unknown> }) =>
  (body["error"] as { code: string } | undefined)?.code;
const whoami = async (headers: Record<string, string> = {}) =>
  (await (await fetch(`${stage.url}/api/auth/whoami`, { headers })).json()) as unknown;

let nonce = BigInt(Date.now()) * 1_000n;
function signedElsewhere(action: ActionName, args: Record<string, string> = {}): string {
  nonce += 1n;
  const unsigned = {
    ...{ tsSeconds: BigInt(Math.floor(Date.now() / 1_000)), module: "arbitrage" as const, action, nonce },
    ...{ args: new Map(Object.entries(args)), requestId: `elsewhere-${nonce}`, issuer: "elsewhere" },
    schemaVersion: "ctrl-v1",
  };
  return Buffer.from(signCommand(unsigned, readSecretKeyFile(stage.paths.guardSecret), "guard")).toString("hex");
}

describe("sign-in", () => {
  test("shows the first password once, and takes it", async () => {
    expect([stage.shown, stage.password.length]).toEqual([1, 24]);
    const answer = await stage.signIn();
    expect(answer).toMatchObject({ status: 200, body: { role: "admin", expires_in: 600 } });
    expect(await whoami({ Authorization: `Bearer ${stage.token}` })).toEqual({ name: "admin", role: "admin" });
    expect(await whoami()).toEqual({ name: null, role: "viewer" });
  });

  test("takes an operator's key over a challenge that counts once", async () => {
    const { body } = await stage.post("/api/auth/challenge", {}, "");
    const challenge = String(body["challenge"]);
    const sign = (path: string) => Buffer.from(readSecretKeyFile(path).sign(signInBytes(challenge))).toString("hex");
    const asked = { key_id: "operator", challenge, signature_hex: sign(stage.paths.controlSecret) };
    expect(await stage.post("/api/auth/sign-in", asked, "")).toMatchObject({ status: 200, body: { role: "admin" } });
    expect(await stage.post("/api/auth/sign-in", asked, "")).toMatchObject({ status: 401 });
    const another = String((await stage.post("/api/auth/challenge", {}, "")).body["challenge"]);
    const guard = Buffer.from(readSecretKeyFile(stage.paths.guardSecret).sign(signInBytes(another))).toString("hex");
    const viewer = await stage.post(
      "/api/auth/sign-in",
      { key_id: "guard", challenge: another, signature_hex: guard },
      "",
    );
    expect(viewer.body["role"]).toBe("viewer");
  });

  test("rotates refresh tokens, and ends a session whose old one comes back", async () => {
    const { body } = await stage.signIn();
    const first = body["refresh_token"];
    const next = await stage.post("/api/auth/refresh", { refresh_token: first }, "");
    expect(next.status).toBe(200);
    expect(next.body["refresh_token"]).not.toBe(first);
    expect(await stage.post("/api/auth/refresh", { refresh_token: first }, "")).toMatchObject({ status: 401 });
    expect(await stage.post("/api/auth/refresh", { refresh_token: next.body["refresh_token"] }, "")).toMatchObject({
      status: 401,
    });
    expect(errorCode(await stage.command("mev:start", {}, String(next.body["access_token"])))).toBe("bad_token");
    await stage.signIn();
  });

  test("signs out, and revokes every session of a name", async () => {
    const mine = String((await stage.signIn()).body["access_token"]);
    const other = String((await stage.signIn()).body["access_token"]);
    expect(await stage.post("/api/auth/sign-out", {}, mine)).toMatchObject({ status: 200, body: { sessions: 1 } });
    expect(errorCode(await stage.command("mev:start", {}, mine))).toBe("bad_token");
    expect((await stage.post("/api/auth/revoke", { name: "admin" }, other)).status).toBe(200);
    expect(errorCode(await stage.command("mev:start", {}, other))).toBe("bad_token");
    await stage.signIn();
  });
});

describe("POST /api/control/module/{name}:{action}", () => {
  test("sets the switchboard and answers with the signed acks", async () => {
    const answer = await stage.command("arbitrage:throttle", { throttle_pct: 12.5, request_id: "r-1" });
    expect(answer).toMatchObject({
      status: 202,
      body: { request_id: "r-1", acks: [{ agent: "arbitrage", answer: "applied", throttle_pct: 12.5 }] },
    });
    expect(stage.policy().throttlePct).toBe(12.5);
    const limits = await stage.command("arbitrage:policy", { ev_min: "777", tip_ladder: ["1000", "2000"] });
    expect(limits.body["acks"]).toMatchObject([{ ev_min: "777", tip_ladder: ["1000", "2000"] }]);
    expect([stage.policy().evMinLamports, stage.policy().tipCount]).toEqual([777, 2]);
    await stage.command("mev:kill");
    expect([stage.policy("mev").killed, stage.policy().killed]).toEqual([true, false]);
    expect(await (await fetch(`${stage.url}/api/control/state`)).json()).toEqual({
      can_sign: true,
      agents: [
        { agent: "arbitrage", trading: "running", throttle_pct: 12.5, ev_min: "777", tip_ladder: ["1000", "2000"] },
        { agent: "mev", trading: "killed", throttle_pct: 0, ev_min: null, tip_ladder: null },
      ],
    });
  });

  test("answers at once when nobody wants to wait", async () => {
    const { status, body } = await stage.post("/api/control/module/arbitrage:restart", {});
    expect([status, body["acks"]]).toEqual([202, []]);
    expect(String(body["command_sha256"])).toMatch(/^[0-9a-f]{64}$/);
  });

  test("passes on what was signed elsewhere, within its scope", async () => {
    const killed = await stage.command("arbitrage:kill", { command_hex: signedElsewhere("kill") });
    expect(killed).toMatchObject({ status: 202, body: { acks: [{ answer: "applied", trading: "killed" }] } });
    const other = await stage.command("arbitrage:stop", { command_hex: signedElsewhere("kill") });
    expect(errorCode(other)).toBe("command_refused");
    expect(errorCode(await stage.command("arbitrage:start", { command_hex: signedElsewhere("start") }))).toBe(
      "command_refused",
    );
    expect(stage.policy().killed).toBe(true);
    expect((await stage.command("arbitrage:start")).body["acks"]).toMatchObject([{ trading: "running" }]);
  });

  test("tells what is wrong with the body, and gives no command", async () => {
    const before = stage.policy().throttlePct;
    for (const [target, body] of [
      ["arbitrage:throttle", { throttle_pct: 101 }],
      ["arbitrage:throttle", {}],
      ["arbitrage:throttle", { throttle_pct: 5, surprise: 1 }],
      ["arbitrage:policy", {}],
      ["arbitrage:policy", { tip_ladder: ["5", "4"] }],
      ["arbitrage:kill", { throttle_pct: 5 }],
      ["arbitrage:kill", { command_hex: "00", ev_min: "1" }],
    ] as const)
      expect(errorCode(await stage.command(target, body))).toBe("invalid_body");
    expect(errorCode(await stage.command("arbitrage:explode"))).toBe("not_found");
    expect(errorCode(await stage.post("/api/control/module/arbitrage:kill", "{"))).toBe("invalid_body");
    expect(stage.policy().throttlePct).toBe(before);
  });

  test(
    "an API without the secret passes commands on and signs none",
    async () => {
      const { paths } = stage;
      renameSync(paths.controlSecret, `${paths.controlSecret}.away`);
      const own = await ControlStage.start([], {
        CTRL_PUBKEY_HEX: readSecretKeyFile(`${paths.controlSecret}.away`).publicKeyHex,
        CTRL_PUBKEY_ID: "far",
      });
      try {
        await own.signIn();
        expect(errorCode(await own.command("arbitrage:kill"))).toBe("no_signing_key");
      } finally {
        await own.stop();
        renameSync(`${paths.controlSecret}.away`, paths.controlSecret);
      }
    },
    LONG_MS,
  );
});

test(
  "gateway.anonymous = none shows nothing without a token, over REST and WebSocket",
  async () => {
    const own = await ControlStage.start(["--gateway.anonymous", "none"]);
    const opened = (protocols: string[]) =>
      new Promise<boolean>((resolve) => {
        const socket = new WebSocket(`${own.url.replace("http", "ws")}/live`, protocols);
        socket.onopen = () => {
          socket.close();
          resolve(true);
        };
        socket.onerror = () => resolve(false);
      });
    try {
      await own.signIn();
      for (const path of ["/api/status", "/metrics", "/api/control/state", "/openapi.json"]) {
        expect((await fetch(`${own.url}${path}`)).status).toBe(401);
        const headers = { Authorization: `Bearer ${own.token}` };
        expect((await fetch(`${own.url}${path}`, { headers })).status).toBe(200);
      }
      expect((await fetch(`${own.url}/`)).status).toBe(200);
      expect(await opened([])).toBe(false);
      expect(await opened(["sandpiper", "bearer.nonsense"])).toBe(false);
      expect(await opened(["sandpiper", `bearer.${own.token}`])).toBe(true);
    } finally {
      await own.stop();
    }
  },
  LONG_MS,
);
