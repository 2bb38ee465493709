/** A labelled run from `mev simulate` to `judge mev`: our detector, and findings of somebody else. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { runJudge } from "./judge.ts";
import { runMev } from "./mev-scan.ts";

const folder = mkdtempSync(join(tmpdir(), "sandpiper-judge-mev-"));
afterAll(() => rmSync(folder, { recursive: true }));
const RUN = join(folder, "run.ndjson.gz");

async function told(run: (write: (text: string) => void) => Promise<number>): Promise<{ code: number; text: string }> {
  const parts: string[] = [];
  const code = await run((part) => void parts.push(part));
  return { code, text: parts.join("") };
}
const judge = (...args: string[]) => told((write) => runJudge(["mev", ...args], write));

type Row = Record<string, unknown> & { type: string };
const rows = (): Row[] =>
  gunzipSync(readFileSync(RUN))
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

/** What a detector would write that knows the truth. */
function findingOf({ kind, attackers, victims, fronts, backs, gross_lamports, net_lamports }: Row) {
  const legs = (role: string, signatures: unknown) =>
    (signatures as string[]).map((signature) => ({ role, signature }));
  return {
    kind,
    attackers,
    victims,
    legs: [...legs("front", fronts), ...legs("back", backs)],
    gross_lamports: Number(gross_lamports),
    net_lamports: Number(net_lamports),
    score: 0.99,
  };
}

function writeFindings(name: string, findings: readonly unknown[]): string {
  const path = join(folder, name);
  writeFileSync(path, findings.map((finding) => `${JSON.stringify(finding)}\n`).join(""));
  return path;
}

describe("judge mev", () => {
  test("measures this build's detector on a run that mev simulate wrote", async () => {
    const made = await told((write) => runMev(["simulate", "--seed", "story", "--swaps", "2500", "--out", RUN], write));
    expect(made.code).toBe(0);
    expect(made.text).toContain(`${RUN}: 25`);
    const { text } = await judge(RUN);
    expect(text).toMatch(/^1 runs, 25\d\d swaps, \d+ sandwiches/);
    for (const kind of ["same_slot", "bundle", "wide", "multi_wallet", "all"])
      expect(text).toContain(`recall of ${kind} `);
    expect(text).toContain("expected calibration error");
    expect(text).toContain("passed  findings with a net loss: 0\n");
    expect(text).toMatch(/\d+ passed, \d+ failed\n$/);
  }, 240_000);

  test("passes findings that are the truth, and fails the same with false ones among them", async () => {
    const sandwiches = rows().filter(({ type, sandwich }) => type === "attack" && sandwich === true);
    const findings = sandwiches.map(findingOf);
    const right = await judge(RUN, writeFindings("right.ndjson", findings));
    expect(right.text).toMatch(/ 0 failed\n$/);
    expect(right.code).toBe(0);
    // Somebody who has nothing to do with it, and a sandwich told twice.
    const accused = findings.map((finding) => ({ ...finding, attackers: ["nobody"] }));
    const wrong = await judge(RUN, writeFindings("wrong.ndjson", [...findings, ...findings, ...accused]));
    expect(wrong.text).toContain("failed  precision of all 0.3333");
    expect(wrong.text).toMatch(/found twice +\d+/);
    expect(wrong.code).toBe(1);
    const half = await judge(RUN, writeFindings("half.ndjson", findings.slice(0, findings.length / 2)));
    expect(half.text).toContain("failed  recall of all");
    expect(half.text).toContain("precision of all 1.0000");
  }, 240_000);

  test("counts a finding with a net loss and a wrong loss as failures", async () => {
    const [first, ...rest] = rows()
      .filter(({ type, sandwich }) => type === "attack" && sandwich === true)
      .map(findingOf);
    const victims = ((first?.victims ?? []) as { loss: string }[]).map((victim) => ({ ...victim, loss: "1" }));
    const { text } = await judge(RUN, writeFindings("loss.ndjson", [{ ...first, victims, net_lamports: -1 }, ...rest]));
    expect(text).toContain("failed  findings with a net loss: 1");
    expect(text).toContain("failed  victims' losses equal to the unit");
  }, 240_000);

  test.each([
    ["not JSON", "what\n", "line 1: a line of JSON"],
    ["another file", '{"type":"slot","slot":1}\n', "line 1: a row of type run"],
    ["another version", '{"type":"run","format":"mev-run-v9","seed":"x"}\n', "format mev-run-v9"],
    ["a row of another type", '{"type":"run","format":"mev-run-v1"}\n{"type":"toString"}\n', "line 2: the fields"],
    ["a list", "[]\n", "line 1: the fields"],
    ["nothing of a transaction", '{"type":"run","format":"mev-run-v1"}\n{"type":"transaction","slot":-1}\n', "line 2"],
  ])("refuses %s by its line", async (name, text, why) => {
    const path = join(folder, `${name}.ndjson`);
    writeFileSync(path, text);
    await expect(judge(path)).rejects.toThrow(why);
  });

  test("refuses what is not there, and findings that are none", async () => {
    await expect(judge(join(folder, "nowhere"))).rejects.toThrow("Cannot judge");
    const torn = join(folder, "torn.ndjson.gz");
    writeFileSync(torn, readFileSync(RUN).subarray(0, 1_000));
    await expect(judge(torn)).rejects.toThrow("Cannot read");
    await expect(judge(RUN, writeFindings("bad.ndjson", [{ kind: "wide" }]))).rejects.toThrow("a finding as");
    await expect(runMev(["simulate", "--seed", "x", "--swaps", "0", "--out", "y"])).rejects.toThrow(
      "Cannot run mev simulate",
    );
  });
});
