/** A saved model file through the CMake workflow, as a person runs it: the library and its golden rows. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { TrainingPython } from "#train/python.ts";

const ABI = join(import.meta.dir, "../../abi");

export type BuiltModel = {
  readonly code: number;
  readonly said: string;
  readonly library: string;
  readonly golden: string;
};

export async function buildModel({ python, bin }: TrainingPython, model: string, out: string): Promise<BuiltModel> {
  const child = Bun.spawn([join(bin, "cmake"), "--workflow", "--preset", "model"], {
    cwd: ABI,
    env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}`, MODEL: model, MODEL_OUT: out, PYTHON: python },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [said, wrong] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const code = await child.exited;
  const name = (end: string) => join(out, readdirSync(out).find((file) => file.endsWith(end)) ?? "");
  return { code, said: said + wrong, library: name(".so"), golden: name(".golden.csv") };
}
