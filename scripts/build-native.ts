/**
 * `bun scripts/build-native.ts`: builds native/ with cargo (some minutes the first time) and puts the module where the
 * gateway and `bun run dist` look for it. CARGO_TARGET_DIR says where cargo keeps what it built. Without it everything
 * works over WebSocket.
 */
import { copyFileSync, renameSync } from "node:fs";
import { join } from "node:path";

const NATIVE = join(import.meta.dir, "..", "native");

if (Bun.which("cargo") === null) {
  process.stderr.write("Cannot build native/: cargo on the PATH (https://rustup.rs), was none\n");
  process.exit(1);
}
const built = Bun.spawnSync(["cargo", "build", "--release", "--locked", "--quiet"], {
  cwd: NATIVE,
  stdout: "inherit",
  stderr: "inherit",
});
if (!built.success) process.exit(1);
const target = process.env["CARGO_TARGET_DIR"] ?? join(NATIVE, "target");
const module = join(NATIVE, "sandpiper-native.node");
// By rename: a process that has the old one mapped keeps it.
copyFileSync(join(target, "release", "libsandpiper_native.so"), `${module}.new`);
renameSync(`${module}.new`, module);
process.stdout.write("native/sandpiper-native.node is ready; the gateway loads it at its next start\n");
