/** Error codes are how operators and programs name an error: no two errors of any room have the same one. */
import { expect, test } from "bun:test";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");

test("every error code names one error", async () => {
  const named = new Map<number, string[]>();
  for await (const path of new Bun.Glob("src/**/errors.ts").scan(ROOT))
    for (const [table, codes] of Object.entries((await import(join(ROOT, path))) as Record<string, unknown>))
      if (table.endsWith("_ERROR"))
        for (const [name, code] of Object.entries(codes as Record<string, number>))
          named.set(code, [...(named.get(code) ?? []), `${table}.${name}`]);
  expect(named.size).toBeGreaterThan(50);
  expect([...named].filter(([, names]) => names.length > 1)).toEqual([]);
});
