/**
 * tuning/time/, read by the programs that it is for, and refused by them with a word that they do not know. No clock is
 * touched: chronyd only prints, and linuxptp reads its file before it finds that loopback stamps nothing.
 */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const TIME = join(import.meta.dir, "..", "tuning", "time");
const folder = mkdtempSync(join(tmpdir(), "sandpiper-time-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SEARCHED = `${process.env["PATH"]}:/usr/sbin:/sbin`;
/** Each reader with its file, an option of it, and what the reader says of one that it does not know. */
const READERS: readonly [program: string, option: string, refusal: string, command: (path: string) => string[]][] = [
  ["chronyd", "maxslewrate", "Invalid directive", (path) => ["-p", "-f", path]],
  ["ptp4l", "step_threshold", "failed to parse configuration file", (path) => ["-f", path, "-i", "lo", "-m"]],
  // With a source and a sink that are one it ends after the file was read.
  [
    "phc2sys",
    "step_threshold",
    "failed to parse configuration file",
    (path) => ["-f", path, "-s", "lo", "-c", "lo", "-m"],
  ],
];

for (const [program, option, refusal, command] of READERS) {
  const name = program === "chronyd" ? "chrony.conf" : `${program}.conf`;
  const found = Bun.which(program, { PATH: SEARCHED });
  test.skipIf(found === null)(`${program} reads ${name}, and refuses an option that it does not know`, () => {
    const read = (path: string) => {
      const ran = Bun.spawnSync([found as string, ...command(path)], { timeout: 10_000 });
      return `${ran.stdout}${ran.stderr}`;
    };
    const said = read(join(TIME, name));
    expect(said).not.toContain(refusal);
    expect(said).not.toBe("");
    const wrong = join(folder, name);
    writeFileSync(wrong, readFileSync(join(TIME, name), "utf8").replace(option, `${option}x`));
    expect(read(wrong)).toContain(refusal);
  });
}
