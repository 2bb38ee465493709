import { expect, test } from "bun:test";
import { join } from "node:path";

const QUIC = JSON.stringify(join(import.meta.dir, "quic.ts"));

test("node:quic loads and works without a word, and other warnings are told", () => {
  const program = `
    const { QuicEndpoint } = await import(${QUIC});
    const endpoint = new QuicEndpoint();
    await endpoint.close();
    process.emitWarning("another is experimental", "ExperimentalWarning");`;
  const { stderr, exitCode } = Bun.spawnSync([process.execPath, "-e", program]);
  expect([exitCode, stderr.toString().match(/\w+Warning: .*/g)]).toEqual([
    0,
    ["ExperimentalWarning: another is experimental"],
  ]);
});
