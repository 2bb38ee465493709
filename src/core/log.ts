/**
 * Log lines for operators: one line per event on stderr, never from the hot thread. People get text, machines get JSON
 * (`log.format`). A value under a secret's name is never written.
 */

type LogLevel = "debug" | "info" | "warn" | "error";
type LogFormat = "text" | "json";
type Fields = Readonly<Record<string, string | number | bigint | boolean | null | undefined>>;

export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

export interface LogOptions {
  /** The process that speaks: "feed", "arbitrage", … */
  readonly process: string;
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly write?: (line: string) => void;
  readonly now?: () => Date;
}

/** Lines of one message within a window; what comes beyond is counted, and the next line of that message says how many. */
const LINES_MAX = 20;
const WINDOW_MS = 10_000;
/** Messages that are counted apart at the same time; the oldest gives way. */
const MESSAGES_MAX = 500;

const RANK = { debug: 0, info: 1, warn: 2, error: 3 } as const;
/** Names whose values are secrets wherever they appear. */
const SECRET_NAME = /password|secret|token|private|seed_?phrase|_sk\b|authorization/i;

export function createLog(options: LogOptions): Log {
  const write = options.write ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const now = options.now ?? (() => new Date());
  const seen = new Map<string, { fromMs: number; lines: number; suppressed: number }>();
  /** How many lines of this message were kept back before this one; undefined when this one is kept back, too. */
  const admit = (message: string): number | undefined => {
    const nowMs = now().getTime();
    const known = seen.get(message);
    if (known !== undefined && nowMs - known.fromMs < WINDOW_MS) {
      if (known.lines++ < LINES_MAX) return 0;
      known.suppressed++;
      return undefined;
    }
    seen.delete(message);
    seen.set(message, { fromMs: nowMs, lines: 1, suppressed: 0 });
    if (seen.size > MESSAGES_MAX) seen.delete(seen.keys().next().value as string);
    return known?.suppressed ?? 0;
  };
  const line = (level: LogLevel, message: string, given: Fields = {}) => {
    if (RANK[level] < RANK[options.level]) return;
    const suppressed = admit(message);
    if (suppressed === undefined) return;
    const fields = suppressed > 0 ? { ...given, suppressed } : given;
    const shown = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, SECRET_NAME.test(name) ? "[hidden]" : value] as const);
    const at = now().toISOString();
    if (options.format === "json") {
      const values = shown.map(([name, value]) => [name, typeof value === "bigint" ? value.toString() : value]);
      write(JSON.stringify({ at, level, process: options.process, message, ...Object.fromEntries(values) }));
      return;
    }
    const tail = shown.map(([name, value]) => ` ${name}=${value}`).join("");
    write(
      `${at.slice(11, 23)} ${level.padEnd(5)} ${options.process.padEnd(10)} ${message.replaceAll("\n", " ")}${tail}`,
    );
  };
  return {
    debug: (message, fields) => line("debug", message, fields),
    info: (message, fields) => line("info", message, fields),
    warn: (message, fields) => line("warn", message, fields),
    error: (message, fields) => line("error", message, fields),
  };
}
