import { describe, expect, test } from "bun:test";
import { loadConfig, variableOfKey } from "./config.ts";
import { CONFIG_SCHEMA, type ConfigKey } from "./config-schema.ts";

const none = { environment: {}, flags: [] };

describe("loadConfig()", () => {
  test("answers the built-in values and says so", () => {
    const { config, origins } = loadConfig(none);
    expect(config["gateway.port"]).toBe(8080);
    expect(origins["gateway.port"]).toEqual({ source: "default", where: "built in" });
  });

  test("lets flags win over the environment, and the environment over the file", () => {
    const file = { path: "sandpiper.toml", values: { gateway: { port: 1001 }, sim: { seed: "file" }, mode: "replay" } };
    const environment = { SANDPIPER_GATEWAY_PORT: "1002", SANDPIPER_SIM_SEED: "variable" };
    const { config, origins } = loadConfig({ file, environment, flags: ["--gateway.port", "1003"] });
    expect(config["gateway.port"]).toBe(1003);
    expect(config["sim.seed"]).toBe("variable");
    expect(config.mode).toBe("replay");
    expect(origins["gateway.port"]).toEqual({ source: "flag", where: "--gateway.port" });
    expect(origins["sim.seed"]).toEqual({ source: "environment", where: "SANDPIPER_SIM_SEED" });
    expect(origins.mode).toEqual({ source: "file", where: "sandpiper.toml" });
  });

  test("every key has an environment variable of its own that sets it", () => {
    const names = (Object.keys(CONFIG_SCHEMA) as ConfigKey[]).map(variableOfKey);
    expect(new Set(names).size).toBe(names.length);
    expect(variableOfKey("arbitrage.evMinLamports")).toBe("SANDPIPER_ARBITRAGE_EV_MIN_LAMPORTS");
  });

  const refused: [what: string, inputs: Parameters<typeof loadConfig>[0], text: RegExp][] = [
    ["an unknown flag", { ...none, flags: ["--gateway.prot", "1"] }, /a known key, was gateway\.prot/],
    ["an unknown variable", { ...none, environment: { SANDPIPER_NONSENSE: "1" } }, /SANDPIPER_NONSENSE/],
    [
      "an unknown key of the file",
      { ...none, file: { path: "x.toml", values: { gateway: { host: "a", colour: "red" } } } },
      /Cannot read x\.toml: a known key, was gateway\.colour/,
    ],
    ["text for a number", { ...none, flags: ["--gateway.port", "web"] }, /a number from 1 to 65535, was "web"/],
    ["nothing for a number", { ...none, flags: ["--gateway.port", ""] }, /a number from 1 to 65535/],
    ["a number out of range", { ...none, flags: ["--gateway.port=70000"] }, /a number from 1 to 65535/],
    ["a fraction for a whole number", { ...none, flags: ["--sim.slotMs", "1.5"] }, /a whole number, was "1\.5"/],
    ["an unknown mode", { ...none, flags: ["--mode", "paper"] }, /one of sim, replay, fork, live, was "paper"/],
    ["a list out of order", { ...none, flags: ["--arbitrage.tipLadder", "2000,1000"] }, /ascending list/],
    ["a flag without a value", { ...none, flags: ["--mode"] }, /a value after it/],
    ["a stray word", { ...none, flags: ["sim"] }, /a flag like --mode, was sim/],
    ["a key of Object's own", { ...none, flags: ["--constructor", "1"] }, /a known key, was constructor/],
  ];
  test.each(refused)("refuses %s", (_, inputs, text) => {
    expect(() => loadConfig(inputs)).toThrow(text);
  });
});
