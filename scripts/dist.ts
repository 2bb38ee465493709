/**
 * `bun run dist [--tarball]`: a folder that runs on its own. `dist/sandpiper` is the one executable with every role in it;
 * the native libraries that cannot be inside it stand in `dist/lib`; SHA256SUMS names them all. The same source makes the
 * same bytes in whatever folder it is (scripts/dist-check.ts). --tarball packs the folder, for `sandpiper release install`
 * on other machines.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { libchdbPath } from "chdb/libchdb";
import { fileSum } from "../src/core/file-sum.ts";
import { VERSION } from "../src/core/version.ts";
import { enterBuildFolder } from "./build-folder.ts";

const ROOT = join(import.meta.dir, "..");
const DIST = join(ROOT, "dist");
const EXECUTABLE = join(DIST, "sandpiper");
/** Workers are loaded by path at run time, so the bundler has to be told of them. */
const WORKERS = ["agents/arbitrage-io.ts"];
const MODEL_FILES: Readonly<Record<string, RegExp>> = {
  // The default model's source, and what builds a library from a model that was fitted.
  abi: /\.(h|c|cmake)$|^CMake/,
  training: /\.(py|txt)$/,
};

enterBuildFolder(ROOT, "dist.ts");

rmSync(DIST, { recursive: true, force: true });
mkdirSync(join(DIST, "lib"), { recursive: true });

/** Bun 1.4 writes the style sheets of the two pages in either order, as its threads come: built again until it is this. */
const BUILDS_MAX = 24;
const SHEETS_IN_ORDER = ["dashboard/style.css */", "swagger-ui.css */"] as const;

/** The bundler writes this machine's folder where a module asks for its own; here the library is beside the executable. */
const noMachinePaths: Bun.BunPlugin = {
  name: "no machine paths",
  setup: (build) => {
    build.onLoad({ filter: /\/chdb\/dist\/libchdb\/index\.js$/ }, async ({ path }) => ({
      contents: (await Bun.file(path).text()).replaceAll(/__(dirname|filename)/g, '"/libchdb"'),
      loader: "js",
    }));
  },
};

async function build(): Promise<void> {
  const built = await Bun.build({
    entrypoints: [join(ROOT, "scripts/executable.ts"), ...WORKERS.map((path) => join(ROOT, path))],
    // Workers are found beside the executable's own modules: both are named relative to this folder.
    root: join(ROOT, "agents"),
    compile: { outfile: EXECUTABLE },
    plugins: [noMachinePaths],
  });
  if (built.success) return;
  for (const log of built.logs) process.stderr.write(`${log.message}\n`);
  process.exit(1);
}

function isInOrder(): boolean {
  const bytes = readFileSync(EXECUTABLE);
  const [first, second] = SHEETS_IN_ORDER.map((name) => bytes.indexOf(name)) as [number, number];
  return first < second;
}

let builds = 0;
do await build();
while (!isInOrder() && ++builds < BUILDS_MAX);
if (builds === BUILDS_MAX)
  process.stdout.write(`not the usual order in ${BUILDS_MAX} builds: these bytes will not come again\n`);

// Looked up beside the executable: the on-chain programs of the local cluster, and the sources of models, which are
// compiled and run on the machine itself.
for (const program of ["cp-swap.so", "clmm.so"])
  copyFileSync(join(ROOT, "programs", program), join(DIST, "lib", program));
for (const [folder, names] of Object.entries(MODEL_FILES)) {
  mkdirSync(join(DIST, folder));
  for (const name of readdirSync(join(ROOT, folder)).filter((one) => names.test(one)))
    copyFileSync(join(ROOT, folder, name), join(DIST, folder, name));
}
// Too large to unpack from the executable at every start.
copyFileSync(libchdbPath(), join(DIST, "lib", "libchdb.so"));
chmodSync(EXECUTABLE, 0o755);
const native = join(ROOT, "native", "sandpiper-native.node");
if (existsSync(native)) copyFileSync(native, join(DIST, "lib", "sandpiper-native.node"));
else
  process.stdout.write(
    "without WebTransport and the native TPU engine: native/ is not built (bun scripts/build-native.ts)\n",
  );

const files = readdirSync(DIST, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .sort();
const sums: string[] = [];
for (const path of files) sums.push(`${await fileSum(path)}  ${relative(DIST, path)}`);
writeFileSync(join(DIST, "SHA256SUMS"), `${sums.join("\n")}\n`);
for (const path of files)
  process.stdout.write(
    `${relative(ROOT, path).padEnd(28)} ${(statSync(path).size / 2 ** 20).toFixed(1).padStart(7)} MiB\n`,
  );
if (process.argv.includes("--tarball")) {
  const name = `sandpiper-${VERSION}-${process.platform}-${process.arch}.tar.gz`;
  const pack = `tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u+rw,go=rX --create --directory "$1" . | gzip -n >"$2"`;
  const packed = Bun.spawnSync(["sh", "-ec", pack, "sh", DIST, join(ROOT, name)], { stderr: "inherit" });
  if (packed.exitCode !== 0) process.exit(1);
  const sum = `${await fileSum(join(ROOT, name))}  ${name}\n`;
  writeFileSync(join(ROOT, `${name}.sha256`), sum);
  process.stdout.write(sum);
}
process.stdout.write("run it: cd dist && ./sandpiper supervisor\n");
