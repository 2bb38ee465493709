/** Lines of a text file, plain or .gz, read as they are needed: the file may be larger than memory. */
import { createReadStream, type ReadStream } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { createGunzip, type Gunzip } from "node:zlib";
import { errorText, SandpiperError } from "#core/error.ts";
import { CLI_ERROR } from "./errors.ts";

const LINE_CHARS_MAX = 4_194_304;

/** Batches of lines, without their ends. Throws a SandpiperError where the file cannot be read. */
export async function* textLines(path: string): AsyncGenerator<readonly string[]> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  try {
    const file = createReadStream(path, { highWaterMark: 1_048_576 });
    const stream = path.endsWith(".gz") ? unzipped(file) : file;
    for await (const chunk of stream) {
      const lines = (rest + decoder.write(chunk as Buffer)).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LINE_CHARS_MAX) throw new Error(`a line of more than ${LINE_CHARS_MAX} characters`);
      yield lines.filter((line) => line !== "");
    }
  } catch (cause) {
    if (cause instanceof SandpiperError) throw cause;
    throw new SandpiperError(
      CLI_ERROR.labelledRun,
      `Cannot read ${path}: a readable file of lines, was ${errorText(cause)}`,
    );
  }
  if (rest !== "") yield [rest];
}

/** An error of the file ends the stream behind it too. */
function unzipped(file: ReadStream): Gunzip {
  const gunzip = createGunzip();
  file.on("error", (cause) => gunzip.destroy(cause)).pipe(gunzip);
  return gunzip;
}
