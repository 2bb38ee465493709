/**
 * A release as an operator meets it: `bun bench/release.ts` (4 GB under the temporary folder, five minutes). Two versions of
 * the commit that is checked out, the second with a table more, are packed from a clone. The first tarball is unpacked in
 * an empty folder and installs itself below a prefix, without Bun, source or packages; it trades. The second is installed
 * while it trades; then come a restart, a tarball with one other byte, a rollback and the way forward again. After each
 * start: which version serves, and what of the data is still there.
 */
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileSum } from "#core/file-sum.ts";
import { OLDER_GO_ON } from "#store/migrate.ts";
import { MIGRATIONS } from "#store/migrations.ts";
import { eventually, SupervisedRun } from "../test/support/supervised-run.ts";
import { machine, table } from "./report.ts";

const ROOT = join(import.meta.dir, "..");
const NATIVE = join("native", "sandpiper-native.node");
const NEXT_VERSION = "0.1.1";
const LANDED = 3;

const work = mkdtempSync(join(tmpdir(), "sandpiper-release-"));
const [clone, machineRoot, unpacked, data] = ["clone", "machine", "unpacked", "data"].map((name) =>
  join(work, name),
) as [...[string, string, string, string]];
const releases = join(machineRoot, "opt/sandpiper");
const program = join(releases, "current", "sandpiper");
const rows: string[][] = [];
/** What a machine without Bun has. */
const BARE = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: work };

function run(cwd: string, command: readonly string[], env: Readonly<Record<string, string | undefined>> = process.env) {
  const beganMs = performance.now();
  const ran = Bun.spawnSync([...command], { cwd, env: { ...env }, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const text = `${ran.stdout}${ran.stderr}`.trim();
  return { ok: ran.exitCode === 0, text, seconds: (performance.now() - beganMs) / 1_000 };
}

function must(cwd: string, command: readonly string[], env?: Readonly<Record<string, string | undefined>>) {
  const ran = run(cwd, command, env);
  if (!ran.ok) throw new Error(`Cannot ${command.join(" ")}: exit code 0, was ${ran.text.slice(-600)}`);
  return ran;
}

const say = (step: string, seconds: number, ...seen: readonly string[]) => {
  rows.push([step, seconds.toFixed(1), seen.join(", ")]);
  process.stdout.write(`${step}: ${seen.join(", ")}\n`);
};

function edit(path: string, from: string, to: string): void {
  const text = readFileSync(join(clone, path), "utf8");
  if (!text.includes(from)) throw new Error(`Cannot change ${path}: ${from} in it, was without`);
  writeFileSync(join(clone, path), text.replace(from, to));
}

/** The next version: another number, and a migration that older programs may pass over. */
function makeNextVersion(): void {
  for (const path of ["package.json", "src/core/version.ts"]) edit(path, '"0.1.0"', `"${NEXT_VERSION}"`);
  const number = MIGRATIONS.length + 1;
  const file = `${String(number).padStart(4, "0")}_of_the_bench.sql`;
  const sql = `${OLDER_GO_ON}\nCREATE TABLE IF NOT EXISTS sandpiper.of_the_bench (a UInt8) ENGINE = MergeTree ORDER BY a;\n`;
  writeFileSync(join(clone, "clickhouse", file), sql);
  edit(
    "src/store/migrations.ts",
    "\nexport type",
    `\nimport ofTheBench from "#clickhouse/${file}" with { type: "text" };\nexport type`,
  );
  edit("src/store/migrations.ts", "\n];", `\n  { number: ${number}, name: "of_the_bench", sql: ofTheBench },\n];`);
}

function pack(version: string): string {
  const { seconds } = must(clone, [process.execPath, "scripts/dist.ts", "--tarball"]);
  const name = `sandpiper-${version}-${process.platform}-${process.arch}.tar.gz`;
  must(clone, ["sha256sum", "--check", "--quiet", `${name}.sha256`]);
  const path = join(work, name);
  copyFileSync(join(clone, name), path);
  say(`bun run dist --tarball, ${version}`, seconds, `${(Bun.file(path).size / 2 ** 20).toFixed(0)} MiB`);
  return path;
}

/** What must be the same whatever version runs. */
async function kept(): Promise<string> {
  const files = ["keys/wallet.json", "keys/control.json", "keys/control.hex", "keys/ledger.key", "keys/accounts.json"];
  return (await Promise.all(files.map((file) => fileSum(join(data, file))))).join();
}

type Life = { readonly decisions: number; readonly kept: string };

/** Starts what is current, waits until it trades, and holds what an earlier life left against what is there. */
async function live(
  step: string,
  version: string,
  before: Life | undefined,
  during = async (_: SupervisedRun) => {},
): Promise<Life> {
  const startedAtMs = Date.now();
  const started = await SupervisedRun.start([], [program], data);
  try {
    const status = await started.landed(LANDED);
    const seconds = (Date.now() - startedAtMs) / 1_000;
    const { version: serves } = started.report();
    const count = async (where: string) =>
      Number(
        (await started.store.query<{ n: string }>(`SELECT count() AS n FROM sandpiper.arb_opportunities ${where}`))[0]
          ?.n,
      );
    const [decisions, ofBefore] = [
      await count(""),
      await count(`WHERE inserted_at < toDateTime64(${startedAtMs / 1_000}, 3)`),
    ];
    if (serves !== version) throw new Error(`Cannot ${step}: version ${version} serving, was ${serves}`);
    if (before !== undefined && (ofBefore < before.decisions || (await kept()) !== before.kept))
      throw new Error(`Cannot ${step}: ${before.decisions} decisions and the keys kept, was ${ofBefore}`);
    await during(started);
    say(
      step,
      seconds,
      `${serves} serves`,
      `${status.landed} landed`,
      before === undefined ? "a new wallet" : `${before.decisions} decisions of before and all keys there`,
    );
    if ((await started.stop("SIGTERM")) !== 0) throw new Error(`Cannot ${step}: a clean stop, was another`);
    return { decisions, kept: await kept() };
  } finally {
    await started.store.close();
    await started.stop("SIGKILL");
  }
}

const install = (tarball: string) => run(work, [program, "release", "install", tarball, "--root", releases], BARE);

try {
  must(ROOT, ["git", "clone", "--quiet", "--no-checkout", ROOT, clone]);
  must(clone, ["git", "checkout", "--quiet", "--detach", must(ROOT, ["git", "rev-parse", "HEAD"]).text]);
  must(clone, [process.execPath, "install", "--frozen-lockfile"]);
  if (existsSync(join(ROOT, NATIVE))) copyFileSync(join(ROOT, NATIVE), join(clone, NATIVE));
  const first = pack("0.1.0");
  makeNextVersion();
  const second = pack(NEXT_VERSION);
  rmSync(clone, { recursive: true });

  for (const folder of [unpacked, data]) mkdirSync(folder);
  must(unpacked, ["tar", "--extract", "--gzip", "--file", first]);
  must(unpacked, ["sha256sum", "--check", "--quiet", "SHA256SUMS"]);
  const own = must(unpacked, ["./sandpiper", "release", "install", first, "--root", releases], BARE);
  say("release install of 0.1.0, from the unpacked tarball", own.seconds, own.text.split(" ")[0] ?? "");
  rmSync(unpacked, { recursive: true });
  const units = must(work, [program, "service", "install", "--root", machineRoot], BARE);
  say("service install --root", units.seconds, units.text.split(".")[0] ?? "");

  const one = await live("start", "0.1.0", undefined, async (started) => {
    const upgrade = install(second);
    if (!upgrade.ok) throw new Error(upgrade.text);
    say(`release install of ${NEXT_VERSION}, while it trades`, upgrade.seconds, upgrade.text.split(" ")[0] ?? "");
    // A process that is started again is the one of the release that runs, not of the one that is current now.
    const { pid = 0 } = started.report().processes.find(({ name }) => name === "feed") ?? {};
    process.kill(pid, "SIGKILL");
    const fresh = await eventually("a new feed", () => {
      const found = started.report().processes.find(({ name }) => name === "feed");
      return found?.state === "ready" && found.pid !== pid ? found.pid : undefined;
    });
    const runs = must(work, ["readlink", `/proc/${fresh}/exe`]).text;
    if (!runs.includes("/0.1.0-")) throw new Error(`Cannot keep to one version: 0.1.0, was ${runs}`);
  });
  const two = await live("restart after the upgrade", NEXT_VERSION, one);

  const damaged = join(work, "damaged");
  must(work, ["sh", "-c", 'mkdir "$1" && tar -xzf "$2" -C "$1"', "sh", damaged, first]);
  appendFileSync(join(damaged, "lib", "clmm.so"), "x");
  const refused = install(damaged);
  if (refused.ok) throw new Error("Cannot refuse a damaged release: a refusal, was none");
  say("release install of one with another byte", refused.seconds, refused.text);

  const back = must(work, [program, "release", "rollback", "--root", releases], BARE);
  say("release rollback", back.seconds, back.text.split(" ")[0] ?? "");
  const three = await live("restart after the rollback", "0.1.0", two);
  must(work, [program, "release", "rollback", "--root", releases], BARE);
  await live("and forward again", NEXT_VERSION, three);
  process.stdout.write(`${table(["step", "s", "seen"], rows)}\n${machine()}\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
