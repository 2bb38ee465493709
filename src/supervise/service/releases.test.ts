/** Releases of a stand-in program: real files, links, tarballs and sums; test/dist-story.test.ts installs the real one. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installRelease, listReleases, rollBack } from "./releases.ts";

let folder = "";
let root = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sandpiper-releases-"));
  root = join(folder, "opt");
  mkdirSync(join(folder, "data"));
  writeFileSync(join(folder, "data", "wallet"), "kept");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A distribution whose program only knows its version. */
function distribution(version: string): string {
  const made = join(folder, `dist-${version}`);
  mkdirSync(join(made, "lib"), { recursive: true });
  const files = { "lib/part.so": `part of ${version}`, sandpiper: `#!/bin/sh\necho ${version}\n` };
  const sums = Object.entries(files).map(([name, text]) => {
    writeFileSync(join(made, name), text, { mode: 0o755 });
    return `${createHash("sha256").update(text).digest("hex")}  ${name}\n`;
  });
  writeFileSync(join(made, "SHA256SUMS"), sums.join(""));
  return made;
}

const tarball = (made: string): string => {
  Bun.spawnSync(["tar", "--create", "--gzip", "--file", `${made}.tar.gz`, "--directory", made, "."]);
  return `${made}.tar.gz`;
};
const runs = () =>
  Bun.spawnSync([join(root, "current", "sandpiper")])
    .stdout.toString()
    .trim();
const roles = () => listReleases(root).map(({ name, role }) => `${role} ${name.split("-")[0]}`);

describe("installRelease()", () => {
  test("installs, upgrades and rolls back there and forth, and leaves the data", async () => {
    const first = await installRelease(root, distribution("1.0.0"));
    expect(runs()).toBe("1.0.0");
    expect(() => rollBack(root)).toThrow("Cannot roll back: one of 1.0.0-");
    await installRelease(root, tarball(distribution("1.1.0")));
    expect(runs()).toBe("1.1.0");
    expect(roles()).toEqual(["current 1.1.0", "previous 1.0.0"]);
    expect(rollBack(root)).toBe(first);
    expect(runs()).toBe("1.0.0");
    rollBack(root);
    expect(runs()).toBe("1.1.0");
    expect(rollBack(root, first)).toBe(first);
    expect(readFileSync(join(folder, "data", "wallet"), "utf8")).toBe("kept");
    expect(() => rollBack(root, "9.9.9")).toThrow("was 9.9.9");
  });

  test("the same distribution again is the same release, and what ran before stays the way back", async () => {
    await installRelease(root, distribution("1.0.0"));
    const second = distribution("1.1.0");
    await installRelease(root, second);
    await installRelease(root, second);
    expect(roles()).toEqual(["current 1.1.0", "previous 1.0.0"]);
  });

  test("keeps four, and never takes away what ran before", async () => {
    for (const version of ["1", "2", "3", "4", "5", "6"]) await installRelease(root, distribution(version));
    expect(roles()).toEqual(["current 6", "previous 5", "kept 4", "kept 3"]);
  });

  const damages: [what: string, said: string, damage: (made: string) => void][] = [
    ["another byte", "lib/part.so with the sum", (made) => writeFileSync(join(made, "lib/part.so"), "part of 2.0.x")],
    ["a missing file", "lib/part.so in it", (made) => rmSync(join(made, "lib/part.so"))],
    ["a file too many", "only files of SHA256SUMS, was extra", (made) => writeFileSync(join(made, "extra"), "")],
    ["a link", "only files of SHA256SUMS, was link", (made) => symlinkSync("/etc/passwd", join(made, "link"))],
    ["no sums", "a distribution with SHA256SUMS", (made) => rmSync(join(made, "SHA256SUMS"))],
    ["sums that are none", "lines of a sum and a name", (made) => writeFileSync(join(made, "SHA256SUMS"), "x\n")],
    [
      "a name that leads out",
      "Cannot install: ../wallet in it",
      (made) =>
        writeFileSync(
          join(made, "SHA256SUMS"),
          `${readFileSync(join(made, "SHA256SUMS"))}${"0".repeat(64)}  ../wallet\n`,
        ),
    ],
  ];
  test.each(damages)("refuses %s, and everything is as it was", async (_, said, damage) => {
    await installRelease(root, distribution("1.0.0"));
    const made = distribution("2.0.0");
    damage(made);
    await expect(installRelease(root, made)).rejects.toThrow(said);
    await expect(installRelease(root, tarball(made))).rejects.toThrow(said);
    expect(runs()).toBe("1.0.0");
    expect(readdirSync(join(root, "releases"))).toEqual([
      readlinkSync(join(root, "current")).slice("releases/".length),
    ]);
  });

  test("refuses a program that does not start here, a tarball that is none, and nothing at all", async () => {
    const made = distribution("1.0.0");
    const text = "#!/bin/sh\nexit 1\n";
    writeFileSync(join(made, "sandpiper"), text);
    const sum = createHash("sha256").update(text).digest("hex");
    const sums = readFileSync(join(made, "SHA256SUMS"), "utf8").replace(/\w+(?= {2}sandpiper)/, sum);
    writeFileSync(join(made, "SHA256SUMS"), sums);
    await expect(installRelease(root, made)).rejects.toThrow("a program that says its version here");
    writeFileSync(join(folder, "none.tar.gz"), "no tarball");
    await expect(installRelease(root, join(folder, "none.tar.gz"))).rejects.toThrow("a tarball that tar unpacks");
    await expect(installRelease(root, join(folder, "away"))).rejects.toThrow("Cannot install: a distribution's folder");
    expect(listReleases(root)).toEqual([]);
  });

  test("takes away what a killed install left", async () => {
    mkdirSync(join(root, "releases", ".new-1"), { recursive: true });
    await installRelease(root, distribution("1.0.0"));
    expect(readdirSync(join(root, "releases"))).toHaveLength(1);
  });
});
