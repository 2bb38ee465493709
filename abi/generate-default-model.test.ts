import { expect, test } from "bun:test";
import { generateTables } from "./generate-default-model.ts";

test("generateTables() writes the committed default_model_tables.h again, byte for byte", async () => {
  expect(generateTables()).toBe(await Bun.file(new URL("default_model_tables.h", import.meta.url)).text());
});
