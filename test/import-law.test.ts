/**
 * The import law (design section 3, ARCHITECTURE.md): which room may import which, where each outside package may enter,
 * and how an import is written. Read from the source text, so that a breach is found without running anything.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { Glob } from "bun";

const ROOT = join(import.meta.dir, "..");

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  wire: ["core"],
  memory: ["core"],
  ffi: ["core"],
  dex: ["core"],
  market: ["core", "wire", "memory", "dex"],
  arbitrage: ["core", "dex"],
  mev: ["core", "dex"],
  model: ["core", "ffi"],
  decide: ["core", "memory", "model", "arbitrage", "mev"],
  execute: ["core", "wire", "dex", "decide"],
  sim: ["core", "dex", "execute"],
  bus: ["core", "wire"],
  store: ["core", "wire", "bus"],
  control: ["core", "wire", "memory", "bus"],
  ledger: ["core", "wire", "bus", "control"],
  slo: ["core", "wire", "memory", "bus", "control"],
  train: ["core", "wire", "bus", "store", "model"],
  supervise: ["core", "wire", "memory", "ffi", "bus", "control"],
  gateway: ["core", "wire", "bus", "store", "control", "ledger", "model", "train", "slo"],
  "gateway/dashboard": ["core", "wire"],
};
const ROOMS = [...Object.keys(MAY_IMPORT).filter((room) => !room.includes("/")), "cli"];
const CLI_MAY_IMPORT = ROOMS.filter((room) => room !== "gateway");

/** Each package has one door (or the few named): no other room may import it. */
const DOORS: readonly [packages: RegExp, rooms: readonly string[]][] = [
  [/^@bufbuild\//, ["wire"]],
  [/^bun:ffi$/, ["ffi"]],
  [/^bun:sqlite$/, ["bus"]],
  [/^kafkajs/, ["bus"]],
  [/^(@clickhouse\/client|chdb)/, ["store"]],
  [/^@noble\/ed25519/, ["control"]],
  [/^jose$/, ["gateway"]],
  [/^(elysia|@elysiajs\/)/, ["gateway"]],
  [/^(swagger-ui-dist|fzstd|uplot)/, ["gateway/dashboard"]],
  [/^@triton-one\//, ["market"]],
  [/^@solana\//, ["dex", "execute"]],
  [/^litesvm/, ["sim", "execute"]],
];

type Import = { readonly file: string; readonly target: string };

function importsOf(glob: string): Import[] {
  const files = [...new Glob(glob).scanSync({ cwd: ROOT })].filter((file) => !file.startsWith("src/wire/gen/"));
  return files.sort().flatMap((file) => {
    const source = readFileSync(join(ROOT, file), "utf8").replaceAll(/^\s*(\/\*\*|\*|\/\/).*$/gm, "");
    const found = source.matchAll(/(?:\bfrom|\bimport|\bimport\(|\brequire\()\s*["']([^"'\n]+)["']/g);
    return [...found].map((match) => ({ file, target: match[1] as string }));
  });
}

/** A test, or what tests share: test-*.ts beside them. */
const isTest = (file: string) => /(\.test|(^|\/)test-[^/]+)\.ts$/.test(file);

/** The room of a file under src/: the longest named one. */
function roomOf(path: string): string {
  return path.startsWith("gateway/dashboard/") ? "gateway/dashboard" : (path.split("/")[0] as string);
}

function breaches(): string[] {
  const found: string[] = [];
  for (const { file, target } of importsOf("src/**/*.{ts,tsx}")) {
    const room = roomOf(relative("src", file));
    const say = (rule: string) => found.push(`${file} imports ${target}: ${rule}`);
    if (target.startsWith("../")) say("a room is entered by #room/file.ts, never by ../");
    if (target.startsWith("./")) {
      const reached = roomOf(relative("src", join(dirname(file), target)));
      if (reached !== room && !(room === "gateway" && reached === "gateway/dashboard")) say("./ stays inside the room");
    }
    if (/^#(clickhouse|docs|proto|abi|programs|tuning)\//.test(target)) continue;
    if (target.startsWith("#")) {
      const reached = roomOf(target.slice(1));
      const allowed = room === "cli" ? CLI_MAY_IMPORT : (MAY_IMPORT[room] ?? []);
      const own = reached === room || (room === "gateway" && reached === "gateway/dashboard");
      if (!own && !allowed.includes(reached) && !isTest(file))
        say(`${room} may import ${allowed.join(", ") || "nothing"}`);
    }
    const door = DOORS.find(([packages]) => packages.test(target));
    if (door && !door[1].includes(room) && !isTest(file)) say(`its door is ${door[1].join(" and ")}`);
  }
  for (const { file, target } of importsOf("agents/*.ts")) {
    if (target.startsWith("./") || target.startsWith("../"))
      found.push(`${file} imports ${target}: agents meet only in src/`);
    if (!/^(#|node:|bun$)/.test(target))
      found.push(`${file} imports ${target}: an agent names parts of ours, no package`);
  }
  for (const { file, target } of [...importsOf("src/**/*.ts"), ...importsOf("agents/*.ts")]) {
    if (!isTest(file) && (isTest(target) || /(^|\/)(test|bench)\//.test(target)))
      found.push(`${file} imports ${target}: shipped code knows no tests`);
  }
  return found;
}

test("every folder of src/ is a room of the law, and every room exists", () => {
  const folders = [...new Set([...new Glob("src/*/**").scanSync({ cwd: ROOT })].map((path) => path.split("/")[1]))];
  expect(folders.filter((folder) => !ROOMS.includes(folder as string))).toEqual([]);
});

test("no import breaks the law", () => {
  expect(breaches()).toEqual([]);
});

test("a knob of tuning/ knows what a knob is, how cores are written, and the file system", () => {
  const allowed = /^(#supervise\/tuning\/knob\.ts|#supervise\/placement\/cores\.ts|node:fs)$/;
  expect(importsOf("tuning/*.ts").filter(({ target }) => !allowed.test(target))).toEqual([]);
});

test("agents are thin: at most 80 lines each", () => {
  const long = [...new Glob("agents/*.ts").scanSync({ cwd: ROOT })]
    .map((file) => ({ file, lines: readFileSync(join(ROOT, file), "utf8").split("\n").length - 1 }))
    .filter(({ lines }) => lines > 80);
  expect(long).toEqual([]);
});

test("no file of ours is longer than 400 lines", () => {
  const long = [...new Glob("{src,agents,scripts,programs,tuning,bench,test}/**/*.ts").scanSync({ cwd: ROOT })]
    .filter((file) => !file.startsWith("src/wire/gen/") && !file.includes("node_modules/"))
    .map((file) => ({ file, lines: readFileSync(join(ROOT, file), "utf8").split("\n").length - 1 }))
    .filter(({ lines }) => lines > 400);
  expect(long).toEqual([]);
});
