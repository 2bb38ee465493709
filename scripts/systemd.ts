/** `bun scripts/systemd.ts`: writes the units of src/supervise/service/units.ts to systemd/, where people read them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { serviceFiles } from "../src/supervise/service/units.ts";

const FOLDER = join(import.meta.dir, "..", "systemd");
for (const [name, text] of Object.entries(serviceFiles())) {
  mkdirSync(dirname(join(FOLDER, name)), { recursive: true });
  writeFileSync(join(FOLDER, name), text);
}
