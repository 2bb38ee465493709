import { afterAll, describe, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { NonceFile } from "./nonces.ts";

const folder = mkdtempSync(join(tmpdir(), "sandpiper-nonces-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = () => join(folder, `${files++}`, "nonces");

/** Opens, asks or takes, and closes, as a process would between two starts. */
function once<T>(path: string, use: (nonces: NonceFile) => T, options = {}): T {
  const nonces = new NonceFile(path, options);
  try {
    return use(nonces);
  } finally {
    nonces.close();
  }
}

describe("NonceFile", () => {
  test("remembers the last nonce of each stream over restarts, up to 64 bits", () => {
    const path = newPath();
    once(path, (nonces) => {
      nonces.take("a", 5n);
      nonces.take("b \n", 2n ** 64n - 1n);
      nonces.take("a", 9n);
    });
    once(path, (nonces) => {
      expect(nonces.last("a")).toBe(9n);
      expect(nonces.last("b \n")).toBe(2n ** 64n - 1n);
      expect(nonces.last("c")).toBeUndefined();
      expect(() => nonces.take("a", 9n)).toThrow("a nonce above 9, was 9");
    });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("cut at any byte opens with the nonces of the whole lines, and goes on", () => {
    const path = newPath();
    once(path, (nonces) => {
      for (let n = 1n; n <= 5n; n++) nonces.take("a", n);
    });
    const whole = readFileSync(path);
    for (let bytes = 0; bytes <= whole.length; bytes++) {
      writeFileSync(path, whole);
      truncateSync(path, bytes);
      const lines = BigInt(whole.subarray(0, bytes).toString().split("\n").length - 1);
      once(path, (nonces) => {
        expect(nonces.last("a") ?? 0n).toBe(lines);
        nonces.take("a", 100n);
      });
      expect(once(path, (nonces) => nonces.last("a"))).toBe(100n);
    }
  });

  test("refuses a file in which any byte of a whole line was changed", () => {
    const path = newPath();
    once(path, (nonces) => {
      nonces.take("stream", 12_345n);
      nonces.take("stream", 12_346n);
    });
    const whole = readFileSync(path);
    fc.assert(
      fc.property(fc.nat(whole.indexOf(0x0a) - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Uint8Array.from(whole);
        damaged[at] = (damaged[at] ?? 0) ^ change;
        writeFileSync(path, damaged);
        expect(() => once(path, () => 0)).toThrow("whole lines, was damage in line 1");
      }),
      { numRuns: 200 },
    );
  });

  test("compacts its history and forgets nothing", () => {
    const path = newPath();
    const options = { historyLinesMax: 10 };
    once(
      path,
      (nonces) => {
        for (let n = 1n; n <= 1_00n; n++) nonces.take(`s${n % 3n}`, n);
      },
      options,
    );
    expect(readFileSync(path, "utf8").split("\n").length).toBeLessThan(16);
    once(path, (nonces) => expect(["s0", "s1", "s2"].map((name) => nonces.last(name))).toEqual([99n, 100n, 98n]));
  });

  test("holds the number of streams, and goes on with those it has", () => {
    const path = newPath();
    once(
      path,
      (nonces) => {
        nonces.take("a", 1n);
        expect(() => nonces.take("b", 1n)).toThrow("at most 1 issuers");
        nonces.take("a", 2n);
      },
      { streamsMax: 1 },
    );
  });

  test("never goes back when two processes wrote out of order", () => {
    const path = newPath();
    once(path, (nonces) => nonces.take("a", 5n));
    const five = readFileSync(path, "utf8");
    once(path, (nonces) => nonces.take("a", 6n));
    appendFileSync(path, five);
    expect(once(path, (nonces) => nonces.last("a"))).toBe(6n);
  });
});

const WRITER = `
import { NonceFile } from "${join(import.meta.dir, "nonces.ts")}";
const nonces = new NonceFile(process.argv[1], { historyLinesMax: 5 });
for (let n = (nonces.last("a") ?? 0n) + 1n; ; n++) { nonces.take("a", n); process.stdout.write(n + "\\n"); }
`;

test("NonceFile forgets no nonce that was answered when its process is killed", async () => {
  const path = newPath();
  let answered = 0n;
  for (let round = 0; round < 5; round++) {
    const child = Bun.spawn([process.execPath, "-e", WRITER, path], { stdout: "pipe", stderr: "inherit" });
    let text = "";
    for await (const chunk of child.stdout) {
      text += Buffer.from(chunk).toString();
      if (text.split("\n").length > 20) child.kill("SIGKILL");
    }
    await child.exited;
    const numbers = text.split("\n").slice(0, -1).map(BigInt);
    expect(numbers[0]).toBeGreaterThan(answered);
    answered = numbers.at(-1) ?? 0n;
    expect(once(path, (nonces) => nonces.last("a"))).toBeGreaterThanOrEqual(answered);
  }
});
