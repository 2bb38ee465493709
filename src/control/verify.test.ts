import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Command, encodeCommand, signingBytes } from "#wire/command.ts";
import { readOrder } from "./arguments.ts";
import type { SigningKey } from "./ed25519.ts";
import type { RefusalName } from "./errors.ts";
import { EVERY_SCOPE } from "./keys.ts";
import { ANA, BEN, command, controlKey, keySet, NOW_SECONDS } from "./test-command.ts";
import { verifyCommand } from "./verify.ts";

const KEYS = keySet(controlKey("ana-1", ANA.publicKeyHex));

/** Signs whatever it is told to, unlike signCommand(). */
function signed(more: Partial<Command> = {}, key: SigningKey = ANA): Uint8Array {
  const unsigned = command({ pubkeyId: "ana-1", sigAlg: "ed25519-v1", ...more });
  return encodeCommand({ ...unsigned, sig: more.sig ?? key.sign(signingBytes(unsigned)) });
}

function answer(bytes: Uint8Array, keys = KEYS, nowSeconds = NOW_SECONDS, last?: bigint): RefusalName | "accepted" {
  const result = verifyCommand(bytes, keys, nowSeconds, () => last);
  return result.ok ? "accepted" : result.error.name;
}

describe("verifyCommand()", () => {
  test("accepts a command that is signed, in scope, fresh and new", () => {
    expect(answer(signed())).toBe("accepted");
  });

  const long = "x".repeat(1_025);
  const refused: [what: string, bytes: Uint8Array, name: RefusalName][] = [
    ["no bytes", new Uint8Array(0), "malformed"],
    ["an unknown field", Buffer.concat([signed(), Buffer.of(0x60, 1)]), "malformed"],
    ["another schema", signed({ schemaVersion: "ctrl-v2" }), "schemaVersion"],
    ["no algorithm", signed({ sigAlg: "" }), "algorithm"],
    ["algorithm none", signed({ sigAlg: "none" }), "algorithm"],
    ["algorithm none without a signature", signed({ sigAlg: "none", sig: new Uint8Array(0) }), "algorithm"],
    ["no signature", signed({ sig: new Uint8Array(0) }), "signature"],
    ["a signature of 63 bytes", signed({ sig: new Uint8Array(63) }), "signature"],
    ["a signature of zeros", signed({ sig: new Uint8Array(64) }), "signature"],
    ["another's signature", signed({}, BEN), "signature"],
    ["an unknown key", signed({ pubkeyId: "eve" }), "unknownKey"],
    ["a key named like a member of Object", signed({ pubkeyId: "__proto__" }), "unknownKey"],
    ["no key id", signed({ pubkeyId: "" }), "field"],
    ["no request id", signed({ requestId: "" }), "field"],
    ["no issuer", signed({ issuer: "" }), "field"],
    ["an issuer of 129 bytes", signed({ issuer: "x".repeat(129) }), "field"],
    ["a huge argument", signed({ args: new Map([["throttle_pct", long]]) }), "field"],
    ["17 arguments", signed({ args: new Map(Array.from({ length: 17 }, (_, i) => [`${i}`, ""])) }), "field"],
    ["nonce 0", signed({ nonce: 0n }), "nonce"],
  ];
  test.each(refused)("refuses %s", (_, bytes, name) => {
    expect(answer(bytes)).toBe(name);
  });

  test("refuses a replay and anything older, takes the next", () => {
    const bytes = signed({ nonce: 7n });
    expect(answer(bytes, KEYS, NOW_SECONDS, 7n)).toBe("nonce");
    expect(answer(bytes, KEYS, NOW_SECONDS, 8n)).toBe("nonce");
    expect(answer(bytes, KEYS, NOW_SECONDS, 6n)).toBe("accepted");
  });

  test.each([
    [-31n, "ahead"],
    [-30n, "accepted"],
    [150n, "accepted"],
    [151n, "expired"],
  ] as const)("at %d s after the stamp answers %s", (afterSeconds, want) => {
    expect(answer(signed(), KEYS, NOW_SECONDS + afterSeconds)).toBe(want);
  });

  test("does not overflow at either end of the stamps", () => {
    expect(answer(signed({ tsSeconds: 2n ** 64n - 1n }))).toBe("ahead");
    expect(answer(signed({ tsSeconds: 0n }))).toBe("expired");
  });

  test("holds a key to its scopes, its time and its revocation", () => {
    const keys = (more: object) => keySet(controlKey("ana-1", ANA.publicKeyHex, more));
    const guard = [
      { module: "*", action: "throttle" },
      { module: "mev", action: "kill" },
    ] as const;
    expect(answer(signed(), keys({ scopes: guard }))).toBe("accepted");
    expect(answer(signed({ action: "kill", args: new Map() }), keys({ scopes: guard }))).toBe("scope");
    expect(answer(signed({ module: "mev", action: "kill" }), keys({ scopes: guard }))).toBe("accepted");
    expect(answer(signed(), keys({ revoked: true, scopes: EVERY_SCOPE }))).toBe("revokedKey");
    expect(answer(signed(), keys({ notBeforeSeconds: NOW_SECONDS + 1n }))).toBe("keyNotInForce");
    expect(answer(signed(), keys({ notAfterSeconds: NOW_SECONDS - 1n }))).toBe("keyNotInForce");
    expect(answer(signed(), keys({ notBeforeSeconds: NOW_SECONDS, notAfterSeconds: NOW_SECONDS }))).toBe("accepted");
  });

  test("counts nonces apart for each issuer and each key", () => {
    const streams = [signed(), signed({ issuer: "ben" })].map((bytes) => {
      const result = verifyCommand(bytes, KEYS, NOW_SECONDS, () => undefined);
      return result.ok ? result.value.stream : "";
    });
    expect(new Set(streams).size).toBe(2);
    expect(streams[0]).toStartWith(ANA.publicKeyHex);
  });

  test("refuses every single flipped bit of a command with every field", () => {
    const bytes = signed({
      action: "policy",
      args: new Map([
        ["ev_min", "10000"],
        ["tip_ladder", "1000,2000"],
      ]),
    });
    expect(answer(bytes)).toBe("accepted");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Uint8Array.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(answer(flipped)).not.toBe("accepted");
    }
  });

  test("answers hostile bytes, and hostile tails and heads of real ones, with a refusal", () => {
    const real = signed();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.nat(real.length), (noise, at) => {
        expect(answer(noise)).not.toBe("accepted");
        const spliced = Buffer.concat([real.subarray(0, at), noise, real.subarray(at)]);
        expect(answer(spliced)).not.toBe("accepted");
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("readOrder()", () => {
  const order = (action: Command["action"], args: Record<string, string>) => {
    const result = readOrder(command({ action, args: new Map(Object.entries(args)) }));
    return result.ok ? result.value : result.error.name;
  };
  test("reads each action's arguments", () => {
    expect(order("stop", {})).toEqual({ kind: "stop" });
    expect(order("kill", {})).toEqual({ kind: "kill" });
    expect(order("kill", { kill: "true" })).toEqual({ kind: "kill" });
    expect(order("throttle", { throttle_pct: "0" })).toEqual({ kind: "throttle", throttlePct: 0 });
    expect(order("throttle", { throttle_pct: "12.5" })).toEqual({ kind: "throttle", throttlePct: 12.5 });
    expect(order("policy", { ev_min: "0" })).toEqual({ kind: "policy", evMinLamports: 0 });
    expect(order("policy", { tip_ladder: "1000,2000" })).toEqual({ kind: "policy", tipLadderLamports: [1_000, 2_000] });
  });

  test.each([
    ["stop", { throttle_pct: "1" }],
    ["throttle", {}],
    ["throttle", { throttle_pct: "101" }],
    ["throttle", { throttle_pct: "-1" }],
    ["throttle", { throttle_pct: "1e1" }],
    ["throttle", { throttle_pct: "" }],
    ["throttle", { throttle_pct: "5", throtle_pct: "6" }],
    ["policy", {}],
    ["policy", { ev_min: "0.5" }],
    ["policy", { ev_min: "9007199254740992" }],
    ["policy", { tip_ladder: "" }],
    ["policy", { tip_ladder: "0,1" }],
    ["policy", { tip_ladder: "2,1" }],
    ["policy", { tip_ladder: "1,1" }],
    ["policy", { tip_ladder: "1, 2" }],
    ["policy", { tip_ladder: Array.from({ length: 17 }, (_, i) => i + 1).join(",") }],
    ["policy", { constructor: "1" }],
    ["kill", { kill: "false" }],
  ] as [Command["action"], Record<string, string>][])("refuses %s %o", (action, args) => {
    expect(order(action, args)).toBe("argument");
  });
});
